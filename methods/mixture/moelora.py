"""MoELoRA: y = W0 x + (alpha / r) sum_{e in top k} p_e B_e (A_e x), p = softmax over the k largest of W_g x; a contrastive loss
pulls together what an expert makes of different tokens and pushes different experts apart.

Luo et al. 2024, https://arxiv.org/abs/2402.12851: eight experts of which two serve a token, on queries and values, a loss of
contrast and one of balance. r = 4 gives as many parameters as a LoRA of rank 36 on LLaMA-7B. No code is public; the contrast is
read in its plainest form, over pairs of outputs u = B_e A_e x of unit length, each anchor's positives the outputs of the same
expert: -log softmax(u u' / t). It is taken on up to `sample` tokens of the batch, evenly spaced. The temperature, both losses'
weights, alpha and the rate are ours; the balance is Switch Transformers'.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from methods.linear import Adapted, adapt, as_lora_draws
from methods.mixture._router import INITIAL_STD, balance, count_experts, mean_term, mixed, seen_by_experts
from methods.spec import Method, Paper, Site


@dataclass(frozen=True)
class Config:
    experts: int = 8
    k: int = 2
    r: int = 4
    """of each expert"""
    alpha: int = 16
    """the update is scaled by alpha / r"""
    contrast: float = 0.01
    """weight of the contrastive loss"""
    even: float = 0.01
    """weight of the loss that evens out the experts"""
    temperature: float = 0.07
    """t"""
    sample: int = 64
    targets: tuple[str, ...] = ("query", "value")

    def __post_init__(self) -> None:
        if not 0 < self.k <= self.experts:
            raise ValueError(f"MoELoRA takes k={self.k} of {self.experts} experts: k must lie in 1..experts")


def contrast(outputs: torch.Tensor, experts: torch.Tensor, temperature: float) -> torch.Tensor:
    """outputs (n, d) and the expert (n,) that each comes from -> the mean, over anchors that have a positive, of the mean
    over its positives of -log of the positive's part among all other outputs."""
    unit = functional.normalize(outputs.float(), dim=1)
    alone = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    same = (experts[:, None] == experts) & ~alone
    logs = (unit @ unit.T / temperature).masked_fill(alone, -torch.inf).log_softmax(1).masked_fill(~same, 0.0)
    alike = same.sum(1)
    return -(logs.sum(1) / alike.clamp(min=1)).sum() / (alike > 0).sum().clamp(min=1)


class Layer(Adapted):
    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base)
        self.config, self.scale = config, config.alpha / config.r
        drawn = as_lora_draws(self.empty(config.experts * config.r, self.d_in))
        self.A = nn.Parameter(drawn.unflatten(0, (config.experts, config.r)))
        self.B = self.trained(config.experts, self.d_out, config.r)
        self.router = nn.Parameter(self.empty(config.experts, self.d_in).normal_(std=INITIAL_STD))
        self.term: torch.Tensor | None = None

    def losses(self, scores: torch.Tensor, index: torch.Tensor, inner: torch.Tensor) -> torch.Tensor:
        """scores (..., E), the experts taken (..., k), A x (..., E, r) -> a scalar"""
        taken = torch.zeros_like(scores).scatter(-1, index, 1.0)
        even = balance(scores.softmax(-1), taken)
        flat, experts = inner.flatten(0, -3), index.flatten(0, -2)
        some = torch.linspace(0, len(flat) - 1, min(self.config.sample, len(flat)), device=flat.device).long()
        outputs = torch.einsum("ser,eor->seo", flat[some].float(), self.B)
        experts = experts[some]
        chosen = outputs.gather(1, experts[..., None].expand(-1, -1, self.d_out)).flatten(0, 1)
        apart = contrast(chosen, experts.flatten(), self.config.temperature)
        return self.config.even * even + self.config.contrast * apart

    def update(self, x: torch.Tensor) -> torch.Tensor:
        inner = seen_by_experts(x, self.A)
        scores = functional.linear(x, self.router).float()
        best, index = scores.topk(self.config.k, dim=-1)
        gates = torch.zeros_like(scores).scatter(-1, index, best.softmax(-1))
        if self.training and torch.is_grad_enabled():
            self.term = self.losses(scores, index, inner)
        return mixed(inner, gates, self.B) * self.scale


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda base: Layer(base, config))


def loss_term(model: nn.Module, config: Config) -> torch.Tensor | None:
    """The mean over the layers of both losses, of the last pass."""
    return mean_term(model, Layer)


METHOD = Method(
    name="moelora",
    family="mixture",
    paper=Paper(
        "MoELoRA: Contrastive Learning Guided Mixture of Experts on Parameter-Efficient Fine-Tuning for Large Language Models",
        "Luo, Lei, Lei, Liu, He, Zhao, Liu",
        2024,
        "https://arxiv.org/abs/2402.12851",
    ),
    formula="y = W0 x + (alpha / r) sum_{e in top k} softmax(W_g x)_e B_e A_e x, with a contrastive loss between experts",
    backend="native",
    # Not seen in the paper; as for MoLoRA.
    learning_rate=3e-4,
    config=Config,
    attach=attach,
    count=count_experts,
    loss_term=loss_term,
    search_space={"learning_rate": (1e-4, 3e-4, 1e-3, 3e-3), "experts": (4, 8), "contrast": (0.0, 0.01, 0.1)},
)
