"""APET: as many parameters as asked for, at arbitrary places: half of them in LoRAs and adapters at places drawn at random,
half in weights, biases and norms of the model drawn at random; everything else is frozen.

Su et al. 2023, https://arxiv.org/abs/2306.02320. As in the authors' code, what is drawn are whole tensors, in random order
as long as one fits into what is left of its half (a LoRA's two matrices and an adapter's four tensors go together), LoRAs
on queries and values, two adapters of width 24 a block. Embeddings, which that code draws too, are left out. The draw
follows from `draw`, so that the formula can count it. Adapters start at zero, so that the model starts at the base.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import nn

from methods.adapter._bottleneck import Bottleneck, closing, size
from methods.layers import is_norm, replace
from methods.linear import LowRankAdapted, adapt, as_lora_draws
from methods.spec import Method, Paper, Shape, Site

QUERY_VALUE = {"query", "value", "qkv"}


@dataclass(frozen=True)
class Config:
    budget: int = 0
    """how many parameters may train; 0: as many as LoRA has on queries and values"""
    r: int = 8
    alpha: int = 16
    """a LoRA's update is scaled by alpha / r"""
    bottleneck: int = 24
    draw: int = 0
    """seed of the choice"""

    def __post_init__(self) -> None:
        if self.budget < 0:
            raise ValueError(f"APET's budget={self.budget} is a number of parameters; 0 takes LoRA's")


@dataclass
class Choice:
    loras: list[Site] = field(default_factory=list)
    adapters: list[Site] = field(default_factory=list)
    tensors: list[tuple[str, str]] = field(default_factory=list)
    """(layer, weight or bias) of the model's own"""
    total: int = 0


def _filled(options: Iterable[tuple[list[Any], Any, int]], budget: int, draw: random.Random, choice: Choice) -> None:
    """options: (list it joins, what is chosen, its parameters)"""
    options = list(options)
    for kept, option, values in draw.sample(options, len(options)):
        if values <= budget:
            kept.append(option)
            budget -= values
            choice.total += values


def chosen(sites: tuple[Site, ...], norms: list[tuple[str, int, bool]], config: Config) -> Choice:
    """norms: (name, values of its weight, whether it has a bias)"""
    choice, r = Choice(), config.r
    lora = [(choice.loras, s, r * (s.d_in + s.d_out)) for s in sites if s.role in QUERY_VALUE and s.part == "attention"]
    half = (config.budget or sum(values for _, _, values in lora)) // 2
    ends = [site for site in sites if site.role in {"output", "down"}]
    adapters = [(choice.adapters, site, size(site.d_out, config.bottleneck)) for site in ends]
    own = [(choice.tensors, (s.name, "weight"), s.d_in * s.d_out) for s in sites]
    own += [(choice.tensors, (s.name, "bias"), s.d_out) for s in sites if s.bias]
    own += [(choice.tensors, (name, "weight"), values) for name, values, _ in norms]
    own += [(choice.tensors, (name, "bias"), values) for name, values, bias in norms if bias]
    draw = random.Random(config.draw)
    _filled(lora + adapters, half, draw, choice)
    _filled(own, half, draw, choice)
    return choice


class Lora(LowRankAdapted):
    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base, config.alpha / config.r)
        self.A = nn.Parameter(as_lora_draws(self.empty(config.r, self.d_in)))
        self.B = self.trained(self.d_out, config.r)


def _add(module: nn.Module, args: Any, output: torch.Tensor) -> torch.Tensor:
    return output + module.adapter(output)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    modules = [(name, module) for name, module in model.named_modules() if is_norm(module)]
    norms = [(name, norm.weight.numel(), getattr(norm, "bias", None) is not None) for name, norm in modules]
    choice = chosen(sites, norms, config)
    adapt(model, (), nn.Identity)
    own = [getattr(model.get_submodule(layer), name) for layer, name in choice.tensors]
    gelu = partial(nn.functional.gelu, approximate="tanh")
    for site in choice.adapters:
        layer = model.get_submodule(site.name)
        dropout, _ = closing(model, site)
        place = layer if dropout is None else dropout
        place.adapter = Bottleneck(site.d_out, config.bottleneck, gelu, as_lora_draws, layer.weight)
        nn.init.zeros_(place.adapter.up.weight)
        place.register_forward_hook(_add)
    for site in choice.loras:
        replace(model, site.name, Lora(model.get_submodule(site.name), config))
    for parameter in own:
        parameter.requires_grad_(True)
    return model


def count(shape: Shape, config: Config) -> int:
    """What was drawn, a little below the budget. Raises ValueError if nothing fits into it."""
    norms = [(norm.name, norm.size, norm.bias) for norm in shape.norms]
    total = chosen(shape.sites, norms, config).total
    if not total:
        raise ValueError(f"APET's budget={config.budget} is too small for any tensor of this model; raise it")
    return total


METHOD = Method(
    name="apet",
    family="selective",
    paper=Paper(
        "Exploring the Impact of Model Scaling on Parameter-Efficient Tuning",
        "Su, Chan, Cheng, Qin, Lin, Hu, Yang, Ding, Sun, Xie, Liu, Sun",
        2023,
        "https://arxiv.org/abs/2306.02320",
    ),
    formula="a random set of LoRAs, adapters, weights, biases and norms trains, of a given number of parameters",
    backend="native",
    # The example of the authors' code.
    learning_rate=1e-4,
    aliases=("arbitrary-pet",),
    config=Config,
    attach=attach,
    count=count,
    search_space={"learning_rate": (5e-5, 1e-4, 3e-4, 1e-3), "draw": (0, 1, 2)},
)
