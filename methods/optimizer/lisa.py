"""LISA: embeddings, head and final norm always train, of the blocks only gamma at a time, drawn anew every K steps.

Pan et al. 2024, https://arxiv.org/abs/2403.17919. Each block trains with probability gamma / N_L, all else with 1; AdamW
moves what trains. A block that is not drawn has no gradients in the step and keeps no moments, as in the authors' code:
of the blocks, gradients and moments take gamma / N_L of what full fine-tuning needs. `count` says what trains in turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from methods.layers import blocks_of, unchanged
from methods.optimizer._turns import TurnsAdamW, mark, param_groups
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    layers: int = 2
    """gamma: how many blocks train at a time"""
    period: int = 20
    """K: steps between two draws"""

    def __post_init__(self) -> None:
        if self.layers < 1 or self.period < 1:
            raise ValueError(f"layers={self.layers} and period={self.period} must both be at least 1")


class LisaAdamW(TurnsAdamW):
    def __init__(self, groups: list[dict[str, Any]], config: Config) -> None:
        super().__init__(groups, config.period)
        self.layers = config.layers

    def chosen(self) -> list[int]:
        return self.generator.sample(self.blocks, self.layers)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises ValueError if fewer blocks are there than shall train at a time."""
    names = blocks_of(sites)
    if config.layers > len(names):
        raise ValueError(f"layers={config.layers}: the model has {len(names)} blocks; set it from 1 to {len(names)}")
    mark(model, names)
    return model.requires_grad_(True)


def count(shape: Shape, config: Config) -> int:
    """Every parameter, though of the blocks only layers / N_L at a time."""
    if config.layers > shape.blocks:
        raise ValueError(f"layers={config.layers}: the model has {shape.blocks} blocks")
    return shape.parameters


def optimizer(groups: list[dict[str, Any]], config: Config) -> torch.optim.Optimizer:
    return LisaAdamW(groups, config)


def extra_state(model: nn.Module) -> Mapping[str, torch.Tensor]:
    """All of the model: what trained in an earlier turn is frozen in the last one."""
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


METHOD = Method(
    name="lisa",
    family="optimizer",
    paper=Paper(
        "LISA: Layerwise Importance Sampling for Memory-Efficient Large Language Model Fine-Tuning",
        "Pan, Liu, Diao, Pi, Zhang, Han, Zhang",
        2024,
        "https://arxiv.org/abs/2403.17919",
    ),
    formula="W = W0 + dW, dW free; of the N_L blocks gamma train at a time, drawn anew every K steps",
    backend="native",
    learning_rate=5e-5,
    config=Config,
    attach=attach,
    count=count,
    param_groups=param_groups,
    optimizer=optimizer,
    extra_state=extra_state,
    merge=unchanged,
    search_space={"learning_rate": (1e-5, 2e-5, 5e-5, 1e-4), "layers": (1, 2), "period": (5, 20)},
)
