"""GaLore: every weight trains; Adam keeps its moments of R = P^T G (or G Q), and W <- W - rate scale P N(R).

Zhao et al. 2024, https://arxiv.org/abs/2403.03507. G (m, n) is a matrix's gradient. P holds its r first left singular
vectors where m < n, Q its r first right ones elsewhere; they are taken anew every `gap` steps. N is Adam's step. The
adapted matrices of the blocks are projected, all else is trained by plain Adam. The paper's layer-by-layer updates,
which also spare the gradients, are not done: all gradients of a step are clipped together first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from methods.layers import unchanged
from methods.optimizer._projected import ProjectedAdamW, attach, count, param_groups
from methods.spec import Method, Paper


@dataclass(frozen=True)
class Config:
    """The authors' settings for RoBERTa-base on GLUE."""

    r: int = 4
    """rank of the projected gradient"""
    scale: float = 4.0
    """of the projected update"""
    gap: int = 500
    """steps between two projectors"""
    beta1: float = 0.9
    beta2: float = 0.999
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


def optimizer(groups: list[dict[str, Any]], config: Config) -> torch.optim.Optimizer:
    return ProjectedAdamW(groups, (config.beta1, config.beta2))


METHOD = Method(
    name="galore",
    family="optimizer",
    paper=Paper(
        "GaLore: Memory-Efficient LLM Training by Gradient Low-Rank Projection",
        "Zhao, Zhang, Chen, Wang, Anandkumar, Tian",
        2024,
        "https://arxiv.org/abs/2403.03507",
    ),
    formula="W <- W - rate scale P Adam(P^T G), P from G's SVD every `gap` steps",
    backend="native",
    learning_rate=3e-5,
    config=Config,
    attach=attach,
    count=count,
    param_groups=param_groups,
    optimizer=optimizer,
    merge=unchanged,
    encoder_decoders=True,
    search_space={"learning_rate": (1e-5, 2e-5, 3e-5, 1e-4, 3e-4), "r": (4, 8), "scale": (2.0, 4.0)},
)
