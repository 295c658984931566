"""BD-LoRA: y = W0 x + b + (alpha / r) B (A x) with one factor block-diagonal: B where W0's outputs are what tensor parallelism
shards (queries, keys, values, up, gate), A where it is the inputs (attention's output, down).

Wang et al. 2025, https://arxiv.org/abs/2510.23346. Same outputs as PEFT's. N blocks serve N devices without an exchange for the
adapter; on one they only save parameters, for which the paper raises the rank. The dense factor is drawn as LoRA draws A, or is
0 as B; a block-diagonal A is drawn within sqrt(6 N / d_in), as in PEFT. A fused map of queries, keys and values is cut as one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from methods.linear import Adapted, adapt, as_lora_draws, merge
from methods.peft_backend import LowRank
from methods.spec import Method, Paper, Shape, Site

SHARDED_INPUTS = {"output", "down"}


@dataclass(frozen=True)
class Config(LowRank):
    r: int = 16
    blocks: int = 4
    """N, the devices to serve on; divides r and the width that is cut"""
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


def check(site: Site, config: Config) -> bool:
    """Whether A, not B, is the block-diagonal factor. Raises ValueError if it cannot be cut."""
    inputs = site.role in SHARDED_INPUTS
    width = site.d_in if inputs else site.d_out
    if config.r % config.blocks or width % config.blocks:
        raise ValueError(
            f"BD-LoRA's blocks={config.blocks} must divide r={config.r} and the width {width} of {site.name}"
        )
    return inputs


def in_blocks(x: torch.Tensor, blocks: torch.Tensor) -> torch.Tensor:
    """x (..., N inner) times a block-diagonal matrix of N blocks (outer, inner): (..., N outer)"""
    return torch.einsum("...ni,noi->...no", x.unflatten(-1, (len(blocks), -1)), blocks).flatten(-2)


class Layer(Adapted):
    """Of its factors the block-diagonal one is (N, outer, inner)."""

    def __init__(self, base: nn.Module, config: Config, inputs: bool) -> None:
        super().__init__(base, config.dropout)
        self.scale, self.inputs, n = config.alpha / config.r, inputs, config.blocks
        if inputs:
            bound = math.sqrt(6 * n / self.d_in)
            self.A = nn.Parameter(self.empty(n, config.r // n, self.d_in // n).uniform_(-bound, bound))
            self.B = self.trained(self.d_out, config.r)
        else:
            self.A = nn.Parameter(as_lora_draws(self.empty(config.r, self.d_in)))
            self.B = self.trained(n, self.d_out // n, config.r // n)

    def update(self, x: torch.Tensor) -> torch.Tensor:
        if self.inputs:
            return nn.functional.linear(in_blocks(x, self.A), self.B) * self.scale
        return in_blocks(nn.functional.linear(x, self.A), self.B) * self.scale


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    cut = iter([check(site, config) for site in sites])
    return adapt(model, sites, lambda base: Layer(base, config, next(cut)))


def count(shape: Shape, config: Config) -> int:
    """r (d_in / N + d_out) values where inputs are sharded, r (d_in + d_out / N) elsewhere."""
    total = 0
    for site in shape.select(config.targets):
        inputs = check(site, config)
        total += config.r * (
            site.d_in // (config.blocks if inputs else 1) + site.d_out // (1 if inputs else config.blocks)
        )
    return total


METHOD = Method(
    name="bd-lora",
    family="lowrank",
    paper=Paper(
        "Block-Diagonal LoRA for Eliminating Communication Overhead in Tensor Parallel LoRA Serving",
        "Wang, Kübler, Budhathoki, Wang, Kleindessner",
        2025,
        "https://arxiv.org/abs/2510.23346",
    ),
    formula="y = W0 x + (alpha / r) B A x, B (up, gate, attention's inputs) or A (down, attention's output) block-diagonal",
    backend="native",
    learning_rate=4e-4,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    search_space={"learning_rate": (1e-4, 2e-4, 4e-4, 1e-3, 3e-3), "r": (8, 16, 32), "blocks": (2, 4, 8)},
)
