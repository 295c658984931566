"""LoReFT: h <- h + R^T (W h + b - R h) at a row's first and last tokens, after each block; R has orthonormal rows.

Wu et al. 2024, https://arxiv.org/abs/2404.03592. R, W (r, d) and b (r) train; in the r directions of R, h is set to what
a linear map of h says. R comes from a free matrix by Gram-Schmidt, row by row, so that every step keeps its rows
orthonormal. The first and the last tokens of a row share one edit (the authors' `share_weights`). R starts orthonormal,
W and b as a linear layer. In training, dropout falls on the edited h, as in the authors' code.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from methods.representation._reft import Config, attach_edits, count_edits, supports_edits
from methods.spec import Method, Paper, Site


class Edit(nn.Module):
    """h (..., d) -> h + R^T (W h + b - R h)"""

    def __init__(self, width: int, r: int, device: torch.device) -> None:
        super().__init__()
        if r > width:
            raise ValueError(f"r={r} is larger than the model's width {width}; lower r")
        self.free = nn.Parameter(nn.init.orthogonal_(torch.empty(r, width, device=device)))
        self.W = nn.Linear(width, r, device=device)

    def R(self) -> torch.Tensor:
        """(r, d) with orthonormal rows."""
        q, upper = torch.linalg.qr(self.free.float().T)
        # The signs that make the factor a continuous function of the free matrix.
        return (q * upper.diagonal().sign()).T

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        rotation = self.R()
        return h + functional.linear(self.W(h) - functional.linear(h, rotation), rotation.T)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return attach_edits(model, sites, config, lambda width, device: Edit(width, config.r, device))


METHOD = Method(
    name="loreft",
    family="representation",
    paper=Paper(
        "ReFT: Representation Finetuning for Language Models",
        "Wu, Arora, Wang, Geiger, Jurafsky, Manning, Potts",
        2024,
        "https://arxiv.org/abs/2404.03592",
    ),
    formula="h <- h + R^T (W h + b - R h) at the first and last tokens, R R^T = I",
    backend="native",
    learning_rate=6e-4,
    aliases=("reft",),
    config=Config,
    attach=attach,
    count=count_edits,
    supports=supports_edits,
    starts_at_base=False,
    search_space={"learning_rate": (3e-4, 6e-4, 9e-4, 2e-3, 5e-3), "r": (1, 4, 8), "first": (1, 3, 7)},
)
