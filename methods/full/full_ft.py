"""Full fine-tuning: W = W0 + dW, dW of full rank; every parameter trains.

Devlin et al. 2018, https://arxiv.org/abs/1810.04805: 5e-5, 3e-5 or 2e-5 on GLUE.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from methods.layers import unchanged
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    """There is nothing to choose."""


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return model.requires_grad_(True)


def count(shape: Shape, config: Config) -> int:
    return shape.parameters


METHOD = Method(
    name="full-ft",
    family="full",
    paper=Paper(
        "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
        "Devlin, Chang, Lee, Toutanova",
        2018,
        "https://arxiv.org/abs/1810.04805",
    ),
    formula="W = W0 + dW, dW free",
    backend="native",
    learning_rate=2e-5,
    aliases=("full",),
    config=Config,
    attach=attach,
    count=count,
    merge=unchanged,
    encoder_decoders=True,
    search_space={"learning_rate": (1e-5, 2e-5, 3e-5, 5e-5, 1e-4)},
)
