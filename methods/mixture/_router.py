"""What weighs the experts: p = softmax(W_r x), one distribution over the experts for each token; and how evenly they are
chosen."""

from __future__ import annotations

import torch
from torch import nn

from methods.linear import lifted

INITIAL_STD = 0.02


class Router(nn.Module):
    """(..., width) -> (..., experts), rows that sum to 1."""

    def __init__(self, width: int, experts: int, like: torch.Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(experts, width, device=like.device).normal_(std=INITIAL_STD))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(lifted(x), self.weight).softmax(dim=-1, dtype=torch.float32)


def balance(share: torch.Tensor, taken: torch.Tensor) -> torch.Tensor:
    """E sum_e f_e P_e, 1 where all are chosen alike: f_e is expert e's part of the tokens' choices `taken` (..., E), which
    are 0 or 1, P_e its mean `share` (..., E)."""
    chosen = taken.flatten(0, -2).to(share.dtype).mean(0)
    return share.shape[-1] * (chosen / chosen.sum() * share.flatten(0, -2).mean(0)).sum()
