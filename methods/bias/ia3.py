"""(IA)3: k = l_k * (W_k x), v = l_v * (W_v x), y = W_down (l_ff * act(W_up x)); the vectors l start at one.

Liu et al. 2022, https://arxiv.org/abs/2205.05638
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.peft_backend import exactly, inject, merge
from methods.spec import Method, Paper, Shape, Site

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Config:
    targets: tuple[str, ...] = ("key", "value", "down")
    """`down` has its input rescaled, any other layer its output; a fused query-key-value layer all three."""


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    from peft import IA3Config

    inner = [site.name for site in sites if site.role == "down"]
    settings = IA3Config(target_modules=[], feedforward_modules=[])
    settings.feedforward_modules = exactly(inner) if inner else []
    return inject(model, sites, settings)


def count(shape: Shape, config: Config) -> int:
    return sum(site.d_in if site.role == "down" else site.d_out for site in shape.select(config.targets))


METHOD = Method(
    name="ia3",
    family="bias",
    paper=Paper(
        "Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning",
        "Liu, Tam, Muqeeth, Mohta, Huang, Bansal, Raffel",
        2022,
        "https://arxiv.org/abs/2205.05638",
    ),
    formula="k = l_k * (W_k x), v = l_v * (W_v x), y = W_down (l_ff * act(W_up x))",
    backend="peft",
    learning_rate=3e-3,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    packs=(),
    encoder_decoders=True,
    search_space={"learning_rate": (1e-3, 3e-3, 5e-3, 1e-2, 3e-2)},
)
