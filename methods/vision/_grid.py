"""Pictures as tokens: the convolution that makes them of patches, and the grid that these lie on, apart from the tokens
before them (class token, registers)."""

from __future__ import annotations

import math

import torch
from torch import nn

from methods.spec import ModelKind, TaskKind, Unsupported


def parted(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(rows, k + h h, c) -> (the k tokens before the patches (rows, k, c), the patches (rows, c, h, h))."""
    side = math.isqrt(x.shape[1])
    others, patches = x.split([x.shape[1] - side * side, side * side], dim=1)
    return others, patches.transpose(1, 2).unflatten(2, (side, side))


def joined(others: torch.Tensor, patches: torch.Tensor) -> torch.Tensor:
    """(rows, k, c), (rows, c, h, h) -> (rows, k + h h, c)"""
    return torch.cat([others, patches.flatten(2).transpose(1, 2)], dim=1)


def require_square(model: nn.Module) -> None:
    """Raises Unsupported if the model's pictures are not square, as then their tokens do not tell the grid."""
    size = getattr(model.config, "image_size", 1)
    if not isinstance(size, int) and len(set(size)) > 1:
        raise Unsupported(f"it lays a picture's tokens on a square grid, and this model's pictures are {tuple(size)}")


def patches_of(model: nn.Module) -> list[nn.Module]:
    """The convolution that makes tokens of patches; none for a model of text. Raises Unsupported for a vision model
    that has none with a bias."""
    if model.main_input_name != "pixel_values":
        return []
    first = next((module for module in model.modules() if isinstance(module, nn.Conv2d)), None)
    if first is None or first.out_channels != model.config.hidden_size or first.bias is None:
        raise Unsupported(
            "it changes the convolution with bias that embeds a picture's patches, and this model has none"
        )
    return [first]


def only_grids(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    return None if model_kind == "vision" else "it convolves over the grid of a picture's patches, and a text has none"
