"""ALLoRA: y = W0 x + b + B (A x), no scale and no dropout; for the gradients of A and B only, the gradient of output
i is multiplied by 1 / sqrt(||(B A)_i|| + 1 / eta^2), (B A)_i the i-th row.

Huang, Balestriero 2024, https://arxiv.org/abs/2410.09692. At the start, where B = 0, every row moves eta times as
fast as without the factor, and the less the larger it grows. The gradient that goes on to earlier layers is not
touched. The paper tries eta^2 = 1, 2 and 4. A is drawn as LoRA draws it. The rate is LoRA's. Under AdamW, whose step
does not see a constant factor, only the differences between rows and between steps act.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from methods.linear import LowRankAdapted, adapt, as_lora_draws, merge
from methods.peft_backend import count_lora
from methods.spec import Method, Paper, Site


@dataclass(frozen=True)
class Config:
    r: int = 8
    """inner width of the update"""
    eta: float = 2.0
    """factor of the gradients where the update is 0"""
    targets: tuple[str, ...] = ("query", "value")


class Rescaled(torch.autograd.Function):
    """(x, A, B, eta) -> B (A x)"""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, a: torch.Tensor, b: torch.Tensor, eta: float) -> torch.Tensor:
        inner = functional.linear(x, a)
        ctx.save_for_backward(x, inner, a, b)
        ctx.eta = eta
        return functional.linear(inner, b)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor, torch.Tensor, None]:
        x, inner, a, b = ctx.saved_tensors
        scaled = grad * row_factors(a, b, ctx.eta).to(grad.dtype)
        b_low, a_low = b.to(grad.dtype), a.to(grad.dtype)
        to_x = (grad @ b_low @ a_low).to(x.dtype) if ctx.needs_input_grad[0] else None
        to_a = (scaled @ b_low).flatten(0, -2).T @ x.flatten(0, -2).to(grad.dtype)
        to_b = scaled.flatten(0, -2).T @ inner.flatten(0, -2).to(grad.dtype)
        return to_x, to_a.to(a.dtype), to_b.to(b.dtype), None


def row_factors(a: torch.Tensor, b: torch.Tensor, eta: float) -> torch.Tensor:
    """1 / sqrt(||(B A)_i|| + 1 / eta^2), (d_out), without the product: ||(B A)_i||^2 = B_i (A A^T) B_i^T."""
    norms = ((b @ (a @ a.T)) * b).sum(1).clamp_min(0).sqrt()
    return (norms + eta**-2).rsqrt()


class Layer(LowRankAdapted):
    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base, 1.0)
        self.eta = config.eta
        self.A = nn.Parameter(as_lora_draws(self.empty(config.r, self.d_in)))
        self.B = self.trained(self.d_out, config.r)

    def update(self, x: torch.Tensor) -> torch.Tensor:
        return Rescaled.apply(x, self.A, self.B, self.eta)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda base: Layer(base, config))


METHOD = Method(
    name="allora",
    family="optimizer",
    paper=Paper(
        "ALLoRA: Adaptive Learning Rate Mitigates LoRA Fatal Flaws",
        "Huang, Balestriero",
        2024,
        "https://arxiv.org/abs/2410.09692",
    ),
    formula="y = W0 x + B A x; for A and B the gradient of output i times 1 / sqrt(||(B A)_i|| + 1 / eta^2)",
    backend="native",
    learning_rate=4e-4,
    config=Config,
    attach=attach,
    count=count_lora,
    merge=merge,
    search_space={"learning_rate": (1e-4, 2e-4, 4e-4, 8e-4), "r": (4, 8, 16, 32), "eta": (1.0, 2.0)},
)
