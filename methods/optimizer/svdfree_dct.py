"""SVD-free low-rank AdamW (DCT-AdamW): GaLore's step, with P made of the r columns of one fixed cosine matrix D that
the gradient G (m, n) meets best: those of G D, or rows of D^T G, of largest l1 norm.

Modoranu et al. 2025, https://arxiv.org/abs/2505.17967 (renamed there "FFT-based Dynamic Subspace Selection"). D_ij =
sqrt(2 / k) cos(i (2 j + 1) pi / 2 k), its row i = 0 divided by sqrt 2, k = min(m, n): the DCT-III matrix, orthogonal,
one for all matrices of the same k. A matrix's state is r indices beside Adam's moments, and no projector. When
columns change, the moments are turned into the new ones, R = D_old^T D_new: a column that stays keeps its moments,
one that enters starts at 0. Projected on the shorter side; the paper's error feedback, which may be left out, is. The
product G D is taken as such, not by a fast transform. Rank and rate are GaLore's for RoBERTa-base: the paper has
no encoder.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from methods.layers import unchanged
from methods.optimizer._projected import ProjectedAdamW, attach, count, param_groups
from methods.spec import Method, Paper


@dataclass(frozen=True)
class Config:
    r: int = 4
    """rank of the projected gradient"""
    scale: float = 1.0
    """of the projected update; the paper has none"""
    gap: int = 1
    """steps between two choices of columns"""
    beta1: float = 0.9
    beta2: float = 0.999
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


class CosineAdamW(ProjectedAdamW):
    epsilon = 1e-8

    def __init__(self, groups: list[dict[str, Any]], betas: tuple[float, float]) -> None:
        super().__init__(groups, betas)
        self.bases: dict[tuple[int, torch.device, torch.dtype], torch.Tensor] = {}

    def renew(self, gradient: torch.Tensor, group: dict[str, Any], state: dict[str, Any], wide: bool) -> None:
        if state.get("step", 0) % group["gap"]:
            return
        size = min(gradient.shape)
        key = (size, gradient.device, gradient.dtype)
        if key not in self.bases:
            self.bases[key] = cosines(size).to(gradient)
        # In every state that uses it, though it is one tensor: it is the optimizer's memory.
        whole = state["whole"] = self.bases[key]
        norms = (whole.T @ gradient).abs().sum(1) if wide else (gradient @ whole).abs().sum(0)
        columns = norms.topk(min(group["rank"], size)).indices.sort().values.to(torch.int32)
        if "columns" in state:
            turn = (state["columns"][:, None] == columns[None, :]).to(gradient.dtype)
            for name in ("mean", "square"):
                state[name] = turn.T @ state[name] if wide else state[name] @ turn
        state["columns"] = columns

    def basis(self, state: dict[str, Any]) -> torch.Tensor:
        return state["whole"].index_select(1, state["columns"])


def cosines(size: int) -> torch.Tensor:
    """D (size, size), orthogonal."""
    at = torch.arange(size, dtype=torch.float64)
    matrix = math.sqrt(2 / size) * torch.cos(at[:, None] * (2 * at[None, :] + 1) * math.pi / (2 * size))
    matrix[0] *= math.sqrt(0.5)
    return matrix


def optimizer(groups: list[dict[str, Any]], config: Config) -> torch.optim.Optimizer:
    return CosineAdamW(groups, (config.beta1, config.beta2))


METHOD = Method(
    name="svdfree-dct",
    family="optimizer",
    paper=Paper(
        "SVD-Free Low-Rank Adaptive Gradient Optimization for Large Language Models",
        "Modoranu, Safaryan, Schultheis, Alistarh",
        2025,
        "https://arxiv.org/abs/2505.17967",
    ),
    formula="W <- W - rate P Adam(P^T G), P = the r columns of a cosine matrix that G meets best",
    backend="native",
    learning_rate=3e-5,
    aliases=("dct-adamw",),
    config=Config,
    attach=attach,
    count=count,
    param_groups=param_groups,
    optimizer=optimizer,
    merge=unchanged,
    search_space={"learning_rate": (1e-5, 3e-5, 1e-4, 3e-4), "r": (4, 8, 16), "gap": (1, 10)},
)
