"""Series adapter (Pfeiffer): one after each feed-forward; with s the residual sum, y = LN(s + W_up f(W_down LN(s))).

Pfeiffer et al. 2020, https://arxiv.org/abs/2005.00247, as its authors' library has it: the block's
norm runs before and after the adapter. In a block that ends without a norm (Llama, GPT-2),
y = s + W_up f(W_down s).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from methods.adapter._bottleneck import Bottleneck, closing, size
from methods.layers import freeze
from methods.spec import Method, Paper, Shape, Site, Unsupported

INITIAL_STD = 0.02


@dataclass(frozen=True)
class Config:
    reduction: int = 16
    """hidden width over bottleneck width"""


def _around_norm(norm: nn.Module, args: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
    return norm.forward(args[0] + norm.adapter(output))


def _after_block(block: nn.Module, args: Any, output: Any) -> Any:
    hidden = output[0] if isinstance(output, tuple) else output
    hidden = hidden + block.adapter(hidden)
    return (hidden, *output[1:]) if isinstance(output, tuple) else hidden


def _block(model: nn.Module, site: Site) -> nn.Module:
    parts = site.name.split(".")
    return model.get_submodule(".".join(parts[: parts.index(str(site.block)) + 1]))


def stand_after(model: nn.Module, site: Site, adapter: nn.Module) -> None:
    """Puts the adapter after the feed-forward that ends in the site."""
    _, norm = closing(model, site)
    place, hook = (_block(model, site), _after_block) if norm is None else (norm, _around_norm)
    place.adapter = adapter
    place.register_forward_hook(hook)


def last_layers(sites: Sequence[Site]) -> list[Site]:
    """Of each feed-forward. Raises Unsupported if there is none."""
    last = [site for site in sites if site.role == "down"]
    if not last:
        raise Unsupported("the series adapter stands after a block's feed-forward, and this model has none")
    return last


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises Unsupported if no feed-forward is found."""
    freeze(model)
    draw = partial(nn.init.normal_, std=INITIAL_STD)
    for site in last_layers(sites):
        inner = max(1, site.d_out // config.reduction)
        like = model.get_submodule(site.name).weight
        stand_after(model, site, Bottleneck(site.d_out, inner, nn.functional.relu, draw, like))
    return model


def count(shape: Shape, config: Config) -> int:
    """2 d m + d + m values a block, m = d / reduction."""
    return sum(size(site.d_out, max(1, site.d_out // config.reduction)) for site in shape.select(("down",)))


METHOD = Method(
    name="series-adapter",
    family="adapter",
    paper=Paper(
        "AdapterFusion: Non-Destructive Task Composition for Transfer Learning",
        "Pfeiffer, Kamath, Rueckle, Cho, Gurevych",
        2020,
        "https://arxiv.org/abs/2005.00247",
    ),
    formula="y = LN(s + W_up relu(W_down LN(s))), one a block",
    backend="native",
    learning_rate=1e-4,
    aliases=("pfeiffer", "adapter-pfeiffer"),
    config=Config,
    attach=attach,
    count=count,
    starts_at_base=False,
    encoder_decoders=True,
    search_space={"learning_rate": (5e-5, 1e-4, 3e-4, 1e-3, 3e-3), "reduction": (2, 16, 64)},
)
