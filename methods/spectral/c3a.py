"""C3A: y = W0 x + C x; C is made of b x b blocks that are circulant, each by its b trained values over d_in, multiplied by FFT.

Chen et al. 2024, https://arxiv.org/abs/2407.19342. The kernels start from Xavier's uniform law, so that the model does not
start at its base.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.peft_backend import inject, merge, total
from methods.spec import Method, Paper, Shape, Site

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Config:
    block: int = 128
    """b; must divide d_in and d_out of every adapted layer"""
    targets: tuple[str, ...] = ("query", "value")


def _check(sites: tuple[Site, ...], block: int) -> None:
    for site in sites:
        if site.d_in % block or site.d_out % block:
            raise ValueError(f"block={block} must divide d_in={site.d_in} and d_out={site.d_out} of {site.name}")


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises ValueError if the block does not divide a layer's sides."""
    from peft import C3AConfig

    _check(sites, config.block)
    return inject(model, sites, C3AConfig(block_size=config.block))


def count(shape: Shape, config: Config) -> int:
    """d_in d_out / b values a matrix."""
    _check(shape.select(config.targets), config.block)
    return total(shape, config, lambda site: site.d_in * site.d_out // config.block)


METHOD = Method(
    name="c3a",
    family="spectral",
    paper=Paper(
        "Parameter-Efficient Fine-Tuning via Circular Convolution",
        "Chen, Cheng, Liu, Gao, Tsung, Li, Li",
        2024,
        "https://arxiv.org/abs/2407.19342",
    ),
    formula="y = W0 x + C x, C_ij circulant (b x b)",
    backend="peft",
    # Not from the paper, which tunes it for each task of GLUE.
    learning_rate=1e-2,
    config=Config,
    attach=attach,
    count=count,
    starts_at_base=False,
    merge=merge,
    encoder_decoders=True,
    search_space={"learning_rate": (1e-3, 4e-3, 1e-2, 5e-2), "block": (32, 64, 128)},
)
