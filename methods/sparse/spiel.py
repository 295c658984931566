"""SpIEL: W = W0 + scatter(delta): a fixed number of single weights of each matrix trains, and which ones changes.

Ansell et al. 2024, https://arxiv.org/abs/2401.16405 (SpIEL-AG, "rigl" in the authors' code). Every 20 steps the deltas of
smallest size are dropped, and of the weights whose gradient was largest at one step those are taken in whose gradient,
summed over about 5 steps, is largest; they start at 0, with moments from these gradients. The first exchange replaces all
(they were random), the later ones 0.2 of them, falling linearly to 0. Each delta has an age of its own in Adam's bias
correction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from methods.linear import InPlace, InPlaceAdapted, adapt, adapted, buffers, merge
from methods.spec import Method, Paper, Shape, Site

EPSILON = 1e-6


@dataclass(frozen=True)
class Config:
    density: float = 0.01
    """share of each matrix that trains"""
    every: int = 20
    """steps between two exchanges"""
    watch: int = 5
    """steps over which gradients are summed before one"""
    rate: float = 0.2
    """share exchanged after the first time, which exchanges all"""
    beta1: float = 0.9
    beta2: float = 0.999
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


def number(config: Config, d_in: int, d_out: int) -> int:
    return max(1, int(config.density * d_in * d_out))


class Layer(InPlaceAdapted):
    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base)
        k = number(config, self.d_in, self.d_out)
        # One in each of k equal stretches: distinct, without a permutation of all of W.
        at = (torch.arange(k, device="cpu") + torch.rand(k, device="cpu").double()) * (self.d_in * self.d_out / k)
        self.register_buffer("index", at.to(torch.int32).to(base.weight.device))
        self.values = self.trained(k)
        self.watching, self.candidates = True, None

    def single(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.values, self.index.long()

    def look(self, gradient: torch.Tensor) -> None:
        """Sums the gradients of the candidates for regrowth, which the first gradient names."""
        if not self.watching:
            return
        gradient = gradient.to(self.values.dtype)
        if self.candidates is None:
            self.candidates = gradient.abs().topk(len(self.index), sorted=False).indices
            self.sums, self.squares = torch.zeros_like(self.values), torch.zeros_like(self.values)
        found = gradient[self.candidates]
        self.sums += found
        self.squares += found**2

    @torch.no_grad()
    def exchange(self, share: float, steps: int, betas: tuple[float, float]) -> None:
        """Drops the smallest deltas for the candidates of largest summed gradient."""
        n, candidates = int(share * len(self.index)), self.candidates
        drop = self.values.abs().topk(n, largest=False).indices
        staying = torch.ones_like(self.index, dtype=torch.bool)
        staying[drop] = False
        score = self.sums.abs().masked_fill(torch.isin(candidates, self.index[staying]), -1.0)
        best = score.topk(n).indices
        best = best[score[best] >= 0]
        # What would be dropped and taken in again keeps its delta.
        returning = torch.isin(self.index[drop], candidates[best])
        best = best[~torch.isin(candidates[best], self.index[drop])]
        drop = drop[~returning][: len(best)]
        best = best[: len(drop)]
        self.index[drop] = candidates[best].to(self.index.dtype)
        self.values[drop] = 0.0
        moments = self.values.moments
        moments["age"][drop] = float(steps)
        # The optimizer divides by these factors again.
        moments["mean"][drop] = self.sums[best] / steps * (1 - betas[0] ** steps)
        moments["square"][drop] = self.squares[best] / steps * (1 - betas[1] ** steps)

    def update(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(x, self.delta())

    def delta(self) -> torch.Tensor:
        return self.spread()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return InPlace.apply(x, self.values, self)


class AgedAdamW(torch.optim.Optimizer):
    """AdamW in which each value has its own age; its state also hangs on the parameter, as `moments`."""

    def __init__(self, groups: list[dict[str, Any]], betas: tuple[float, float]) -> None:
        super().__init__(groups, {"betas": betas})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state, gradient = self.state[parameter], parameter.grad
                if not state:
                    state.update({key: torch.zeros_like(parameter) for key in ("age", "mean", "square")})
                    parameter.moments = state
                state["age"] += 1
                state["mean"].lerp_(gradient, 1 - beta1)
                state["square"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
                size = (state["square"].sqrt() + EPSILON) / (1 - beta2 ** state["age"]).sqrt()
                parameter.sub_(group["lr"] * state["mean"] / (1 - beta1 ** state["age"]) / size)
                parameter.mul_(1 - group["lr"] * group["weight_decay"])


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda base: Layer(base, config))


def count(shape: Shape, config: Config) -> int:
    """density d_in d_out values a matrix."""
    return sum(number(config, site.d_in, site.d_out) for site in shape.select(config.targets))


def optimizer(groups: list[dict[str, Any]], config: Config) -> torch.optim.Optimizer:
    return AgedAdamW(groups, (config.beta1, config.beta2))


def after_step(model: nn.Module, config: Config, step: int, total_steps: int) -> None:
    done = step + 1
    for _, layer in adapted(model, Layer):
        if layer.watching and done % config.every == config.watch and layer.candidates is not None:
            first = done == config.watch
            share = 1.0 if first else config.rate * (1 - done / total_steps)
            layer.exchange(share, config.watch if first else config.watch + 1, (config.beta1, config.beta2))
            layer.watching, layer.candidates = False, None
        if (done + 1) % config.every == 0:
            layer.watching = True


METHOD = Method(
    name="spiel",
    family="sparse",
    paper=Paper(
        "Scaling Sparse Fine-Tuning to Large Language Models",
        "Ansell, Vulic, Sterz, Korhonen, Ponti",
        2024,
        "https://arxiv.org/abs/2401.16405",
    ),
    formula="W = W0 + scatter(delta), the places exchanged during training",
    backend="native",
    learning_rate=1e-4,
    aliases=("sft-rigl",),
    config=Config,
    attach=attach,
    count=count,
    optimizer=optimizer,
    after_step=after_step,
    merge=merge,
    extra_state=buffers("index"),
    search_space={"learning_rate": (5e-5, 1e-4, 3e-4, 1e-3, 3e-3), "density": (0.005, 0.01, 0.05)},
)
