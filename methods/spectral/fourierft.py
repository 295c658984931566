"""FourierFT: y = W0 x + alpha Re(F^-1(S)) x, F the two-dimensional Fourier transform; n entries of S, placed at random, train.

Gao et al. 2024, https://arxiv.org/abs/2405.03003. All layers have the same n places if they are of one size. The entries
start normal, as in the paper, so that the model does not start at its base.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from methods.peft_backend import drawn_seed, inject, merge, rates
from methods.spec import Method, Paper, Shape, Site

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Config:
    n: int = 1000
    scaling: float = 150.0
    """alpha"""
    targets: tuple[str, ...] = ("query", "value")


def _check(sites: tuple[Site, ...], n: int) -> None:
    for site in sites:
        if n > site.d_in * site.d_out:
            raise ValueError(f"n={n} is more than the {site.d_in * site.d_out} entries of {site.name}; lower n")


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises ValueError if a matrix has fewer than n entries."""
    from peft import FourierFTConfig

    _check(sites, config.n)
    settings = FourierFTConfig(n_frequency=config.n, scaling=config.scaling, random_loc_seed=drawn_seed())
    return inject(model, sites, settings)


def count(shape: Shape, config: Config) -> int:
    """n values a matrix."""
    sites = shape.select(config.targets)
    _check(sites, config.n)
    return config.n * len(sites)


def param_groups(model: nn.Module, config: Config, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
    return rates(model, learning_rate, weight_decay, {"fourierft_": 1.0, "": 0.1})


METHOD = Method(
    name="fourierft",
    family="spectral",
    paper=Paper(
        "Parameter-Efficient Fine-Tuning with Discrete Fourier Transform",
        "Gao, Wang, Chen, Liu, Wu, Chen, Li",
        2024,
        "https://arxiv.org/abs/2405.03003",
    ),
    formula="y = W0 x + alpha Re(F^-1(S)) x, S has n trained entries",
    backend="peft",
    # 5e-2 to 1.2e-1 on GLUE; the head trains at a tenth.
    learning_rate=5e-2,
    config=Config,
    attach=attach,
    count=count,
    starts_at_base=False,
    param_groups=param_groups,
    merge=merge,
    encoder_decoders=True,
    search_space={"learning_rate": (1e-2, 3e-2, 5e-2, 1e-1), "n": (200, 500, 1000), "scaling": (50.0, 150.0)},
)
