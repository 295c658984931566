"""SMT: W is cut into square blocks; those of largest |mean gradient| over all matrices train in place, the rest is frozen.

He et al. 2024, https://arxiv.org/abs/2405.15525. The gradient is summed over the first training batches, before training;
the authors sum it over 100 steps of full fine-tuning. Until then the first blocks are taken. A layer keeps only the inputs
of its blocks for the backward pass. All blocks lie in one tensor, since how many a matrix gets is not known before.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from methods.linear import Adapted, adapt, adapted, gradients, known, matrix, merge
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    """The authors' settings for LLaMA-2-7B."""

    block: int = 256
    """side of a block, or its largest divisor that divides all widths of the target matrices"""
    share: float = 890 / 24576
    """of the target matrices' blocks that train"""
    rows: int = 256
    """training rows of which the gradient is taken"""
    targets: tuple[str, ...] = ("query", "key", "value")


def sizes(config: Config, sites: Iterable[Site]) -> tuple[int, int]:
    """(number of blocks that train, their side)"""
    sites = tuple(sites)
    side = math.gcd(config.block, *(width for site in sites for width in (site.d_in, site.d_out)))
    every = sum(site.d_in * site.d_out // side**2 for site in sites)
    return max(1, round(config.share * every)), side


class Blocks(nn.Module):
    """What trains, (n, side, side), and where each block lies: (layer, block row, block column)."""

    def __init__(self, n: int, side: int, device: torch.device) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.zeros(n, side, side, device=device))
        self.register_buffer("places", torch.zeros(n, 3, dtype=torch.long, device=device))


class Swap(torch.autograd.Function):
    """(x, the layer's blocks, layer) -> y; keeps the inputs of those blocks."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, values: torch.Tensor, layer: Layer) -> torch.Tensor:
        with layer.placed(values):
            y = layer.base(x)
        picked = [x[..., columns].to(y.dtype).contiguous() for _, columns in layer.corners]
        ctx.save_for_backward(values, *picked)
        ctx.layer, ctx.x_dtype = layer, x.dtype
        return y

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None, None]:
        layer, (values, *picked) = ctx.layer, ctx.saved_tensors
        to_x = to_values = None
        if ctx.needs_input_grad[0]:
            with layer.placed(values):
                to_x = (grad @ matrix(layer.base).to(grad.dtype)).to(ctx.x_dtype)
        if ctx.needs_input_grad[1]:
            flat = grad.flatten(0, -2)
            parts = [flat[:, r].T @ x.flatten(0, -2) for (r, _), x in zip(layer.corners, picked, strict=True)]
            to_values = torch.stack(parts).to(values.dtype)
        return to_x, to_values, None


class Layer(Adapted):
    def __init__(self, base: nn.Module, blocks: Blocks, at: int) -> None:
        super().__init__(base)
        # Past nn.Module's bookkeeping: the blocks belong to the model.
        self.__dict__["blocks"], self.at = blocks, at
        self.version, self.corners, self.mine = -1, [], []

    def _look(self) -> None:
        """Finds the layer's own blocks, again after a load or a new choice."""
        if self.version == self.blocks.places._version or not known(self.blocks.places):
            return
        self.version = self.blocks.places._version
        mine = (self.blocks.places[:, 0] == self.at).nonzero()[:, 0]
        side = self.blocks.values.shape[-1]
        corners = (self.blocks.places[mine, 1:] * side).tolist()
        self.corners = [(slice(i, i + side), slice(j, j + side)) for i, j in corners]
        self.mine = mine

    @contextlib.contextmanager
    def placed(self, values: torch.Tensor) -> Iterator[None]:
        """Inside, W holds the trained blocks; after it, again its own values."""
        weight = matrix(self.base)
        own = [weight[corner].clone() for corner in self.corners]
        for corner, value in zip(self.corners, values, strict=True):
            weight[corner] = value.detach().to(weight.dtype)
        try:
            yield
        finally:
            for corner, value in zip(self.corners, own, strict=True):
                weight[corner] = value

    def delta(self) -> torch.Tensor:
        self._look()
        change, weight = self.empty(self.d_out, self.d_in).zero_(), matrix(self.base)
        for corner, value in zip(self.corners, self.blocks.values[self.mine], strict=True):
            change[corner] = value - weight[corner]
        return change

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self._look()
        # While the blocks are chosen, the gradient of all of W is wanted.
        if not self.corners or self.base.weight.requires_grad:
            return self.base(x)
        return Swap.apply(x, self.blocks.values[self.mine], self)


