"""What a model looks like to a method: its adaptable sites by module type and role, norms and sizes.

Roles come from where a linear layer stands, never from a list of model names, so that a model that
nobody registered is described as well. Works on the meta device.
"""

from __future__ import annotations

import re

from torch import nn

from methods.layers import is_norm
from methods.spec import ModelKind, Norm, Shape, Site

# (last parts of a module's path, role); the first that matches wins.
ROLES: tuple[tuple[str, str], ...] = (
    (r"(query|query_proj|q_proj|q_lin|q)", "query"),
    (r"(key|key_proj|k_proj|k_lin|k)", "key"),
    (r"(value|value_proj|v_proj|v_lin|v)", "value"),
    (r"(c_attn|qkv|qkv_proj|query_key_value|Wqkv|in_proj)", "qkv"),
    (r"(gate_proj|wi_0)", "gate"),
    (r"(?:attention|attn|crossattention|self_attn|self_attention|layer_attention)\.output\.dense", "output"),
    (r"(o_proj|out_proj|out_lin|o|Wo|proj)", "output"),
    (r"(?:attn|attention|self_attn)\.c_proj", "output"),
    (r"intermediate\.dense", "up"),
    (r"(up_proj|c_fc|fc1|lin1|wi|wi_1|Wi)", "up"),
    (r"(?:mlp|ffn|layer)?\.?(down_proj|c_proj|fc2|lin2|wo)", "down"),
    (r"output\.dense", "down"),
)
BLOCK = re.compile(r"(?:^|\.)(?:layer|layers|h|block|blocks)\.(\d+)\.")
CROSS = re.compile(r"crossattention|EncDecAttention|encoder_attn", re.IGNORECASE)
ENCODER_DECODER_KINDS = {"t5", "mt5", "bart", "mbart"}


def head_names(model: nn.Module) -> tuple[str, ...]:
    """Top-level children that hold the task head: none for a language model, whose head is its own."""
    name = type(model).__name__
    if not re.search(r"For(Sequence|Image|Token)Classification|ForMultipleChoice", name):
        return ()
    base = getattr(model, "base_model_prefix", "")
    return tuple(n for n, child in model.named_children() if n != base and any(True for _ in child.parameters()))


def is_head(parameter: str, heads: tuple[str, ...]) -> bool:
    """Whether a parameter's dotted path lies in a head, also after a wrapper put prefixes before it."""
    parts = parameter.split(".")
    return "original_module" not in parts and any(head in parts for head in heads)


def model_kind(model: nn.Module) -> ModelKind:
    """Raises ValueError for an architecture that is neither text nor image."""
    config = model.config
    if getattr(config, "is_encoder_decoder", False):
        return "seq2seq"
    if getattr(config, "image_size", None) and not getattr(config, "vocab_size", None):
        return "vision"
    causal = (
        any("Causal" in a for a in getattr(config, "architectures", None) or ()) or "Causal" in type(model).__name__
    )
    # Rotary and GPT-style bodies are causal also under a classification head.
    if causal or hasattr(config, "num_key_value_heads") or config.model_type in {"gpt2", "gpt_neox", "opt", "bloom"}:
        return "decoder"
    if getattr(config, "vocab_size", None):
        return "encoder"
    raise ValueError(f"{type(model).__name__}: neither a text nor an image model")


def linear_size(module: nn.Module) -> tuple[int, int] | None:
    """(d_in, d_out) of a linear map, GPT-2's transposed Conv1D included; None for any other module."""
    if isinstance(module, nn.Linear):
        return module.in_features, module.out_features
    if type(module).__name__ == "Conv1D" and hasattr(module, "nf"):
        return module.weight.shape[0], module.weight.shape[1]
    return None


def _site(name: str, module: nn.Module) -> Site | None:
    block = BLOCK.search(name)
    size = linear_size(module)
    if block is None or size is None:
        return None
    role = next((role for pattern, role in ROLES if re.search(rf"(?:^|\.){pattern}$", name)), None)
    if role is None:
        return None
    part = "ffn" if role in {"up", "gate", "down"} else "cross" if CROSS.search(name) else "attention"
    return Site(name, role, part, int(block.group(1)), *size, bias=getattr(module, "bias", None) is not None)


def describe(model: nn.Module) -> Shape:
    """The model's shape, head apart. Raises ValueError if it holds no adaptable linear layer."""
    heads = head_names(model)
    modules = [(n, m) for n, m in model.named_modules() if not any(h in n.split(".") for h in heads)]
    sites = tuple(s for s in (_site(n, m) for n, m in modules) if s is not None)
    if not sites:
        raise ValueError(f"{type(model).__name__}: no linear layer inside numbered blocks was found")
    norms = tuple(Norm(n, m.weight.numel(), getattr(m, "bias", None) is not None) for n, m in modules if is_norm(m))
    base = [(n, p) for n, p in model.named_parameters() if not is_head(n, heads)]
    config = model.config
    hidden = getattr(config, "hidden_size", None) or getattr(config, "d_model", None) or config.n_embd
    attention_heads = getattr(config, "num_attention_heads", None) or config.n_head
    up = next((s for s in sites if s.role == "up"), None)
    return Shape(
        kind=model_kind(model),
        hidden=hidden,
        blocks=len({(s.name.split(".")[0:2][-1], s.block) for s in sites})
        if config.model_type in ENCODER_DECODER_KINDS
        else len({s.block for s in sites}),
        heads=attention_heads,
        kv_heads=getattr(config, "num_key_value_heads", None) or attention_heads,
        head_dim=getattr(config, "head_dim", None) or hidden // attention_heads,
        ffn=up.d_out if up else 0,
        sites=sites,
        norms=norms,
        biases=sum(p.numel() for n, p in base if n.rsplit(".", 1)[-1] == "bias"),
        parameters=sum(p.numel() for _, p in base),
    )
