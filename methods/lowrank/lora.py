"""LoRA: y = W0 x + (alpha / r) B (A x); A (r, d_in) random, B (d_out, r) zero at the start.

Hu et al. 2021, https://arxiv.org/abs/2106.09685
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from methods.peft_backend import LowRank, attach_lora, count_lora, merge
from methods.spec import Method, Paper, Site

if TYPE_CHECKING:
    from torch import nn


def attach(model: nn.Module, sites: tuple[Site, ...], config: LowRank) -> nn.Module:
    return attach_lora(model, sites, config)


METHOD = Method(
    name="lora",
    family="lowrank",
    paper=Paper(
        "LoRA: Low-Rank Adaptation of Large Language Models",
        "Hu, Shen, Wallis, Allen-Zhu, Li, Wang, Wang, Chen",
        2021,
        "https://arxiv.org/abs/2106.09685",
    ),
    formula="y = W0 x + (alpha / r) B A x",
    backend="peft",
    learning_rate=4e-4,
    config=LowRank,
    attach=attach,
    count=count_lora,
    merge=merge,
    packs=("r", "alpha"),
    encoder_decoders=True,
    search_space={"learning_rate": (1e-4, 2e-4, 4e-4, 8e-4, 2e-3), "r": (4, 8, 16, 32)},
)
