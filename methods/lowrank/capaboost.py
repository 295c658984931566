"""CapaBoost-LoRA: y = W x + (alpha / r) sum_i (B * M_Bi) (A * M_Ai) x, i = 1..d; one pair A, B serves d parallel branches,
each of which sees it through its own fixed random masks.

Song et al. 2024, https://arxiv.org/abs/2407.01320. The sum has up to d times the rank of LoRA with the same parameters. A
mask keeps a given share of a matrix, drawn once for each layer. B starts at zero, so the model starts at the base.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from methods.linear import Adapted, adapt, as_lora_draws, buffers, merge
from methods.peft_backend import count_lora
from methods.spec import Method, Paper, Site


@dataclass(frozen=True)
class Config:
    r: int = 8
    alpha: int = 16
    """the update is scaled by alpha / r"""
    branches: int = 2
    """d"""
    density: float = 0.5
    """share of a matrix that a mask keeps"""
    dropout: float = 0.0
    targets: tuple[str, ...] = ("query", "value")

    def __post_init__(self) -> None:
        if not 0 < self.density <= 1:
            raise ValueError(f"density={self.density} is no share of a matrix; give a value above 0 and up to 1")


def mask(like: torch.Tensor, branches: int, density: float) -> torch.Tensor:
    """(branches, *like.shape) of ones and zeros, int(size * density) ones in each"""
    kept = torch.rand(branches, like.numel(), device=like.device).topk(int(like.numel() * density)).indices
    made = torch.zeros(branches, like.numel(), device=like.device).scatter(1, kept, 1.0)
    return made.view(branches, *like.shape)


class Layer(Adapted):
    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base, config.dropout)
        self.scale = config.alpha / config.r
        self.A = nn.Parameter(as_lora_draws(self.empty(config.r, self.d_in)))
        self.B = self.trained(self.d_out, config.r)
        self.register_buffer("mask_A", mask(self.A, config.branches, config.density))
        self.register_buffer("mask_B", mask(self.B, config.branches, config.density))

    def update(self, x: torch.Tensor) -> torch.Tensor:
        # The branches side by side are one pair of matrices of rank r d.
        inner = functional.linear(x, (self.A * self.mask_A).flatten(0, 1))
        up = (self.B * self.mask_B).transpose(0, 1).flatten(1)
        return functional.linear(inner, up) * self.scale


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda layer: Layer(layer, config))


METHOD = Method(
    name="capaboost",
    family="lowrank",
    paper=Paper(
        "Increasing Model Capacity for Free: A Simple Strategy for Parameter Efficient Fine-tuning",
        "Song, Zhao, Majumder, Lin",
        2024,
        "https://arxiv.org/abs/2407.01320",
    ),
    formula="y = W x + (alpha / r) sum_i (B * M_Bi) (A * M_Ai) x",
    backend="native",
    # LoRA's for RoBERTa-base.
    learning_rate=4e-4,
    config=Config,
    attach=attach,
    count=count_lora,
    merge=merge,
    extra_state=buffers("mask_A", "mask_B"),
    search_space={
        "learning_rate": (1e-4, 4e-4, 1e-3, 3e-3),
        "r": (4, 8, 16),
        "branches": (2, 4),
        "density": (0.5, 0.7),
    },
)
