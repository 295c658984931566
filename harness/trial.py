"""A method in a tiny model, step by step as the contract asks for it: attached, calibrated, trained."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

import methods
from harness import adapter, tiny
from harness.attach import attach
from harness.data import Batch, Targets
from harness.model import seeded
from harness.shape import describe, head_names, is_head
from harness.train import Diverged, summed_loss, train
from methods.layers import trainable
from methods.spec import Method, Shape, Unsupported
from tasks.spec import Recipe

CPU = torch.device("cpu")
STEPS, EARLY = 24, 2
RATES = (1e-3, 1e-2, 3e-2, 1e-1)


@functools.cache
def _base(kind: str, device: str = "cpu") -> nn.Module:
    with torch.device(device):
        model = tiny.model(kind)
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(8)
            else:
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator).to(device))
    return model


def base(kind: str, device: str = "cpu") -> nn.Module:
    """A tiny model whose matrices are large enough for its layers to matter and whose biases are not zero, as in a
    pretrained one."""
    return copy.deepcopy(_base(kind, device))


@functools.cache
def shape_of(kind: str) -> Shape:
    return describe(_base(kind, "meta"))


def config_of(name: str) -> Any:
    """The method's default config, or the nearest that fits a tiny model."""
    return dataclasses.replace(methods.get(name).config(), **tiny.NARROW.get(name, {}))


def attached(
    name: str, kind: str, seed: int = 0, config: Any = None, device: str = "cpu"
) -> tuple[Method, Any, Shape, nn.Module]:
    """(method, config, shape, model with the method in it and its head free)"""
    model, method = base(kind, device), methods.get(name)
    config = config or config_of(name)
    shape = describe(model)
    return method, config, shape, attach(model, method, config, shape, head_names(model), seed)


def own(kind: str, model: nn.Module) -> dict[str, nn.Parameter]:
    """The trainable parameters that are not the head's."""
    heads = head_names(_base(kind, "meta"))
    return {n: p for n, p in trainable(model).items() if not is_head(n, heads)}


def inputs(rows: int = 16, kind: str = "encoder") -> Mapping[str, torch.Tensor]:
    return tiny.task(kind, rows)[0]


def batch_of(kind: str) -> Batch:
    given, labels = tiny.task(kind)
    read = Targets.at_their_place if "decoder_input_ids" in given else Targets.of
    targets = read(labels) if labels.ndim == 2 else None
    return Batch(given, labels, labels.numel(), list(range(len(labels))), targets)


@torch.no_grad()
def logits(model: nn.Module, kind: str = "encoder") -> torch.Tensor:
    """What the model answers; of a language model at the position of the answer, (rows, outputs)."""
    found = model.eval()(**inputs(kind=kind)).logits
    return found if found.ndim == 2 else found[:, -2]


class Enough(Exception):
    """Ends a training after some steps of a longer schedule."""


def calibrate(method: Method, config: Any, model: nn.Module, kind: str, seed: int = 0) -> None:
    """As the harness does it, before the first step."""
    given, labels = tiny.task(kind)
    batches = [{**{k: v[at : at + 4] for k, v in given.items()}, "labels": labels[at : at + 4]} for at in (0, 4, 8, 12)]
    with seeded(seed):
        method.calibrate(model, iter(batches), config)


def teach(
    method: Method,
    config: Any,
    model: nn.Module,
    kind: str,
    steps: int,
    rate: float,
    seed: int = 0,
    each: Callable[[int], None] = lambda step: None,
) -> tuple[list[float], set[str]]:
    """(losses, names of all that was free at some step): trains in place through the harness's own loop; `each` is
    called after every step and may raise Enough."""
    batch = batch_of(kind)
    freed, losses = set(trainable(model)), []

    def after(step: int, _: int) -> None:
        freed.update(trainable(model))
        each(step)

    recipe = Recipe(batch_size=16, max_steps=steps, weight_decay=0.0, warmup_ratio=0.0, schedule="constant")
    with seeded(seed), contextlib.suppress(Enough):
        losses = train(model, method, config, recipe, rate, itertools.repeat(batch), 16, CPU, after).losses
    return losses, freed


