"""LoRA-FA: y = W0 x + (alpha / r) B (A x), with W0 and A frozen; A is drawn from a normal law, B starts at 0.

Zhang et al. 2023, https://arxiv.org/abs/2308.03303. As A does not train, no layer keeps its input for the backward
pass: only A x, of r values a token. The paper leaves A's variance open; 1 / d_in keeps A x as large as x's entries.
Its second version (2025) also turns B's gradient G into G (A A^T)^-1 (r / alpha)^2, the best fit of the full step:
`corrected`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from methods.linear import FrozenDown, adapt, adapted, buffers, merge
from methods.peft_backend import LowRank
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config(LowRank):
    corrected: bool = False
    """whether B's gradient is corrected, as in the paper's second version"""


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    def draw(weight: torch.Tensor) -> torch.Tensor:
        return weight.normal_(std=weight.shape[1] ** -0.5)

    return adapt(model, sites, lambda base: FrozenDown(base, config.r, config.alpha / config.r, config.dropout, draw))


def count(shape: Shape, config: Config) -> int:
    """r d_out values a matrix."""
    return sum(config.r * site.d_out for site in shape.select(config.targets))


def before_step(model: nn.Module, config: Config, step: int, total_steps: int) -> None:
    if config.corrected:
        for _, layer in adapted(model):
            gram = layer.scale**2 * layer.A @ layer.A.T
            layer.B.grad = torch.linalg.solve(gram, layer.B.grad, left=False)


METHOD = Method(
    name="lora-fa",
    family="lowrank",
    paper=Paper(
        "LoRA-FA: Memory-efficient Low-rank Adaptation for Large Language Models Fine-tuning",
        "Zhang, Zhang, Shi, Chu, Li",
        2023,
        "https://arxiv.org/abs/2308.03303",
    ),
    formula="y = W0 x + (alpha / r) B A x, A random and frozen",
    backend="native",
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    before_step=before_step,
    merge=merge,
    extra_state=buffers("A"),
    packs=("r", "alpha", "corrected"),
    encoder_decoders=True,
    search_space={"learning_rate": (2e-4, 5e-4, 1e-3, 2e-3, 5e-3), "r": (4, 8, 16), "corrected": (False, True)},
)
