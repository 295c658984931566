"""Modules under a gate that is read off the whole text: one number between 0 and 1 for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from methods.adapter._bottleneck import Bottleneck
from methods.linear import LowRankAdapted, as_lora_draws, lifted

INITIAL_STD = 0.02


class Gate(nn.Module):
    """z (rows, tokens, d) -> (rows, 1, 1): sigmoid(w z + c), its mean over each row's own tokens."""

    def __init__(self, width: int, like: torch.Tensor, texts: Mapping[str, Any]) -> None:
        """`texts["mask"]` (rows, tokens) says which tokens are a row's own in the pass that is going on, or is None."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1, width, device=like.device).normal_(std=INITIAL_STD))
        self.bias = nn.Parameter(torch.zeros(1, device=like.device))
        self.texts = texts

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        open_by = nn.functional.linear(lifted(z), self.weight, self.bias).float().sigmoid()
        mask = self.texts.get("mask")
        if mask is None:
            return open_by.mean(1, keepdim=True)
        own = mask[..., None].to(open_by.dtype)
        return (open_by * own).sum(1, keepdim=True) / own.sum(1, keepdim=True)


class GatedBottleneck(Bottleneck):
    def __init__(
        self,
        width: int,
        inner: int,
        activation: Callable[[torch.Tensor], torch.Tensor],
        draw: Callable[[torch.Tensor], torch.Tensor],
        like: torch.Tensor,
        texts: Mapping[str, Any],
    ) -> None:
        super().__init__(width, inner, activation, draw, like)
        self.gate = Gate(width, like, texts)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return super().forward(hidden) * self.gate(hidden).to(hidden.dtype)


class GatedLora(LowRankAdapted):
    """y = W x + b + g(x) B (A x); B starts at zero."""

    def __init__(self, base: nn.Module, r: int, texts: Mapping[str, Any]) -> None:
        super().__init__(base, 1.0)
        self.A = nn.Parameter(as_lora_draws(self.empty(r, self.d_in)))
        self.B = self.trained(self.d_out, r)
        self.gate = Gate(self.d_in, base.weight, texts)

    def update(self, x: torch.Tensor) -> torch.Tensor:
        change = super().update(x)
        return self.gate(x).to(change.dtype) * change
