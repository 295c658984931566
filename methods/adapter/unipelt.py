"""UniPELT: three methods in every block, each under a gate of its own that is read off the text: a LoRA on query and value,
y = W x + g_L B (A x); a prefix, attention(q, [g_P P_k; k], [g_P P_v; v]); a series adapter, y = LN(s + g_A W_up relu(W_down
LN(s))). g = sigmoid(w z + c), averaged over a text's tokens, z what the gated module reads.

Mao et al. 2021, https://arxiv.org/abs/2110.07577. As in the authors' code g_L takes the place of alpha / r, query and value have
a gate each, r = 8, l = 10 and the adapter is a sixteenth of the width. There the average runs over padding too, so that a
text's gates depend on the longest one beside it; here it runs over the text's own tokens. The authors train the prefix
through a network of two layers: `projection`, off here as for `prefix-tuning`. Their further variant with BitFit is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from methods.prompt._prefix import attach_prefix, count_prefix, supports_prefix
from methods.spec import Method, ModelKind, Paper, Shape, Site, TaskKind

if TYPE_CHECKING:
    from torch import nn

QUERY_VALUE = {"query", "value", "qkv"}


@dataclass(frozen=True)
class Config:
    tokens: int = 10
    """l"""
    r: int = 8
    reduction: int = 16
    """hidden width over the adapter's"""
    projection: bool = False
    inner: int = 512
    """width of the network that projects the prefix"""


def _see(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], texts: dict[str, Any]) -> None:
    texts["mask"] = args[1] if len(args) > 1 else kwargs.get("attention_mask")


def _scale_prefix(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """The prefix is all that an attention's keys and values hold before the text adds its own."""
    cache = kwargs.get("past_key_values")
    if cache is not None:
        own = getattr(cache, "self_attention_cache", cache).layers[module.layer_idx]
        gate = module.prefix_gate(args[0] if args else kwargs["hidden_states"])[..., None]
        own.keys, own.values = own.keys * gate.to(own.keys.dtype), own.values * gate.to(own.values.dtype)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises Unsupported for a model whose attention takes no given keys and values, or without a feed-forward."""
    from torch import nn
    from torch.nn import init

    from methods.adapter._gated import Gate, GatedBottleneck, GatedLora
    from methods.adapter.series_adapter import INITIAL_STD, last_layers, stand_after
    from methods.layers import replace

    wrapped = attach_prefix(model, config)
    texts: dict[str, Any] = {}
    wrapped.register_forward_pre_hook(partial(_see, texts=texts), with_kwargs=True)
    draw = partial(init.normal_, std=INITIAL_STD)
    for site in last_layers(sites):
        like = model.get_submodule(site.name).weight
        inner = max(1, site.d_out // config.reduction)
        stand_after(model, site, GatedBottleneck(site.d_out, inner, nn.functional.relu, draw, like, texts))
    for site in [site for site in sites if site.role in {"key", "qkv"} and site.part == "attention"]:
        owner = model.get_submodule(site.name.rpartition(".")[0])
        owner.prefix_gate = Gate(site.d_in, model.get_submodule(site.name).weight, texts)
        owner.register_forward_pre_hook(_scale_prefix, with_kwargs=True)
    for site in _query_value(sites):
        replace(model, site.name, GatedLora(model.get_submodule(site.name), config.r, texts))
    return wrapped


def _query_value(sites: tuple[Site, ...]) -> list[Site]:
    return [site for site in sites if site.role in QUERY_VALUE and site.part == "attention"]


def count(shape: Shape, config: Config) -> int:
    """The prefix, r (d_in + d_out) a LoRA and 2 d m + d + m an adapter, each with a gate of d + 1; as many a block's prefix."""
    loras = sum(config.r * (site.d_in + site.d_out) + site.d_in + 1 for site in _query_value(shape.sites))
    prefixes = sum(s.d_in + 1 for s in shape.sites if s.role in {"key", "qkv"} and s.part == "attention")
    adapters = 0
    for site in shape.select(("down",)):
        m = max(1, site.d_out // config.reduction)
        adapters += 2 * site.d_out * m + site.d_out + m + site.d_out + 1
    return count_prefix(shape, config) + loras + prefixes + adapters


def supports(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    if task_kind in {"generate", "choice"}:
        return (
            "its gates average over a whole text, of which a language model may only see what stands before each word"
        )
    return supports_prefix(model_kind, task_kind)


METHOD = Method(
    name="unipelt",
    family="adapter",
    paper=Paper(
        "UniPELT: A Unified Framework for Parameter-Efficient Language Model Tuning",
        "Mao, Mathias, Hou, Almahairi, Ma, Han, Yih, Khabsa",
        2021,
        "https://arxiv.org/abs/2110.07577",
    ),
    formula="LoRA, prefix and series adapter in every block, each times a gate mean_t sigmoid(w z_t + c)",
    backend="peft",
    # Neither the paper's nor its code's was found; LoRA's usual one.
    learning_rate=5e-4,
    config=Config,
    attach=attach,
    positions=lambda config: config.tokens,
    count=count,
    starts_at_base=False,
    supports=supports,
    search_space={"learning_rate": (1e-4, 2e-4, 5e-4, 1e-3, 3e-3), "tokens": (5, 10, 20), "r": (4, 8)},
)
