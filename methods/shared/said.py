"""SAID: theta^D_i = theta^D_{0,i} + lambda_i (P theta^{d - m})_i; theta^D are all D weights of the model, frozen where they
start; theta^{d - m} and one scale lambda_i for each of the m layers train, d values in all.

Aghajanyan, Gupta and Zettlemoyer 2020, https://arxiv.org/abs/2012.13255. P is a Fastfood transform, H G Pi H B cut to
(D, d - m) and scaled to columns of length about 1: B random signs, Pi a permutation, G Gaussian, H a Walsh-Hadamard
matrix. theta starts at 0 and lambda at 1. A block is a layer, and what stands outside of the blocks is one more. Only the
seed of P is stored; it gives the same P on any device. The learning rate is ours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from methods.layers import freeze
from methods.linear import known, stack_of
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    d: int = 200
    """values that train, in the whole model"""


RADIX = 32


def walsh(n: int, like: torch.Tensor) -> torch.Tensor:
    """(n, n) for a power of 2; entries of 1 and -1"""
    unit = torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=like.dtype, device=like.device)
    matrix = torch.ones(1, 1, dtype=like.dtype, device=like.device)
    while len(matrix) < n:
        matrix = torch.kron(unit, matrix)
    return matrix


def hadamard(x: torch.Tensor) -> torch.Tensor:
    """H x for a vector whose length is a power of 2; H has entries of 1 and -1.

    H is a Kronecker product of small ones: each mixes the last digit of the place and brings it to the front, so that after
    all of them the digits stand as before. Products of matrices are some ten times as fast as sums of pairs on a CPU.
    """
    length, done = len(x), 1
    # Under autocast a product would be rounded to half precision, which sums are not.
    with torch.autocast(x.device.type, enabled=False):
        while done < length:
            radix = min(RADIX, length // done)
            x = (walsh(radix, x) @ x.view(-1, radix).t()).flatten()
            done *= radix
    return x


class Hadamard(torch.autograd.Function):
    """H x, which keeps nothing: H is its own transpose."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return hadamard(x)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        return hadamard(grad)


class Spread(torch.autograd.Function):
    """(short,), repeated to the permutation's length and then permuted; the gradient's sum has the same order on each run."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, permutation: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(permutation)
        ctx.short = len(x)
        return x[permutation & (len(x) - 1)]

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None]:
        (permutation,) = ctx.saved_tensors
        whole = torch.empty_like(grad)
        whole[permutation] = grad
        return whole.view(-1, ctx.short).sum(0), None


class Fastfood(nn.Module):
    """(d,) -> (D,), linear and fixed by its seed."""

    B: torch.Tensor
    Pi: torch.Tensor
    G: torch.Tensor

    def __init__(self, wide: int, like: torch.Tensor) -> None:
        super().__init__()
        self.wide, device = wide, like.device
        self.register_buffer("seed", torch.randint(2**31, (1,), device="cpu").to(device))
        length = 2 ** math.ceil(math.log2(wide))
        for name, dtype in (("B", torch.int8), ("Pi", torch.int32), ("G", torch.float32)):
            self.register_buffer(name, torch.empty(length, dtype=dtype, device=device), persistent=False)
        self.version = -1
        self.draw()

    def draw(self) -> None:
        """Fills B, Pi and G if the seed is another than that of the last time: at the start and after a load."""
        if self.seed._version == self.version or not known(self.seed):
            return
        self.version, length = self.seed._version, len(self.G)
        generator = torch.Generator().manual_seed(int(self.seed))
        self.B.copy_(2 * torch.randint(2, (length,), generator=generator) - 1)
        self.Pi.copy_(torch.randperm(length, generator=generator))
        self.G.copy_(torch.randn(length, generator=generator))

    def forward(self, theta: torch.Tensor) -> torch.Tensor:
        self.draw()
        # What H B theta is at the first places repeats, as only as many values of theta are not zero.
        short = 2 ** math.ceil(math.log2(len(theta)))
        mixed = Hadamard.apply(self.B[:short] * nn.functional.pad(theta, (0, short - len(theta))))
        mixed = Hadamard.apply(self.G * Spread.apply(mixed, self.Pi))
        return mixed[: self.wide] / (self.G.norm() * math.sqrt(self.wide))


class Subspace(nn.Module):
    """What trains, and the displacement of all weights that it gives."""

    def __init__(self, d: int, layers: int, sizes: Sequence[int], like: torch.Tensor) -> None:
        """sizes: values of each weight"""
        super().__init__()
        self.sizes = list(sizes)
        self.theta = nn.Parameter(torch.zeros(d - layers, device=like.device))
        self.scale = nn.Parameter(torch.ones(layers, device=like.device))
        self.project = Fastfood(sum(sizes), like)
        self.pieces: list[torch.Tensor] = []
        """of the displacement, one a weight"""

    def refresh(self, *_: Any) -> None:
        """One projection serves a whole pass through the model, and without gradients all passes until theta changes."""
        if not torch.is_grad_enabled() and self.stands():
            return
        moved = self.project(self.theta)
        of = None if moved.requires_grad or not known(moved) else self.theta.detach().clone()
        # In one go: the gradient of each slice on its own would be as large as all weights.
        # Copies: a checkpoint does not take tensors that share memory.
        self.pieces[:] = [piece.clone() for piece in moved.split(self.sizes)]
        self.__dict__["of"] = of

    def stands(self) -> bool:
        """Whether the last projection is of this theta, and of no gradient's pass."""
        of, seed = self.__dict__.get("of"), self.project.seed
        same = of is not None and of.device == self.theta.device and of.dtype == self.theta.dtype
        return same and self.project.version == seed._version and torch.equal(of, self.theta)


