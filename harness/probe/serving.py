"""What a tuned model costs to ship and to serve: its adapter's file, latency before and after merging, merging, swapping.

Latency is measured for batches of 1 and 32 on three models side by side: the base, the tuned one as it was trained
(unmerged), and a twin into whose weights the change was merged. They take turns, each round beginning with another one,
so that a drift of the machine meets all alike. Seconds are medians over the rounds after warm-up. A ratio is the median
of the ratios to the base in the same round, beside it their 10 % and 90 % quantiles: where 1 lies between these, the
machine was too restless to tell the two apart. All run as in evaluation: the run's precision, the same inputs, the
device synchronised at both ends.

Models with a task head: one forward pass over rows of a typical batch. Language models: `prefill` is the time to the
first token of `generate` over a prompt of `serving_input_tokens` tokens, `decode` the time per further token with the
key-value cache, over `serving_decode_tokens` of them (what serving calls TTFT and TPOT). A round that lasts long is
repeated less often: `serving_rounds_batch<n>` says how often.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from harness import adapter
from harness.probe.context import Context, Found, Probe
from harness.shape import is_head
from harness.train import autocast
from methods.layers import unchanged

BATCHES, VARIANTS = (1, 32), ("base", "unmerged", "merged")
PROMPT_TOKENS, DECODE_TOKENS = 128, 16
WARMUP, LEAST_ROUNDS, BUDGET_SECONDS = 2, 3, 20.0
"""Rounds that are not counted (one, if it spends the budget); the fewest that are; after this time no more are made."""
ERROR_ROWS = 8
RATIOS = {"ratio": 0.5, "ratio_p10": 0.1, "ratio_p90": 0.9}
SHIPPING = ("adapter_file_bytes", "adapter_with_head_file_bytes", "swap_seconds")
MERGING = ("merge_seconds", "merge_error_absolute", "merge_error_relative")


Call = Callable[[], tuple[float, ...]]
"""Does something and gives seconds."""


def fields(context: Context) -> tuple[str, ...]:
    quantities = ("prefill", "decode") if context.generates else ("latency",)
    cells = [(q, v, b) for b in BATCHES for q in quantities for v in VARIANTS]
    return (
        *SHIPPING,
        *MERGING,
        *(("serving_input_tokens", "serving_decode_tokens") if context.generates else ()),
        *(f"serving_rounds_batch{batch}" for batch in BATCHES),
        *(f"serving_{q}_{v}_batch{b}_seconds" for q, v, b in cells),
        *(f"serving_{q}_{v}_batch{b}_{ratio}" for q, v, b in cells if v != "base" for ratio in RATIOS),
    )


def clock(device: torch.device) -> float:
    """Seconds, all that was asked of the device done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def timed(call: Callable[[], Any], device: torch.device) -> Call:
    def run() -> tuple[float, ...]:
        started = clock(device)
        call()
        return (clock(device) - started,)

    return run


def take_turns(calls: Mapping[str, Call], rounds: int) -> dict[str, list[tuple[float, ...]]]:
    """What each call gives in each counted round: at most `rounds`, fewer where they last longer than the budget."""
    names = list(calls)
    counted: dict[str, list[tuple[float, ...]]] = {name: [] for name in names}
    begun, at, warm = time.perf_counter(), 0, 0
    while len(counted[names[0]]) < rounds:
        late = time.perf_counter() - begun > BUDGET_SECONDS
        if late and len(counted[names[0]]) >= LEAST_ROUNDS:
            break
        warming = warm < WARMUP and not (late and warm)
        warm += warming
        first = at % len(names)
        for name in names[first:] + names[:first]:
            seconds = calls[name]()
            if not warming:
                counted[name].append(seconds)
        at += 1
    return counted


def prompt(context: Context, rows: int, length: int) -> torch.Tensor:
    """(rows, length) token ids that follow each other in the typical batch, its padding left out, from the start again
    where it ends."""
    ids = context.batch["input_ids"]
    stream = ids[context.batch["attention_mask"].bool()] if "attention_mask" in context.batch else ids.flatten()
    return stream[torch.arange(rows * length) % len(stream)].view(rows, length).to(context.device)


def prompt_tokens(context: Context) -> int:
    """PROMPT_TOKENS, or what the model has positions for. Raises ValueError if that is nothing."""
    places = getattr(context.model.config, "max_position_embeddings", None) or PROMPT_TOKENS + DECODE_TOKENS + 1
    length = min(PROMPT_TOKENS, places - context.method.positions(context.config) - DECODE_TOKENS - 1)
    if length < 1:
        raise ValueError(f"the model's {places} positions leave no room for a prompt and {DECODE_TOKENS} tokens")
    return length


def _forward(context: Context, model: nn.Module, rows: int) -> Call:
    inputs = context.inputs(rows)
    return timed(lambda: context.logits(model, inputs), context.device)


