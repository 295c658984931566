"""IncreLoRA: y = W0 x + (alpha / n) sum_i e_i b_i (a_i x); each matrix starts with one rank, and every `interval` the
`top` matrices of largest importance get one more, until the average is `target`.

Zhang et al. 2023, https://arxiv.org/abs/2308.12043. n is the matrix's rank. A matrix's importance is I U, I the smoothed
score sum |W_change * G| / sqrt(d_in d_out), U the smoothed distance from it; G is the loss's gradient for the change. Each
matrix holds one rank in reserve whose a and b already train while its e stays at 1e-5: the next rank starts from there.
a_i and b_i are kept near unit length by a loss term, gamma times the mean of | |a_i|^2 - 1 | and | |b_i|^2 - 1 |. The
paper sets no bound on a matrix's rank, here `most` is one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from methods.linear import Adapted, adapt, adapted, buffers, known, merge
from methods.lowrank._growing import GrowingAdamW
from methods.spec import Method, Paper, Shape, Site

INITIAL_STD = 0.02
RESERVE = 1e-5
"""e of the rank in reserve"""


@dataclass(frozen=True)
class Config:
    """The authors' settings for DeBERTa-V3-base on MRPC."""

    target: int = 2
    """average rank at the end"""
    most: int = 12
    """largest rank of a matrix"""
    alpha: int = 32
    top: int = 6
    """matrices that grow at a time"""
    warmup: float = 0.03
    """share of the steps before the first growth"""
    interval: float = 0.03
    """share of the steps between two"""
    beta1: float = 0.85
    beta2: float = 0.85
    gamma: float = 0.1
    """weight of the term for unit lengths"""
    dropout: float = 0.3
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")

    def __post_init__(self) -> None:
        if not 1 <= self.target <= self.most:
            raise ValueError(f"IncreLoRA grows from rank 1 to target={self.target}, which most={self.most} must allow")


class Layer(Adapted):
    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base, config.dropout)
        self.alpha, self.most = config.alpha, config.most
        slots = config.most + 1
        self.a = nn.ParameterList(nn.Parameter(self.empty(self.d_in).normal_(std=INITIAL_STD)) for _ in range(slots))
        self.b = nn.ParameterList(nn.Parameter(self.empty(self.d_out).normal_(std=INITIAL_STD)) for _ in range(slots))
        self.e = nn.ParameterList(self.trained(1, value=0.0 if i == 0 else RESERVE) for i in range(slots))
        self.n, self.reserve = 1, True
        # (n, whether a reserve is there): what a load sets.
        self.register_buffer("rank", torch.ones(2, dtype=torch.long, device=base.weight.device))
        self.version = self.rank._version
        self.score, self.smooth, self.spread = (torch.zeros(()) for _ in range(3))
        self._free()

    def _free(self) -> list[nn.Parameter]:
        """Lets the ranks in use and the reserve train; gives those that are new."""
        wanted = [*self.e[: self.n], *self.a[: self.n + self.reserve], *self.b[: self.n + self.reserve]]
        new = [parameter for parameter in wanted if not parameter.requires_grad]
        for parameter in [*self.e, *self.a, *self.b]:
            parameter.requires_grad_(False)
        for parameter in wanted:
            parameter.requires_grad_(True)
        return new

    def grow(self) -> list[nn.Parameter]:
        """Takes the reserve in and a new one behind it; gives what the optimizer does not have yet."""
        self.n += 1
        self._note()
        return self._free()

    def _note(self) -> None:
        self.rank.copy_(torch.tensor([self.n, self.reserve]))
        self.version = self.rank._version

    def finish(self) -> None:
        """Drops the reserve."""
        self.reserve = False
        self._note()
        self._free()

    def delta(self) -> torch.Tensor:
        if self.rank._version != self.version and known(self.rank):  # after a load
            self.version = self.rank._version
            self.n, self.reserve = int(self.rank[0]), bool(self.rank[1])
        used = self.n + self.reserve
        a, b, e = (torch.stack(list(part[:used])) for part in (self.a, self.b, self.e))
        return self.alpha / self.n * b.T @ (e * a)

    def update(self, x: torch.Tensor) -> torch.Tensor:
        change = self.delta()
        if self.training and change.requires_grad:
            change.register_hook(partial(self._look, change.detach()))
        return nn.functional.linear(x, change)

    def _look(self, change: torch.Tensor, gradient: torch.Tensor) -> None:
        self.score = (change * gradient).abs().sum() / math.sqrt(change.numel())

    def smoothen(self, config: Config) -> None:
        self.smooth = config.beta1 * self.smooth + (1 - config.beta1) * self.score
        self.spread = config.beta2 * self.spread + (1 - config.beta2) * (self.score - self.smooth).abs()


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda base: Layer(base, config))


def count(shape: Shape, config: Config) -> int:
    """What trains at the start: one rank of d_in + d_out + 1 values a matrix, and d_in + d_out in reserve."""
    return sum(2 * (site.d_in + site.d_out) + 1 for site in shape.select(config.targets))


def optimizer(groups: list[dict[str, Any]], config: Config) -> torch.optim.Optimizer:
    return GrowingAdamW(groups)


def loss_term(model: nn.Module, config: Config) -> torch.Tensor:
    layers = [layer for _, layer in adapted(model, Layer)]
    vectors = [v for layer in layers for part in (layer.a, layer.b) for v in part if v.requires_grad]
    return config.gamma * torch.stack([(v.square().sum() - 1).abs() for v in vectors]).mean()


@torch.no_grad()
def after_step(model: nn.Module, config: Config, step: int, total_steps: int) -> None:
    layers = [layer for _, layer in adapted(model, Layer)]
    missing = config.target * len(layers) - sum(layer.n for layer in layers)
    if missing <= 0:
        return
    for layer in layers:
        layer.smoothen(config)
    every = max(1, round(config.interval * total_steps))
    if step < config.warmup * total_steps or (step + 1) % every:
        return
    growing = [layer for layer in layers if layer.n < layer.most]
    growing.sort(key=lambda layer: float(layer.smooth * layer.spread), reverse=True)
    for layer in growing[: min(config.top, missing)]:
        _, group = layer.a[0].trained_by
        for parameter in layer.grow():
            parameter.trained_by = layer.a[0].trained_by
            group["params"].append(parameter)
    if sum(layer.n for layer in layers) == config.target * len(layers):
        for layer in layers:
            layer.finish()


METHOD = Method(
    name="increlora",
    family="lowrank",
    paper=Paper(
        "IncreLoRA: Incremental Parameter Allocation Method for Parameter-Efficient Fine-tuning",
        "Zhang, Li, Chen, Jiang, Wang, Qian",
        2023,
        "https://arxiv.org/abs/2308.12043",
    ),
    formula="y = W0 x + (alpha / n) sum_i e_i b_i a_i x, n grows where it matters",
    backend="native",
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    optimizer=optimizer,
    loss_term=loss_term,
    after_step=after_step,
    merge=merge,
    extra_state=buffers("rank"),
    search_space={"learning_rate": (5e-4, 1e-3, 2e-3, 5e-3), "target": (2, 4, 8)},
)
