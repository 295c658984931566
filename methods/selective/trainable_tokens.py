"""Trainable tokens: E[t] trains for a few tokens t, and the rest of the embedding matrix E is frozen.

Hugging Face PEFT's method of that name, https://github.com/huggingface/peft/pull/2376, which has no paper; same outputs as its
own. There a user names tokens, mostly new ones. Here they are `tokens`, or the `number` tokens that stand in most of some
training rows, of as many the one that comes first in a row: the special ones that every text has, then those of a template.
Where an output layer shares E, the vectors train for reading and for predicting a token at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from methods.layers import freeze, replace
from methods.linear import lifted
from methods.spec import Method, ModelKind, Paper, Shape, Site, TaskKind, Unsupported


@dataclass(frozen=True)
class Config:
    tokens: tuple[int, ...] = ()
    """token ids; none: found in the training rows"""
    number: int = 2
    """of tokens to be found"""

    def __post_init__(self) -> None:
        try:
            found = tuple(int(token) for token in self.tokens)
        except ValueError:
            raise ValueError(f"trainable-tokens.tokens={self.tokens} is not a list of ids such as 101,102") from None
        if len(set(found)) < len(found) or any(token < 0 for token in found):
            raise ValueError(f"trainable-tokens.tokens={found}: ids that are not negative are expected, each once")
        if self.number < 1:
            raise ValueError(f"trainable-tokens.number={self.number} leaves no token to train; take at least 1")
        object.__setattr__(self, "tokens", found)

    @property
    def size(self) -> int:
        return len(self.tokens) or self.number


class Tokens(nn.Module):
    """`ids` (n) and the vectors (n, d) that stand for them."""

    def __init__(self, weight: torch.Tensor, config: Config) -> None:
        super().__init__()
        if config.size > len(weight) or any(token >= len(weight) for token in config.tokens):
            raise ValueError(
                f"the model has {len(weight)} tokens, fewer than trainable-tokens asks for; choose lower ids"
            )
        ids = torch.tensor(config.tokens or range(config.number), device=weight.device)
        self.register_buffer("ids", ids)
        self.vectors = nn.Parameter(weight.detach()[ids].float())


class Embedding(nn.Module):
    """ids (...) -> vectors (..., d)"""

    def __init__(self, base: nn.Module, tokens: Tokens) -> None:
        super().__init__()
        self.base, self.tokens = base, tokens

    @property
    def weight(self) -> torch.Tensor:
        """What model code reads off an embedding layer: its frozen matrix."""
        return self.base.weight

    @property
    def num_embeddings(self) -> int:
        return self.base.num_embeddings

    @property
    def embedding_dim(self) -> int:
        return self.base.embedding_dim

    @property
    def padding_idx(self) -> int | None:
        return self.base.padding_idx

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        found = self.base(ids)
        same = ids.unsqueeze(-1) == self.tokens.ids
        # Some models multiply what they look up.
        scale = getattr(self.base, "embed_scale", 1.0)
        own = nn.functional.embedding(same.long().argmax(-1), self.tokens.vectors) * scale
        return torch.where(same.any(-1, keepdim=True), own.to(found.dtype), found)


class Output(nn.Module):
    """hidden states (..., d) -> logits (..., tokens) of a layer whose matrix is E"""

    def __init__(self, base: nn.Module, tokens: Tokens) -> None:
        super().__init__()
        self.base = base
        # Past nn.Module's bookkeeping: they belong to the embedding layer.
        self.__dict__["tokens"] = tokens

    @property
    def weight(self) -> torch.Tensor:
        return self.base.weight

    @property
    def bias(self) -> torch.Tensor | None:
        return self.base.bias

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        logits, ids = self.base(hidden), self.tokens.ids
        bias = None if self.base.bias is None else self.base.bias[ids]
        own = nn.functional.linear(lifted(hidden), self.tokens.vectors, bias)
        return logits.index_copy(-1, ids, own.to(logits.dtype))


def holders(model: nn.Module, weight: torch.Tensor) -> list[tuple[str, nn.Module]]:
    """(path, layer) of everything that holds E, a layer once for each of its paths."""
    layers = model.named_modules(remove_duplicate=False)
    return [(name, layer) for name, layer in layers if getattr(layer, "weight", None) is weight]


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises Unsupported if E is not as wide as the model, ValueError for ids that the model does not have."""
    weight = model.get_input_embeddings().weight
    if weight.shape[1] != model.config.hidden_size:
        raise Unsupported(
            "its embeddings are narrower than the model, and a trained vector would be less than a token's"
        )
    freeze(model)
    tokens = Tokens(weight, config)
    made: dict[int, nn.Module] = {}
    for name, layer in holders(model, weight):
        kind = Embedding if isinstance(layer, nn.Embedding) else Output
        replace(model, name, made.setdefault(id(layer), kind(layer, tokens)))
    return model


def tokens_of(model: nn.Module) -> tuple[str, Tokens]:
    """Their path and themselves."""
    return next((name, module) for name, module in model.named_modules() if isinstance(module, Tokens))


@torch.no_grad()
def calibrate(model: nn.Module, batches: Iterable[Mapping[str, torch.Tensor]], config: Config) -> None:
    """Raises Unsupported if the training rows have fewer tokens than are to be found."""
    if config.tokens:
        return
    rows: Counter[int] = Counter()
    first: dict[int, int] = {}
    for batch in batches:
        for ids, mask in zip(batch["input_ids"].tolist(), batch["attention_mask"].tolist(), strict=True):
            row = dict.fromkeys(token for token, kept in zip(ids, mask, strict=True) if kept)
            rows.update(list(row))
            for place, token in enumerate(row):
                first[token] = min(place, first.get(token, place))
    chosen = sorted(rows, key=lambda token: (-rows[token], first[token], token))[: config.number]
    if len(chosen) < config.number:
        raise Unsupported(f"the training rows looked at have {len(chosen)} tokens, and {config.number} are to be found")
    tokens = tokens_of(model)[1]
    tokens.ids.copy_(torch.tensor(chosen))
    tokens.vectors.copy_(model.get_input_embeddings().weight[tokens.ids])


def count(shape: Shape, config: Config) -> int:
    """n d"""
    return config.size * shape.hidden


@torch.no_grad()
def merge(model: nn.Module) -> nn.Module:
    tokens = tokens_of(model)[1]
    weight = model.get_input_embeddings().weight
    weight[tokens.ids] = tokens.vectors.to(weight.dtype)
    wrapped = [(name, layer) for name, layer in model.named_modules(remove_duplicate=False)]
    for name, layer in wrapped:
        if isinstance(layer, Embedding | Output):
            replace(model, name, layer.base)
    return model


def extra_state(model: nn.Module) -> Mapping[str, torch.Tensor]:
    name, tokens = tokens_of(model)
    return {f"{name}.ids": tokens.ids}


def supports(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    return "a model of images has no tokens of a vocabulary to train" if model_kind == "vision" else None


METHOD = Method(
    name="trainable-tokens",
    family="selective",
    paper=Paper(
        "PEFT: State-of-the-art Parameter-Efficient Fine-Tuning methods (trainable tokens, in version 0.15)",
        "Hugging Face",
        2025,
        "https://github.com/huggingface/peft/pull/2376",
    ),
    formula="E[t] trains for some tokens t",
    backend="native",
    # No paper; prompt tuning's.
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    calibrate=calibrate,
    merge=merge,
    extra_state=extra_state,
    supports=supports,
    search_space={"learning_rate": (1e-4, 3e-4, 1e-3, 3e-3), "number": (2, 10, 50)},
)
