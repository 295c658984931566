"""Uniform integer grids for blocks of values: x = (code - zero) * size, code and zero integers of a few bits."""

from __future__ import annotations

import torch
from torch.nn import functional

SMALLEST = 1e-5
"""Least width of a block's range."""


def to_grid(
    x: torch.Tensor, bits: int, block: int, noise: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(codes, sizes, zeros) of x in blocks of `block` values, the last one filled up with zeros: codes (blocks, block),
    the others (blocks, 1), all floats. `noise` in [0, 1), shaped like codes, rounds up with the probability of the part
    that is cut off; without it the nearest code is taken. A block's range always holds 0, so that zero fits."""
    flat = x.flatten()
    rows = functional.pad(flat, (0, -len(flat) % block)).view(-1, block)
    low, high = rows.amin(1, keepdim=True).clamp_max(0), rows.amax(1, keepdim=True).clamp_min(0)
    most = 2**bits - 1
    sizes = (high - low).clamp_min(SMALLEST) / most
    zeros = (-low / sizes).round().clamp(0, most)
    codes = rows / sizes
    codes = codes.round() if noise is None else (codes + noise).floor()
    return (codes + zeros).clamp(0, most), sizes, zeros


def from_grid(codes: torch.Tensor, sizes: torch.Tensor, zeros: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """x again, of that shape."""
    return ((codes - zeros) * sizes).flatten()[: shape.numel()].view(shape)


def pack(codes: torch.Tensor) -> torch.Tensor:
    """Two codes of 4 bits a byte; their number in a block is even."""
    pairs = codes.to(torch.uint8).unflatten(-1, (-1, 2))
    return pairs[..., 0] | pairs[..., 1] << 4


def unpack(packed: torch.Tensor) -> torch.Tensor:
    return torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2).float()
