"""Trained tokens among the patches of a picture, after the class token."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from methods.layers import blocks_of, freeze
from methods.spec import ModelKind, Site, TaskKind, Unsupported


class Prompts(nn.Module):
    """p tokens before the first block and, if there are more rows, other p tokens in their place before later ones."""

    def __init__(self, layers: int, tokens: int, width: int, bound: float, dropout: float, like: torch.Tensor) -> None:
        super().__init__()
        empty = torch.empty(layers, tokens, width, device=like.device)
        self.P = nn.Parameter(nn.init.uniform_(empty, -bound, bound))
        self.dropout = nn.Dropout(dropout)

    def enter(self, block: nn.Module, args: tuple[Any, ...], at: int) -> tuple[Any, ...]:
        """hidden (rows, 1 + patches, d) with the tokens after its first; before a later block they are exchanged."""
        hidden = args[0]
        tokens = self.dropout(self.P[at]).expand(len(hidden), -1, -1).to(hidden.dtype)
        rest = hidden[:, 1 + (tokens.shape[1] if at else 0) :]
        return (torch.cat([hidden[:, :1], tokens, rest], dim=1), *args[1:])


def attach_visual(model: nn.Module, sites: Sequence[Site], tokens: int, dropout: float, deep: bool) -> nn.Module:
    """Raises Unsupported for a model without a class token, among whose patches the tokens would be pooled."""
    if not any(name.endswith("cls_token") for name, _ in model.named_parameters()):
        raise Unsupported("the prompt stands after the class token, and this model has none")
    freeze(model)
    names = blocks_of(sites)
    width, patch, colours = model.config.hidden_size, model.config.patch_size, model.config.num_channels
    bound = math.sqrt(6 / (colours * patch * patch + width))
    like = model.get_submodule(sites[0].name).weight
    model.prompts = Prompts(len(names) if deep else 1, tokens, width, bound, dropout, like)
    for at, name in enumerate(names if deep else names[:1]):
        model.get_submodule(name).register_forward_pre_hook(partial(model.prompts.enter, at=at))
    return model


def only_pictures(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    return None if model_kind == "vision" else "its tokens stand among the patches of a picture, and a text has none"
