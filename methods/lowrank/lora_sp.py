"""LoRA-SP: y = W0 x + (alpha / r) B (A x), of which a random half of A's entries and a random half of B's train; the other
half stays as it was drawn, in B at 0.

Wu et al. 2024, https://arxiv.org/abs/2403.08822. That a random half is frozen is the paper's. That the half is drawn once,
before training, and entry by entry, is our reading: only then do the frozen entries need neither gradient nor optimizer
state, which is what the method is to save.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from methods.linear import LowRankAdapted, adapt, as_lora_draws, buffers, merge
from methods.peft_backend import LowRank
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config(LowRank):
    share: float = 0.5
    """of each factor's entries that train"""

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"share={self.share} is no share of a matrix; give a value above 0 and up to 1")


def places(size: int, share: float, like: torch.Tensor) -> torch.Tensor:
    """(int(share * size)) places of `size`, no two the same, on the device of `like`."""
    number = int(share * size)
    if like.is_meta:
        return torch.empty(number, dtype=torch.long, device="meta")
    # On the CPU, so that every device has the same.
    return torch.randperm(size, device="cpu")[:number].clone().to(like.device)


class Layer(LowRankAdapted):
    """`a` and `b` are the entries that train, at the places `at_a` and `at_b` of A and B."""

    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base, config.alpha / config.r, config.dropout)
        self.r = config.r
        drawn = as_lora_draws(self.empty(config.r, self.d_in))
        self.register_buffer("drawn", drawn)
        self.register_buffer("at_a", places(config.r * self.d_in, config.share, drawn))
        self.register_buffer("at_b", places(config.r * self.d_out, config.share, drawn))
        self.a = nn.Parameter(drawn.flatten()[self.at_a])
        self.b = self.trained(len(self.at_b))

    @property
    def A(self) -> torch.Tensor:  # type: ignore[override]
        return self.drawn.flatten().scatter(0, self.at_a, self.a).view(self.r, self.d_in)

    @property
    def B(self) -> torch.Tensor:  # type: ignore[override]
        return self.b.new_zeros(self.d_out * self.r).scatter(0, self.at_b, self.b).view(self.d_out, self.r)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda base: Layer(base, config))


def count(shape: Shape, config: Config) -> int:
    """Half of LoRA's r (d_in + d_out) values a matrix."""
    sites = shape.select(config.targets)
    return sum(int(config.share * config.r * size) for site in sites for size in (site.d_in, site.d_out))


METHOD = Method(
    name="lora-sp",
    family="lowrank",
    paper=Paper(
        "LoRA-SP: Streamlined Partial Parameter Adaptation for Resource-Efficient Fine-Tuning of Large Language Models",
        "Wu, Xiang, Huo, Gong, Liang",
        2024,
        "https://arxiv.org/abs/2403.08822",
    ),
    formula="y = W0 x + (alpha / r) B A x, a random half of the entries of A and B trains",
    backend="native",
    # LoRA's rate.
    learning_rate=4e-4,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    extra_state=buffers("drawn", "at_a", "at_b"),
    search_space={"learning_rate": (1e-4, 2e-4, 4e-4, 8e-4, 2e-3), "r": (4, 8, 16, 32)},
)
