"""Hydra: y = y0 + s (B_p (A_p x + a_p) + b_p) + s (B_s (A_s y0 + a_s) + b_s), y0 = W0 x + b0: a low-rank branch
beside the layer and one behind it.

Kim et al. 2023, https://arxiv.org/abs/2309.06922, as in the authors' code for VTAB-1k: on the attention's output
projection and the feed-forward's last layer, r = 2, with biases. A is Xavier-drawn, all else starts at zero. Both
branches fold into W0; in a layer without a bias theirs would have no place and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from methods.layers import replace
from methods.linear import Adapted, adapt, adapted, lifted, matrix
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    r: int = 2
    """of each branch"""
    scale: float = 0.1
    """s; the authors choose it out of 0.1 ... 4.5 for each task"""
    dropout: float = 0.2
    """on A x + a"""
    targets: tuple[str, ...] = ("output", "down")


class Branch(nn.Module):
    """s (B (A x + a) + b), (..., d_in) -> (..., d_out)"""

    def __init__(self, d_in: int, d_out: int, biases: bool, config: Config, like: torch.Tensor) -> None:
        super().__init__()
        self.A = nn.Parameter(nn.init.xavier_uniform_(torch.empty(config.r, d_in, device=like.device)))
        self.B = nn.Parameter(torch.zeros(d_out, config.r, device=like.device))
        self.register_parameter("a", nn.Parameter(torch.zeros(config.r, device=like.device)) if biases else None)
        self.register_parameter("b", nn.Parameter(torch.zeros(d_out, device=like.device)) if biases else None)
        self.dropout, self.scale = nn.Dropout(config.dropout), config.scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.dropout(functional.linear(lifted(x), self.A, self.a))
        return self.scale * functional.linear(inner, self.B, self.b)


class Layer(Adapted):
    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base)
        biases = base.bias is not None
        self.beside = Branch(self.d_in, self.d_out, biases, config, base.weight)
        self.behind = Branch(self.d_out, self.d_out, biases, config, base.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.base(x)
        return y + (self.beside(x) + self.behind(y)).to(y.dtype)

    def delta(self) -> torch.Tensor:
        behind = self.behind.B @ (self.behind.A @ matrix(self.base).to(self.behind.A.dtype))
        return self.beside.scale * (self.beside.B @ self.beside.A + behind)

    def shift(self) -> torch.Tensor:
        """The change of the bias, (d_out,)"""
        p, s = self.beside, self.behind
        behind = s.B @ (s.A @ self.base.bias.to(s.A.dtype) + s.a) + s.b
        return p.scale * (p.B @ p.a + p.b + behind)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda base: Layer(base, config))


def count(shape: Shape, config: Config) -> int:
    """r (d_in + d_out) + 2 r d_out values a matrix, and 2 (r + d_out) if it has a bias."""

    def values(site: Site) -> int:
        biases = 2 * (config.r + site.d_out) if site.bias else 0
        return config.r * (site.d_in + 3 * site.d_out) + biases

    return sum(values(site) for site in shape.select(config.targets))


@torch.no_grad()
def merge(model: nn.Module) -> nn.Module:
    for name, layer in list(adapted(model, Layer)):
        base, change = layer.base, layer.delta()
        if base.bias is not None:
            base.bias.add_(layer.shift())
        matrix(base).add_(change.to(base.weight.dtype))
        replace(model, name, base)
    return model


METHOD = Method(
    name="hydra",
    family="vision",
    paper=Paper(
        "Hydra: Multi-head Low-rank Adaptation for Parameter Efficient Fine-tuning",
        "Kim, Yang, Kim, Hong, Park",
        2023,
        "https://arxiv.org/abs/2309.06922",
    ),
    formula="y = y0 + s B_p A_p x + s B_s A_s y0, y0 = W0 x + b0",
    backend="native",
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    search_space={"learning_rate": (5e-4, 1e-3, 5e-3), "r": (2, 4, 8), "scale": (0.1, 1.0, 4.0)},
)
