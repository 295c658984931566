"""HiRA: y = W0 x + (W0 * (B A)) x, the update's rank is up to rank(W0) times r; A random, B zero at the start.

Huang et al. 2025, https://openreview.net/forum?id=TwJrTz9cRS
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.peft_backend import inject, merge, total
from methods.spec import Method, Paper, Shape, Site

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Config:
    r: int = 32
    dropout: float = 0.0
    targets: tuple[str, ...] = ("query", "key", "value", "up", "down")


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    from peft import HiraConfig

    return inject(model, sites, HiraConfig(r=config.r, hira_dropout=config.dropout))


def count(shape: Shape, config: Config) -> int:
    """r (d_in + d_out) values a matrix."""
    return total(shape, config, lambda site: config.r * (site.d_in + site.d_out))


METHOD = Method(
    name="hira",
    family="lowrank",
    paper=Paper(
        "HiRA: Parameter-Efficient Hadamard High-Rank Adaptation for Large Language Models",
        "Huang, Ko, Zhuang, Tang, Zhang",
        2025,
        "https://openreview.net/forum?id=TwJrTz9cRS",
    ),
    formula="y = W0 x + (W0 * (B A)) x",
    backend="peft",
    # Not from the paper, which has no encoder: above LoRA's, since the update is scaled by the small values of W0.
    learning_rate=2e-3,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    encoder_decoders=True,
    search_space={"learning_rate": (4e-4, 1e-3, 2e-3, 5e-3, 1e-2), "r": (8, 16, 32)},
)
