"""BAdam: the blocks train one at a time, K steps of Adam each, from zero moments; a round takes every block once.

Luo et al. 2024, https://arxiv.org/abs/2404.02827. A block is a transformer layer: its maps, biases and norms.
Embeddings and whatever else lies outside the blocks stay frozen, as in the authors' code; a fresh head trains
throughout, as they advise. Gradients and moments exist for one block, 1 / D of what full fine-tuning of D blocks
needs, and no activations are kept below it: the first block's turn needs the most memory. `count` says what trains
in turn. The paper's master copy of the active block in 32 bit is not needed here, where all that may train is kept
in 32 bit; so its 16-bit weights of resting blocks are not saved either. K = 100, the order and the rate are the
authors' for RoBERTa-large on SuperGLUE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from methods.layers import blocks_of, freeze, is_norm, unchanged
from methods.optimizer._turns import TurnsAdamW, mark, param_groups
from methods.spec import Method, Paper, Shape, Site

ORDERS = ("ascending", "descending", "random")


@dataclass(frozen=True)
class Config:
    period: int = 100
    """K: steps of a turn"""
    order: str = "ascending"
    """of the blocks in a round: ascending | descending | random, anew for each round"""

    def __post_init__(self) -> None:
        if self.period < 1:
            raise ValueError(f"period={self.period} must be at least 1")
        if self.order not in ORDERS:
            raise ValueError(f"order={self.order!r} must be one of {', '.join(ORDERS)}")


class BlockAdamW(TurnsAdamW):
    def __init__(self, groups: list[dict[str, Any]], config: Config) -> None:
        super().__init__(groups, config.period)
        self.order = config.order
        self.round: list[int] = []

    def chosen(self) -> list[int]:
        if not self.round:
            self.round = list(self.blocks)
            if self.order == "random":
                self.generator.shuffle(self.round)
            if self.order == "descending":
                self.round.reverse()
        return [self.round.pop(0)]

    def forgets(self, block: int) -> bool:
        return True


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    freeze(model)
    mark(model, blocks_of(sites))
    inside = [module for name in model.turns for module in model.get_submodule(name).modules()]
    for module in [*map(model.get_submodule, (site.name for site in sites)), *filter(is_norm, inside)]:
        module.requires_grad_(True)
    return model


def count(shape: Shape, config: Config) -> int:
    """All maps, biases and norms of the blocks, though only one block's at a time."""
    blocks = tuple(f"{name}." for name in blocks_of(shape.sites))
    maps = sum(site.d_in * site.d_out + site.d_out * site.bias for site in shape.sites)
    return maps + sum(norm.size * (1 + norm.bias) for norm in shape.norms if norm.name.startswith(blocks))


def optimizer(groups: list[dict[str, Any]], config: Config) -> torch.optim.Optimizer:
    return BlockAdamW(groups, config)


def extra_state(model: nn.Module) -> Mapping[str, torch.Tensor]:
    """The blocks: what trained in an earlier turn is frozen in the last one."""
    blocks = tuple(f"{name}." for name in model.turns)
    return {name: parameter.detach() for name, parameter in model.named_parameters() if name.startswith(blocks)}


METHOD = Method(
    name="badam",
    family="optimizer",
    paper=Paper(
        "BAdam: A Memory Efficient Full Parameter Optimization Method for Large Language Models",
        "Luo, Yu, Li",
        2024,
        "https://arxiv.org/abs/2404.02827",
    ),
    formula="W = W0 + dW, dW free in the blocks; one block at a time takes K steps of Adam from zero moments",
    backend="native",
    learning_rate=1e-5,
    config=Config,
    attach=attach,
    count=count,
    param_groups=param_groups,
    optimizer=optimizer,
    extra_state=extra_state,
    merge=unchanged,
    search_space={"learning_rate": (1e-5, 2e-5, 5e-5, 1e-4), "period": (50, 100)},
)
