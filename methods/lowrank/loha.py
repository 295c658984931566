"""LoHa: y = W0 x + (alpha / r) ((B1 A1) * (B2 A2)) x; the product of two rank-r matrices has rank up to r^2.

Hyeon-Woo et al. 2021 (FedPara), https://arxiv.org/abs/2108.06098, as an adapter in LyCORIS (Yeh et al. 2023,
https://arxiv.org/abs/2309.14859). B1 starts at zero. Not PEFT's:
that draws a number at every forward pass, which cannot be traced and moves the generator.
"""

from __future__ import annotations

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
    targets: tuple[str, ...] = ("query", "value")


class Hadamard(Changed):
    """W + scale * (B1 A1) * (B2 A2)"""

    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base)
        r, self.scale = config.r, config.alpha / config.r
        self.B1 = self.trained(self.d_out, r)
        self.A1 = nn.Parameter(as_lora_draws(self.empty(r, self.d_in)))
        self.B2 = nn.Parameter(as_lora_draws(self.empty(self.d_out, r)))
        self.A2 = nn.Parameter(as_lora_draws(self.empty(r, self.d_in)))

    def change(self) -> torch.Tensor:
        return self.scale * (self.B1 @ self.A1) * (self.B2 @ self.A2)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda base: Hadamard(base, config))


def count(shape: Shape, config: Config) -> int:
    """2 r (d_in + d_out) values a matrix."""
    return total(shape, config, lambda site: 2 * config.r * (site.d_in + site.d_out))


METHOD = Method(
    name="loha",
    family="lowrank",
    paper=Paper(
        "FedPara: Low-Rank Hadamard Product for Communication-Efficient Federated Learning",
        "Hyeon-Woo, Ye-Bin, Oh",
        2021,
        "https://arxiv.org/abs/2108.06098",
    ),
    formula="y = W0 x + (alpha / r) ((B1 A1) * (B2 A2)) x",
    backend="native",
    # The paper trains whole networks this way; LoRA's rate.
    learning_rate=4e-4,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    encoder_decoders=True,
    search_space={"learning_rate": (1e-4, 4e-4, 1e-3, 4e-3), "r": (4, 8, 16)},
)
