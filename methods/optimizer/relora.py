"""ReLoRA: y = W x + b + (alpha / r) B (A x); at each restart W <- W + (alpha / r) B A, A is drawn anew, B becomes 0,
most of their moments are pruned and the rate climbs from 0 again, so that the sum of the updates is of higher rank
than one.

Lialin et al. 2023, https://arxiv.org/abs/2307.05695. The paper pre-trains, after a start with all weights, for
which the pretrained base stands here. Of its 20 000 steps the start and each low-rank cycle take a quarter, and a
cycle's rate climbs for 100 steps of its 5 000: the defaults are those shares of the run, with LoRA's rank. Between
restarts the rate is the run's own schedule. 90 % of the moments are pruned, those of smallest size, as the authors'
page advises; ours: by the first moment, and the second with it, or a step would be divided by what is gone. All maps
of the blocks are adapted, as in the authors' code. A saved adapter holds every adapted W, since W changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from methods.linear import LowRankAdapted, adapt, adapted, as_lora_draws, matrix, merge
from methods.peft_backend import LowRank, count_lora, rates
from methods.spec import Method, Paper, Site


@dataclass(frozen=True)
class Config(LowRank):
    cycles: int = 4
    """parts of equal length into which restarts cut the run"""
    climb: float = 0.02
    """share of a cycle in which the rate climbs back after a restart"""
    prune: float = 0.9
    """share of the factors' moments that a restart sets to 0"""
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


@dataclass
class Cycle:
    """What the optimizer has to know of the restarts."""

    factor: float = 1.0
    """of the rate, in the step that comes"""
    due: bool = False
    """whether a restart has been since the last step"""
    since: int = 0
    """steps since the last restart"""
    started: bool = False
    """whether there has been one"""
    factors: list[nn.Parameter] = field(default_factory=list)
    """A and B of all layers"""


class Layer(LowRankAdapted):
    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base, config.alpha / config.r, config.dropout)
        self.A = nn.Parameter(as_lora_draws(self.empty(config.r, self.d_in)))
        self.B = self.trained(self.d_out, config.r)

    def restart(self) -> None:
        matrix(self.base).add_(self.delta().to(self.base.weight.dtype))
        as_lora_draws(self.A)
        self.B.zero_()


class RestartingAdamW(torch.optim.AdamW):
    def __init__(self, groups: list[dict[str, Any]], config: Config) -> None:
        super().__init__(groups)
        self.prune = config.prune

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        cycle: Cycle = self.param_groups[0]["cycle"]
        if cycle.due:
            cycle.due = False
            for parameter in cycle.factors:
                prune(self.state[parameter]["exp_avg"], self.state[parameter]["exp_avg_sq"], self.prune)
        own = [group["lr"] for group in self.param_groups]
        for group in self.param_groups:
            group["lr"] = group["lr"] * cycle.factor
        try:
            return super().step(closure)
        finally:
            for group, rate in zip(self.param_groups, own, strict=True):
                group["lr"] = rate


def prune(first: torch.Tensor, second: torch.Tensor, share: float) -> None:
    """Sets that share of the values, those whose first moment is smallest in size, to 0 in both, in place."""
    sizes = first.abs().flatten()
    places = sizes.topk(round(share * len(sizes)), largest=False).indices
    first.view(-1)[places] = 0
    second.view(-1)[places] = 0


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    model.cycle = Cycle()
    return adapt(model, sites, lambda base: Layer(base, config))


def param_groups(model: nn.Module, config: Config, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
    model.cycle.factors = [factor for _, layer in adapted(model, Layer) for factor in (layer.A, layer.B)]
    return [group | {"cycle": model.cycle} for group in rates(model, learning_rate, weight_decay, {"": 1.0})]


def optimizer(groups: list[dict[str, Any]], config: Config) -> torch.optim.Optimizer:
    return RestartingAdamW(groups, config)


def before_step(model: nn.Module, config: Config, step: int, total_steps: int) -> None:
    climbing = max(1, round(config.climb * total_steps / config.cycles))
    model.cycle.factor = min(1.0, model.cycle.since / climbing) if model.cycle.started else 1.0
    model.cycle.since += 1


@torch.no_grad()
def after_step(model: nn.Module, config: Config, step: int, total_steps: int) -> None:
    every = max(1, total_steps // config.cycles)
    if (step + 1) % every == 0 and (step + 1) // every < config.cycles:
        for _, layer in adapted(model, Layer):
            layer.restart()
        model.cycle.due = model.cycle.started = True
        model.cycle.since = 0


def extra_state(model: nn.Module) -> Mapping[str, torch.Tensor]:
    return {f"{name}.base.weight": layer.base.weight.detach() for name, layer in adapted(model, Layer)}


METHOD = Method(
    name="relora",
    family="optimizer",
    paper=Paper(
        "ReLoRA: High-Rank Training Through Low-Rank Updates",
        "Lialin, Shivagunde, Muckatira, Rumshisky",
        2023,
        "https://arxiv.org/abs/2307.05695",
    ),
    formula="y = W x + (alpha / r) B A x; at each restart W <- W + (alpha / r) B A, A anew, B = 0",
    backend="native",
    # LoRA's rate; the paper prints twice that of full training, which on these encoders is less.
    learning_rate=4e-4,
    config=Config,
    attach=attach,
    count=count_lora,
    param_groups=param_groups,
    optimizer=optimizer,
    before_step=before_step,
    after_step=after_step,
    merge=merge,
    extra_state=extra_state,
    search_space={"learning_rate": (1e-4, 2e-4, 4e-4, 1e-3), "r": (4, 8, 16, 32), "cycles": (2, 4)},
)
