"""PiSSA: W0 = U S V'; B = U_r sqrt(S_r), A = sqrt(S_r) V_r' train, W0 - B A is frozen: y = (W0 - B A) x + B (A x).

Meng et al. 2024, https://arxiv.org/abs/2404.02948
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.peft_backend import LowRank, attach_lora, count_lora, merge, on_meta
from methods.spec import Method, Paper, Site

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Config(LowRank):
    alpha: int = 8
    """equal to r, so that the update is not scaled, as the paper has it"""
    iterations: int = 0
    """subspace iterations of a randomised decomposition; 0 takes the exact one"""


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    start = f"pissa_niter_{config.iterations}" if config.iterations else "pissa"
    # Shapes have nothing to decompose.
    return attach_lora(model, sites, config, init_lora_weights=not on_meta(model) and start)


METHOD = Method(
    name="pissa",
    family="initialisation",
    paper=Paper(
        "PiSSA: Principal Singular Values and Singular Vectors Adaptation of Large Language Models",
        "Meng, Wang, Zhang",
        2024,
        "https://arxiv.org/abs/2404.02948",
    ),
    formula="y = (W0 - B A) x + B A x, B A = the r largest singular components of W0",
    backend="peft",
    # Not from the paper, which changes it from task to task: below LoRA's, for B A starts large.
    learning_rate=2e-4,
    config=Config,
    attach=attach,
    count=count_lora,
    merge=merge,
    encoder_decoders=True,
    search_space={"learning_rate": (2e-5, 5e-5, 1e-4, 2e-4, 5e-4), "r": (4, 8, 16, 32)},
)
