"""rsLoRA: y = W0 x + (alpha / sqrt(r)) B (A x): LoRA whose scale keeps the update's size at any rank.

Kalajdzievski 2023, https://arxiv.org/abs/2312.03732
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from methods.peft_backend import LowRank, attach_lora, count_lora, merge
from methods.spec import Method, Paper, Site

if TYPE_CHECKING:
    from torch import nn


def attach(model: nn.Module, sites: tuple[Site, ...], config: LowRank) -> nn.Module:
    return attach_lora(model, sites, config, use_rslora=True)


METHOD = Method(
    name="rslora",
    family="lowrank",
    paper=Paper(
        "A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA",
        "Kalajdzievski",
        2023,
        "https://arxiv.org/abs/2312.03732",
    ),
    formula="y = W0 x + (alpha / sqrt(r)) B A x",
    backend="peft",
    # The paper has no encoder; LoRA's rate.
    learning_rate=4e-4,
    config=LowRank,
    attach=attach,
    count=count_lora,
    merge=merge,
    packs=("r", "alpha"),
    encoder_decoders=True,
    search_space={"learning_rate": (5e-5, 1e-4, 2e-4, 4e-4, 1e-3), "r": (8, 16, 32, 64)},
)
