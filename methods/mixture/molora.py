"""MoLoRA: y = W0 x + (alpha / r) sum_e p_e(x) B_e (A_e x), p(x) = softmax(W_r x) over all experts, for each token.

Zadouri et al. 2023, https://arxiv.org/abs/2309.05444. A_e is drawn from N(0, 0.02^2), B_e starts at 0, W_r is drawn from
N(0, 0.02^2); there is no term for balance. As the weights depend on the token, the update cannot be merged.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from methods.linear import Adapted, adapt
from methods.mixture._router import INITIAL_STD, Router, count_experts, mixed, seen_by_experts
from methods.spec import Method, Paper, Site


@dataclass(frozen=True)
class Config:
    experts: int = 10
    r: int = 4
    """of each expert"""
    alpha: int = 16
    """the update is scaled by alpha / r"""
    dropout: float = 0.0
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


class Layer(Adapted):
    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base, config.dropout)
        self.scale = config.alpha / config.r
        self.A = nn.Parameter(self.empty(config.experts, config.r, self.d_in).normal_(std=INITIAL_STD))
        self.B = self.trained(config.experts, self.d_out, config.r)
        self.router = Router(self.d_in, config.experts, base.weight)

    def update(self, x: torch.Tensor) -> torch.Tensor:
        return mixed(seen_by_experts(x, self.A), self.router(x), self.B) * self.scale


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda base: Layer(base, config))


METHOD = Method(
    name="molora",
    family="mixture",
    paper=Paper(
        "Pushing Mixture of Experts to the Limit: Extremely Parameter Efficient MoE for Instruction Tuning",
        "Zadouri, Ustun, Ahmadian, Ermis, Locatelli, Hooker",
        2023,
        "https://arxiv.org/abs/2309.05444",
    ),
    formula="y = W0 x + (alpha / r) sum_e softmax(W_r x)_e B_e A_e x",
    backend="native",
    learning_rate=3e-4,
    config=Config,
    attach=attach,
    count=count_experts,
    search_space={"learning_rate": (1e-4, 3e-4, 1e-3, 3e-3), "experts": (5, 10, 15), "r": (2, 4)},
)
