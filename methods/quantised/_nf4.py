"""4-bit NormalFloat with double quantisation: how a matrix is kept in 4.13 bits a value and read back.

Dettmers et al. 2023, https://arxiv.org/abs/2305.14314. A matrix is cut, row after row, into blocks of 64 values; each is
divided by its largest size and every value becomes the nearest of 16 levels, quantiles of the normal law (appendix E).
The blocks' sizes, their mean taken off, are in turn cut into blocks of 256, divided by the largest and kept as the
nearest of the 256 values of an 8-bit float with a moving exponent, as in the authors' library. Bits a value:
4 + 8 / 64 + 32 / (64 * 256).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn import functional

from methods.layers import replace
from methods.linear import adapted, matrix, transposed

BLOCK, OUTER = 64, 256
LEVELS = (
    -1.0,
    -0.6961928009986877,
    -0.5250730514526367,
    -0.39491748809814453,
    -0.28444138169288635,
    -0.18477343022823334,
    -0.09105003625154495,
    0.0,
    0.07958029955625534,
    0.16093020141124725,
    0.24611230194568634,
    0.33791524171829224,
    0.44070982933044434,
    0.5626170039176941,
    0.7229568362236023,
    1.0,
)


def normal_levels(device: torch.device) -> torch.Tensor:
    """The 16 levels, in order."""
    return torch.tensor(LEVELS, device=device)


def moving_exponent(device: torch.device) -> torch.Tensor:
    """The 256 values of the 8-bit float, in order: with exponent e = 0 .. -6, 2^(6 + e) fractions of either sign, which
    are the middles of as many equal parts of 0.1 .. 1; beside them 0 and 1."""
    found = [0.0, 1.0]
    for exponent in range(7):
        parts = 2 ** (6 - exponent)
        middles = [(0.1 + 0.9 * (i + 0.5) / parts) * 10.0**-exponent for i in range(parts)]
        found += [*middles, *(-middle for middle in middles)]
    return torch.tensor(sorted(found), device=device)


def nearest(x: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
    """The number (uint8) of the nearest of the sorted levels; of two as near the lower."""
    return torch.bucketize(x, (levels[1:] + levels[:-1]) / 2).to(torch.uint8)


def blocks_of(x: torch.Tensor, size: int) -> torch.Tensor:
    """(blocks, size) of all values in order, filled up with zeros."""
    flat = x.reshape(-1)
    return functional.pad(flat, (0, -len(flat) % size)).view(-1, size)


def scaled(blocks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(blocks divided by the largest size in each, these sizes (blocks, 1)); a block of zeros stays."""
    sizes = blocks.abs().amax(1, keepdim=True)
    return blocks / sizes.clamp_min(torch.finfo(torch.float32).tiny), sizes


class Packed(NamedTuple):
    """A matrix in 4-bit NormalFloat."""

    codes: torch.Tensor
    """uint8, two values each: the first in the upper four bits"""
    sizes: torch.Tensor
    """uint8: the block's size as the number of an 8-bit float"""
    outer: torch.Tensor
    """float32: the largest of 256 sizes, their mean taken off"""
    mean: torch.Tensor
    """float32 scalar: the sizes' mean"""


def pack(weight: torch.Tensor, levels: torch.Tensor, floats: torch.Tensor) -> Packed:
    """Of a matrix of any shape."""
    values, sizes = scaled(blocks_of(weight.float(), BLOCK))
    codes = nearest(values, levels).view(-1, 2)
    mean = sizes.mean()
    inner, outer = scaled(blocks_of(sizes - mean, OUTER))
    numbers = nearest(inner, floats).view(-1)[: len(sizes)]
    return Packed(codes[:, 0] * 16 + codes[:, 1], numbers.clone(), outer.view(-1), mean)


def unpack(packed: Packed, levels: torch.Tensor, floats: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """(rows, columns) in float32."""
    outer = packed.outer.repeat_interleave(OUTER)[: len(packed.sizes)]
    sizes = floats[packed.sizes.int()] * outer + packed.mean
    codes = torch.stack([packed.codes >> 4, packed.codes & 15], dim=1)
    values = levels[codes.view(-1, BLOCK).int()] * sizes.unsqueeze(1)
    return values.view(-1)[: rows * columns].view(rows, columns)


class _Product(torch.autograd.Function):
    """x W^T; W is read back in the forward and again in the backward pass, and in between only its packed form is kept."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, layer: Quantised) -> torch.Tensor:
        ctx.layer = layer
        return x @ layer.weight.to(x.dtype).T

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return gradient @ ctx.layer.weight.to(gradient.dtype), None


class Quantised(nn.Module):
    """y = W x + b of a frozen linear layer whose W (d_out, d_in) is kept packed."""

    def __init__(self, layer: nn.Module, levels: torch.Tensor, floats: torch.Tensor) -> None:
        super().__init__()
        weight = matrix(layer)
        self.d_out, self.d_in = weight.shape
        self.transposed, self.kind, self.dtype = transposed(layer), type(layer), weight.dtype
        self.register_buffer("levels", levels, persistent=False)
        self.register_buffer("floats", floats, persistent=False)
        self.keep(pack(weight, levels, floats))
        self.bias = layer.bias

    def keep(self, packed: Packed) -> None:
        """Takes this W from now on."""
        for name, tensor in packed._asdict().items():
            self.register_buffer(name, tensor)

    @property
    def weight(self) -> torch.Tensor:
        """W, read back: (d_out, d_in) in float32."""
        packed = Packed(self.codes, self.sizes, self.outer, self.mean)
        return unpack(packed, self.levels, self.floats, self.d_out, self.d_in)

    @property
    def packed_values(self) -> int:
        """How many values of the base model are kept packed here, for whoever counts them."""
        return self.d_out * self.d_in

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = _Product.apply(x, self)
        return y if self.bias is None else y + self.bias.to(y.dtype)

    def layer(self) -> nn.Module:
        """A layer as it was before, with the weight as it reads now."""
        sizes = (self.d_out, self.d_in) if self.transposed else (self.d_in, self.d_out)
        options = {} if self.transposed else {"bias": self.bias is not None}
        with torch.device(self.codes.device):
            made = self.kind(*sizes, **options)
        made.weight = nn.Parameter(self.weight.T.to(self.dtype) if self.transposed else self.weight.to(self.dtype))
        if self.bias is not None:
            made.bias = self.bias
        return made.requires_grad_(False)


@torch.no_grad()
def merge(model: nn.Module) -> nn.Module:
    """Each update into W', read back: the merged layers are as large as those of the base."""
    for name, layer in list(adapted(model)):
        assert isinstance(layer.base, Quantised)
        whole = layer.base.layer()
        matrix(whole).add_(layer.delta().to(whole.weight.dtype))
        replace(model, name, whole)
    return model
