"""Every weight trains; for the matrices of the blocks Adam keeps its moments of the projected gradient only.

G (m, n) is a matrix's gradient. P holds its r first left singular vectors where m < n, Q its r first right ones
elsewhere, taken anew every `gap` steps; R = P^T G or G Q. State of a matrix: 2 r max(m, n) for the moments and
r min(m, n) for the projector, where Adam keeps 2 m n. A subclass may choose and keep its projector otherwise.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import torch
from torch import nn

from methods.spec import Shape, Site


class Projection(Protocol):
    """What a config says of it."""

    @property
    def r(self) -> int: ...

    @property
    def scale(self) -> float: ...

    @property
    def gap(self) -> int: ...


class ProjectedAdamW(torch.optim.Optimizer):
    """AdamW, in the projected space for groups that have a `rank`; such groups hold matrices only."""

    epsilon = 1e-6

    def __init__(self, groups: list[dict[str, Any]], betas: tuple[float, float]) -> None:
        super().__init__(groups, {"betas": betas})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, group)

    def _move(self, parameter: nn.Parameter, group: dict[str, Any]) -> None:
        gradient, state, low = parameter.grad, self.state[parameter], "rank" in group
        wide = low and self.wide(parameter)
        if low:
            self.renew(gradient, group, state, wide)
            gradient = self.down(gradient, state, wide)
        if not state.get("step"):
            state["step"] = 0
            state["mean"], state["square"] = torch.zeros_like(gradient), torch.zeros_like(gradient)
        state["step"] += 1
        beta1, beta2 = group["betas"]
        state["mean"].lerp_(gradient, 1 - beta1)
        state["square"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        update = state["mean"] / (state["square"].sqrt() + self.epsilon)
        if low:
            rest = self.outside(parameter.grad, gradient, update, group, state, wide)
            update = self.back(update, group, state, wide)
            update = update if rest is None else update + rest
        rate = group["lr"] * math.sqrt(1 - beta2 ** state["step"]) / (1 - beta1 ** state["step"])
        parameter.add_(update, alpha=-rate)
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        if low:
            self.settle(parameter, group)

    def wide(self, parameter: nn.Parameter) -> bool:
        """Whether the gradient is projected on its left."""
        return parameter.shape[0] < parameter.shape[1]

    def renew(self, gradient: torch.Tensor, group: dict[str, Any], state: dict[str, Any], wide: bool) -> None:
        """Makes a new projector where one is due."""
        if state.get("step", 0) % group["gap"] == 0:
            state["projector"] = projector(gradient, group["rank"], wide)

    def basis(self, state: dict[str, Any]) -> torch.Tensor:
        """P or Q, (min(m, n), r)"""
        return state["projector"]

    def down(self, gradient: torch.Tensor, state: dict[str, Any], wide: bool) -> torch.Tensor:
        """P^T G or G Q"""
        return self.basis(state).T @ gradient if wide else gradient @ self.basis(state)

    def back(self, low: torch.Tensor, group: dict[str, Any], state: dict[str, Any], wide: bool) -> torch.Tensor:
        """scale P R or scale R Q^T: out of the projected space."""
        return group["scale"] * (self.basis(state) @ low if wide else low @ self.basis(state).T)

    def outside(
        self,
        gradient: torch.Tensor,
        low: torch.Tensor,
        step: torch.Tensor,
        group: dict[str, Any],
        state: dict[str, Any],
        wide: bool,
    ) -> torch.Tensor | None:
        """What is added to the update for what the projection of `gradient` to `low` leaves out; `step` is Adam's for
        `low`. None: nothing."""
        return None

    def settle(self, parameter: nn.Parameter, group: dict[str, Any]) -> None:
        """Called when a matrix has moved."""


def projector(gradient: torch.Tensor, r: int, wide: bool) -> torch.Tensor:
    """The r first singular vectors on the shorter side of a gradient (m, n): (m, r) if wide, else (n, r)."""
    left, _, right = torch.linalg.svd(gradient.float(), full_matrices=False)
    # A slice would keep the whole factor alive.
    return (left[:, :r] if wide else right[:r].T).to(gradient.dtype).clone()


def attach(model: nn.Module, sites: tuple[Site, ...], config: Any) -> nn.Module:
    model.requires_grad_(True)
    for site in sites:
        model.get_submodule(site.name).projected = True
    return model


def count(shape: Shape, config: Any) -> int:
    """Every parameter."""
    return shape.parameters


def split(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter], list[nn.Parameter]]:
    """(matrices of the adapted layers, other matrices, vectors) of what is free."""
    projected = {id(module.weight) for module in model.modules() if getattr(module, "projected", False)}
    low: list[nn.Parameter] = []
    decayed: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for parameter in model.parameters():
        if parameter.requires_grad:
            group = low if id(parameter) in projected else decayed if parameter.ndim > 1 else others
            group.append(parameter)
    return low, decayed, others


def param_groups(
    model: nn.Module, config: Projection, learning_rate: float, weight_decay: float
) -> list[dict[str, Any]]:
    low, decayed, others = split(model)
    low_rank = {"rank": config.r, "scale": config.scale, "gap": config.gap}
    groups: list[dict[str, Any]] = [
        {"params": low, "lr": learning_rate, "weight_decay": weight_decay} | low_rank,
        {"params": decayed, "lr": learning_rate, "weight_decay": weight_decay},
        {"params": others, "lr": learning_rate, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
