"""Parallel adapter: h <- F(x) + s W_up f(W_down x), F a block's whole feed-forward and x its input.

He et al. 2021, https://arxiv.org/abs/2110.04366 (scaled parallel adapter of the feed-forward, section 4.6). s = 4 is the
paper's; W_down starts as LoRA's A, W_up at zero. The change joins before the residual sum, as its authors' code has it.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from methods.adapter._parallel import count_beside, stand_beside
from methods.layers import freeze
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    bottleneck: int = 512
    """r; the paper's for translation and summaries, 16 on GLUE"""
    scale: float = 4.0
    """s"""


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    freeze(model)
    return stand_beside(model, sites, config.bottleneck, config.scale)


def count(shape: Shape, config: Config) -> int:
    """2 d r + d + r values a block."""
    return count_beside(shape, config.bottleneck)


METHOD = Method(
    name="parallel-adapter",
    family="adapter",
    paper=Paper(
        "Towards a Unified View of Parameter-Efficient Transfer Learning",
        "He, Zhou, Ma, Berg-Kirkpatrick, Neubig",
        2021,
        "https://arxiv.org/abs/2110.04366",
    ),
    formula="h <- FFN(x) + s W_up relu(W_down x)",
    backend="native",
    learning_rate=1e-4,
    config=Config,
    attach=attach,
    count=count,
    encoder_decoders=True,
    search_space={"learning_rate": (5e-5, 1e-4, 3e-4, 1e-3), "bottleneck": (16, 64, 512), "scale": (1.0, 2.0, 4.0)},
)
