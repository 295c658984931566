"""OFT: y = W0 (R' x), R block-diagonal with blocks (I - Q) (I + Q)^-1, Q skew-symmetric and zero at the start.

Qiu et al. 2023, https://arxiv.org/abs/2306.07280. The rotation acts on the layer's input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.peft_backend import inject, merge
from methods.spec import Method, Paper, Shape, Site, Unsupported

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Config:
    block: int = 16
    """width of a rotated block; must divide the width of every adapted layer's input"""
    neumann_terms: int = 0
    """terms of a series in place of the inverse (faster, R only nearly orthogonal); 0 takes the inverse"""
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


def _check(sites: tuple[Site, ...], block: int) -> None:
    # PEFT would warn and take another width, so that the record would tell a wrong one.
    for site in sites:
        if block < 2 or site.d_in % block:
            raise ValueError(f"OFT needs blocks of 2 or more that divide d_in={site.d_in} of {site.name}, not {block}")


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises ValueError for a width that the blocks do not divide, Unsupported for GPT-2's transposed layers."""
    from peft import OFTConfig

    _check(sites, config.block)
    if any(type(model.get_submodule(site.name)).__name__ == "Conv1D" for site in sites):
        raise Unsupported("OFT is not implemented for layers of type Conv1D, which GPT-2 has")
    settings = OFTConfig(
        r=0,
        oft_block_size=config.block,
        use_cayley_neumann=config.neumann_terms > 0,
        num_cayley_neumann_terms=config.neumann_terms,
    )
    return inject(model, sites, settings)


def count(shape: Shape, config: Config) -> int:
    """(d_in / block) blocks of block (block - 1) / 2 angles a matrix."""
    sites = shape.select(config.targets)
    _check(sites, config.block)
    return sum(site.d_in // config.block * (config.block * (config.block - 1) // 2) for site in sites)


METHOD = Method(
    name="oft",
    family="orthogonal",
    paper=Paper(
        "Controlling Text-to-Image Diffusion by Orthogonal Finetuning",
        "Qiu, Liu, Feng, Xue, Feng, Liu, Zhang, Weller, Schoelkopf",
        2023,
        "https://arxiv.org/abs/2306.07280",
    ),
    formula="y = W0 R' x, R = blockdiag((I - Q)(I + Q)^-1), Q' = -Q",
    backend="peft",
    # The paper has no encoder; LoRA's rate.
    learning_rate=4e-4,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    encoder_decoders=True,
    search_space={"learning_rate": (1e-4, 2e-4, 4e-4, 1e-3, 2e-3), "block": (8, 16, 32)},
)
