"""RepAdapter: y = W0 f(x) + b0 with f(x) = x + s (B (A x + a) + b), B block-diagonal in g groups; one f before each
attention's query, key and value and one before each feed-forward.

Luo et al. 2023, https://arxiv.org/abs/2302.08106. As f is linear it folds into the layers that read it. A is
Xavier-drawn, B, a and b start at zero. Where a layer that reads f has no bias, a and b would have no place to be
folded into and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from methods.layers import freeze, replace
from methods.linear import Adapted, adapted, lifted, matrix, stack_of
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    bottleneck: int = 8
    groups: int = 2
    """g"""
    scale: float = 1.0
    """s; the authors choose it out of 0.1 ... 10 for each task"""
    dropout: float = 0.1
    """on A x + a"""
    targets: tuple[str, ...] = ("query", "key", "value", "up", "gate")
    """the layers that read f; with `query, key, value` alone it is the paper's RepAdapter for attention"""

    def __post_init__(self) -> None:
        if self.bottleneck % self.groups:
            raise ValueError(f"RepAdapter's groups={self.groups} must divide its bottleneck={self.bottleneck}")


class Before(nn.Module):
    """f, for all the layers that read the same x: it is computed once for them."""

    def __init__(self, width: int, biases: bool, readers: int, config: Config, like: torch.Tensor) -> None:
        super().__init__()
        if width % config.groups:
            raise ValueError(f"RepAdapter's groups={config.groups} must divide a layer's width, {width}")
        r, g = config.bottleneck, config.groups
        self.A = nn.Parameter(nn.init.xavier_uniform_(torch.empty(r, width, device=like.device)))
        self.B = nn.Parameter(torch.zeros(g, width // g, r // g, device=like.device))
        self.register_parameter("a", nn.Parameter(torch.zeros(r, device=like.device)) if biases else None)
        self.register_parameter("b", nn.Parameter(torch.zeros(width, device=like.device)) if biases else None)
        self.dropout, self.scale = nn.Dropout(config.dropout), config.scale
        self.readers, self.left = readers, 0
        self.kept: tuple[torch.Tensor, torch.Tensor] | None = None

    def change(self, x: torch.Tensor) -> torch.Tensor:
        """s (B (A x + a) + b), (..., d) -> (..., d)"""
        inner = self.dropout(functional.linear(x, self.A, self.a)).unflatten(-1, (len(self.B), -1))
        outer = torch.einsum("...gr,gdr->...gd", inner, self.B).flatten(-2)
        return self.scale * (outer if self.b is None else outer + self.b)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.kept is None or self.kept[0] is not x:
            self.kept, self.left = (x, x + self.change(lifted(x)).to(x.dtype)), self.readers
        found, self.left = self.kept[1], self.left - 1
        if not self.left:
            # It would hold the activations in memory.
            self.kept = None
        return found

    def folded(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """s B A (d, d) and s (B a + b)"""
        b = torch.block_diag(*self.B)
        shift = None if self.a is None else self.scale * (b @ self.a + self.b)
        return self.scale * b @ self.A, shift


class Reader(Adapted):
    """y = W f(x) + b"""

    def __init__(self, base: nn.Module, before: Before, owns: bool) -> None:
        super().__init__(base)
        # The first of those that share f has it as its child, the others only refer to it.
        self.before: nn.Module | tuple[Before] = before if owns else (before,)

    @property
    def f(self) -> Before:
        return self.before[0] if isinstance(self.before, tuple) else self.before  # type: ignore[return-value]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.base(self.f(x))


SAME_INPUT = {"query": "stream", "key": "stream", "value": "stream", "qkv": "stream", "up": "ffn", "gate": "ffn"}


def shared(sites: Sequence[Site]) -> list[list[Site]]:
    """The sites in groups that read the same x; a cross-attention's query reads another than its keys and values."""
    groups: dict[tuple[str, int, str, str], list[Site]] = {}
    for site in sites:
        reads = "query" if site.part == "cross" and site.role == "query" else SAME_INPUT.get(site.role, site.role)
        groups.setdefault((stack_of(site), site.block, site.part, reads), []).append(site)
    return list(groups.values())


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises ValueError if the groups do not divide a layer's width."""
    freeze(model)
    for group in shared(sites):
        like = model.get_submodule(group[0].name).weight
        before = Before(group[0].d_in, all(site.bias for site in group), len(group), config, like)
        for at, site in enumerate(group):
            replace(model, site.name, Reader(model.get_submodule(site.name), before, at == 0))
    return model


def count(shape: Shape, config: Config) -> int:
    """r d + d r / g values for each f, and its biases r + d. Raises ValueError if the groups do not divide a width."""
    total, r = 0, config.bottleneck
    for group in shared(shape.select(config.targets)):
        width = group[0].d_in
        if width % config.groups:
            raise ValueError(f"RepAdapter's groups={config.groups} must divide a layer's width, {width}")
        total += r * width + width * (r // config.groups) + (r + width if all(site.bias for site in group) else 0)
    return total


@torch.no_grad()
def merge(model: nn.Module) -> nn.Module:
    """W <- W + W s B A, b <- b + W s (B a + b)"""
    for name, layer in list(adapted(model, Reader)):
        weight, (change, shift) = matrix(layer.base), layer.f.folded()
        if shift is not None:
            layer.base.bias.add_(weight.to(shift.dtype) @ shift)
        weight.add_((weight.to(change.dtype) @ change).to(weight.dtype))
        replace(model, name, layer.base)
    return model


METHOD = Method(
    name="repadapter",
    family="vision",
    paper=Paper(
        "Towards Efficient Visual Adaption via Structural Re-parameterization",
        "Luo, Huang, Zhou, Sun, Jiang, Wang, Ji",
        2023,
        "https://arxiv.org/abs/2302.08106",
    ),
    formula="y = W0 (x + s (B (A x + a) + b)) + b0, B block-diagonal",
    backend="native",
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    search_space={"learning_rate": (3e-4, 1e-3, 3e-3, 1e-2), "bottleneck": (8, 4, 16), "scale": (0.1, 1.0, 5.0)},
)
