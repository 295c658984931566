"""VeRA: y = W0 x + b * (B (d * (A x))); A, B random, frozen and shared by all layers; b and d train.

Kopiczko et al. 2023, https://arxiv.org/abs/2310.11454. b starts at zero, d at `d_initial`. Layers of
different sizes take the part of A and B that fits them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.peft_backend import NAME, inject, merge, tuner_of
from methods.spec import Method, Paper, Shape, Site

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Config:
    r: int = 1024
    d_initial: float = 0.1
    dropout: float = 0.0
    targets: tuple[str, ...] = ("query", "value")


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    import torch
    from peft import VeraConfig

    settings = VeraConfig(
        r=config.r,
        d_initial=config.d_initial,
        vera_dropout=config.dropout,
        # PEFT draws A and B from a generator of their own; its seed is drawn from the harness's.
        projection_prng_key=int(torch.randint(2**31, (1,))),
    )
    return inject(model, sites, settings)


def count(shape: Shape, config: Config) -> int:
    """d_out + r values a matrix."""
    return sum(site.d_out + config.r for site in shape.select(config.targets))


def extra_state(model: nn.Module) -> Mapping[str, torch.Tensor]:
    """A and B, once: every layer holds the same two tensors."""
    first = tuner_of(model).targeted_module_names[0]
    layer = model.get_submodule(first)
    return {f"{first}.vera_A.{NAME}": layer.vera_A[NAME], f"{first}.vera_B.{NAME}": layer.vera_B[NAME]}


METHOD = Method(
    name="vera",
    family="shared",
    paper=Paper(
        "VeRA: Vector-based Random Matrix Adaptation",
        "Kopiczko, Blankevoort, Asano",
        2023,
        "https://arxiv.org/abs/2310.11454",
    ),
    formula="y = W0 x + b * (B (d * (A x)))",
    backend="peft",
    learning_rate=4e-3,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    extra_state=extra_state,
    packs=(),
    encoder_decoders=True,
    search_space={"learning_rate": (1e-3, 2e-3, 4e-3, 1e-2, 2e-2), "r": (256, 1024)},
)
