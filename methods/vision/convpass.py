"""Convpass: h <- x + F(LN(x)) + s W_up g(conv(g(W_down LN(x)))), beside each attention and each feed-forward F; conv
is a 3 x 3 convolution over the grid of patches, g(x) = x sigmoid(1.702 x).

Jie & Deng 2022, https://arxiv.org/abs/2207.07039. The class token goes through the convolution as a picture of one
pixel. W_down is Xavier-drawn, W_up starts at zero; the convolution starts as the identity or Xavier-drawn, which the
authors choose for each task, as they do s out of 0.01 ... 100.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from methods.adapter._bottleneck import size
from methods.adapter._parallel import pairs, place_beside
from methods.layers import freeze
from methods.linear import stack_of
from methods.spec import Method, Paper, Shape, Site, Unsupported
from methods.vision._grid import joined, only_grids, parted, require_square


@dataclass(frozen=True)
class Config:
    bottleneck: int = 8
    scale: float = 1.0
    """s"""
    xavier: bool = False
    """how the convolution starts: Xavier-drawn, or as the identity"""
    dropout: float = 0.1
    """before W_up"""
    attention: bool = True
    """whether one stands beside the attention too"""
    ffn: bool = True

    def __post_init__(self) -> None:
        if not (self.attention or self.ffn):
            raise ValueError("Convpass stands beside attentions, feed-forwards or both; set attention or ffn to true")


def quick_gelu(x: torch.Tensor) -> torch.Tensor:
    return x * torch.sigmoid(1.702 * x)


class Bypass(nn.Module):
    """(rows, tokens, d) -> (rows, tokens, d)"""

    def __init__(self, width: int, config: Config, like: torch.Tensor) -> None:
        super().__init__()
        inner = config.bottleneck
        self.down = nn.Linear(width, inner, device=like.device)
        self.conv = nn.Conv2d(inner, inner, 3, padding=1, device=like.device)
        self.up = nn.Linear(inner, width, device=like.device)
        self.dropout, self.scale = nn.Dropout(config.dropout), config.scale
        nn.init.xavier_uniform_(self.down.weight)
        nn.init.xavier_uniform_(self.conv.weight) if config.xavier else nn.init.dirac_(self.conv.weight)
        nn.init.zeros_(self.up.weight)
        for layer in (self.down, self.conv, self.up):
            nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        others, patches = parted(quick_gelu(self.down(x)))
        alone = self.conv(others.flatten(0, 1)[..., None, None]).view(others.shape)
        return self.scale * self.up(self.dropout(quick_gelu(joined(alone, self.conv(patches)))))


def attentions(sites: Sequence[Site]) -> list[tuple[Site, Site]]:
    """(a layer that reads the attention's input, its last layer) of each block. Raises Unsupported if there is none."""
    found = []
    for last in sites:
        if last.role == "output" and last.part == "attention":
            reads = [
                site
                for site in sites
                if site.role in {"query", "qkv"} and (stack_of(site), site.block) == (stack_of(last), last.block)
            ]
            found += [(site, last) for site in reads[:1]]
    if not found:
        raise Unsupported("the bypass stands beside an attention, and this model has none with its own projections")
    return found


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises Unsupported if pictures are not square, or there is nothing to stand beside."""
    require_square(model)
    freeze(model)
    places = (attentions(sites) if config.attention else []) + (pairs(sites) if config.ffn else [])
    named = [(first.name, last) for first, last in places]
    return place_beside(model, named, lambda last, like: Bypass(last.d_out, config, like))


def count(shape: Shape, config: Config) -> int:
    """2 d m + d + m and 9 m^2 + m values a bypass."""
    sites = [s for s in shape.select(("output",)) if s.part == "attention"] if config.attention else []
    sites += shape.select(("down",)) if config.ffn else ()
    inner = config.bottleneck
    return sum(size(site.d_out, inner) + 9 * inner**2 + inner for site in sites)


METHOD = Method(
    name="convpass",
    family="vision",
    paper=Paper(
        "Convolutional Bypasses Are Better Vision Transformer Adapters",
        "Jie, Deng",
        2022,
        "https://arxiv.org/abs/2207.07039",
    ),
    formula="h <- x + F(LN(x)) + s W_up g(conv3x3(g(W_down LN(x))))",
    backend="native",
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    supports=only_grids,
    search_space={"learning_rate": (3e-4, 1e-3, 3e-3), "scale": (1.0, 0.1, 10.0), "ffn": (True, False)},
)
