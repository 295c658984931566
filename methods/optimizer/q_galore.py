"""Q-GaLore: GaLore whose projectors are kept in 4 bits, are renewed more rarely where they have settled, and whose
matrices are rounded to an 8-bit grid after each step, up or down at random.

Zhang et al. 2024, https://arxiv.org/abs/2407.08296. A matrix's interval t doubles when, over the last k renewals,
the first singular vector was on average at least `similar` close (cosine) to its forerunner. Grids are uniform, with
256 values a block. The projectors are really stored so, two values a byte. What is emulated, since a trained tensor
is a float here: the matrices lie on their 8-bit grid but keep 32 bits, and Adam's moments, in the paper 8-bit ones of
a CUDA library, are plain: accuracy is that of the rounded weights, memory that of Q-GaLore's projectors only. Ours:
a cosine counts by size, since a singular vector's sign is arbitrary, and is taken to the stored forerunner; the first
step starts from the weights as they are. Rank, scale, interval and rate are GaLore's for RoBERTa-base, k and cosine
the authors'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from methods.layers import unchanged
from methods.linear import known
from methods.optimizer import _projected
from methods.optimizer._grid import from_grid, pack, to_grid, unpack
from methods.optimizer._projected import ProjectedAdamW, count, projector
from methods.spec import Method, Paper, Site

BLOCK = 256
GROWTH = 2
"""What an interval is multiplied by."""


@dataclass(frozen=True)
class Config:
    r: int = 4
    """rank of the projected gradient"""
    scale: float = 4.0
    """of the projected update"""
    gap: int = 500
    """t: steps between two projectors at the start"""
    similar: float = 0.4
    """mean cosine from which the interval doubles"""
    renewals: int = 5
    """k: over how many renewals the mean is taken"""
    weight_bits: int = 8
    """of the emulated grid of the matrices; 0 leaves them alone"""
    beta1: float = 0.9
    beta2: float = 0.999
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


class QuantisedAdamW(ProjectedAdamW):
    def __init__(self, groups: list[dict[str, Any]], config: Config) -> None:
        super().__init__(groups, (config.beta1, config.beta2))
        self.config = config
        self.generator: torch.Generator | None = None

    def renew(self, gradient: torch.Tensor, group: dict[str, Any], state: dict[str, Any], wide: bool) -> None:
        if state.get("step", 0) % state.setdefault("gap", group["gap"]):
            return
        rows = projector(gradient, group["rank"], wide).T.contiguous()
        if "packed" in state and known(rows):
            near = functional.cosine_similarity(self.basis(state)[:, 0], rows[0], dim=0)
            state["near"] = [*state.get("near", ()), abs(float(near))][-self.config.renewals :]
            if len(state["near"]) == self.config.renewals <= sum(state["near"]) / self.config.similar:
                state["gap"] *= GROWTH
        # An even number of values, two of which share a byte.
        codes, sizes, zeros = to_grid(rows, 4, min(BLOCK, rows.numel() + rows.numel() % 2))
        state["packed"], state["shape"] = (pack(codes), sizes, zeros.to(torch.uint8)), rows.shape

    def basis(self, state: dict[str, Any]) -> torch.Tensor:
        packed, sizes, zeros = state["packed"]
        return from_grid(unpack(packed), sizes, zeros, state["shape"]).T

    def settle(self, parameter: nn.Parameter, group: dict[str, Any]) -> None:
        if not self.config.weight_bits:
            return
        if self.generator is None and known(parameter):
            self.generator = torch.Generator(parameter.device).manual_seed(group["seed"])
        shape = (-(-parameter.numel() // BLOCK), BLOCK)
        noise = torch.rand(shape, generator=self.generator, device=parameter.device)
        parameter.copy_(from_grid(*to_grid(parameter, self.config.weight_bits, BLOCK, noise), parameter.shape))


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    model.rounding_seed = int(torch.randint(2**31, (1,), device="cpu"))
    return _projected.attach(model, sites, config)


def param_groups(model: nn.Module, config: Config, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
    groups = _projected.param_groups(model, config, learning_rate, weight_decay)
    return [group | {"seed": model.rounding_seed} for group in groups]


def optimizer(groups: list[dict[str, Any]], config: Config) -> torch.optim.Optimizer:
    return QuantisedAdamW(groups, config)


METHOD = Method(
    name="q-galore",
    family="optimizer",
    paper=Paper(
        "Q-GaLore: Quantized GaLore with INT4 Projection and Layer-Adaptive Low-Rank Gradients",
        "Zhang, Jaiswal, Yin, Liu, Zhao, Tian, Wang",
        2024,
        "https://arxiv.org/abs/2407.08296",
    ),
    formula="W <- round8(W - rate scale P4 Adam(P4^T G)), P4 in 4 bits, its interval doubled where it has settled",
    backend="native",
    learning_rate=3e-5,
    config=Config,
    attach=attach,
    count=count,
    param_groups=param_groups,
    optimizer=optimizer,
    merge=unchanged,
    search_space={"learning_rate": (1e-5, 2e-5, 3e-5, 1e-4, 3e-4), "r": (4, 8), "scale": (2.0, 4.0)},
)
