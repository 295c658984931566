"""The training loop of a pack: one pass forward and backward for all runs, then each run's own clipping, hooks, optimizer
and schedule. Step for step the same as harness/train.py does for one run."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields

import torch

from harness.data import Batch, Data, training_order
from harness.pack.model import PackedModel
from harness.pack.optimizer import StackedAdamW, clip
from harness.pack.stack import Unpackable
from harness.prepare import Setting
from harness.train import (
    CHECK_EVERY,
    Diverged,
    Trained,
    autocast,
    collect,
    make_optimizer,
    rate_factor,
    summed_loss,
    total_steps,
)
from methods.spec import Method

CLOSE = {"fp32": 1e-3, "bf16": 0.1}
"""How far outputs of size 1 may be from those of the run alone before the first step: rounding, and never a wrong layer"""
HOOKS = ("before_step", "after_step")


class Lane:
    """One run of a pack: what it has for itself."""

    def __init__(self, setting: Setting, seed: int, at_epoch_end: Callable[[int, int], None] | None = None) -> None:
        self.setting, self.at_epoch_end = setting, at_epoch_end
        s, recipe = setting, setting.recipe
        self.total = total_steps(recipe, len(s.train))
        self.order = training_order(s.train, recipe.batch_size, seed, recipe.group_by_length)
        self.optimizer = make_optimizer(s.model, s.method, s.config, s.learning_rate, recipe.weight_decay)
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]
        self.trained = Trained()
        self.losses: list[torch.Tensor] = []
        self.error: Diverged | None = None

    def before_step(self, step: int) -> None:
        """With this run's gradients in place, clipped."""
        s = self.setting
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * rate_factor(step, self.total, s.recipe)
        self.trained.learning_rates.append(self.optimizer.param_groups[0]["lr"])
        s.method.before_step(s.model, s.config, step, self.total)

    def after_step(self, step: int) -> None:
        s = self.setting
        s.method.after_step(s.model, s.config, step, self.total)

    def collect(self, step: int) -> None:
        try:
            collect(self.losses, self.trained, step)
        except Diverged as error:
            self.error = error


