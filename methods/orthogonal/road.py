"""RoAd: y = R (W0 x + b0); R turns and scales pairs of outputs: [a cos t, -a sin t; a sin t, a cos t].

Liao, Monz 2024, https://arxiv.org/abs/2409.00119. RoAd1 has one angle t and one scale a a pair, RoAd2 one a row, RoAd4 one an
entry. t starts at 0 and a at 1 (RoAd4's off the diagonal too, where sin t is 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.peft_backend import inject, total, tuner_of
from methods.peft_backend import merge as fold
from methods.spec import Method, Paper, Shape, Site

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Config:
    """Raises ValueError for an unknown variant."""

    variant: int = 1
    """1, 2 or 4: angles and scales a pair of outputs"""
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")

    def __post_init__(self) -> None:
        if self.variant not in {1, 2, 4}:
            raise ValueError(f"RoAd has the variants 1, 2 and 4, not {self.variant}")


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    from peft import RoadConfig

    # Neighbours are paired, as in the paper.
    return inject(model, sites, RoadConfig(variant=f"road_{config.variant}", group_size=2))


def count(shape: Shape, config: Config) -> int:
    """d_out, 2 d_out or 4 d_out values a matrix: as many angles as scales."""
    return total(shape, config, lambda site: config.variant * site.d_out)


def merge(model: nn.Module) -> nn.Module:
    """Folds R into weight and bias, both in float32 meanwhile: PEFT takes R in the weight's precision, in which a bias that
    stayed in float32 cannot be multiplied, and would round twice."""
    import torch

    bases = {name: model.get_submodule(name).get_base_layer() for name in tuner_of(model).targeted_module_names}
    kept = {name: base.weight.dtype for name, base in bases.items()}
    for base in bases.values():
        base.weight.data = base.weight.data.to(torch.float32)
    merged = fold(model)
    for name, dtype in kept.items():
        weight = merged.get_submodule(name).weight
        weight.data = weight.data.to(dtype)
    return merged


METHOD = Method(
    name="road",
    family="orthogonal",
    paper=Paper(
        "3-in-1: 2D Rotary Adaptation for Efficient Finetuning, Efficient Batching and Composability",
        "Liao, Monz",
        2024,
        "https://arxiv.org/abs/2409.00119",
    ),
    formula="y = R (W0 x + b0), R = blockdiag(a [cos t, -sin t; sin t, cos t])",
    backend="peft",
    # Not from the paper, which tunes it for each task of GLUE.
    learning_rate=3e-3,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    encoder_decoders=True,
    search_space={"learning_rate": (1e-3, 3e-3, 5e-3, 1e-2), "variant": (1, 2, 4)},
)
