"""DeLoRA: y = W0 x + (lambda / r) |W0| sum_i b_i a_i' x / (|b_i| |a_i|); lambda, one number a layer, bounds the change.

Bini et al. 2025, https://arxiv.org/abs/2503.18225. |W0| holds the norm of each column of W0. The starting update, of random
a_i and b_i of length zero, is none. lambda trains as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.peft_backend import frozen_state, inject, merge, total
from methods.spec import Method, Paper, Shape, Site

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Config:
    r: int = 8
    strength: int = 15
    """lambda at the start"""
    dropout: float = 0.0
    targets: tuple[str, ...] = ("query", "value")


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    from peft import DeloraConfig

    settings = DeloraConfig(r=config.r, delora_lambda=config.strength, module_dropout=config.dropout)
    return inject(model, sites, settings)


def count(shape: Shape, config: Config) -> int:
    """r (d_in + d_out) + 1 values a matrix."""
    return total(shape, config, lambda site: config.r * (site.d_in + site.d_out) + 1)


def extra_state(model: nn.Module) -> Mapping[str, torch.Tensor]:
    return frozen_state(model)


METHOD = Method(
    name="delora",
    family="lowrank",
    paper=Paper(
        "Decoupling Angles and Strength in Low-rank Adaptation",
        "Bini, Girrbach, Akata",
        2025,
        "https://arxiv.org/abs/2503.18225",
    ),
    formula="y = W0 x + (lambda / r) B diag(1 / (|b_i| |a_i|)) A (|W0| * x)",
    backend="peft",
    # Not from the paper: PEFT's advice is ten to a hundred times LoRA's.
    learning_rate=4e-3,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    extra_state=extra_state,
    encoder_decoders=True,
    search_space={"learning_rate": (1e-3, 4e-3, 1e-2), "r": (4, 8, 16), "strength": (5, 10, 15)},
)
