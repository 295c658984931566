"""SiRA: y = W0 x + (alpha / r) sum_{e in top k} g_e B_e (A_e x), g = dropout(softmax(W_g x)); the k largest g of each token
are taken, and an expert takes no more than C tokens.

Zhu et al. 2023, https://arxiv.org/abs/2311.09179, which has no public code: top-k routing, a limit on the tokens of an
expert and dropout on the gate are the paper's. How they meet is our reading: the dropout is on the probabilities before the k
are taken, of an expert's tokens those of largest g stay, C = capacity * k / E of the batch's tokens; dropout and limit hold
in training only, so that an answer does not depend on the other rows. A loss evens out how often the experts are taken, as in
Switch Transformers. Sizes, rate and that loss's weight are ours as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from methods.linear import Adapted, adapt, as_lora_draws
from methods.mixture._router import Router, balance, count_experts, mean_term, mixed, seen_by_experts
from methods.spec import Method, Paper, Site


@dataclass(frozen=True)
class Config:
    experts: int = 16
    k: int = 4
    r: int = 4
    """of each expert"""
    alpha: int = 16
    """the update is scaled by alpha / r"""
    capacity: float = 1.25
    """tokens that an expert takes at most, over those of an even share"""
    gate_dropout: float = 0.1
    even: float = 0.01
    """weight of the loss that evens out the experts"""
    targets: tuple[str, ...] = ("query", "value")

    def __post_init__(self) -> None:
        if not 0 < self.k <= self.experts:
            raise ValueError(f"SiRA takes k={self.k} of {self.experts} experts: k must lie in 1..experts")


class Layer(Adapted):
    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base)
        self.k, self.scale, self.rate = config.k, config.alpha / config.r, config.gate_dropout
        self.even_tokens = config.capacity * config.k / config.experts
        drawn = as_lora_draws(self.empty(config.experts * config.r, self.d_in))
        self.A = nn.Parameter(drawn.unflatten(0, (config.experts, config.r)))
        self.B = self.trained(config.experts, self.d_out, config.r)
        self.router = Router(self.d_in, config.experts, base.weight)
        self.term: torch.Tensor | None = None

    def gates(self, x: torch.Tensor) -> torch.Tensor:
        """(..., d_in) -> g, (..., E), 0 for experts that are not taken."""
        share = self.router(x)
        best, index = nn.functional.dropout(share, self.rate, self.training).topk(self.k, dim=-1)
        gates = torch.zeros_like(share).scatter(-1, index, best)
        if self.training and torch.is_grad_enabled():
            self.term = balance(share, torch.zeros_like(share).scatter(-1, index, 1.0))
            gates = self.limited(gates)
        return gates

    def limited(self, gates: torch.Tensor) -> torch.Tensor:
        """(..., E) with all but the largest C of each expert at 0."""
        flat = gates.flatten(0, -2)
        most = math.ceil(self.even_tokens * len(flat))
        if most >= len(flat):
            return gates
        index = flat.detach().topk(most, dim=0).indices
        return (flat * torch.zeros_like(flat).scatter(0, index, 1.0)).view_as(gates)

    def update(self, x: torch.Tensor) -> torch.Tensor:
        return mixed(seen_by_experts(x, self.A), self.gates(x), self.B) * self.scale


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda base: Layer(base, config))


def loss_term(model: nn.Module, config: Config) -> torch.Tensor | None:
    """The mean over the layers of how unevenly the last pass used the experts."""
    term = mean_term(model, Layer)
    return None if term is None else config.even * term


METHOD = Method(
    name="sira",
    family="mixture",
    paper=Paper(
        "SiRA: Sparse Mixture of Low Rank Adaptation",
        "Zhu, Wichers, Lin, Wang, Chen, Shu, Lu, Liu, Luo, Chen, Meng",
        2023,
        "https://arxiv.org/abs/2311.09179",
    ),
    formula="y = W0 x + (alpha / r) sum_{e in top k} g_e(x) B_e A_e x, an expert taking at most C tokens",
    backend="native",
    # Not seen in the paper; as for MoLoRA.
    learning_rate=3e-4,
    config=Config,
    attach=attach,
    count=count_experts,
    loss_term=loss_term,
    search_space={"learning_rate": (1e-4, 3e-4, 1e-3, 3e-3), "experts": (8, 16), "k": (2, 4)},
)
