"""PASTA: h_i <- h_i + v_{l,p} before block l, at the p-th special token of a row ([CLS], [SEP], ...); only v trains.

Yang et al. 2022, https://arxiv.org/abs/2210.04382. Every v starts from N(0, 0.02^2), with the model's dropout on it, as
in the authors' code. A tokenizer puts [CLS] first and [SEP] last in a row, so the special tokens are those with the id of
its first or of its last real token: two in one text, three in a pair, four in RoBERTa's pairs. Vectors of places that no
row has stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from methods.layers import freeze
from methods.spec import Method, ModelKind, Paper, Shape, Site, TaskKind, Unsupported


@dataclass(frozen=True)
class Config:
    tokens: int = 4
    """special tokens of a row that get a vector, in their order"""
    dropout: float = 0.1
    """on the vectors"""


def special(ids: torch.Tensor, mask: torch.Tensor | None, tokens: int) -> torch.Tensor:
    """(rows, length): which special token a place holds, from 0; `tokens` for all others and for those beyond."""
    real = torch.ones_like(ids) if mask is None else mask.long()
    begin = real.argmax(1, keepdim=True)
    end = begin + real.sum(1, keepdim=True) - 1
    found = (real == 1) & ((ids == ids.gather(1, begin)) | (ids == ids.gather(1, end)))
    rank = found.long().cumsum(1) - 1
    return torch.where(found, rank.clamp_max(tokens), tokens)


class Vectors(nn.Module):
    """v (blocks, tokens, width)"""

    def __init__(self, blocks: int, width: int, config: Config, like: torch.Tensor) -> None:
        super().__init__()
        empty = torch.empty(blocks, config.tokens, width, device=like.device)
        self.v = nn.Parameter(nn.init.normal_(empty, std=0.02))
        self.tokens, self.dropout = config.tokens, config.dropout
        self.where: torch.Tensor | None = None

    def begin(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        ids = args[0] if args else kwargs["input_ids"]
        self.where = special(ids, kwargs.get("attention_mask"), self.tokens)

    def enter(self, at: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        hidden = args[0] if args else kwargs["hidden_states"]
        table = functional.pad(functional.dropout(self.v[at], self.dropout, self.training), (0, 0, 0, 1))
        hidden = hidden + functional.embedding(self.where, table).to(hidden.dtype)
        return ((hidden, *args[1:]), kwargs) if args else (args, {**kwargs, "hidden_states": hidden})


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    reading = next((site for site in sites if site.role in {"query", "key", "value", "qkv"}), None)
    if reading is None:
        raise Unsupported("the model's blocks have no attention whose input's width could be read")
    freeze(model)
    names = {site.block: site.name.partition(f".{site.block}.")[0] + f".{site.block}" for site in sites}
    like = model.get_submodule(reading.name).weight
    model.special = Vectors(len(names), reading.d_in, config, like)
    model.register_forward_pre_hook(model.special.begin, with_kwargs=True)
    for at in sorted(names):

        def enter(module: nn.Module, args: Any, kwargs: dict[str, Any], at: int = at) -> tuple[Any, Any]:
            return model.special.enter(at, args, kwargs)

        model.get_submodule(names[at]).register_forward_pre_hook(enter, with_kwargs=True)
    return model


def count(shape: Shape, config: Config) -> int:
    """L p d values."""
    return shape.blocks * config.tokens * shape.hidden


def supports(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    if model_kind == "encoder":
        return None
    return "its vectors stand at the [CLS] and [SEP] that an encoder's tokenizer puts around a text"


METHOD = Method(
    name="pasta",
    family="representation",
    paper=Paper(
        "Parameter-Efficient Tuning with Special Token Adaptation",
        "Yang, Huang, Zhou, Chen",
        2022,
        "https://arxiv.org/abs/2210.04382",
    ),
    formula="h_i <- h_i + v_{l,p} before block l, where i is the p-th special token",
    backend="native",
    learning_rate=2.5e-4,
    config=Config,
    attach=attach,
    count=count,
    supports=supports,
    starts_at_base=False,
    search_space={"learning_rate": (2.5e-4, 1e-3, 3e-3, 1e-2), "tokens": (2, 3, 4)},
)
