"""Houlsby adapters: h <- h + W_up f(W_down h), after each attention's and each feed-forward's projection.

Houlsby et al. 2019, https://arxiv.org/abs/1902.00751. They stand after the projection's dropout and
before the residual sum; the norms train too. Weights start near zero (std 0.001, cut at two of them), so
that the model starts near, not at, the base.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from methods.adapter._bottleneck import Bottleneck, closing, size
from methods.layers import freeze, train_norms
from methods.spec import Method, Paper, Shape, Site

INITIAL_STD = 1e-3


@dataclass(frozen=True)
class Config:
    bottleneck: int = 64
    train_norms: bool = True
    targets: tuple[str, ...] = ("output", "down")


def _add(module: nn.Module, args: Any, output: torch.Tensor) -> torch.Tensor:
    return output + module.adapter(output)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    freeze(model)
    if config.train_norms:
        train_norms(model)
    draw = partial(nn.init.trunc_normal_, std=INITIAL_STD, a=-2 * INITIAL_STD, b=2 * INITIAL_STD)
    gelu = partial(nn.functional.gelu, approximate="tanh")
    for site in sites:
        layer = model.get_submodule(site.name)
        dropout, _ = closing(model, site)
        place = layer if dropout is None else dropout
        place.adapter = Bottleneck(site.d_out, config.bottleneck, gelu, draw, layer.weight)
        place.register_forward_hook(_add)
    return model


def count(shape: Shape, config: Config) -> int:
    """2 d m + d + m values an adapter, and the norms."""
    adapters = sum(size(site.d_out, config.bottleneck) for site in shape.select(config.targets))
    norms = sum(norm.size * (2 if norm.bias else 1) for norm in shape.norms)
    return adapters + (norms if config.train_norms else 0)


METHOD = Method(
    name="adapter-houlsby",
    family="adapter",
    paper=Paper(
        "Parameter-Efficient Transfer Learning for NLP",
        "Houlsby, Giurgiu, Jastrzebski, Morrone, de Laroussilhe, Gesmundo, Attariyan, Gelly",
        2019,
        "https://arxiv.org/abs/1902.00751",
    ),
    formula="h <- h + W_up gelu(W_down h), two a block",
    backend="native",
    learning_rate=3e-4,
    aliases=("houlsby",),
    config=Config,
    attach=attach,
    count=count,
    starts_at_base=False,
    packs=(),
    encoder_decoders=True,
    search_space={"learning_rate": (3e-5, 1e-4, 3e-4, 1e-3, 3e-3), "bottleneck": (8, 64, 256)},
)
