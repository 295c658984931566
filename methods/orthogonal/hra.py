"""HRA: W = W0 (I - 2 u_1 u_1') ... (I - 2 u_r u_r'), each u_i a trained direction of unit length.

Yuan et al. 2024, https://arxiv.org/abs/2405.17484. The directions start as r / 2 equal pairs, which cancel. `penalty`
times ||U'U - I||^2, summed over the layers, keeps them apart (lambda in the paper). Not PEFT's, which multiplies two
whole matrices of the layer's width at every step: here the input is reflected r times.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from methods.linear import Adapted, adapt, adapted, as_lora_draws, lifted, matrix, merge
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    """Raises ValueError for an odd r: the directions start in pairs."""

    r: int = 8
    penalty: float = 0.0
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")

    def __post_init__(self) -> None:
        if self.r < 2 or self.r % 2:
            raise ValueError(f"HRA starts from r / 2 pairs of reflections: r must be even, not {self.r}")


class Reflected(Adapted):
    """y = W H_1 ... H_r x + bias; row i of `u` is the direction of H_i before it is brought to length one."""

    def __init__(self, base: nn.Module, r: int) -> None:
        super().__init__(base)
        self.u = nn.Parameter(as_lora_draws(self.empty(r // 2, self.d_in)).repeat_interleave(2, 0))

    def directions(self) -> torch.Tensor:
        return functional.normalize(self.u, dim=1)

    def turn(self, x: torch.Tensor) -> torch.Tensor:
        """H_1 ... H_r x for each x, (..., d_in)"""
        for u in self.directions().to(x.dtype).flip(0):
            x = x - 2 * (x @ u)[..., None] * u
        return x

    def delta(self) -> torch.Tensor:
        w = matrix(self.base).float()
        return w @ self.turn(torch.eye(self.d_in, device=w.device)).T - w

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.base(self.turn(lifted(x)).to(x.dtype))


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda base: Reflected(base, config.r))


def count(shape: Shape, config: Config) -> int:
    """r d_in values a matrix."""
    return sum(config.r * site.d_in for site in shape.select(config.targets))


def loss_term(model: nn.Module, config: Config) -> torch.Tensor | None:
    if not config.penalty:
        return None
    gaps = []
    for _, layer in adapted(model, Reflected):
        u = layer.directions()
        gaps.append((u @ u.T - torch.eye(config.r, device=u.device)).square().sum())
    return config.penalty * torch.stack(gaps).sum()


METHOD = Method(
    name="hra",
    family="orthogonal",
    paper=Paper(
        "Bridging The Gap between Low-rank and Orthogonal Adaptation via Householder Reflection Adaptation",
        "Yuan, Liu, Xu",
        2024,
        "https://arxiv.org/abs/2405.17484",
    ),
    formula="y = W0 (I - 2 u_1 u_1') ... (I - 2 u_r u_r') x, |u_i| = 1",
    backend="native",
    # Not from the paper, which tunes it for each task of GLUE.
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    loss_term=loss_term,
    merge=merge,
    encoder_decoders=True,
    search_space={"learning_rate": (3e-4, 1e-3, 3e-3, 1e-2), "r": (4, 8, 16), "penalty": (0.0, 1e-5, 1e-4)},
)
