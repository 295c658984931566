"""LoKr: y = W0 x + (C kron (B A)) x; C is small, B A its low-rank partner, or a whole matrix where that is no larger.

Yeh et al. 2023 (LyCORIS), https://arxiv.org/abs/2309.14859. d_in and d_out are each split into two factors as near to
each other as they can be, or with the smaller one at most `factor`. C starts at zero. The update is scaled by alpha / r.
Not PEFT's: that draws a number at every forward pass, which cannot be traced and moves the generator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from methods.change import Changed
from methods.linear import adapt, as_lora_draws, merge
from methods.peft_backend import total
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    r: int = 8
    alpha: int = 8
    factor: int = -1
    """most of the smaller factor; -1: as large as it can be"""
    targets: tuple[str, ...] = ("query", "value")


def _split(size: int, factor: int) -> tuple[int, int]:
    """(smaller, larger) factor of `size`; a `factor` that divides it is taken as it is."""
    if factor > 0 and size % factor == 0:
        return min(factor, size // factor), max(factor, size // factor)
    most = math.isqrt(size) if factor < 0 else min(factor, math.isqrt(size))
    small = next(value for value in range(most, 0, -1) if size % value == 0)
    return small, size // small


class Kronecker(Changed):
    """W + scale * C kron (B A), or C kron D"""

    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base)
        self.scale = config.alpha / config.r
        (m, n), (o, p) = _split(self.d_in, config.factor), _split(self.d_out, config.factor)
        self.C = self.trained(o, m)
        if config.r < max(n, p) / 2:
            self.B = nn.Parameter(as_lora_draws(self.empty(p, config.r)))
            self.A = nn.Parameter(as_lora_draws(self.empty(config.r, n)))
        else:
            self.D = nn.Parameter(as_lora_draws(self.empty(p, n)))

    def change(self) -> torch.Tensor:
        partner = self.D if hasattr(self, "D") else self.B @ self.A
        return self.scale * torch.kron(self.C, partner)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda base: Kronecker(base, config))


def count(shape: Shape, config: Config) -> int:
    """C: the product of the small factors. Partner: the larger factors' product, or r times their sum."""

    def values(site: Site) -> int:
        (small_in, large_in), (small_out, large_out) = (
            _split(site.d_in, config.factor),
            _split(site.d_out, config.factor),
        )
        low_rank = config.r < max(large_in, large_out) / 2
        partner = config.r * (large_in + large_out) if low_rank else large_in * large_out
        return small_in * small_out + partner

    return total(shape, config, values)


METHOD = Method(
    name="lokr",
    family="tensor",
    paper=Paper(
        "Navigating Text-To-Image Customization: From LyCORIS Fine-Tuning to Model Evaluation",
        "Yeh, Hsieh, Gao, Yang, Oh, Gong",
        2023,
        "https://arxiv.org/abs/2309.14859",
    ),
    formula="y = W0 x + (alpha / r) (C kron (B A)) x",
    backend="native",
    # The paper has no encoder; above LoRA's rate, as fewer values train.
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    encoder_decoders=True,
    search_space={"learning_rate": (4e-4, 1e-3, 4e-3, 1e-2), "r": (4, 8, 16), "factor": (-1, 4, 8)},
)
