"""Flexora: y = W0 x + g_l (alpha / r) B (A x); first the blocks' weights g = N softmax(a) are learned beside A and B, then
LoRA starts anew in the blocks l with a_l > 0 alone, with g_l = 1.

Wei et al. 2024, https://arxiv.org/abs/2408.10774. Choosing the blocks is a bilevel problem, a for the validation loss and A, B
for the training loss, solved by unrolled differentiation; in the authors' code one step of A and B precedes each of a,
which sees the present A and B as constants, and a starts at 0 and is moved by Adam at a rate of its own. That stage is here
the first share of the run: the steps by turns move A, B and the head, and a, whose batches stand in for validation rows, as no
method is shown any. In the authors' code it is a run of its own over 5,000 rows, of 65,000 that both stages read. The
weight multiplies an adapter once (in the code each of its parts). If no a_l is above 0, the largest is chosen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from methods.layers import freeze, replace
from methods.linear import LowRankAdapted, adapted, as_lora_draws, buffers, known, merge, stack_of
from methods.lowrank._growing import GrowingAdamW
from methods.peft_backend import LowRank
from methods.spec import Method, Paper, Shape, Site

CHOOSING, DROPPED, KEPT = -1, 0, 1


@dataclass(frozen=True)
class Config(LowRank):
    selection: float = 0.08
    """share of the steps in which blocks are chosen"""
    rate: float = 0.01
    """learning rate of a"""

    def __post_init__(self) -> None:
        if not 0 < self.selection < 1:
            raise ValueError(f"selection={self.selection} is no share of the steps; give a value between 0 and 1")


class Layer(LowRankAdapted):
    def __init__(self, base: nn.Module, config: Config, logits: nn.Parameter, block: int, seed: int) -> None:
        super().__init__(base, config.alpha / config.r, config.dropout)
        self.A = nn.Parameter(as_lora_draws(self.empty(config.r, self.d_in)))
        self.B = self.trained(self.d_out, config.r)
        # One Parameter in several modules is one tensor with several names: it trains, counts and moves once.
        self.logits, self.block, self.seed = logits, block, seed
        self.register_buffer("choice", torch.full((), CHOOSING, device=base.weight.device))
        self.state, self.version = CHOOSING, self.choice._version

    def weight_of_block(self) -> torch.Tensor | float:
        """g of the layer's block"""
        if self.choice._version != self.version and known(self.choice):  # after a load
            self.state, self.version = int(self.choice), self.choice._version
        if self.state == CHOOSING:
            return len(self.logits) * self.logits.softmax(0)[self.block]
        return float(self.state)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.weight_of_block()
        return self.base(x) if self.state == DROPPED else super().forward(x)

    def update(self, x: torch.Tensor) -> torch.Tensor:
        return super().update(x) * self.weight_of_block()

    def delta(self) -> torch.Tensor:
        return self.weight_of_block() * super().delta()

    def choose(self, kept: bool) -> None:
        """Ends the choice: the layer starts anew, or stays at its base."""
        self.state = KEPT if kept else DROPPED
        self.choice.fill_(self.state)
        self.version = self.choice._version
        for parameter in (self.A, self.B):
            parameter.requires_grad_(kept)
            if kept:
                parameter.trained_by[0].state.pop(parameter, None)
        if kept:
            bound = self.d_in**-0.5
            generator = torch.Generator().manual_seed(self.seed)
            self.A.copy_(torch.empty(self.A.shape).uniform_(-bound, bound, generator=generator))
            self.B.zero_()


def layers(model: nn.Module) -> Iterator[Layer]:
    return (layer for _, layer in adapted(model, Layer))  # type: ignore[misc]


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    freeze(model)
    blocks = {at: number for number, at in enumerate(dict.fromkeys((stack_of(s), s.block) for s in sites))}
    logits = nn.Parameter(torch.zeros(len(blocks), device=model.get_submodule(sites[0].name).weight.device))
    for site in sites:
        seed = int(torch.randint(2**31, (1,), device="cpu"))
        block = blocks[stack_of(site), site.block]
        replace(model, site.name, Layer(model.get_submodule(site.name), config, logits, block, seed))
    return model


def count(shape: Shape, config: Config) -> int:
    """What trains at the start: r (d_in + d_out) values a matrix and one a block."""
    sites = shape.select(config.targets)
    blocks = {(stack_of(site), site.block) for site in sites}
    return sum(config.r * (site.d_in + site.d_out) for site in sites) + len(blocks)


def param_groups(model: nn.Module, config: Config, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
    logits = next(layers(model)).logits
    free = [p for p in model.parameters() if p.requires_grad and p is not logits]
    groups = [
        {"params": [p for p in free if p.ndim > 1], "lr": learning_rate, "weight_decay": weight_decay},
        {"params": [p for p in free if p.ndim <= 1], "lr": learning_rate, "weight_decay": 0.0},
        {"params": [logits], "lr": config.rate, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def optimizer(groups: list[dict[str, Any]], config: Config) -> torch.optim.Optimizer:
    return GrowingAdamW(groups)


def stage(config: Config, total_steps: int) -> int:
    """How many steps the choice takes."""
    return max(1, round(config.selection * total_steps))


def before_step(model: nn.Module, config: Config, step: int, total_steps: int) -> None:
    if step >= stage(config, total_steps):
        return
    logits = next(layers(model)).logits
    # What has no gradient is left where it is.
    for parameter in model.parameters():
        if (parameter is logits) == (step % 2 == 0):
            parameter.grad = None


@torch.no_grad()
def after_step(model: nn.Module, config: Config, step: int, total_steps: int) -> None:
    if step + 1 != stage(config, total_steps):
        return
    logits = next(layers(model)).logits
    kept = (logits > 0) if bool((logits > 0).any()) else (logits == logits.max())
    logits.requires_grad_(False)
    for layer in layers(model):
        layer.choose(bool(kept[layer.block]))


METHOD = Method(
    name="flexora",
    family="lowrank",
    paper=Paper(
        "Flexora: Flexible Low-Rank Adaptation for Large Language Models",
        "Wei, Shu, He, Yu",
        2024,
        "https://arxiv.org/abs/2408.10774",
    ),
    formula="y = W0 x + g_l (alpha / r) B A x, g = N softmax(a) until the blocks with a_l > 0 are chosen",
    backend="native",
    learning_rate=1e-4,
    config=Config,
    attach=attach,
    count=count,
    param_groups=param_groups,
    optimizer=optimizer,
    before_step=before_step,
    after_step=after_step,
    merge=merge,
    extra_state=buffers("choice"),
    search_space={"learning_rate": (1e-4, 2e-4, 4e-4, 1e-3), "r": (4, 8, 16), "selection": (0.08, 0.2)},
)