def _generate(context: Context, model: nn.Module, ids: torch.Tensor) -> Call:
    """Greedy, one token and DECODE_TOKENS more: (seconds to the first, seconds for each of the others)."""
    from transformers import GenerationConfig, StoppingCriteriaList

    new = 1 + DECODE_TOKENS
    config = GenerationConfig(
        max_new_tokens=new, min_new_tokens=new, do_sample=False, num_beams=1, use_cache=True, pad_token_id=0
    )
    mask, go_on = torch.ones_like(ids), torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    stamps: list[float] = []

    def stamp(tokens: torch.Tensor, scores: Any, **others: Any) -> torch.Tensor:
        if not stamps:
            stamps.append(clock(context.device))
        return go_on

    def call() -> tuple[float, ...]:
        stamps.clear()
        started = clock(context.device)
        with autocast(context.device, context.precision):
            out = model.generate(
                input_ids=ids,
                attention_mask=mask,
                generation_config=config,
                stopping_criteria=StoppingCriteriaList([stamp]),
            )
        ended = clock(context.device)
        assert out.shape[1] == ids.shape[1] + new, "the model stopped early"
        return stamps[0] - started, (ended - stamps[0]) / DECODE_TOKENS

    return call


def latencies(context: Context, models: Mapping[str, nn.Module], rows: int) -> dict[str, dict[str, list[float]]]:
    """quantity -> variant -> seconds in each counted round"""
    if context.generates:
        ids = prompt(context, rows, prompt_tokens(context))
        calls = {name: _generate(context, model, ids) for name, model in models.items()}
        quantities: tuple[str, ...] = ("prefill", "decode")
    else:
        calls = {name: _forward(context, model, rows) for name, model in models.items()}
        quantities = ("latency",)
    seconds = take_turns(calls, context.rounds)
    return {
        quantity: {name: [one[at] for one in values] for name, values in seconds.items()}
        for at, quantity in enumerate(quantities)
    }


def summary(seconds: Mapping[str, list[float]], cell: str) -> dict[str, float]:
    """Of one quantity by variant; `cell`: `serving_latency_{}_batch1`, open for the variant."""
    costs: dict[str, float] = {}
    for name, values in seconds.items():
        costs[f"{cell.format(name)}_seconds"] = statistics.median(values)
        if name != "base":
            ratios = [value / base for value, base in zip(values, seconds["base"], strict=True)]
            for ratio, share in RATIOS.items():
                costs[f"{cell.format(name)}_{ratio}"] = float(np.quantile(ratios, share))
    return costs


def _latency_costs(context: Context, models: Mapping[str, nn.Module]) -> dict[str, float | int | None]:
    costs: dict[str, float | int | None] = {}
    if context.generates:
        costs |= {"serving_input_tokens": prompt_tokens(context), "serving_decode_tokens": DECODE_TOKENS}
    for rows in BATCHES:
        for quantity, seconds in latencies(context, models, rows).items():
            costs[f"serving_rounds_batch{rows}"] = len(seconds["base"])
            costs |= summary(seconds, f"serving_{quantity}_{{}}_batch{rows}")
    return costs


def own_bytes(file: Path, heads: tuple[str, ...]) -> int:
    """Size of an adapter's file once the head is taken out of it; 0 where then nothing is left to ship."""
    from safetensors.torch import load_file, save_file

    own = {name: tensor for name, tensor in load_file(file).items() if not is_head(name, heads)}
    if not own:
        return 0
    without = file.with_name("own.safetensors")
    save_file(own, without)
    return without.stat().st_size


def _swap(context: Context, model: nn.Module, tuned: Path, other: Path) -> float:
    """Median seconds of reading an adapter's file and putting it in another's place; `model` ends up as the tuned one."""

    def both() -> None:
        adapter.load(model, other)
        adapter.load(model, tuned)

    seconds = take_turns({"both": timed(both, context.device)}, context.rounds)["both"]
    return statistics.median(one for (one,) in seconds) / 2


def _merge(context: Context, twin: nn.Module) -> tuple[nn.Module, dict[str, float | int | None]]:
    """(merged twin, MERGING). The error is that of the logits of up to ERROR_ROWS rows: the largest absolute difference
    from the tuned model's, and that over the largest of these."""
    assert context.method.merge is not None
    inputs = context.inputs(min(ERROR_ROWS, len(next(iter(context.batch.values())))))
    expected = context.logits(context.model, inputs)
    started = clock(context.device)
    merged = context.method.merge(twin)
    seconds = clock(context.device) - started
    far = float((context.logits(merged.eval(), inputs) - expected).abs().max())
    return merged, dict(zip(MERGING, (seconds, far, far / float(expected.abs().max())), strict=True))


def measure(context: Context) -> Found:
    found = Found()
    twin = context.attached(context.precision)
    with tempfile.TemporaryDirectory() as folder:
        tuned, other = Path(folder) / "tuned.safetensors", Path(folder) / "other.safetensors"
        adapter.save(context.model, context.method, tuned)
        adapter.save(twin, context.method, other)
        values = (own_bytes(tuned, context.heads), tuned.stat().st_size, _swap(context, twin, tuned, other))
    found.costs |= dict(zip(SHIPPING, values, strict=True))
    models = {"base": context.plain(), "unmerged": context.model}
    if context.method.merge is None:
        found.notes.append(f"{context.method.name} has no merge, so there is no merged model")
    elif context.method.merge is unchanged:
        found.notes.append(f"{context.method.name} trains the model's own parameters, so there is nothing to merge")
    else:
        try:
            models["merged"], costs = _merge(context, twin)
            found.costs |= costs
        except Exception as error:  # a merge that fails in this precision leaves the other figures whole
            found.notes.append(f"merging failed: {type(error).__name__}: {error}".splitlines()[0])
    found.costs |= _latency_costs(context, models)
    return found


PROBE = Probe("serving", "adapter file, latency unmerged and merged, merging, swapping", fields, measure)