@dataclass
class Pack:
    """K runs of the same data, recipe and method, ready to train together."""

    model: PackedModel
    lanes: list[Lane]
    running: list[Lane] = field(init=False)
    optimizer: StackedAdamW | None = field(init=False)
    """None where the method brings optimizers of its own, which then step one by one"""
    spreads: bool = field(init=False)
    """Whether anyone looks at a single run's gradients"""

    def __post_init__(self) -> None:
        self.running = list(self.lanes)
        try:
            self.optimizer = StackedAdamW(self.model.trained, [lane.optimizer for lane in self.lanes])
        except ValueError:
            self.optimizer = None
        method = self.setting.method
        hooked = any(getattr(method, item.name) is not item.default for item in fields(Method) if item.name in HOOKS)
        self.spreads = hooked or self.optimizer is None

    @property
    def setting(self) -> Setting:
        """The first run's, for what all have in common."""
        return self.lanes[0].setting

    def train(self) -> None:
        """Trains every run in place. One whose loss leaves the numbers stops with its `error` set; the others go on."""
        recipe, rows, total = self.setting.recipe, len(self.setting.train), self.lanes[0].total
        per_epoch = math.ceil(rows / recipe.batch_size)
        self.model.model.train()
        for step in range(total):
            self._step(step)
            last = step + 1 == total
            if last or (step + 1) % CHECK_EVERY == 0:
                self._collect(step)
            if not self.running:
                return
            if (step + 1) % per_epoch == 0 or last:
                for lane in self.running:
                    if lane.at_epoch_end:
                        lane.at_epoch_end(step + 1, math.ceil((step + 1) / per_epoch))

    def _collect(self, step: int) -> None:
        for lane in self.running:
            lane.collect(step)
        self.running = [lane for lane in self.running if lane.error is None]

    def _step(self, step: int) -> None:
        losses = self._gradients([next(lane.order) for lane in self.lanes])
        stacks, most = self.model.trained, self.setting.recipe.max_grad_norm
        if most is not None:
            clip(stacks, most)
        for stack in stacks if self.spreads else ():
            stack.spread()
        for lane in self.running:
            lane.before_step(step)
        for stack in stacks if self.spreads else ():
            stack.gather()
        if self.optimizer is not None:
            self.optimizer.step()
        else:
            for lane in self.running:
                lane.optimizer.step()
        for lane in self.running:
            lane.after_step(step)
        for lane, loss in zip(self.lanes, losses.unbind(), strict=True):
            lane.losses.append(loss)

    def _gradients(self, index: list[list[int]]) -> torch.Tensor:
        """Each run's mean loss (K,) on its own rows; its gradients are then in the stacks."""
        s = self.setting
        parts = gathered(s.train, index, s.recipe.gradient_accumulation)
        counted = [[own.counted for own in part.split(len(index))] for part in parts]
        wholes = torch.tensor([max(1, sum(own)) for own in zip(*counted, strict=True)], device=s.device)
        means = torch.zeros(len(index), device=s.device)
        for stack in self.model.trained:
            stack.whole.grad = None
        for part in parts:
            losses = self._losses(part) / wholes
            means += losses.detach()
            losses.sum().backward()
        return means

    def _losses(self, batch: Batch) -> torch.Tensor:
        """(K,) the summed loss of each run's rows."""
        logits = self._logits(batch).chunk(self.model.runs)
        return torch.stack([summed_loss(x, own) for x, own in zip(logits, batch.split(self.model.runs), strict=True)])

    def _logits(self, batch: Batch) -> torch.Tensor:
        device, precision = self.setting.device, self.setting.recipe.precision
        with autocast(device, precision):
            return self.model({name: x.to(device, non_blocking=True) for name, x in batch.inputs.items()})

    @torch.no_grad()
    def check(self) -> None:
        """Raises Unpackable if the runs would not come out as they do one by one: if a pass forward draws random numbers,
        if the method adds to the loss, if padding moves a text, or if the outputs are not the runs' own."""
        s, runs = self.setting, self.model.runs
        if getattr(s.train, "left", False):
            raise Unpackable("texts are padded on the left, where the longest of all runs would move the others")
        if any(
            lane.setting.method.loss_term(lane.setting.model, lane.setting.config) is not None for lane in self.lanes
        ):
            raise Unpackable(f"{s.method.name} adds a term to the loss")
        (batch,) = gathered(s.train, [[0, len(s.train) - 1]] * runs, 1)
        self.model.model.train()
        before = _random_state(s.device)
        found = self._logits(batch)
        if not torch.equal(before, _random_state(s.device)):
            raise Unpackable("a pass forward draws random numbers (dropout), which differ when runs share it")
        for lane, logits, own in zip(self.lanes, found.chunk(runs), batch.split(runs), strict=True):
            model = lane.setting.model.train()
            with autocast(s.device, s.recipe.precision):
                alone = model(**{name: x.to(s.device) for name, x in own.inputs.items()}).logits
            if not torch.allclose(logits.float(), alone.float(), rtol=0, atol=CLOSE[s.recipe.precision] * _size(alone)):
                raise Unpackable("the model's outputs for a pack are not those for each run")


def _size(x: torch.Tensor) -> float:
    return max(1.0, float(x.abs().max()))


def _random_state(device: torch.device) -> torch.Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def gathered(data: Data, index: Sequence[Sequence[int]], parts: int) -> list[Batch]:
    """The rows of all runs, (K, n) row numbers, one run after the other and padded to the longest of all; in at most
    `parts` batches, each with the same share of every run, as Batch.split has it."""
    rows = len(index[0])
    ends = [rows * (i + 1) // min(parts, rows) for i in range(min(parts, rows))]
    return [
        data.collate(list(itertools.chain.from_iterable(own[a:b] for own in index)))
        for a, b in zip([0, *ends[:-1]], ends, strict=True)
    ]
