"""DoRA: W = m * (W0 + (alpha / r) B A) / ||W0 + (alpha / r) B A||; m, a value for each output, starts at ||W0||.

Liu et al. 2024, https://arxiv.org/abs/2402.09353. The norm, taken over each output's weights, is a
constant in the backward pass (section 4.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from methods.peft_backend import LowRank, attach_lora, count_lora, merge
from methods.spec import Method, Paper, Shape, Site

if TYPE_CHECKING:
    from torch import nn


def attach(model: nn.Module, sites: tuple[Site, ...], config: LowRank) -> nn.Module:
    return attach_lora(model, sites, config, use_dora=True)


def count(shape: Shape, config: LowRank) -> int:
    return count_lora(shape, config) + sum(site.d_out for site in shape.select(config.targets))


METHOD = Method(
    name="dora",
    family="lowrank",
    paper=Paper(
        "DoRA: Weight-Decomposed Low-Rank Adaptation",
        "Liu, Wang, Yin, Molchanov, Wang, Cheng, Chen",
        2024,
        "https://arxiv.org/abs/2402.09353",
    ),
    formula="W = m * (W0 + (alpha / r) B A) / ||W0 + (alpha / r) B A||",
    backend="peft",
    # The paper has no encoder; LoRA's rate, as its authors take LoRA's or a little less.
    learning_rate=4e-4,
    config=LowRank,
    attach=attach,
    count=count,
    merge=merge,
    encoder_decoders=True,
    search_space={"learning_rate": (1e-4, 2e-4, 4e-4, 8e-4, 2e-3), "r": (4, 8, 16, 32)},
)
