"""OLoRA: W0 = Q R; B = the first r columns of Q, A = the first r rows of R, W0 - (alpha / r) B A is frozen.

Buyukakyuz 2024, https://arxiv.org/abs/2406.01775
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from methods.peft_backend import LowRank, attach_lora, count_lora, merge, on_meta
from methods.spec import Method, Paper, Site, Unsupported

if TYPE_CHECKING:
    from torch import nn


def attach(model: nn.Module, sites: tuple[Site, ...], config: LowRank) -> nn.Module:
    """Raises Unsupported for GPT-2's transposed layers."""
    if any(type(model.get_submodule(site.name)).__name__ == "Conv1D" for site in sites):
        # PEFT takes the decomposition of the transposed matrix and then adds shapes that do not fit.
        raise Unsupported("OLoRA in PEFT takes no layers of type Conv1D, which GPT-2 has")
    # Shapes have nothing to decompose.
    return attach_lora(model, sites, config, init_lora_weights="olora" if not on_meta(model) else True)


METHOD = Method(
    name="olora",
    family="initialisation",
    paper=Paper(
        "OLoRA: Orthonormal Low-Rank Adaptation of Large Language Models",
        "Buyukakyuz",
        2024,
        "https://arxiv.org/abs/2406.01775",
    ),
    formula="y = (W0 - (alpha / r) B A) x + (alpha / r) B A x, B A = the first r columns and rows of W0 = Q R",
    backend="peft",
    # Not from the paper, which has no encoder: below LoRA's, for B A starts large.
    learning_rate=2e-4,
    config=LowRank,
    attach=attach,
    count=count_lora,
    merge=merge,
    encoder_decoders=True,
    search_space={"learning_rate": (1e-4, 2e-4, 4e-4, 8e-4, 2e-3), "r": (4, 8, 16, 32)},
)
