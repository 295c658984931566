"""LoRA-MGPO: LoRA whose gradients are taken at weights that are moved a little against the step to come: y = (W0 +
s B A + E) x + b, E = -rho v / (||v|| g), s = alpha / r, v = s (m_B A + B m_A) Adam's momentum as seen by the weight,
g the smoothed norm of its gradient, g <- beta g + (1 - beta) || s (dB A + B dA) ||.

Chang et al. 2025, https://arxiv.org/abs/2502.14538. The paper's first version was called LoRA-GGPO and drew E at
random; the published ones and the authors' code have this. E stands in training steps only, and no gradient goes
through it. In the first step there is no momentum and no E. 1 / g is at most 10, as in the code. E is never made: it
is a sum of two products of rank r. Ours: g is of the gradients as the step sees them, clipped. rho, beta and the rate
are theirs for T5-base on GLUE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from methods.linear import LowRankAdapted, adapt, adapted, as_lora_draws, merge
from methods.peft_backend import LowRank, count_lora
from methods.spec import Method, Paper, Site

TINY = 1e-12
MOST = 10.0
"""Largest 1 / g."""


@dataclass(frozen=True)
class Config(LowRank):
    rho: float = 0.05
    """size of E where g = 1"""
    beta: float = 0.9
    """of g's moving average"""


class Layer(LowRankAdapted):
    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base, config.alpha / config.r, config.dropout)
        self.rho = config.rho
        self.A = nn.Parameter(as_lora_draws(self.empty(config.r, self.d_in)))
        self.B = self.trained(self.d_out, config.r)
        self.smooth: torch.Tensor | None = None

    def update(self, x: torch.Tensor) -> torch.Tensor:
        y = super().update(x)
        momenta = [getattr(factor, "momentum", None) for factor in (self.A, self.B)]
        if not self.training or self.smooth is None or None in momenta:
            return y
        a, b, (of_a, of_b) = self.A.detach(), self.B.detach(), momenta
        size = self.rho * self.scale * (1 / (self.smooth + TINY)).clamp_max(MOST)
        size = size / (self.scale * norm_of_sum(of_b, a, b, of_a) + TINY)
        moved = functional.linear(functional.linear(x, a), of_b) + functional.linear(functional.linear(x, of_a), b)
        return y - size * moved


def norm_of_sum(p: torch.Tensor, q: torch.Tensor, s: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """|| P Q + S T || for P, S (d_out, r) and Q, T (r, d_in), from products of width 2 r."""
    left, right = torch.cat([p, s], dim=1), torch.cat([q, t])
    return ((left.T @ left) * (right @ right.T)).sum().clamp_min(0).sqrt()


class ShowingAdamW(torch.optim.AdamW):
    """AdamW whose first moments the parameters know."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = super().step(closure)
        for group in self.param_groups:
            for parameter in group["params"]:
                if "exp_avg" in self.state[parameter]:
                    parameter.momentum = self.state[parameter]["exp_avg"]
        return loss


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda base: Layer(base, config))


def optimizer(groups: list[dict[str, Any]], config: Config) -> torch.optim.Optimizer:
    return ShowingAdamW(groups)


@torch.no_grad()
def before_step(model: nn.Module, config: Config, step: int, total_steps: int) -> None:
    for _, layer in adapted(model, Layer):
        if layer.A.grad is not None and layer.B.grad is not None:
            size = layer.scale * norm_of_sum(layer.B.grad, layer.A, layer.B, layer.A.grad)
            layer.smooth = size if layer.smooth is None else torch.lerp(size, layer.smooth, config.beta)


METHOD = Method(
    name="lora-mgpo",
    family="optimizer",
    paper=Paper(
        "LoRA-MGPO: Mitigating Double Descent in Low-Rank Adaptation via Momentum-Guided Perturbation Optimization",
        "Chang, Guo, Chang, Wu",
        2025,
        "https://arxiv.org/abs/2502.14538",
    ),
    formula="y = (W0 + s B A + E) x, E = -rho v / (||v|| g), v = s (m_B A + B m_A), g the smoothed gradient norm",
    backend="native",
    learning_rate=1e-4,
    config=Config,
    attach=attach,
    count=count_lora,
    optimizer=optimizer,
    before_step=before_step,
    merge=merge,
    search_space={"learning_rate": (1e-4, 2e-4, 4e-4), "r": (4, 8, 16, 32), "rho": (0.01, 0.05, 0.1)},
)
