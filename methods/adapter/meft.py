"""MEFT: a frozen model made reversible by adapters: two streams start as the embeddings h, h; each block is
y1 = l x1 + F(x2), y2 = b x2 + G(y1), and hands on (y2, y1); F is the pretrained block with an adapter beside its feed-forward,
G an adapter; the last pair is averaged. A block's inputs are computed back from its outputs in the backward pass, so that
none but the last pair is kept.

Liao et al. 2023, https://arxiv.org/abs/2306.00477 (MEFT1, of its three the one with the block as F). l = 0.1, b = 1 and a
bottleneck of 8 are the settings of the authors' code for BERT; adapters are of Houlsby's form, with the model's activation and
dropout inside, drawn from N(0, 0.02^2), so that the model starts near the base. Computing back divides by l, which magnifies
what rounding has cost about tenfold a block: measured on a BERT-like encoder of twelve blocks, the gradients of the lowest
five are largely noise and those of the upper seven within a tenth of the exact ones; with l = 0.5 all are within a
thousandth. `reversible` off keeps the activations and gives exact gradients; the authors' code can do that too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from methods.adapter._bottleneck import Bottleneck, size
from methods.adapter._parallel import pairs, place_beside
from methods.layers import freeze, replace
from methods.linear import known, stack_of
from methods.spec import Method, ModelKind, Paper, Shape, Site, TaskKind

INITIAL_STD = 0.02


@dataclass(frozen=True)
class Config:
    bottleneck: int = 8
    first: float = 0.1
    """l"""
    second: float = 1.0
    """b"""
    dropout: float = 0.1
    """inside the adapters"""
    reversible: bool = True

    def __post_init__(self) -> None:
        if not (self.first and self.second):
            raise ValueError("MEFT divides by first and second to compute a block's inputs back: neither may be 0")


class Streams:
    """Of one forward pass: the pair that the block above has computed back, or that the last block gave."""

    pair: torch.Tensor | None = None


class Again:
    """The draws and the precision of a piece of a forward pass, for computing it once more."""

    def __init__(self, like: torch.Tensor) -> None:
        self.device = like.device
        kind = self.device.type
        self.autocast = {"dtype": torch.get_autocast_dtype(kind), "enabled": torch.is_autocast_enabled(kind)}
        self.draws: tuple[torch.Tensor, ...] = ()
        if known(like):
            cuda = (torch.cuda.get_rng_state(self.device),) if kind == "cuda" else ()
            self.draws = (torch.get_rng_state(), *cuda)

    @contextlib.contextmanager
    def repeated(self) -> Iterator[None]:
        devices = [self.device] if len(self.draws) > 1 else []
        with torch.random.fork_rng(devices=devices, enabled=bool(self.draws)):
            if self.draws:
                torch.set_rng_state(self.draws[0])
            for state in self.draws[1:]:
                torch.cuda.set_rng_state(state, self.device)
            with torch.enable_grad(), torch.autocast(self.device.type, **self.autocast):
                yield


class Reverse(torch.autograd.Function):
    """(pair, block, its further arguments, what trains in G and in F) -> pair; keeps no activation."""

    @staticmethod
    def forward(ctx: Any, pair: torch.Tensor, block: Reversible, further: Any, *trained: nn.Parameter) -> torch.Tensor:
        ctx.block, ctx.further, ctx.streams, ctx.trained = block, further, block.streams[0], trained
        x1, x2 = pair.chunk(2, -1)
        ctx.of_f = Again(pair)
        y1 = block.first * x1 + block.f(x2, further)
        ctx.of_g = Again(pair)
        y2 = block.second * x2 + block.adapter(y1)
        found = torch.cat([y2, y1], -1)
        if block.is_last:
            ctx.streams.pair = found.detach()
        return found

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        block = ctx.block
        in_g = list(block.adapter.parameters())
        in_f = ctx.trained[len(in_g) :]
        (y2, y1), (d2, d1) = ctx.streams.pair.chunk(2, -1), grad.chunk(2, -1)
        with ctx.of_g.repeated():
            y1 = y1.detach().requires_grad_()
            g = block.adapter(y1)
            through, *for_g = torch.autograd.grad(g, [y1, *in_g], d2)
        x2, d1 = (y2 - g.detach()) / block.second, d1 + through
        with ctx.of_f.repeated():
            x2 = x2.detach().requires_grad_()
            f = block.f(x2, ctx.further)
            through, *for_f = torch.autograd.grad(f, [x2, *in_f], d1)
        x1 = (y1.detach() - f.detach()) / block.first
        ctx.streams.pair = None if block.is_first else torch.cat([x1, x2.detach()], -1)
        to_pair = torch.cat([block.first * d1, block.second * d2 + through], -1)
        return to_pair, None, None, *for_g, *for_f


class Reversible(nn.Module):
    """A block of the model within the two streams, which lie side by side in one tensor (rows, tokens, 2 d)."""

    def __init__(self, block: nn.Module, adapter: Bottleneck, config: Config, streams: list[Streams]) -> None:
        super().__init__()
        self.block, self.adapter, self.streams = block, adapter, streams
        self.first, self.second, self.reversible = config.first, config.second, config.reversible
        self.is_first = self.is_last = self.in_tuple = False

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:  # model code may ask a block what kind of attention it has
            return getattr(super().__getattr__("block"), name)

    def f(self, x: torch.Tensor, further: tuple[tuple[Any, ...], dict[str, Any]]) -> torch.Tensor:
        found = self.block(x, *further[0], **further[1])
        self.in_tuple = isinstance(found, tuple)
        return found[0] if self.in_tuple else found

    def forward(self, hidden: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        pair = torch.cat([hidden, hidden], -1) if self.is_first else hidden
        if self.is_first:
            self.streams[0] = Streams()
        if self.reversible and torch.is_grad_enabled():
            further = uncached(args), dict(zip(kwargs, uncached(list(kwargs.values())), strict=True))
            trained = [*self.adapter.parameters(), *(p for p in self.block.parameters() if p.requires_grad)]
            pair = Reverse.apply(pair, self, further, *trained)
        else:
            x1, x2 = pair.chunk(2, -1)
            y1 = self.first * x1 + self.f(x2, (args, kwargs))
            pair = torch.cat([self.second * x2 + self.adapter(y1), y1], -1)
        if self.is_last:
            pair = sum(pair.chunk(2, -1)) / 2
        return (pair,) if self.in_tuple else pair


def uncached(values: Sequence[Any]) -> list[Any]:
    """Without the keys and values of earlier steps, to which computing a block again would add its own once more."""
    from transformers.cache_utils import Cache

    return [None if isinstance(value, Cache) else value for value in values]


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises Unsupported if a block has no feed-forward of two layers."""
    from transformers.activations import ACT2FN

    freeze(model)
    named = (getattr(model.config, name, None) for name in ("hidden_act", "activation_function"))
    activation = ACT2FN[next((name for name in named if isinstance(name, str)), "gelu")]
    draw = partial(nn.init.normal_, std=INITIAL_STD)

    def make(width: int, like: torch.Tensor) -> Bottleneck:
        inside = nn.Sequential(activation, nn.Dropout(config.dropout))
        return Bottleneck(width, config.bottleneck, inside, draw, like)

    places = [(first.name, last) for first, last in pairs(sites)]
    place_beside(model, places, lambda site, like: make(site.d_out, like))
    streams, blocks = [Streams()], []
    for _, last in sorted(places, key=lambda place: place[1].block):
        name = f"{stack_of(last)}.{last.block}"
        like = model.get_submodule(last.name).weight
        blocks.append(Reversible(model.get_submodule(name), make(last.d_out, like), config, streams))
        replace(model, name, blocks[-1])
    blocks[0].is_first = blocks[-1].is_last = True
    return model


def count(shape: Shape, config: Config) -> int:
    """Two adapters of 2 d m + d + m values a block."""
    return 2 * sum(size(site.d_out, config.bottleneck) for site in shape.select(("down",)))


def supports(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    if model_kind == "seq2seq":
        return "two streams through an encoder and a decoder that looks at it are not implemented"
    return None


METHOD = Method(
    name="meft",
    family="adapter",
    paper=Paper(
        "Make Pre-trained Model Reversible: From Parameter to Memory Efficient Fine-Tuning",
        "Liao, Tan, Monz",
        2023,
        "https://arxiv.org/abs/2306.00477",
    ),
    formula="y1 = l x1 + F(x2), y2 = b x2 + G(y1): F the block with an adapter, G an adapter; inputs computed back",
    backend="native",
    learning_rate=5e-4,
    aliases=("meft1",),
    config=Config,
    attach=attach,
    count=count,
    starts_at_base=False,
    supports=supports,
    search_space={"learning_rate": (5e-4, 6e-4, 7e-4, 8e-4, 3e-3), "bottleneck": (8, 64), "reversible": (True, False)},
)
