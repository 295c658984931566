"""TriAdaptLoRA: y = W0 x + (alpha / n) B ((L + U) (A x)); L is lower and U upper triangular, (n, n) as A is (n, d_in) and
B (d_out, n). Each matrix starts with rank n = 1 and gets `grow` more wherever its importance reaches a threshold.

Liang et al. 2025, https://arxiv.org/abs/2501.08008. A growth adds rows to A and L and columns to B and U. A matrix's
importance is by how much |L + U|_F, divided by the number of its pieces, rose since the last look. The threshold is the
importance of the K-th most important matrix, K = (ranks yet to be given) (t - w) / (T - w) of step t, warm-up w and T
steps, until the average rank is `target`. A loss term, gamma times the mean of |A A^T - I| and |B^T B - I|, keeps A and B
near orthogonal. All this is as in the authors' code but for the start: there all of B, L and U is 0, so that nothing has
a gradient; here L and U start at 0, A and B at N(0, 0.02^2), in later pieces too. Ours is also a bound, `most`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from methods.linear import Adapted, adapt, adapted, buffers, known, merge
from methods.lowrank._growing import GrowingAdamW
from methods.spec import Method, Paper, Shape, Site

INITIAL_STD = 0.02
PARTS = ("A", "B", "L", "U")


@dataclass(frozen=True)
class Config:
    """The defaults of the authors' code, with shares of training for its numbers of steps and IncreLoRA's alpha."""

    target: int = 8
    """average rank at the end"""
    grow: int = 4
    """ranks of a growth: half of the target"""
    most: int = 25
    """largest rank of a matrix"""
    alpha: int = 32
    warmup: float = 0.0
    """share of the steps before the first growth"""
    interval: float = 0.01
    """share of the steps between two looks"""
    gamma: float = 0.5
    """weight of the orthogonality term"""
    dropout: float = 0.0
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")

    def __post_init__(self) -> None:
        if not 1 <= self.target <= self.most:
            raise ValueError(
                f"TriAdaptLoRA grows from rank 1 to target={self.target}, which most={self.most} must allow"
            )


class Layer(Adapted):
    """Piece i holds g_i ranks up to n_i: A (g_i, d_in), B (d_out, g_i), L (g_i, n_i), U (n_i, g_i)."""

    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base, config.dropout)
        self.alpha = config.alpha
        self.ends = list(range(1, config.most + 1, config.grow))
        for name in PARTS:
            setattr(self, name, nn.ParameterList())
        for piece, n in enumerate(self.ends):
            g = config.grow if piece else 1
            self.A.append(nn.Parameter(self.empty(g, self.d_in).normal_(std=INITIAL_STD)))
            self.B.append(nn.Parameter(self.empty(self.d_out, g).normal_(std=INITIAL_STD)))
            self.L.append(self.trained(g, n))
            self.U.append(self.trained(n, g))
        self.register_buffer("pieces", torch.ones((), dtype=torch.long, device=base.weight.device))
        self.used, self.version, self.norm = 1, self.pieces._version, 0.0
        self._free()

    def _free(self) -> list[nn.Parameter]:
        """Lets the pieces in use train; gives those of the last one."""
        for name in PARTS:
            for piece, parameter in enumerate(getattr(self, name)):
                parameter.requires_grad_(piece < self.used)
        return [getattr(self, name)[self.used - 1] for name in PARTS]

    @property
    def rank(self) -> int:
        return self.ends[self.used - 1]

    def may_grow(self) -> bool:
        return self.used < len(self.ends)

    def grow(self) -> list[nn.Parameter]:
        """Takes the next piece in; gives what the optimizer does not have yet."""
        self.used += 1
        self.pieces.fill_(self.used)
        self.version = self.pieces._version
        return self._free()

    def factors(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """A (n, d_in), L + U (n, n), B (d_out, n)"""
        if self.pieces._version != self.version and known(self.pieces):  # after a load
            self.used, self.version = int(self.pieces), self.pieces._version
        a, b, lower, upper = (list(getattr(self, name)[: self.used]) for name in PARTS)
        lower = torch.cat([functional.pad(rows, (0, self.rank - rows.shape[1])) for rows in lower])
        upper = torch.cat([functional.pad(columns, (0, 0, 0, self.rank - len(columns))) for columns in upper], dim=1)
        return torch.cat(a), lower + upper, torch.cat(b, dim=1)

    def update(self, x: torch.Tensor) -> torch.Tensor:
        a, c, b = self.factors()
        return functional.linear(functional.linear(functional.linear(x, a), c), b) * (self.alpha / self.rank)

    def delta(self) -> torch.Tensor:
        a, c, b = self.factors()
        return self.alpha / self.rank * b @ c @ a

    def importance(self) -> float:
        """By how much the norm of L + U a piece rose since the last call."""
        before, self.norm = self.norm, float(torch.linalg.norm(self.factors()[1].detach())) / self.used
        return self.norm - before


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda base: Layer(base, config))


def count(shape: Shape, config: Config) -> int:
    """What trains at the start: one rank of d_in + d_out + 2 values a matrix."""
    return sum(site.d_in + site.d_out + 2 for site in shape.select(config.targets))


def optimizer(groups: list[dict[str, Any]], config: Config) -> torch.optim.Optimizer:
    return GrowingAdamW(groups)


def loss_term(model: nn.Module, config: Config) -> torch.Tensor:
    gaps = []
    for _, layer in adapted(model, Layer):
        a, _, b = layer.factors()
        eye = torch.eye(len(a), device=a.device)
        gaps += [torch.linalg.norm(a @ a.T - eye), torch.linalg.norm(b.T @ b - eye)]
    return config.gamma * torch.stack(gaps).mean()


def threshold(scores: list[float], missing: int, share: float) -> float:
    """The importance that a matrix must reach: that of the K-th largest, K = missing * share but at least 1."""
    place = min(max(1, int(missing * share)), len(scores))
    return sorted(scores, reverse=True)[place - 1]


@torch.no_grad()
def after_step(model: nn.Module, config: Config, step: int, total_steps: int) -> None:
    layers = [layer for _, layer in adapted(model, Layer)]
    missing = config.target * len(layers) - sum(layer.rank for layer in layers)
    done, start = step + 1, config.warmup * total_steps
    if missing <= 0 or done <= start or done % max(1, round(config.interval * total_steps)):
        return
    scores = {layer: layer.importance() for layer in layers}
    able = [layer for layer in layers if layer.may_grow()]
    if not able:
        return
    limit = threshold([scores[layer] for layer in able], missing, (done - start) / (total_steps - start))
    for layer in able:
        if scores[layer] >= limit:
            keeper, group = layer.A[0].trained_by
            for parameter in layer.grow():
                parameter.trained_by = (keeper, group)
                group["params"].append(parameter)


METHOD = Method(
    name="triadaptlora",
    family="lowrank",
    paper=Paper(
        "TriAdaptLoRA: Brain-Inspired Triangular Adaptive Low-Rank Adaptation for Parameter-Efficient Fine-Tuning",
        "Liang, Wang, Zeng",
        2025,
        "https://arxiv.org/abs/2501.08008",
    ),
    formula="y = W0 x + (alpha / n) B (L + U) A x, L and U triangular, n grows where it matters",
    backend="native",
    # IncreLoRA's, on whose code the authors build.
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    optimizer=optimizer,
    loss_term=loss_term,
    after_step=after_step,
    merge=merge,
    extra_state=buffers("pieces"),
    search_space={"learning_rate": (5e-4, 1e-3, 2e-3, 5e-3), "target": (4, 8), "gamma": (0.1, 0.5)},
)
