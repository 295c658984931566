"""NeFT: only sensitive neurons train, rows of the weight matrices: those whose direction a full fine-tuning turns most, by
cos(w, w') between a row before and after it.

Xu et al. 2024, https://arxiv.org/abs/2403.11621. The paper runs a whole fine-tuning on the task first; here one pass over the
first `rows` training rows is the probe, with AdamW at a full fine-tuning's rate, after which every weight is put back. Rows
of one length compete with each other over the whole model, so that the number of parameters follows from shapes. Biases
stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from methods.linear import Adapted, adapt, adapted, known, lifted, matrix, merge, transposed
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    share: float = 0.06
    """of the neurons that train; the paper compares 3, 6 and 9 %"""
    rows: int = 512
    """training rows of the probe"""
    probe_rate: float = 2e-5
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


def numbers(config: Config, sites: Iterable[Site]) -> dict[int, int]:
    """Length of a neuron -> how many of that length train."""
    found: dict[int, int] = {}
    for site in sites:
        found[site.d_in] = found.get(site.d_in, 0) + site.d_out
    return {width: max(1, round(config.share * number)) for width, number in found.items()}


class Pool(nn.Module):
    """The rows of one length that train, (n, width), and where each belongs: (layer, row), in this order."""

    def __init__(self, n: int, width: int, device: torch.device) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.zeros(n, width, device=device))
        self.register_buffer("places", torch.zeros(n, 2, dtype=torch.long, device=device))


class Neurons(Adapted):
    """y = W x + b with some rows of W taken from the pool"""

    def __init__(self, base: nn.Module, at: int) -> None:
        super().__init__(base)
        self.at, self.version, self.mine = at, -1, slice(0, 0)

    def join(self, pool: Pool) -> None:
        # Past nn.Module's bookkeeping: the pool belongs to the model.
        self.__dict__["pool"] = pool

    def own(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(its rows' values, their numbers); looked up again after a load or a new choice"""
        places = self.pool.places
        if known(places) and self.version != places._version:
            first, last = torch.searchsorted(places[:, 0].contiguous(), torch.tensor([self.at, self.at + 1]).to(places))
            self.version, self.mine = places._version, slice(int(first), int(last))
        return self.pool.values[self.mine], places[self.mine, 1]

    def delta(self) -> torch.Tensor:
        values, rows = self.own()
        change = self.empty(self.d_out, self.d_in).zero_()
        change[rows] = values - matrix(self.base)[rows].float()
        return change

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.base(x)
        # While the neurons are chosen, all of W trains.
        if self.base.weight.requires_grad:
            return y
        values, rows = self.own()
        if not len(rows):
            return y
        bias = None if self.base.bias is None else self.base.bias.detach()[rows].to(values.dtype)
        return y.index_copy(-1, rows, nn.functional.linear(lifted(x), values, bias).to(y.dtype))


def neurons(model: nn.Module) -> dict[int, list[Neurons]]:
    """Length of a neuron -> the layers that have such, in the order of their numbers."""
    found: dict[int, list[Neurons]] = {}
    for _, layer in adapted(model, Neurons):
        found.setdefault(layer.d_in, []).append(layer)
    return {width: sorted(layers, key=lambda layer: layer.at) for width, layers in found.items()}


@torch.no_grad()
def choose(model: nn.Module, scores: Mapping[int, Sequence[torch.Tensor]]) -> None:
    """Takes the rows of largest score, (d_out,) a layer, and their values from W."""
    for width, layers in neurons(model).items():
        pool = model.neft[str(width)]
        places = torch.cat(
            [nn.functional.pad(torch.arange(len(s))[:, None], (1, 0), value=i) for i, s in enumerate(scores[width])]
        )
        best = torch.cat([score.cpu() for score in scores[width]]).topk(len(pool.values)).indices.sort().values
        layer_numbers = torch.tensor([layer.at for layer in layers])
        chosen = places[best]
        for value, (i, row) in zip(pool.values, chosen.tolist(), strict=True):
            value.copy_(matrix(layers[i].base)[row])
        chosen[:, 0] = layer_numbers[chosen[:, 0]]
        pool.places.copy_(chosen)


