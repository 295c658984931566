"""SSF: y <- gamma * y + beta after each operation: every linear map, every norm and the patch embedding.

Lian et al. 2022, https://arxiv.org/abs/2210.08823. gamma is drawn from N(1, 0.02^2), beta from N(0, 0.02^2), as in
the authors' code, so that the model starts near, not at, the base. On a text model there is no patch embedding, and
words' embeddings are left as they are. Where the operation has no bias, beta would have no place to be folded into
and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from methods.layers import freeze, is_norm
from methods.linear import matrix
from methods.spec import Method, Paper, Shape, Site
from methods.vision._grid import patches_of


@dataclass(frozen=True)
class Config:
    std: float = 0.02
    """of what gamma and beta start from"""
    norms: bool = True
    """whether norms are scaled and shifted too"""
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


class ScaleShift(nn.Module):
    """gamma * y + beta along the last axis, or along the second one for a convolution's (rows, c, h, w)."""

    hook: RemovableHandle

    def __init__(self, size: int, shifts: bool, std: float, like: torch.Tensor) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(size, device=like.device).normal_(1.0, std))
        self.register_parameter("beta", None)
        if shifts:
            self.beta = nn.Parameter(torch.empty(size, device=like.device).normal_(0.0, std))
        self.axes = (-1, 1, 1) if like.ndim == 4 else (-1,)

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        scaled = y * self.gamma.view(self.axes)
        return (scaled if self.beta is None else scaled + self.beta.view(self.axes)).to(y.dtype)


def _apply(module: nn.Module, args: Any, output: torch.Tensor) -> torch.Tensor:
    return module.ssf(output)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises Unsupported for a vision model whose patches are embedded otherwise."""
    places = patches_of(model) + [model.get_submodule(site.name) for site in sites]
    if config.norms:
        places += [module for module in model.modules() if is_norm(module)]
    freeze(model)
    for place in places:
        size = matrix(place).shape[0]
        place.ssf = ScaleShift(size, getattr(place, "bias", None) is not None, config.std, place.weight)
        place.ssf.hook = place.register_forward_hook(_apply)
    return model


def count(shape: Shape, config: Config) -> int:
    """2 d_out values an operation, d_out if it has no bias."""
    linear = sum(site.d_out * (2 if site.bias else 1) for site in shape.select(config.targets))
    norms = sum(norm.size * (2 if norm.bias else 1) for norm in shape.norms) if config.norms else 0
    return linear + norms + (2 * shape.hidden if shape.kind == "vision" else 0)


def scaled(model: nn.Module) -> Iterator[nn.Module]:
    return (module for module in model.modules() if isinstance(getattr(module, "ssf", None), ScaleShift))


def _added_to_weight(norm: nn.Module) -> torch.Tensor:
    """0, or 1 for a norm that multiplies by 1 + w, as Gemma's does."""
    probe = torch.ones_like(norm.weight)
    probe[1::2] = -1
    return (norm(probe) * probe - norm.weight).round()


@torch.no_grad()
def merge(model: nn.Module) -> nn.Module:
    """W <- diag(gamma) W, b <- gamma * b + beta; takes the hooks out again."""
    for layer in list(scaled(model)):
        ssf = layer.ssf
        ssf.hook.remove()
        del layer.ssf
        if is_norm(layer):
            added = 0 if ssf.beta is not None else _added_to_weight(layer)
            layer.weight.copy_(ssf.gamma * (layer.weight + added) - added)
        else:
            weight = matrix(layer)
            weight.mul_(ssf.gamma.view(-1, *[1] * (weight.ndim - 1)))
        if ssf.beta is not None:
            layer.bias.mul_(ssf.gamma).add_(ssf.beta)
    return model


METHOD = Method(
    name="ssf",
    family="vision",
    paper=Paper(
        "Scaling & Shifting Your Features: A New Baseline for Efficient Model Tuning",
        "Lian, Zhou, Feng, Wang",
        2022,
        "https://arxiv.org/abs/2210.08823",
    ),
    formula="y <- gamma * y + beta after each operation",
    backend="native",
    learning_rate=5e-3,
    config=Config,
    attach=attach,
    count=count,
    starts_at_base=False,
    merge=merge,
    search_space={"learning_rate": (1e-3, 2e-3, 5e-3, 1e-2, 2e-2), "norms": (True, False)},
)
