"""FRUGAL: every weight trains; Adam moves a few random columns of some matrices, and the sign of the gradient moves
the rest of all matrices, without any state: W <- W - rate (P Adam(P^T g) + c sign(g - P P^T g)), P = columns of the
identity.

Zmushko et al. 2024, https://arxiv.org/abs/2411.07837. The columns, input features of the map, are drawn anew every
`gap` steps, for each matrix on its own, and Adam then starts from zero moments. As in the authors' script for
RoBERTa-base on GLUE, r columns of query and value have state, no column of the blocks' other matrices, and Adam
moves all that is not a matrix of the blocks. The rate is the middle one of those that it sets task by task, from 5e-5
to 5e-4.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from methods.layers import unchanged
from methods.linear import transposed
from methods.optimizer._projected import count, split
from methods.spec import Method, Paper, Site

EPSILON = 1e-8


@dataclass(frozen=True)
class Config:
    r: int = 8
    """columns of a matrix that have Adam's state"""
    stateful: tuple[str, ...] = ("query", "value")
    """the roles of those matrices"""
    gap: int = 500
    """steps between two draws"""
    rest: float = 0.1
    """c: rate of the sign's step by Adam's"""
    beta1: float = 0.9
    beta2: float = 0.999
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


class FrugalAdamW(torch.optim.Optimizer):
    """AdamW; in groups that have `columns`, so many random slices along `along` of a matrix, and its sign elsewhere."""

    def __init__(self, groups: list[dict[str, Any]], config: Config) -> None:
        super().__init__(groups, {"betas": (config.beta1, config.beta2)})
        self.gap, self.rest = config.gap, config.rest
        self.generator = random.Random(self.param_groups[0]["seed"])

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.add_(self._update(parameter, group), alpha=-group["lr"])

    def _update(self, parameter: nn.Parameter, group: dict[str, Any]) -> torch.Tensor:
        gradient, along = parameter.grad, group.get("along")
        if along is None:
            return self._adam(gradient, parameter, group)
        update = self.rest * gradient.sign()
        number = min(group["columns"], parameter.shape[along])
        if number:
            state = self.state[parameter]
            if state.get("step", self.gap) % self.gap == 0:
                state.clear()
                drawn = sorted(self.generator.sample(range(parameter.shape[along]), number))
                state["columns"] = torch.tensor(drawn, device=parameter.device)
            some = self._adam(gradient.index_select(along, state["columns"]), parameter, group)
            update.index_copy_(along, state["columns"], some)
        return update

    def _adam(self, gradient: torch.Tensor, parameter: nn.Parameter, group: dict[str, Any]) -> torch.Tensor:
        state = self.state[parameter]
        if "step" not in state:
            state |= {"step": 0, "mean": torch.zeros_like(gradient), "square": torch.zeros_like(gradient)}
        state["step"] += 1
        beta1, beta2 = group["betas"]
        state["mean"].lerp_(gradient, 1 - beta1)
        state["square"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        mean = state["mean"] / (1 - beta1 ** state["step"])
        return mean / ((state["square"] / (1 - beta2 ** state["step"])).sqrt() + EPSILON)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    model.requires_grad_(True)
    model.columns_seed = int(torch.randint(2**31, (1,), device="cpu"))
    fused = bool(set(config.stateful) & {"query", "key", "value"})
    for site in sites:
        layer = model.get_submodule(site.name)
        layer.projected = True
        layer.columns = config.r if site.role in config.stateful or (fused and site.role == "qkv") else 0
    return model


def param_groups(model: nn.Module, config: Config, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
    _, others, vectors = split(model)
    matrices: dict[tuple[int, int], list[nn.Parameter]] = {}
    for module in model.modules():
        if getattr(module, "projected", False):
            matrices.setdefault((module.columns, 0 if transposed(module) else 1), []).append(module.weight)
    common = {"lr": learning_rate, "weight_decay": weight_decay, "seed": model.columns_seed}
    groups: list[dict[str, Any]] = [{"params": found, "columns": n, "along": at} for (n, at), found in matrices.items()]
    groups += [{"params": others}, {"params": vectors, "weight_decay": 0.0}]
    return [common | group for group in groups if group["params"]]


def optimizer(groups: list[dict[str, Any]], config: Config) -> torch.optim.Optimizer:
    return FrugalAdamW(groups, config)


METHOD = Method(
    name="frugal",
    family="optimizer",
    paper=Paper(
        "FRUGAL: Memory-Efficient Optimization by Reducing State Overhead for Scalable Training",
        "Zmushko, Beznosikov, Takac, Horvath",
        2024,
        "https://arxiv.org/abs/2411.07837",
    ),
    formula="W <- W - rate (P Adam(P^T g) + c sign(g - P P^T g)), P = random columns of the identity",
    backend="native",
    learning_rate=1e-4,
    config=Config,
    attach=attach,
    count=count,
    param_groups=param_groups,
    optimizer=optimizer,
    merge=unchanged,
    search_space={"learning_rate": (5e-5, 1e-4, 2e-4, 5e-4), "r": (0, 8), "rest": (0.1, 1.0)},
)