class Displaced(nn.Module):
    """A weight, moved by its piece of the displacement."""

    def __init__(self, space: Subspace, at: int, layer: int) -> None:
        super().__init__()
        # Past nn.Module's bookkeeping: the subspace belongs to the model.
        self.__dict__["space"] = space
        self.at, self.layer = at, layer

    def forward(self, original: torch.Tensor) -> torch.Tensor:
        space = self.__dict__["space"]
        if not space.pieces:
            return original
        return original + space.scale[self.layer] * space.pieces[self.at].view(original.shape)


def body(model: nn.Module, sites: Sequence[Site]) -> list[tuple[str, nn.Parameter]]:
    """The model's parameters without its task head, tied ones under each of their names."""
    inside = {sites[0].name.partition(".")[0]}
    closing = model.get_output_embeddings()
    inside |= {name for name, child in model.named_children() if child is closing}
    every = model.named_parameters(remove_duplicate=False)
    return [(name, parameter) for name, parameter in every if name.partition(".")[0] in inside]


def check(config: Config, layers: int) -> None:
    """Raises ValueError if the scales alone take all values."""
    if config.d <= layers:
        raise ValueError(f"d={config.d} leaves nothing beside the scales of {layers} layers; raise d above {layers}")


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    freeze(model)
    blocks = sorted({(stack_of(site), site.block) for site in sites})
    layers = {f"{stack}.{block}.": at for at, (stack, block) in enumerate(blocks)}
    check(config, len(layers) + 1)
    weights = body(model, sites)
    different = {id(parameter): parameter for _, parameter in weights}
    places = {name: at for at, name in enumerate(different)}
    space = Subspace(config.d, len(layers) + 1, [p.numel() for p in different.values()], weights[0][1])
    for name, parameter in weights:
        layer = next((at for prefix, at in layers.items() if name.startswith(prefix)), len(layers))
        owner, _, own = name.rpartition(".")
        moved = Displaced(space, places[id(parameter)], layer)
        parametrize.register_parametrization(model.get_submodule(owner), own, moved)
    model.said = space
    space.__dict__["hook"] = model.register_forward_pre_hook(space.refresh)
    return model


@torch.no_grad()
def merge(model: nn.Module) -> nn.Module:
    """Leaves each weight where it has been moved to."""
    space = model.said
    space.refresh()
    done = set()
    for module in [each for each in model.modules() if parametrize.is_parametrized(each)]:
        for name in list(module.parametrizations):
            original = module.parametrizations[name].original
            if id(original) not in done:
                original.copy_(getattr(module, name))
                done.add(id(original))
            parametrize.remove_parametrizations(module, name, leave_parametrized=False)
    space.hook.remove()
    del model.said
    return model


def count(shape: Shape, config: Config) -> int:
    """d values, whatever the model."""
    check(config, shape.blocks + 1)
    return config.d


def extra_state(model: nn.Module) -> Mapping[str, torch.Tensor]:
    return {"said.project.seed": model.said.project.seed}


METHOD = Method(
    name="said",
    family="shared",
    paper=Paper(
        "Intrinsic Dimensionality Explains the Effectiveness of Language Model Fine-Tuning",
        "Aghajanyan, Gupta, Zettlemoyer",
        2020,
        "https://arxiv.org/abs/2012.13255",
    ),
    formula="theta_i = theta_{0,i} + lambda_i (P theta^{d - m})_i, P a Fastfood transform",
    backend="native",
    learning_rate=1e-2,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    extra_state=extra_state,
    search_space={"learning_rate": (1e-3, 1e-2, 1e-1), "d": (200, 1000, 10000)},
)
