"""S2-LoRA: y = W0 x + B (lambda_m * (A x)); one A and one B serve all matrices, each matrix m has only its own rank
coefficients lambda_m (r), which are kept sparse.

Liu et al. 2023, https://arxiv.org/abs/2309.11756. Matrices of several widths share an A with those of the same d_in and a B
with those of the same d_out. The paper constrains lambda to be sparse; here a loss term does it, eta times the mean over
the matrices of |lambda_m|_1. Where it starts follows AdaLoRA, from which the coefficients come: A and B from N(0, 0.02^2),
lambda at 0. eta, r and that start are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from methods.layers import freeze, replace
from methods.linear import Adapted, adapted, merge
from methods.spec import Method, Paper, Shape, Site

INITIAL_STD = 0.02


@dataclass(frozen=True)
class Config:
    r: int = 32
    eta: float = 1e-3
    """weight of the term that makes the coefficients sparse"""
    dropout: float = 0.0
    targets: tuple[str, ...] = ("query", "key", "value", "output")


class Layer(Adapted):
    def __init__(self, base: nn.Module, A: nn.Parameter, B: nn.Parameter, dropout: float) -> None:
        super().__init__(base, dropout)
        # One Parameter in several modules is one tensor with several names: it trains, counts and moves once.
        self.A, self.B = A, B
        self.coefficients = self.trained(len(A))

    def update(self, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(functional.linear(x, self.A) * self.coefficients, self.B)

    def delta(self) -> torch.Tensor:
        return (self.B * self.coefficients) @ self.A


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    freeze(model)
    downs: dict[int, nn.Parameter] = {}
    ups: dict[int, nn.Parameter] = {}
    for site in sites:
        base = model.get_submodule(site.name)
        empty = torch.empty(0, device=base.weight.device)
        if site.d_in not in downs:
            downs[site.d_in] = nn.Parameter(empty.new_empty(config.r, site.d_in).normal_(std=INITIAL_STD))
        if site.d_out not in ups:
            ups[site.d_out] = nn.Parameter(empty.new_empty(site.d_out, config.r).normal_(std=INITIAL_STD))
        replace(model, site.name, Layer(base, downs[site.d_in], ups[site.d_out], config.dropout))
    return model


def count(shape: Shape, config: Config) -> int:
    """r (d_in + d_out) values once for all matrices of one size, and r a matrix."""
    sites = shape.select(config.targets)
    widths = sum({site.d_in for site in sites}) + sum({site.d_out for site in sites})
    return config.r * (widths + len(sites))


def loss_term(model: nn.Module, config: Config) -> torch.Tensor:
    sizes = [layer.coefficients.abs().sum() for _, layer in adapted(model, Layer)]
    return config.eta * torch.stack(sizes).mean()


METHOD = Method(
    name="s2-lora",
    family="lowrank",
    paper=Paper(
        "Sparsely Shared LoRA on Whisper for Child Speech Recognition",
        "Liu, Qin, Peng, Lee",
        2023,
        "https://arxiv.org/abs/2309.11756",
    ),
    formula="y = W0 x + B (lambda_m * (A x)), A and B shared by all matrices, lambda_m sparse",
    backend="native",
    # Not from the paper: IncreLoRA's, whose coefficients start alike.
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    loss_term=loss_term,
    merge=merge,
    search_space={"learning_rate": (5e-4, 1e-3, 2e-3, 5e-3), "r": (16, 32, 64), "eta": (1e-4, 1e-3, 1e-2)},
)
