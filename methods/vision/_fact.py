"""FacT: the changes of all weights as one tensor, cut into d x d pieces, whose factors are shared by the whole model.

A map of d_in -> d_out values is a grid of n_out x n_in pieces, n = ceil(width / d): a feed-forward of 4 d is four
pieces, as in the paper. Where d does not divide a width, the last piece is cut, which is ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from methods import linear
from methods.linear import Adapted, as_lora_draws
from methods.spec import Site


def side(sites: Sequence[Site]) -> int:
    """d, the width of the residual stream that the first site reads or writes."""
    first = sites[0]
    return first.d_out if first.role in {"output", "down"} else first.d_in


def grid(site: Site, d: int) -> tuple[int, int]:
    """(n_out, n_in)"""
    return math.ceil(site.d_out / d), math.ceil(site.d_in / d)


def cells(sites: Sequence[Site]) -> int:
    """How many pieces the sites have together."""
    return sum(math.prod(grid(site, side(sites))) for site in sites)


class Factors(nn.Module):
    """U (r, d) and V (d, r); V starts at zero."""

    def __init__(self, d: int, r: int, like: torch.Tensor) -> None:
        super().__init__()
        self.U = nn.Parameter(as_lora_draws(torch.empty(r, d, device=like.device)))
        self.V = nn.Parameter(torch.zeros(d, r, device=like.device))


class Layer(Adapted):
    """y = W x + b + s V S U x piece by piece; a subclass gives S."""

    def __init__(
        self, base: nn.Module, factors: Factors, pieces: tuple[int, int], scale: float, dropout: float
    ) -> None:
        super().__init__(base)
        # In a tuple, so that the shared factors are not registered with each layer.
        self.shared = (factors,)
        self.n_out, self.n_in = pieces
        self.r, self.d = factors.U.shape
        self.scale, self.inner_dropout = scale, nn.Dropout(dropout)

    def core(self) -> torch.Tensor:
        """S (n_out r, n_in r)"""
        raise NotImplementedError

    def update(self, x: torch.Tensor) -> torch.Tensor:
        (factors,) = self.shared
        padded = functional.pad(x, (0, self.n_in * self.d - self.d_in))
        inner = functional.linear(padded.unflatten(-1, (self.n_in, self.d)), factors.U).flatten(-2)
        inner = self.inner_dropout(functional.linear(inner, self.core()))
        outer = functional.linear(inner.unflatten(-1, (self.n_out, self.r)), factors.V).flatten(-2)
        return self.scale * outer[..., : self.d_out]

    def delta(self) -> torch.Tensor:
        (factors,) = self.shared
        core = self.core().unflatten(0, (self.n_out, self.r)).unflatten(2, (self.n_in, self.r))
        whole = torch.einsum("da,oaib,be->odie", factors.V, core, factors.U).flatten(0, 1).flatten(1)
        return self.scale * whole[: self.d_out, : self.d_in]


def merge(model: nn.Module) -> nn.Module:
    """Adds each layer's change to its weight and takes the shared factors out."""
    linear.merge(model)
    del model.fact
    return model
