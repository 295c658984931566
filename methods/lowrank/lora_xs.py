"""LoRA-XS: y = W0 x + (alpha / r) B (R (A x)), A = S_r V_r^T and B = U_r from the SVD of W0 = U S V^T, frozen; only R
(r, r) trains.

Balazy et al. 2024, https://arxiv.org/abs/2405.17604. R starts at N(0, 1e-5^2), so that the model starts next to the
base. The paper writes x W0 with W0 transposed, hence its A = U_r S_r. A and B follow from W0 and are not stored.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from methods.linear import Core, adapt, matrix, merge, singular
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    """The authors' settings for RoBERTa-large on GLUE, where r runs from 4 to 25."""

    r: int = 16
    alpha: int = 16
    """the update is scaled by alpha / r"""
    dropout: float = 0.0
    sigma: float = 1e-5
    """of R at the start"""
    targets: tuple[str, ...] = ("query", "value", "output", "down")


def layer(base: nn.Module, config: Config) -> Core:
    made = Core(base, config.r, config.alpha / config.r, config.dropout)
    u, s, vh = singular(matrix(base), config.r)
    made.A.copy_(s[:, None] * vh)
    made.B.copy_(u)
    nn.init.normal_(made.M, std=config.sigma)
    return made


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda base: layer(base, config))


def count(shape: Shape, config: Config) -> int:
    """r^2 values a matrix."""
    return config.r**2 * len(shape.select(config.targets))


METHOD = Method(
    name="lora-xs",
    family="lowrank",
    paper=Paper(
        "LoRA-XS: Low-Rank Adaptation with Extremely Small Number of Parameters",
        "Balazy, Banaei, Aberer, Tabor",
        2024,
        "https://arxiv.org/abs/2405.17604",
    ),
    formula="y = W0 x + (alpha / r) U_r R S_r V_r^T x, only R trains",
    backend="native",
    learning_rate=1e-3,
    aliases=("loraxs",),
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    starts_at_base=False,
    encoder_decoders=True,
    search_space={"learning_rate": (1e-4, 5e-4, 1e-3, 2e-3, 5e-3), "r": (4, 8, 12, 16)},
)
