"""FacT-TK: y = W0 x + s V S_j (U x), S_j = sum_k P_jk C_k; U, V and the core C (r, r, r) are shared by all layers of
the model, each d x d piece j of a weight has a row of P.

Jie & Deng 2022, https://arxiv.org/abs/2212.03145: the Tucker form of the stacked weights, whose d x 4d feed-forward
counts as four pieces. V starts at zero, U as torch draws a linear layer, C and P Xavier-drawn. The authors choose r
out of 16, 32 and s out of 0.01 ... 100 for each task. (Their code mixes the four pieces of a feed-forward's S_j by
reshaping it; here each piece has its own, as in the paper.)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from methods.layers import freeze, replace
from methods.spec import Method, Paper, Shape, Site
from methods.vision._fact import Factors, Layer, cells, grid, merge, side


@dataclass(frozen=True)
class Config:
    r: int = 32
    scale: float = 1.0
    """s"""
    dropout: float = 0.1
    """on S U x"""
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


class Tucker(Factors):
    """U, V, the core C (k, out, in) and P (pieces, k)"""

    def __init__(self, d: int, r: int, pieces: int, like: torch.Tensor) -> None:
        super().__init__(d, r, like)
        self.C = nn.Parameter(nn.init.xavier_uniform_(torch.empty(r, r, r, device=like.device)))
        self.P = nn.Parameter(nn.init.xavier_uniform_(torch.empty(pieces, r, device=like.device)))


class TuckerLayer(Layer):
    def __init__(self, base: nn.Module, factors: Tucker, pieces: tuple[int, int], first: int, config: Config) -> None:
        """first: the row of P that the layer's first piece has"""
        super().__init__(base, factors, pieces, config.scale, config.dropout)
        self.rows = slice(first, first + self.n_out * self.n_in)

    def core(self) -> torch.Tensor:
        (factors,) = self.shared
        each = torch.einsum("jk,kab->jab", factors.P[self.rows], factors.C)
        return each.unflatten(0, (self.n_out, self.n_in)).transpose(1, 2).flatten(2).flatten(0, 1)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    freeze(model)
    d, first = side(sites), 0
    model.fact = Tucker(d, config.r, cells(sites), model.get_submodule(sites[0].name).weight)
    for site in sites:
        base, pieces = model.get_submodule(site.name), grid(site, d)
        replace(model, site.name, TuckerLayer(base, model.fact, pieces, first, config))
        first += pieces[0] * pieces[1]
    return model


def count(shape: Shape, config: Config) -> int:
    """2 d r + r^3, and r a piece."""
    sites = shape.select(config.targets)
    return 2 * side(sites) * config.r + config.r**3 + config.r * cells(sites)


METHOD = Method(
    name="fact-tk",
    family="vision",
    paper=Paper(
        "FacT: Factor-Tuning for Lightweight Adaptation on Vision Transformer",
        "Jie, Deng",
        2022,
        "https://arxiv.org/abs/2212.03145",
    ),
    formula="y = W0 x + s V (sum_k P_jk C_k) U x, U, V and C shared by all layers",
    backend="native",
    learning_rate=1e-3,
    aliases=("fact",),
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    search_space={"learning_rate": (3e-4, 1e-3, 3e-3, 1e-2), "r": (8, 16, 32), "scale": (0.1, 1.0, 10.0)},
)
