"""Compacter: h <- h + U f(D h), in which D and U are sums of Kronecker products, W = sum_i A_i (x) (s_i t_i), i = 1..n.

Karimi Mahabadi et al. 2021, https://arxiv.org/abs/2106.04647. The A_i (n, n) are shared by all adapters of the model; s_i
and t_i have rank 1 and belong to one layer each. One adapter stands after each attention's and each feed-forward's
projection; the norms train too. Its other form, Compacter++, leaves the adapter after the attention out: `targets=down`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from methods.adapter._bottleneck import closing
from methods.layers import freeze, train_norms
from methods.linear import lifted
from methods.spec import Method, Paper, Shape, Site

INITIAL_STD = 0.01


@dataclass(frozen=True)
class Config:
    n: int = 4
    """number and size of the shared matrices"""
    reduction: int = 32
    """d over the bottleneck's width k, which is rounded down to a multiple of n"""
    rank: int = 1
    """of s_i t_i"""
    train_norms: bool = True
    targets: tuple[str, ...] = ("output", "down")


def inner_width(width: int, config: Config) -> int:
    """k: d / reduction, rounded down to a multiple of n, at least n. Raises ValueError unless n divides d."""
    if width % config.n:
        raise ValueError(
            f"Compacter's n={config.n} must divide the width of the model's layers, {width}; choose another n"
        )
    return max(1, width // config.reduction // config.n) * config.n


class Hypercomplex(nn.Module):
    """y = W x + b, W (d_out, d_in) the sum of A_i (x) (s_i t_i)."""

    def __init__(self, d_in: int, d_out: int, config: Config, like: torch.Tensor) -> None:
        super().__init__()
        n, empty = config.n, partial(torch.empty, device=like.device)
        self.s = nn.Parameter(empty(n, d_out // n, config.rank))
        self.t = nn.Parameter(empty(n, config.rank, d_in // n))
        for factor in (*self.s.data, *self.t.data):
            nn.init.xavier_uniform_(factor, gain=math.sqrt(2))
        self.b = nn.Parameter(torch.zeros(d_out, device=like.device))

    def forward(self, x: torch.Tensor, shared: torch.Tensor) -> torch.Tensor:
        """x (..., d_in), shared A (n, n, n) -> (..., d_out). No W is made: A_i meets x's n pieces."""
        pieces = x.unflatten(-1, (shared.shape[-1], -1))
        narrow = torch.einsum("...qj,irj->...iqr", pieces, self.t)
        mixed = torch.einsum("ipq,...iqr->...ipr", shared, narrow)
        return torch.einsum("...ipr,ikr->...pk", mixed, self.s).flatten(-2) + self.b


class Adapter(nn.Module):
    def __init__(self, width: int, config: Config, like: torch.Tensor) -> None:
        super().__init__()
        inner = inner_width(width, config)
        self.down = Hypercomplex(width, inner, config, like)
        self.up = Hypercomplex(inner, width, config, like)


def _add(module: nn.Module, args: Any, output: torch.Tensor, shared: Callable[[], torch.Tensor]) -> torch.Tensor:
    inner = nn.functional.gelu(module.adapter.down(lifted(output), shared()), approximate="tanh")
    return output + module.adapter.up(inner, shared()).to(output.dtype)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    freeze(model)
    if config.train_norms:
        train_norms(model)
    like = model.get_submodule(sites[0].name).weight
    model.hypercomplex = nn.Module()
    model.hypercomplex.A = nn.Parameter(torch.empty(config.n, config.n, config.n, device=like.device))
    nn.init.normal_(model.hypercomplex.A, std=INITIAL_STD)
    shared = partial(getattr, model.hypercomplex, "A")
    for site in sites:
        layer = model.get_submodule(site.name)
        dropout, _ = closing(model, site)
        place = layer if dropout is None else dropout
        place.adapter = Adapter(site.d_out, config, layer.weight)
        place.register_forward_hook(partial(_add, shared=shared))
    return model


def count(shape: Shape, config: Config) -> int:
    """n^3 for the model; per adapter 2 r (d + k) and the biases d + k; and the norms."""
    widths = [(site.d_out, inner_width(site.d_out, config)) for site in shape.select(config.targets)]
    adapters = sum(2 * config.rank * (d + k) + d + k for d, k in widths)
    norms = sum(norm.size * (2 if norm.bias else 1) for norm in shape.norms)
    return config.n**3 + adapters + (norms if config.train_norms else 0)


METHOD = Method(
    name="compacter",
    family="adapter",
    paper=Paper(
        "Compacter: Efficient Low-Rank Hypercomplex Adapter Layers",
        "Karimi Mahabadi, Henderson, Ruder",
        2021,
        "https://arxiv.org/abs/2106.04647",
    ),
    formula="h <- h + U gelu(D h), W = sum_i A_i (x) (s_i t_i)",
    backend="native",
    learning_rate=3e-3,
    config=Config,
    attach=attach,
    count=count,
    starts_at_base=False,
    encoder_decoders=True,
    search_space={"learning_rate": (3e-4, 1e-3, 3e-3, 1e-2), "reduction": (16, 32), "n": (4, 2)},
)
