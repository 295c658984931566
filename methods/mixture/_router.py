"""What weighs the experts: p = softmax(W_r x), one distribution over the experts for each token; how evenly they are
chosen; and LoRA experts side by side."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from methods.linear import adapted, lifted
from methods.spec import Shape

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


def seen_by_experts(x: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    """A_e x for all experts at once: x (..., d_in), a (E, r, d_in) -> (..., E, r)."""
    return nn.functional.linear(x, a.flatten(0, 1)).unflatten(-1, a.shape[:2])


def mixed(inner: torch.Tensor, gates: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """sum_e g_e B_e inner_e: inner (..., E, r), gates (..., E), b (E, d_out, r) -> (..., d_out)."""
    weighed = gates.to(inner.dtype)[..., None] * inner
    # One product for all experts: [B_1, ..., B_E] side by side.
    return nn.functional.linear(weighed.flatten(-2), b.transpose(0, 1).flatten(1))


def count_experts(shape: Shape, config: Any) -> int:
    """E r (d_in + d_out) values a matrix, and E d_in of its router."""
    sites = shape.select(config.targets)
    return sum(config.experts * (config.r * (site.d_in + site.d_out) + site.d_in) for site in sites)


def mean_term(model: nn.Module, kind: type[nn.Module]) -> torch.Tensor | None:
    """The mean of what the layers left as `term` in the last pass, which is then forgotten; None if none did."""
    layers = [layer for _, layer in adapted(model, kind)]
    terms = [layer.term for layer in layers if layer.term is not None]
    for layer in layers:
        layer.term = None
    return torch.stack(terms).mean() if terms else None
