"""Fira: GaLore's step in the projected space, and beside it the rest of the gradient, scaled as Adam scaled what was
projected: W <- W - rate (s P N(R) + S), S = phi * (G - s P R), phi_i = ||N(R)_i|| / ||R_i||, column by column (row by
row where G is projected on the right); S is shrunk wherever its norm would grow by more than the factor gamma a step.

Chen et al. 2024, https://arxiv.org/abs/2410.01623. R = P^T G and N is Adam's step, as in GaLore; the rest needs no
state but the norm of the last S, so that all of W moves with GaLore's memory. With s = 1 the rest is what P leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from methods.layers import unchanged
from methods.optimizer._projected import ProjectedAdamW, attach, count, param_groups
from methods.spec import Method, Paper

TINY = 1e-8
"""Keeps quotients of norms from dividing by zero."""


@dataclass(frozen=True)
class Config:
    """The authors' settings for fine-tuning LLaMA-7B on commonsense reasoning."""

    r: int = 16
    """rank of the projected gradient"""
    scale: float = 1.0
    """s"""
    gap: int = 200
    """steps between two projectors"""
    limit: float = 1.01
    """gamma: the largest growth of the rest's norm from step to step"""
    beta1: float = 0.9
    beta2: float = 0.999
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


class FiraAdamW(ProjectedAdamW):
    def __init__(self, groups: list[dict[str, Any]], betas: tuple[float, float], limit: float) -> None:
        super().__init__(groups, betas)
        self.limit = limit

    def outside(
        self,
        gradient: torch.Tensor,
        low: torch.Tensor,
        step: torch.Tensor,
        group: dict[str, Any],
        state: dict[str, Any],
        wide: bool,
    ) -> torch.Tensor:
        along = 0 if wide else 1
        phi = step.norm(dim=along, keepdim=True) / (low.norm(dim=along, keepdim=True) + TINY)
        rest = phi * (gradient - self.back(low, group, state, wide))
        norm = rest.norm()
        if "norm" in state:
            shrink = (norm / (state["norm"] + TINY)).clamp_min(self.limit) / self.limit
            rest, norm = rest / shrink, norm / shrink
        state["norm"] = norm
        return rest


def optimizer(groups: list[dict[str, Any]], config: Config) -> torch.optim.Optimizer:
    return FiraAdamW(groups, (config.beta1, config.beta2), config.limit)


METHOD = Method(
    name="fira",
    family="optimizer",
    paper=Paper(
        "Fira: Can We Achieve Full-rank Training of LLMs Under Low-rank Constraint?",
        "Chen, Feng, Li, Lai, Yue, Yuan, Wang",
        2024,
        "https://arxiv.org/abs/2410.01623",
    ),
    formula="W <- W - rate (s P Adam(P^T G) + phi * (G - s P P^T G)), phi = ||Adam(P^T G)|| / ||P^T G||",
    backend="native",
    learning_rate=1e-4,
    config=Config,
    attach=attach,
    count=count,
    param_groups=param_groups,
    optimizer=optimizer,
    merge=unchanged,
    search_space={"learning_rate": (1e-5, 3e-5, 1e-4, 3e-4), "r": (4, 8, 16), "scale": (0.25, 1.0)},
)
