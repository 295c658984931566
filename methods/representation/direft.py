"""DiReFT: h <- h + W_2^T (W_1 h + b) at a row's first and last tokens, after each block; LoReFT without its constraint
that the rows of R be orthonormal, and without the difference to what h was.

Wu et al. 2024, https://arxiv.org/abs/2404.03592. W_1, W_2 (r, d) and b (r) train and start as linear layers do. Places,
sharing and dropout are LoReFT's.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from methods.representation._reft import Config, attach_edits, count_edits, supports_edits
from methods.spec import Method, Paper, Site


class Edit(nn.Module):
    """h (..., d) -> h + W_2^T (W_1 h + b)"""

    def __init__(self, width: int, r: int, device: torch.device) -> None:
        super().__init__()
        self.W1 = nn.Linear(width, r, device=device)
        self.W2 = nn.Linear(width, r, bias=False, device=device)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        return h + functional.linear(self.W1(h), self.W2.weight.T)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return attach_edits(model, sites, config, lambda width, device: Edit(width, config.r, device))


METHOD = Method(
    name="direft",
    family="representation",
    paper=Paper(
        "ReFT: Representation Finetuning for Language Models",
        "Wu, Arora, Wang, Geiger, Jurafsky, Manning, Potts",
        2024,
        "https://arxiv.org/abs/2404.03592",
    ),
    formula="h <- h + W2^T (W1 h + b) at the first and last tokens",
    backend="native",
    learning_rate=6e-4,
    config=Config,
    attach=attach,
    count=count_edits,
    supports=supports_edits,
    starts_at_base=False,
    search_space={"learning_rate": (3e-4, 6e-4, 9e-4, 2e-3, 5e-3), "r": (1, 4, 8), "first": (1, 3, 7)},
)
