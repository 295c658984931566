"""Tied-LoRA: y = W0 x + v_l * (B (u_l * (A x))); A and B are shared by all blocks, the vectors u_l and v_l are each
block's own; all four train.

Renduchintala et al. 2023, https://arxiv.org/abs/2311.09578, in its largest configuration (TL6). The paper adapts the
fused query-key-value map: separate maps of a block that read one input are treated as that one, with one A and u for all
and a B and v each; other roles have an A of their own. A is drawn as LoRA draws it, B starts at 0, u and v at 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from methods.layers import freeze, replace
from methods.linear import Adapted, as_lora_draws, merge, stack_of
from methods.spec import Method, Paper, Shape, Site

FUSED = {"query", "key", "value", "qkv"}
Key = tuple[str, str, int]


@dataclass(frozen=True)
class Config:
    r: int = 8
    dropout: float = 0.0
    targets: tuple[str, ...] = ("query", "key", "value")


def reads(site: Site) -> Key:
    """What shares an A: the maps of a stack that read the same input. Across stacks only keys and values do."""
    alone = site.role not in FUSED or (site.part == "cross" and site.role == "query")
    return stack_of(site), f"{site.part}-{site.role if alone else 'input'}", site.d_in


def writes(site: Site) -> tuple[Key, str, int]:
    """What shares a B."""
    return reads(site), site.role, site.d_out


class Layer(Adapted):
    """A and B lie in the model's `tied`, u in the first layer of the block that reads the input."""

    def __init__(self, base: nn.Module, A: nn.Parameter, B: nn.Parameter, u: nn.Parameter, dropout: float) -> None:
        super().__init__(base, dropout)
        # One Parameter in several modules is one tensor with several names: it trains, counts and moves once.
        self.A, self.B, self.u = A, B, u
        self.v = self.trained(self.d_out, value=1.0)

    def update(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(nn.functional.linear(x, self.A) * self.u, self.B) * self.v

    def delta(self) -> torch.Tensor:
        return self.v[:, None] * (self.B * self.u) @ self.A


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    freeze(model)
    downs: dict[Key, nn.Parameter] = {}
    ups: dict[tuple[Key, str, int], nn.Parameter] = {}
    scales: dict[tuple[Key, int], nn.Parameter] = {}
    for site in sites:
        base = model.get_submodule(site.name)
        device = base.weight.device
        if reads(site) not in downs:
            downs[reads(site)] = nn.Parameter(as_lora_draws(torch.empty(config.r, site.d_in, device=device)))
        if writes(site) not in ups:
            ups[writes(site)] = nn.Parameter(torch.zeros(site.d_out, config.r, device=device))
        at = (reads(site), site.block)
        if at not in scales:
            scales[at] = nn.Parameter(torch.ones(config.r, device=device))
        replace(model, site.name, Layer(base, downs[reads(site)], ups[writes(site)], scales[at], config.dropout))
    return model


def count(shape: Shape, config: Config) -> int:
    """r d_in an input and r d_out a map, once; r an input and d_out a map in each block."""
    sites: Sequence[Site] = shape.select(config.targets)
    shared = sum(config.r * key[2] for key in {reads(site) for site in sites})
    shared += sum(config.r * key[2] for key in {writes(site) for site in sites})
    return shared + config.r * len({(reads(site), site.block) for site in sites}) + sum(site.d_out for site in sites)


METHOD = Method(
    name="tied-lora",
    family="shared",
    paper=Paper(
        "Tied-LoRA: Enhancing parameter efficiency of LoRA with Weight Tying",
        "Renduchintala, Konuk, Kuchaiev",
        2023,
        "https://arxiv.org/abs/2311.09578",
    ),
    formula="y = W0 x + v_l * (B (u_l * (A x))), A and B shared by all blocks",
    backend="native",
    # LoRA's rate.
    learning_rate=4e-4,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    search_space={"learning_rate": (2e-4, 4e-4, 1e-3, 2e-3, 5e-3), "r": (4, 8, 16)},
)
