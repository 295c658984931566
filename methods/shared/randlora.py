"""RandLoRA: y = W0 x + s sum_i B_i (l_i * (A (g_i * x))); n = min(d) / r random products of rank r, full rank in sum.

Albert et al. 2025, https://arxiv.org/abs/2502.00987. A, which all terms share, and the B_i are random, frozen and shared
by all layers, which take the part that fits them; l_i (r values, zero at the start) and g_i (the smaller side's) train. In
a layer with fewer outputs than inputs A stands on the side of the outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.peft_backend import drawn_seed, frozen_state, inject, merge, total
from methods.spec import Method, Paper, Shape, Site

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Config:
    r: int = 32
    """rank of each term; more terms, and more that trains, the smaller it is"""
    alpha: int = 640
    """s = alpha / r"""
    dropout: float = 0.0
    targets: tuple[str, ...] = ("query", "value")


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    from peft import RandLoraConfig

    settings = RandLoraConfig(
        r=config.r, randlora_alpha=config.alpha, randlora_dropout=config.dropout, projection_prng_key=drawn_seed()
    )
    return inject(model, sites, settings)


def count(shape: Shape, config: Config) -> int:
    """n (r + min(d_in, d_out)) values a matrix, n = min(d_in, d_out) / r rounded up."""

    def values(site: Site) -> int:
        smaller = min(site.d_in, site.d_out)
        return -(-smaller // config.r) * (config.r + smaller)

    return total(shape, config, values)


def extra_state(model: nn.Module) -> Mapping[str, torch.Tensor]:
    return frozen_state(model)


METHOD = Method(
    name="randlora",
    family="shared",
    paper=Paper(
        "RandLoRA: Full-rank parameter-efficient fine-tuning of large models",
        "Albert, Zhang, Saratchandran, Rodriguez-Opazo, van den Hengel, Abbasnejad",
        2025,
        "https://arxiv.org/abs/2502.00987",
    ),
    formula="y = W0 x + (alpha / r) sum_i B_i diag(l_i) A diag(g_i) x",
    backend="peft",
    # Not from the paper: PEFT's advice is 1e-4 to 1e-3.
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    extra_state=extra_state,
    encoder_decoders=True,
    search_space={"learning_rate": (1e-4, 4e-4, 1e-3, 4e-3), "r": (8, 16, 32)},
)
