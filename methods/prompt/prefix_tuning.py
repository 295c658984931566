"""Prefix tuning: in every layer, attention(q, [P_k; k], [P_v; v]); the l keys and values of P train.

Li & Liang 2021, https://arxiv.org/abs/2101.00190. The paper trains P through a network of two layers
that is dropped afterwards (`projection`); on understanding tasks P itself trains as well (Liu et
al. 2021, https://arxiv.org/abs/2110.07602), and that is the default here.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.spec import Method, ModelKind, Paper, Shape, Site, TaskKind, Unsupported

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Config:
    tokens: int = 20
    """l"""
    projection: bool = False
    inner: int = 512
    """width of the projecting network"""


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises Unsupported for a model whose attention takes no given keys and values."""
    from peft import PrefixTuningConfig

    from methods.prompt._peft import attach_prompt

    body = getattr(model, "base_model", model)
    if "past_key_values" not in inspect.signature(body.forward).parameters:
        raise Unsupported(f"prefix tuning hands keys and values to the attention, and {type(body).__name__} takes none")
    settings = PrefixTuningConfig(
        num_virtual_tokens=config.tokens, prefix_projection=config.projection, encoder_hidden_size=config.inner
    )
    return attach_prompt(model, settings)


def count(shape: Shape, config: Config) -> int:
    """2 L l d_kv; with the projection, l d_kv for its input and its two layers."""
    width = shape.kv_heads * shape.head_dim
    out = 2 * shape.blocks * width
    if not config.projection:
        return config.tokens * out
    return config.tokens * width + (width + 1) * config.inner + (config.inner + 1) * out


def supports(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    if model_kind == "vision":
        return "a prefix stands before a text, and models for images read none"
    return "prefixes for encoder-decoder models are not implemented" if model_kind == "seq2seq" else None


METHOD = Method(
    name="prefix-tuning",
    family="prompt",
    paper=Paper(
        "Prefix-Tuning: Optimizing Continuous Prompts for Generation",
        "Li, Liang",
        2021,
        "https://arxiv.org/abs/2101.00190",
    ),
    formula="attention(q, [P_k; k], [P_v; v]) in every layer, P trains",
    backend="peft",
    # Not from the paper, which has no encoder; as in PEFT's example for RoBERTa.
    learning_rate=1e-2,
    config=Config,
    attach=attach,
    positions=lambda config: config.tokens,
    count=count,
    starts_at_base=False,
    supports=supports,
    search_space={"learning_rate": (1e-3, 3e-3, 1e-2, 3e-2), "tokens": (5, 20, 50)},
)
