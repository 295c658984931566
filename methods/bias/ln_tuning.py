"""LN-tuning: y = g * (x - mean) / std + b; the gain g and the bias b of every norm train.

Zhao et al. 2023, https://arxiv.org/abs/2312.11420. Native, though PEFT has it: PEFT copies each norm
beside the old one, while training the norms themselves adds no parameter.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from methods.layers import freeze, train_norms, unchanged
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    """There is nothing to choose."""


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    freeze(model)
    train_norms(model)
    return model


def count(shape: Shape, config: Config) -> int:
    return sum(norm.size * (2 if norm.bias else 1) for norm in shape.norms)


METHOD = Method(
    name="ln-tuning",
    family="bias",
    paper=Paper(
        "Tuning LayerNorm in Attention: Towards Efficient Multi-Modal LLM Finetuning",
        "Zhao, Tu, Wei, Mei, Xie",
        2023,
        "https://arxiv.org/abs/2312.11420",
    ),
    formula="y = g * (x - mean) / std + b, g and b train",
    backend="native",
    # The paper has no encoder; as for other methods that train only vectors.
    learning_rate=1e-3,
    aliases=("ln-tune-mllm",),
    config=Config,
    attach=attach,
    count=count,
    merge=unchanged,
    encoder_decoders=True,
    search_space={"learning_rate": (3e-4, 1e-3, 3e-3, 1e-2)},
)