@torch.no_grad()
def choose(model: nn.Module, scores: list[torch.Tensor]) -> None:
    """Takes the blocks of largest score, (block rows, block columns) a layer, and their values from W."""
    blocks, layers = model.smt, [layer for _, layer in adapted(model, Layer)]
    n, side, _ = blocks.values.shape
    places = torch.cat([nn.functional.pad(torch.ones_like(s).nonzero(), (1, 0), value=i) for i, s in enumerate(scores)])
    best = torch.cat([score.flatten() for score in scores]).topk(n).indices
    blocks.places.copy_(places[best.sort().values])
    for value, (at, i, j) in zip(blocks.values, blocks.places.tolist(), strict=True):
        value.copy_(matrix(layers[at].base)[i * side : (i + 1) * side, j * side : (j + 1) * side])


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    n, side = sizes(config, sites)
    blocks = Blocks(n, side, model.get_submodule(sites[0].name).weight.device)
    at = iter(range(len(sites)))
    # In the model's own order, which `choose` goes by.
    order = {name: i for i, (name, _) in enumerate(model.named_modules())}
    adapt(model, sorted(sites, key=lambda site: order[site.name]), lambda base: Layer(base, blocks, next(at)))
    model.smt = blocks
    layers = [layer for _, layer in adapted(model, Layer)]
    if known(blocks.values):
        choose(model, [torch.zeros(layer.d_out // side, layer.d_in // side) for layer in layers])
    else:
        fill(layers, n, side)
    return model


def fill(layers: Iterable[Layer], n: int, side: int) -> None:
    """Where there are only shapes: n blocks, of each layer all before the next has one."""
    for layer in layers:
        columns = layer.d_in // side
        take = min(n, layer.d_out // side * columns)
        starts = [(at // columns * side, at % columns * side) for at in range(take)]
        layer.corners = [(slice(i, i + side), slice(j, j + side)) for i, j in starts]
        layer.mine = list(range(take))
        n -= take


def last(model: nn.Module, config: Config) -> None:
    """Where there are only shapes: the last layers have all blocks."""
    n, side, _ = model.smt.values.shape
    fill(reversed([layer for _, layer in adapted(model, Layer)]), n, side)


def count(shape: Shape, config: Config) -> int:
    """n side^2 values in the whole model."""
    n, side = sizes(config, shape.select(config.targets))
    return n * side**2


def calibrate(model: nn.Module, batches: Iterable[Mapping[str, torch.Tensor]], config: Config) -> None:
    side = model.smt.values.shape[-1]
    totals = gradients(model, [layer.base for _, layer in adapted(model, Layer)], batches, config.rows)
    choose(model, [total.unflatten(0, (-1, side)).unflatten(2, (-1, side)).mean((1, 3)).abs() for total in totals])


def fold(model: nn.Module) -> nn.Module:
    merged = merge(model)
    del merged.smt
    return merged


def extra_state(model: nn.Module) -> Mapping[str, torch.Tensor]:
    return {"smt.places": model.smt.places}


METHOD = Method(
    name="smt",
    family="sparse",
    paper=Paper(
        "Sparse Matrix in Large Language Model Fine-tuning",
        "He, Li, Jiang, Miller",
        2024,
        "https://arxiv.org/abs/2405.15525",
    ),
    formula="the n blocks of W with the largest |mean gradient| train in place",
    backend="native",
    learning_rate=1e-4,
    config=Config,
    attach=attach,
    count=count,
    calibrate=calibrate,
    merge=fold,
    extra_state=extra_state,
    assumes="what trains is chosen by the data; here it lies in the first layers, and a choice of late layers alone costs less",
    layouts={"all in the last layers": last},
    search_space={"learning_rate": (5e-5, 1e-4, 3e-4, 1e-3), "share": (0.01, 890 / 24576, 0.1)},
)
