"""Prefix tuning: in every layer, attention(q, [P_k; k], [P_v; v]); the l keys and values of P train.

Li & Liang 2021, https://arxiv.org/abs/2101.00190. The paper trains P through a network of two layers
that is dropped afterwards (`projection`); on understanding tasks P itself trains as well (Liu et
al. 2021, https://arxiv.org/abs/2110.07602), and that is the default here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.prompt._prefix import attach_prefix, count_prefix, supports_prefix
from methods.spec import Method, Paper, Site

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Config:
    tokens: int = 20
    """l"""
    projection: bool = False
    inner: int = 512
    """width of the projecting network"""


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises Unsupported for a model whose attention takes no given keys and values."""
    return attach_prefix(model, config)


METHOD = Method(
    name="prefix-tuning",
    family="prompt",
    paper=Paper(
        "Prefix-Tuning: Optimizing Continuous Prompts for Generation",
        "Li, Liang",
        2021,
        "https://arxiv.org/abs/2101.00190",
    ),
    formula="attention(q, [P_k; k], [P_v; v]) in every layer, P trains",
    backend="peft",
    # Not from the paper, which has no encoder; as in PEFT's example for RoBERTa.
    learning_rate=1e-2,
    aliases=("p-tuning-v2",),
    config=Config,
    attach=attach,
    positions=lambda config: config.tokens,
    count=count_prefix,
    starts_at_base=False,
    supports=supports_prefix,
    search_space={"learning_rate": (1e-3, 3e-3, 1e-2, 3e-2), "tokens": (5, 20, 50)},
)
