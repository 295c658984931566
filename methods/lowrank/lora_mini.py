"""LoRA-Mini: y = W0 x + (alpha / r) B_aux (B_train (A_train (A_aux x))); each factor of LoRA is split in two, of which the
outer ones are random and frozen and the inner ones, A_train (r, a) and B_train (b, r), train.

Singh et al. 2024, https://arxiv.org/abs/2411.15804. The split and what trains are the paper's; a run's sizes, the scale
and the start are not printed where we could read them and stand here as LoRA has them: A_aux, B_aux and A_train are drawn
as LoRA draws A, B_train starts at 0. With a = b = 64 a matrix of 768 x 768 trains a twelfth of LoRA's values.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from methods.linear import Adapted, adapt, as_lora_draws, buffers, merge
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    r: int = 8
    """rank of the update"""
    a: int = 64
    """width between A_aux and A_train"""
    b: int = 64
    """width between B_train and B_aux"""
    alpha: int = 16
    """the update is scaled by alpha / r"""
    dropout: float = 0.0
    targets: tuple[str, ...] = ("query", "value")


class Layer(Adapted):
    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base, config.dropout)
        self.scale = config.alpha / config.r
        self.register_buffer("A_aux", as_lora_draws(self.empty(config.a, self.d_in)))
        self.register_buffer("B_aux", as_lora_draws(self.empty(self.d_out, config.b)))
        self.A_train = nn.Parameter(as_lora_draws(self.empty(config.r, config.a)))
        self.B_train = self.trained(config.b, config.r)

    def update(self, x: torch.Tensor) -> torch.Tensor:
        inner = functional.linear(functional.linear(x, self.A_aux), self.A_train)
        return functional.linear(functional.linear(inner, self.B_train), self.B_aux) * self.scale

    def delta(self) -> torch.Tensor:
        return self.scale * (self.B_aux @ self.B_train) @ (self.A_train @ self.A_aux)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda base: Layer(base, config))


def count(shape: Shape, config: Config) -> int:
    """r (a + b) values a matrix, whatever its size."""
    return config.r * (config.a + config.b) * len(shape.select(config.targets))


METHOD = Method(
    name="lora-mini",
    family="lowrank",
    paper=Paper(
        "LoRA-Mini: Adaptation Matrices Decomposition and Selective Training",
        "Singh, Aher, Garg",
        2024,
        "https://arxiv.org/abs/2411.15804",
    ),
    formula="y = W0 x + (alpha / r) B_aux B_train A_train A_aux x, only B_train and A_train train",
    backend="native",
    # Not from the paper: above LoRA's, for the frozen factors make each step smaller.
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    extra_state=buffers("A_aux", "B_aux"),
    search_space={"learning_rate": (5e-4, 1e-3, 2e-3, 5e-3), "r": (4, 8, 16), "a": (32, 64, 128), "b": (32, 64, 128)},
)