def spread(model: nn.Module) -> None:
    """Where there are only shapes: every layer has its even part."""
    for width, layers in neurons(model).items():
        n, total, before = len(model.neft[str(width)].values), sum(layer.d_out for layer in layers), 0
        for layer in layers:
            layer.mine = slice(round(n * before / total), round(n * (before + layer.d_out) / total))
            before += layer.d_out


def last(model: nn.Module, config: Config) -> None:
    """Where there are only shapes: the last layers have all."""
    for width, layers in neurons(model).items():
        left = len(model.neft[str(width)].values)
        for layer in reversed(layers):
            layer.mine = slice(max(0, left - layer.d_out), left)
            left = layer.mine.start


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    at = iter(range(len(sites)))
    adapt(model, sites, lambda base: Neurons(base, next(at)))
    device = model.get_submodule(sites[0].name).weight.device
    pools = {str(width): Pool(n, width, device) for width, n in numbers(config, sites).items()}
    model.neft = nn.ModuleDict(pools)
    for width, layers in neurons(model).items():
        for layer in layers:
            layer.join(model.neft[str(width)])
    if device.type == "meta":
        spread(model)
    else:
        # Until the data speak: rows from the front of every layer.
        choose(
            model,
            {w: [-torch.arange(layer.d_out) / layer.d_out for layer in found] for w, found in neurons(model).items()},
        )
    return model


def count(shape: Shape, config: Config) -> int:
    """share of all neurons of a length, each with as many values as it is long"""
    return sum(width * n for width, n in numbers(config, shape.select(config.targets)).items())


def calibrate(model: nn.Module, batches: Iterable[Mapping[str, torch.Tensor]], config: Config) -> None:
    """A short full fine-tuning, of which only what it did to the directions of rows is kept."""
    before = [(parameter, parameter.data, parameter.requires_grad) for parameter in model.parameters()]
    for parameter, data, _ in before:
        # In float32, where so small a change is not lost.
        parameter.data = data.to(torch.float32, copy=True)
        parameter.requires_grad_(True)
    optimizer, rows = torch.optim.AdamW(model.parameters(), lr=config.probe_rate), config.rows
    for batch in batches:
        part = {name: value[:rows] for name, value in batch.items()}
        rows -= len(part["labels"])
        optimizer.zero_grad()
        model(**part).loss.backward()
        optimizer.step()
        if rows <= 0:
            break
    old, scores = {id(parameter): data for parameter, data, _ in before}, {}
    for width, layers in neurons(model).items():
        scores[width] = [turned(layer, old[id(layer.base.weight)]) for layer in layers]
    for parameter, data, trained in before:
        parameter.data, parameter.grad = data, None
        parameter.requires_grad_(trained)
    choose(model, scores)


def turned(layer: Neurons, old: torch.Tensor) -> torch.Tensor:
    """-cos between each row now and before, (d_out,), in float64: the angles are tiny."""
    old = (old.T if transposed(layer.base) else old).double()
    return -nn.functional.cosine_similarity(matrix(layer.base).double(), old, dim=1, eps=1e-30)


def fold(model: nn.Module) -> nn.Module:
    merged = merge(model)
    del merged.neft
    return merged


def extra_state(model: nn.Module) -> Mapping[str, torch.Tensor]:
    return {f"neft.{width}.places": pool.places for width, pool in model.neft.items()}


METHOD = Method(
    name="neft",
    family="selective",
    paper=Paper(
        "Let's Focus on Neuron: Neuron-Level Supervised Fine-tuning for Large Language Model",
        "Xu, Zhan, Ma, Wong, Chao",
        2024,
        "https://arxiv.org/abs/2403.11621",
    ),
    formula="the rows w of W with the smallest cos(w, w') train, w' the row after a probing full fine-tuning",
    backend="native",
    # As for full fine-tuning, which it stands in for.
    learning_rate=2e-5,
    config=Config,
    attach=attach,
    count=count,
    calibrate=calibrate,
    merge=fold,
    extra_state=extra_state,
    assumes="what trains is chosen by the data; here it is spread evenly over the layers, and a choice of late layers alone costs less",
    layouts={"all in the last layers": last},
    search_space={"learning_rate": (1e-5, 2e-5, 5e-5, 1e-4, 3e-4), "share": (0.03, 0.06, 0.09)},
)
