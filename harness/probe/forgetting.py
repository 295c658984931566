"""What tuning does to inputs that have nothing to do with the task; every run sees the same ones.

Language models: the mean next-token cross entropy, in nats, on general English sentences (sentences.txt, ours, so that
no model has seen them), before and after. Before is the base model, which is the tuned one with its adapter off.
Models with a task head have no such loss. A proxy stands in its place, representation drift: 1 - cosine, before against
after, of the vector that the model hands to its head: its own pooling, the first token of an encoder, the last one of a
decoder. It says how far inputs moved, not whether anything was lost. Text: the same sentences; images: drawn discs
before gratings.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from harness.answer import log_likelihoods
from harness.model import longest_input
from harness.probe.context import Context, Found, Probe
from harness.text import Texts

SENTENCES, IMAGES, IMAGES_SEED = Path(__file__).with_name("sentences.txt"), 64, 20070711
ROWS = 16
"""sentences in a batch of a language model"""
LOSS = ("forgetting_loss_before", "forgetting_loss_after", "forgetting_loss_increase", "forgetting_tokens")
DRIFT = ("forgetting_drift_mean", "forgetting_drift_max", "forgetting_items")


def sentences() -> list[str]:
    return SENTENCES.read_text(encoding="utf-8").splitlines()


def encoded(context: Context) -> list[Any]:
    """Each sentence as the tokenizer gives it, cut to what the tuned model has positions for."""
    room = longest_input(context.model, context.tokenizer) - context.method.positions(context.config)
    return [context.tokenizer(text, truncation=True, max_length=room) for text in sentences()]


def losses(context: Context, base: nn.Module) -> dict[str, float | int | None]:
    """Over all tokens but the first of each sentence, which nothing predicts."""
    ids = [list(row["input_ids"]) for row in encoded(context)]
    texts = Texts([[]] * len(ids), ids, context.tokenizer.pad_token_id, mask_prompt=False, truncated=0)
    tokens = sum(len(row) - 1 for row in ids)
    before, after = (
        -float(log_likelihoods(model, texts, context.device, context.precision, ROWS).sum()) / tokens
        for model in (base, context.model)
    )
    return dict(zip(LOSS, (before, after, after - before, tokens), strict=True))


@contextlib.contextmanager
def _entering(heads: Sequence[nn.Module]) -> Iterator[list[torch.Tensor]]:
    """What is handed to any of the heads, in the order in which they are called."""
    kept: list[torch.Tensor] = []

    def keep(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        kept.append(args[0] if args else next(iter(kwargs.values())))

    handles = [head.register_forward_pre_hook(keep, with_kwargs=True) for head in heads]
    try:
        yield kept
    finally:
        for handle in handles:
            handle.remove()


def represented(context: Context, model: nn.Module, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """(rows, width) float64: what the first head reads of inputs without padding. Where it is handed every position it
    reads the last one of a decoder and else the first, wherever a method puts tokens of its own."""
    with _entering([model.get_submodule(name) for name in context.heads]) as kept:
        context.logits(model, inputs)
    read = kept[0].double()
    if read.ndim == 3:
        read = read[:, -1 if context.shape.kind == "decoder" else 0]
    return read


def drawn(rows: int, channels: int, side: int, generator: torch.Generator) -> torch.Tensor:
    """Images (rows, channels, side, side) in -1..1: a disc of one colour before a grating of another."""
    line = torch.linspace(-1, 1, side)
    y, x = torch.meshgrid(line, line, indexing="ij")
    angle, phase, pitch, radius, left, top = torch.rand((6, rows, 1, 1), generator=generator)
    along = x * (math.pi * angle).cos() + y * (math.pi * angle).sin()
    grating = ((4 + 12 * pitch) * along + 2 * math.pi * phase).sin()[:, None]
    inside = (x - (left - 0.5)) ** 2 + (y - (top - 0.5)) ** 2 < (0.2 + 0.5 * radius) ** 2
    back, front = 2 * torch.rand((2, rows, channels, 1, 1), generator=generator) - 1
    return torch.where(inside[:, None], front, back * grating)


def _items(context: Context) -> Iterator[dict[str, torch.Tensor]]:
    """Inputs of a forward pass, an item each: no padding, hence no doubt about which positions count."""
    pixels = context.batch.get("pixel_values")
    if pixels is not None:
        images = drawn(IMAGES, pixels.shape[1], pixels.shape[-1], torch.Generator().manual_seed(IMAGES_SEED))
        yield from ({"pixel_values": image[None].to(context.device)} for image in images)
        return
    for row in encoded(context):
        kept = {name: row[name] for name in context.batch if name in row}
        yield {name: torch.tensor([values], device=context.device) for name, values in kept.items()}


def drift(context: Context, base: nn.Module) -> dict[str, float | int | None]:
    found = []
    for inputs in _items(context):
        before, after = (represented(context, model, inputs) for model in (base, context.model))
        found.append(1 - float(nn.functional.cosine_similarity(before, after)))
    return dict(zip(DRIFT, (math.fsum(found) / len(found), max(found), len(found)), strict=True))


def fields(context: Context) -> tuple[str, ...]:
    return LOSS if context.generates else DRIFT


def measure(context: Context) -> Found:
    if context.tokenizer is None and "pixel_values" not in context.batch:
        return Found(notes=["there is no tokenizer to read the sentences with"])
    base = context.plain()
    if context.generates:
        return Found(losses(context, base))
    proxy = "representation drift stands for a loss on general inputs, which a model with a task head does not have"
    return Found(drift(context, base), [proxy])


PROBE = Probe("forgetting", "loss on general text before and after, or representation drift", fields, measure)
