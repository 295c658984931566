"""AFLoRA: y = W0 x + b * (B (d * (A x))); the vectors b, d train throughout, the projections A, B of the feed-forward are
frozen one by one, those first whose gradients are small and steady; A, B of the attention are random and frozen.

Liu et al. 2024, https://arxiv.org/abs/2403.13269. A projection's freezing score is the mean of I U over its entries: I the
smoothed size of its gradient, U the smoothed distance of that size from I, both taken once in `interval` steps. With r(t)
= (1 - (t - t_i) / (T - t_i - t_f))^3, a projection is frozen once its score lies below the (1 - r(t)) quantile of all
entries' I U; from T - t_f on all are frozen. A and B are drawn uniformly within sqrt(6 / inputs), d starts at 0.1, b at 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from methods.layers import freeze, replace
from methods.linear import LowRankAdapted, adapted, buffers, merge
from methods.spec import Method, Paper, Shape, Site

PROJECTIONS = ("A", "B")


@dataclass(frozen=True)
class Config:
    """The authors' settings for DeBERTa-V3-base on GLUE."""

    r: int = 4
    start: float = 0.05
    """t_i as a share of training: one epoch of twenty"""
    end: float = 0.7
    """t_f as a share of training"""
    interval: int = 10
    """steps between two scores"""
    beta1: float = 0.85
    """smoothing of a gradient's size"""
    beta2: float = 0.95
    """smoothing of its distance from that"""
    dropout: float = 0.0
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")

    def __post_init__(self) -> None:
        if self.start + self.end >= 1:
            raise ValueError(f"start + end = {self.start + self.end} leaves no steps in which AFLoRA could freeze")


class Layer(LowRankAdapted):
    def __init__(self, base: nn.Module, config: Config, free: bool) -> None:
        super().__init__(base, 1.0, config.dropout)
        self.A = nn.Parameter(nn.init.kaiming_uniform_(self.empty(config.r, self.d_in)), requires_grad=free)
        self.B = nn.Parameter(nn.init.kaiming_uniform_(self.empty(self.d_out, config.r)), requires_grad=free)
        self.d = self.trained(config.r, value=0.1)
        self.b = self.trained(self.d_out)
        self.size, self.smooth, self.spread = ({name: torch.zeros(()) for name in PROJECTIONS} for _ in range(3))

    def update(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(nn.functional.linear(x, self.A) * self.d, self.B) * self.b

    def delta(self) -> torch.Tensor:
        # Projections that do not train may be kept in half precision.
        return self.b[:, None] * (self.B.float() * self.d) @ self.A.float()

    @torch.no_grad()
    def look(self, config: Config, step: int) -> None:
        """Takes the present gradients into the means; a score changes when a window of steps ends."""
        at = step % config.interval
        for name in PROJECTIONS:
            gradient = getattr(self, name).grad
            if gradient is None:
                continue
            if at == 0:
                found = self.size[name].to(gradient.device)
                smooth = config.beta1 * self.smooth[name].to(gradient.device) + (1 - config.beta1) * found
                spread = (
                    config.beta2 * self.spread[name].to(gradient.device) + (1 - config.beta2) * (found - smooth).abs()
                )
                self.smooth[name], self.spread[name] = smooth, spread
                self.size[name] = gradient.abs()
            else:
                self.size[name] = (self.size[name] * at + gradient.abs()) / (at + 1)

    def scores(self) -> dict[str, torch.Tensor]:
        """I U of each projection that still trains."""
        free = [name for name in PROJECTIONS if getattr(self, name).requires_grad]
        return {name: (self.smooth[name] * self.spread[name]).expand_as(getattr(self, name)) for name in free}


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    freeze(model)
    for site in sites:
        replace(model, site.name, Layer(model.get_submodule(site.name), config, site.part == "ffn"))
    return model


def count(shape: Shape, config: Config) -> int:
    """r + d_out values a matrix, and r (d_in + d_out) in the feed-forward until they are frozen."""
    total = 0
    for site in shape.select(config.targets):
        total += config.r + site.d_out + (config.r * (site.d_in + site.d_out) if site.part == "ffn" else 0)
    return total


def remaining(config: Config, step: int, total_steps: int) -> float:
    """r(t): about what share of the projections still trains."""
    start, end = config.start * total_steps, config.end * total_steps
    if step <= start:
        return 1.0
    if step > total_steps - end:
        return 0.0
    return (1 - (step - start) / (total_steps - start - end)) ** 3


@torch.no_grad()
def after_step(model: nn.Module, config: Config, step: int, total_steps: int) -> None:
    layers = [layer for _, layer in adapted(model, Layer)]
    for layer in layers:
        layer.look(config, step)
    share = remaining(config, step, total_steps)
    late = step > total_steps - config.end * total_steps
    if share == 1.0 or not (late or step % config.interval == 0):
        return
    found = [(layer, name, score) for layer in layers for name, score in layer.scores().items()]
    if not found:
        return
    entries = torch.cat([score.flatten() for _, _, score in found])
    limit = entries.kthvalue(max(1, int(len(entries) * (1 - share)))).values
    for layer, name, score in found:
        if late or score.mean() < limit:
            getattr(layer, name).requires_grad_(False)


METHOD = Method(
    name="aflora",
    family="lowrank",
    paper=Paper(
        "AFLoRA: Adaptive Freezing of Low Rank Adaptation in Parameter Efficient Fine-Tuning of Large Models",
        "Liu, Kundu, Li, Wan, Jiang, Beerel",
        2024,
        "https://arxiv.org/abs/2403.13269",
    ),
    formula="y = W0 x + b * (B (d * (A x))), A and B frozen by and by",
    backend="native",
    learning_rate=1e-2,
    config=Config,
    attach=attach,
    count=count,
    after_step=after_step,
    merge=merge,
    extra_state=buffers("A", "B"),
    search_space={"learning_rate": (1e-3, 5e-3, 1e-2, 2e-2), "r": (4, 8, 16)},
)
