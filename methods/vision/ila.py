"""ILA: x <- D(x) + W_up g(n_3(P g(n_2(K g(n_1(W_down x)))))) after some of the blocks, with fewer tokens than x. K
and D convolve each channel 3 x 3 over the grid of patches without padding, which takes a ring of patches away; P
mixes channels, the n are batch norms, g is gelu.

Rios et al. 2024, https://arxiv.org/abs/2409.11051 (the down-sampling inter-layer adapter alone: no further adapters
within the blocks). The class token passes D unchanged and has a map of its own in place of K and P. D starts at about
1 in all nine places, as in the authors' code, so that the model does not start at the base.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from methods.layers import freeze
from methods.linear import lifted, stack_of
from methods.spec import Method, Paper, Shape, Site
from methods.vision._grid import joined, only_grids, parted, require_square

INITIAL_STD = 1e-3


@dataclass(frozen=True)
class Config:
    bottleneck: int = 8
    after: tuple[int, ...] = (3, 7)
    """the blocks, counted from 0, after which the tokens become fewer; the paper's for twelve blocks"""
    dropout: float = 0.1
    """on the branch through the bottleneck"""


class Down(nn.Module):
    """(rows, k + h h, d) -> (rows, k + (h - 2)(h - 2), d)"""

    def __init__(self, width: int, config: Config, like: torch.Tensor) -> None:
        super().__init__()
        m, device = config.bottleneck, like.device
        self.down = nn.Linear(width, m, device=device)
        self.up = nn.Linear(m, width, device=device)
        self.alone = nn.Linear(m, m, device=device)
        self.K = nn.Conv2d(m, m, 3, groups=m, device=device)
        self.P = nn.Conv2d(m, m, 1, device=device)
        self.D = nn.Conv2d(width, width, 3, groups=width, bias=False, device=device)
        self.n1, self.n3 = nn.BatchNorm1d(m, device=device), nn.BatchNorm1d(m, device=device)
        self.n2 = nn.BatchNorm2d(m, device=device)
        self.dropout = nn.Dropout(config.dropout)
        for layer in (self.down, self.up, self.alone, self.K, self.P):
            nn.init.xavier_uniform_(layer.weight)
        for layer in (self.down, self.up):
            nn.init.zeros_(layer.bias)
        nn.init.normal_(self.D.weight, mean=1.0, std=INITIAL_STD)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = functional.gelu(self.n1(self.down(x).transpose(1, 2))).transpose(1, 2)
        others, patches = parted(inner)
        patches = self.P(functional.gelu(self.n2(self.K(patches))))
        inner = self.n3(joined(self.alone(others), patches).transpose(1, 2)).transpose(1, 2)
        branch = self.dropout(self.up(functional.gelu(inner)))
        others, patches = parted(x)
        return joined(others, self.D(patches)) + branch


def _shrink(block: nn.Module, args: Any, output: Any) -> Any:
    hidden = output[0] if isinstance(output, tuple) else output
    fewer = block.ila(lifted(hidden)).to(hidden.dtype)
    return (fewer, *output[1:]) if isinstance(output, tuple) else fewer


def check(after: tuple[int, ...], blocks: int) -> None:
    if not after:
        raise ValueError("ILA's after names no block after which the tokens become fewer; name at least one")
    if any(not 0 <= at < blocks for at in after):
        raise ValueError(f"ILA's after={after} names blocks beyond the model's {blocks}; choose from 0 to {blocks - 1}")


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises Unsupported if pictures are not square, ValueError for a block that the model does not have."""
    require_square(model)
    freeze(model)
    blocks = {site.block: f"{stack_of(site)}.{site.block}" for site in sites}
    check(config.after, len(blocks))
    like = model.get_submodule(sites[0].name).weight
    for at in config.after:
        block = model.get_submodule(blocks[at])
        block.ila = Down(model.config.hidden_size, config, like)
        block.register_forward_hook(_shrink)
    return model


def count(shape: Shape, config: Config) -> int:
    """2 d m + 10 d + 2 m^2 + 19 m values an adapter: W_down and W_up, D, K, P and the class token's map, and three batch
    norms. Raises ValueError for a block that the model does not have."""
    check(config.after, shape.blocks)
    d, m = shape.hidden, config.bottleneck
    projections, spatial, mixing, norms = 2 * d * m + m + d, 9 * d + 10 * m, 2 * (m * m + m), 6 * m
    return len(config.after) * (projections + spatial + mixing + norms)


def extra_state(model: nn.Module) -> Mapping[str, torch.Tensor]:
    """The batch norms' running means and variances."""
    inside = [name for name, module in model.named_modules() if isinstance(module, Down)]
    return {
        name: tensor
        for name, tensor in model.named_buffers()
        if name.endswith(("running_mean", "running_var")) and any(name.startswith(f"{at}.") for at in inside)
    }


METHOD = Method(
    name="ila",
    family="vision",
    paper=Paper(
        "Down-Sampling Inter-Layer Adapter for Parameter and Computation Efficient Ultra-Fine-Grained Image Recognition",
        "Rios, Oyerinde, Hu, Lai",
        2024,
        "https://arxiv.org/abs/2409.11051",
    ),
    formula="x <- D(x) + W_up g(P g(K g(W_down x))), D and K convolve without padding",
    backend="native",
    # The paper's rates are for SGD.
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    starts_at_base=False,
    supports=only_grids,
    extra_state=extra_state,
    search_space={"learning_rate": (3e-4, 1e-3, 3e-3, 1e-2), "bottleneck": (8, 16, 32)},
)
