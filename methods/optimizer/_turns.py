"""Blocks that train by turns: in a step only some have gradients, and only those keep Adam's moments."""

from __future__ import annotations

import random
from collections.abc import Collection
from typing import Any

import torch
from torch import nn


class TurnsAdamW(torch.optim.AdamW):
    """AdamW over groups of which those with a `block` train by turns, `period` steps each. A turn begins in
    `zero_grad`, the first thing that happens in a step, so that the backward pass never makes a gradient for what rests."""

    def __init__(self, groups: list[dict[str, Any]], period: int) -> None:
        super().__init__(groups)
        self.period, self.steps, self.turned = period, 0, -1
        turning = [group for group in self.param_groups if "block" in group]
        self.blocks = sorted({group["block"] for group in turning})
        self.generator = random.Random(turning[0]["seed"] if turning else 0)

    def chosen(self) -> Collection[int]:
        """Which blocks train in the turn that begins."""
        raise NotImplementedError

    def forgets(self, block: int) -> bool:
        """Whether a block that trains now as well loses its moments."""
        return False

    def zero_grad(self, set_to_none: bool = True) -> None:
        super().zero_grad(set_to_none)
        if self.blocks and self.steps % self.period == 0 and self.turned < self.steps:
            self.turned = self.steps
            self.draw()

    def draw(self) -> None:
        """Begins a turn."""
        chosen = set(self.chosen())
        for group in self.param_groups:
            if "block" in group:
                self._turn(group, group["block"] in chosen)

    def _turn(self, group: dict[str, Any], active: bool) -> None:
        for parameter in group["params"]:
            parameter.requires_grad_(active)
            if not active:
                parameter.grad = None
            if not active or self.forgets(group["block"]):
                self.state.pop(parameter, None)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        self.steps += 1
        return super().step(closure)


def mark(model: nn.Module, blocks: list[str]) -> None:
    """Notes the blocks that take turns and draws the seed of their order."""
    model.turns, model.turns_seed = blocks, int(torch.randint(2**31, (1,), device="cpu"))


def param_groups(model: nn.Module, config: Any, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
    """What is free: matrices, which decay, and vectors of each block and of the rest."""
    inside = {id(p): at for at, name in enumerate(model.turns) for p in model.get_submodule(name).parameters()}
    found: dict[tuple[int | None, bool], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        if parameter.requires_grad:
            found.setdefault((inside.get(id(parameter)), parameter.ndim > 1), []).append(parameter)
    groups = []
    for (block, matrices), parameters in found.items():
        group = {"params": parameters, "lr": learning_rate, "weight_decay": weight_decay if matrices else 0.0}
        groups.append(group if block is None else group | {"block": block, "seed": model.turns_seed})
    return groups
