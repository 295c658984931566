"""The adapter network h -> W_up f(W_down h + b_down) + b_up, and where a block's projection ends.

It is hooked onto modules of the base rather than wrapped around them, so that these keep their
names, types and attributes.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from methods.layers import is_norm
from methods.spec import Site


class Bottleneck(nn.Module):
    """(..., width) -> (..., width) through `inner` values; without the residual."""

    def __init__(
        self,
        width: int,
        inner: int,
        activation: Callable[[torch.Tensor], torch.Tensor],
        draw: Callable[[torch.Tensor], torch.Tensor],
        like: torch.Tensor,
    ) -> None:
        """`draw` fills a weight in place; biases start at zero. `like` gives the device."""
        super().__init__()
        self.down = nn.Linear(width, inner, device=like.device)
        self.up = nn.Linear(inner, width, device=like.device)
        self.activation = activation
        for layer in (self.down, self.up):
            draw(layer.weight.data)
            nn.init.zeros_(layer.bias)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        inner = self.down(hidden.to(self.down.weight.dtype))
        return self.up(self.activation(inner)).to(hidden.dtype)


def size(width: int, inner: int) -> int:
    """Parameters of a Bottleneck."""
    return 2 * width * inner + width + inner


def closing(model: nn.Module, site: Site) -> tuple[nn.Module | None, nn.Module | None]:
    """(dropout, norm) that follow the site's layer, in the modules that hold one linear layer and what closes a
    sub-block: BERT's `output`, say. None for what is not there."""
    children = list(model.get_submodule(site.name.rpartition(".")[0]).children())
    if sum(isinstance(child, nn.Linear) for child in children) != 1:
        return None, None
    dropout = next((child for child in children if isinstance(child, nn.Dropout)), None)
    return dropout, next((child for child in children if is_norm(child)), None)
