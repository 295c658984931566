"""Edits of what a block gives out at a row's first and last tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from methods.layers import freeze
from methods.linear import lifted
from methods.spec import ModelKind, Shape, Site, TaskKind, Unsupported


@dataclass(frozen=True)
class Config:
    """The authors' settings for RoBERTa-base on GLUE."""

    r: int = 1
    first: int = 1
    """tokens edited at a row's beginning"""
    last: int | None = None
    """tokens edited at its end; None: none in an encoder, as many as at the beginning in a decoder, as the authors do"""
    layers: tuple[int, ...] = ()
    """numbers of the edited blocks; empty: all"""
    dropout: float = 0.05


def places(mask: torch.Tensor | None, hidden: torch.Tensor, first: int, last: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(where, counts), each (rows, first + last): the places of the first and the last real tokens, and 1 where the
    place is one, 0 where the row is too short for it or has it already. mask (rows, tokens): 1 where a token is real,
    wherever a row's padding stands; None: all are. hidden (rows, tokens, width)."""
    rows, tokens = hidden.shape[:2]
    real = torch.ones(rows, tokens, dtype=torch.long, device=hidden.device) if mask is None else mask.long()
    begin, length = real.argmax(1, keepdim=True), real.sum(1, keepdim=True)
    ahead = torch.arange(first, device=hidden.device).expand(rows, -1)
    behind = length - last + torch.arange(last, device=hidden.device)
    counts = torch.cat([ahead < length, (behind >= first) & (behind >= 0)], dim=1)
    return begin + torch.cat([ahead, behind], dim=1) * counts, counts


class Edits(nn.Module):
    """One edit after each chosen block, each from `make`; the edits of one layer serve all places."""

    def __init__(self, layers: Sequence[int], first: int, last: int, dropout: float, make: Callable[[], nn.Module]):
        super().__init__()
        self.edits = nn.ModuleDict({str(at): make() for at in layers})
        self.first, self.last, self.dropout = first, last, dropout
        self.found: tuple[torch.Tensor, torch.Tensor] | None = None
        self.mask: torch.Tensor | None = None

    def begin(self, module: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        self.mask, self.found = kwargs.get("attention_mask"), None

    def leave(self, at: int, output: Any) -> Any:
        """What the block gives out, edited."""
        hidden = output[0] if isinstance(output, tuple) else output
        if self.found is None:
            self.found = places(self.mask, hidden, self.first, self.last)
        where, counts = self.found
        where = where.unsqueeze(-1).expand(-1, -1, hidden.shape[-1])
        old = lifted(hidden.gather(1, where))
        new = functional.dropout(self.edits[str(at)](old), self.dropout, self.training)
        # A row's places may coincide where `counts` is 0: these add nothing.
        change = ((new - old) * counts.unsqueeze(-1)).to(hidden.dtype)
        hidden = hidden.scatter_add(1, where, change)
        return (hidden, *output[1:]) if isinstance(output, tuple) else hidden


def causal(model: nn.Module) -> bool:
    """Whether the model's attention sees only what came before."""
    return any(getattr(module, "is_causal", False) for module in model.modules())


def chosen(config: Config, blocks: int) -> tuple[int, ...]:
    """The layers that are edited. Raises ValueError if the model has no such layer."""
    wrong = [at for at in config.layers if not 0 <= at < blocks]
    if wrong:
        raise ValueError(f"layers={config.layers}: the model has the blocks 0 to {blocks - 1}")
    return config.layers or tuple(range(blocks))


def attach_edits(
    model: nn.Module, sites: Sequence[Site], config: Config, make: Callable[[int, torch.device], nn.Module]
) -> nn.Module:
    """make(width, device) -> an edit, (..., width) -> (..., width)."""
    names = {site.block: site.name.partition(f".{site.block}.")[0] + f".{site.block}" for site in sites}
    reading = next((site for site in sites if site.role in {"query", "key", "value", "qkv"}), None)
    if reading is None:
        raise Unsupported("the model's blocks have no attention whose input's width could be read")
    freeze(model)
    device = model.get_submodule(reading.name).weight.device
    last = config.last if config.last is not None else config.first if causal(model) else 0
    layers = chosen(config, len(names))
    model.edits = Edits(layers, config.first, last, config.dropout, lambda: make(reading.d_in, device))
    model.register_forward_pre_hook(model.edits.begin, with_kwargs=True)
    ordered = [names[at] for at in sorted(names)]
    for at in layers:

        def leave(module: nn.Module, args: Any, output: Any, at: int = at) -> Any:
            return model.edits.leave(at, output)

        model.get_submodule(ordered[at]).register_forward_hook(leave)
    return model


def count_edits(shape: Shape, config: Config) -> int:
    """2 r d + r values an edited layer."""
    return len(chosen(config, shape.blocks)) * (2 * config.r * shape.hidden + config.r)


def supports_edits(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    if task_kind in {"generate", "choice"}:
        return "it edits a prompt's last tokens, and a language model is not told where in its row the prompt ends"
    return (
        "an encoder-decoder has two stacks of blocks, and edits here go into one" if model_kind == "seq2seq" else None
    )