def fell(losses: list[float]) -> bool:
    """Whether the last four losses are less than four fifths of the first."""
    return sum(losses[-4:]) / 4 < 0.8 * losses[0]


def snapshot(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


@dataclass
class Trained:
    losses: list[float]
    freed: set[str]
    """what was free at some step"""
    changed: set[str]
    """what differed from the start after EARLY steps or at the end"""
    early: dict[str, torch.Tensor]
    """the model's state after EARLY steps"""
    rate: float
    outputs: torch.Tensor
    """with a head that was moved as well"""
    file: Path


class Run:
    """One method on one tiny model, made step by step as tests ask for it; each stage changes the model."""

    def __init__(self, name: str, kind: str, folder: Path, config: Any = None) -> None:
        """config: else the default. Raises Unsupported if the method cannot work there."""
        self.name, self.kind, self.folder = name, kind, folder
        self.method = methods.get(name)
        reason = self.method.supports(*tiny.KINDS[kind])
        if reason is not None:
            raise Unsupported(reason)
        self.config = config or config_of(name)
        self.shape, self.model, self.start = self.made()
        self.start_outputs = logits(self.model, kind)

    def made(self) -> tuple[Shape, nn.Module, dict[str, torch.Tensor]]:
        """(shape, model before its first step, its state); the head is held if anything else trains."""
        _, config, shape, model = attached(self.name, self.kind, config=self.config)
        if self.method.count(shape, config):
            for parameter in self._head(model):
                parameter.requires_grad_(False)
        calibrate(self.method, config, model, self.kind)
        return shape, model, snapshot(model)

    def _head(self, model: nn.Module) -> list[nn.Parameter]:
        heads = head_names(_base(self.kind, "meta"))
        return [p for n, p in model.named_parameters() if is_head(n, heads)]

    def gradients(self) -> tuple[set[str], set[str]]:
        """(what is free, what one backward pass gives a gradient)"""
        batch = batch_of(self.kind)
        summed_loss(self.model(**batch.inputs).logits, batch).backward()
        graded = {n for n, p in self.model.named_parameters() if p.grad is not None}
        self.model.zero_grad(set_to_none=True)
        return set(trainable(self.model)), graded

    @functools.cached_property
    def trained(self) -> Trained:
        """After some steps at the first rate by which the loss falls; the one nearest to the method's own, raised for
        a tiny model, goes first."""
        own_rate = 25 * self.method.learning_rate
        early: dict[str, torch.Tensor] = {}
        losses, freed = [math.inf], set()

        def each(step: int) -> None:
            if step == EARLY:
                early.update(snapshot(self.model))

        for at, rate in enumerate(sorted(RATES, key=lambda r: abs(math.log(r / own_rate)))):
            if at:
                _, self.model, _ = self.made()
            with contextlib.suppress(Diverged):
                losses, freed = teach(self.method, self.config, self.model, self.kind, STEPS, rate, each=each)
            if fell(losses):
                break
        end = dict(self.model.named_parameters())
        changed = {n for state in (early, end) for n in end if not torch.equal(state[n], self.start[n])}
        with torch.no_grad():
            for parameter in self._head(self.model):
                parameter.requires_grad_(True).add_(0.1)
        file = self.folder / f"{self.name}-{self.kind}.safetensors"
        adapter.save(self.model, self.method, file)
        return Trained(losses, freed, changed, early, rate, logits(self.model, self.kind), file)

    def again(self) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """(start, after EARLY steps) of a second model made with the same seed, whatever was drawn before."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(99)
            _, model, start = self.made()

        def each(step: int) -> None:
            if step == EARLY:
                raise Enough

        teach(self.method, self.config, model, self.kind, STEPS, self.trained.rate, each=each)
        return start, snapshot(model)
