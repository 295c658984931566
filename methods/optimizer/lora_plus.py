"""LoRA+: y = W0 x + (alpha / r) B (A x), with rate(B) = ratio * rate(A).

Hayou et al. 2024, https://arxiv.org/abs/2402.12354. The rate given is A's and the head's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from methods.peft_backend import LowRank, attach_lora, count_lora, merge
from methods.spec import Method, Paper, Site

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Config(LowRank):
    alpha: int = 8
    """as in the authors' script for RoBERTa-base"""
    ratio: float = 16.0
    """rate of B over rate of A"""


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return attach_lora(model, sites, config)


def param_groups(
    model: nn.Module, config: Config, learning_rate: float, weight_decay: float
) -> list[dict[str, Any]] | None:
    fast, slow, vectors = [], [], []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            group = fast if "lora_B" in name.split(".") else slow if parameter.ndim > 1 else vectors
            group.append(parameter)
    groups = [
        {"params": fast, "lr": config.ratio * learning_rate, "weight_decay": weight_decay},
        {"params": slow, "lr": learning_rate, "weight_decay": weight_decay},
        {"params": vectors, "lr": learning_rate, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


METHOD = Method(
    name="lora-plus",
    family="optimizer",
    paper=Paper(
        "LoRA+: Efficient Low Rank Adaptation of Large Models",
        "Hayou, Ghosh, Yu",
        2024,
        "https://arxiv.org/abs/2402.12354",
    ),
    formula="y = W0 x + (alpha / r) B A x, rate(B) = ratio * rate(A)",
    backend="peft",
    learning_rate=1e-4,
    aliases=("loraplus",),
    config=Config,
    attach=attach,
    count=count_lora,
    param_groups=param_groups,
    merge=merge,
    packs=("r", "alpha", "ratio"),
    encoder_decoders=True,
    search_space={"learning_rate": (2e-5, 5e-5, 1e-4, 2e-4, 4e-4), "ratio": (4.0, 16.0), "r": (4, 8, 16, 32)},
)
