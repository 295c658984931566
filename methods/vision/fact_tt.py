"""FacT-TT: y = W0 x + s V S (U x); U and V are shared by all layers of the model, each d x d piece of a weight has a
core S (r, r).

Jie & Deng 2022, https://arxiv.org/abs/2212.03145: the tensor-train form of the stacked weights, whose d x 4d
feed-forward counts as four pieces. V starts at zero, U and the cores as torch draws a linear layer. The authors
choose r out of 4, 8, 16 and s out of 0.01 ... 100 for each task.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from methods.layers import freeze, replace
from methods.linear import as_lora_draws
from methods.spec import Method, Paper, Shape, Site
from methods.vision._fact import Factors, Layer, cells, grid, merge, side


@dataclass(frozen=True)
class Config:
    r: int = 16
    scale: float = 1.0
    """s"""
    dropout: float = 0.1
    """on S U x"""
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


class TrainLayer(Layer):
    def __init__(self, base: nn.Module, factors: Factors, pieces: tuple[int, int], config: Config) -> None:
        super().__init__(base, factors, pieces, config.scale, config.dropout)
        self.S = nn.Parameter(as_lora_draws(self.empty(self.n_out * self.r, self.n_in * self.r)))

    def core(self) -> torch.Tensor:
        return self.S


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    freeze(model)
    d = side(sites)
    model.fact = Factors(d, config.r, model.get_submodule(sites[0].name).weight)
    for site in sites:
        replace(model, site.name, TrainLayer(model.get_submodule(site.name), model.fact, grid(site, d), config))
    return model


def count(shape: Shape, config: Config) -> int:
    """2 d r, and r^2 a piece."""
    sites = shape.select(config.targets)
    return 2 * side(sites) * config.r + config.r**2 * cells(sites)


METHOD = Method(
    name="fact-tt",
    family="vision",
    paper=Paper(
        "FacT: Factor-Tuning for Lightweight Adaptation on Vision Transformer",
        "Jie, Deng",
        2022,
        "https://arxiv.org/abs/2212.03145",
    ),
    formula="y = W0 x + s V S U x, U and V shared by all layers",
    backend="native",
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    search_space={"learning_rate": (3e-4, 1e-3, 3e-3, 1e-2), "r": (4, 8, 16), "scale": (0.1, 1.0, 10.0)},
)
