"""Puts a method into a model, counts what that adds, and sets the precision of what is frozen."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from harness import adapter
from harness.model import seeded
from harness.shape import is_head
from methods.layers import trainable
from methods.spec import Method, Shape


def attach(model: nn.Module, method: Method, config: Any, shape: Shape, heads: tuple[str, ...], seed: int) -> nn.Module:
    """The model with the method in it, its draws from `seed`, its head free to train.

    Raises ValueError if the method finds nothing to adapt or would leave nothing of its own to train
    though its formula says that it trains something.
    """
    targets = getattr(config, "targets", None)
    sites = shape.sites if targets is None else shape.select(targets)
    if targets is not None and not sites:
        raise ValueError(
            f"the model has no layer of the roles {', '.join(targets)}; its roles: {', '.join(sorted({s.role for s in shape.sites}))}"
        )
    with seeded(seed):
        model = method.attach(model, sites, config)
    if method.count(shape, config) and not trainable(model):
        raise ValueError(f"{method.name} left nothing to train on this model")
    for name, parameter in model.named_parameters():
        if is_head(name, heads):
            parameter.requires_grad_(True)
    return model


def parameters(
    model: nn.Module, method: Method, config: Any, shape: Shape, heads: tuple[str, ...]
) -> dict[str, int | None]:
    """Numbers of values. `added`: in the tuned model beyond base and head; `stored`: in a saved adapter, head apart."""
    ours = trainable(model)
    head = sum(p.numel() for name, p in ours.items() if is_head(name, heads))
    stored = sum(t.numel() for name, t in adapter.state(model, method).items() if not is_head(name, heads))
    every = {id(p): p for name, p in model.named_parameters() if "original_module" not in name.split(".")}
    # A layer that keeps its weight packed says how many values that are.
    packed = {name: module.packed_values for name, module in model.named_modules() if hasattr(module, "packed_values")}
    known = dict(model.named_parameters())
    extra = sum(
        b.numel()
        for name, b in method.extra_state(model).items()
        if name not in known and name.rpartition(".")[0] not in packed
    )
    total = sum(p.numel() for p in every.values()) + extra + sum(packed.values())
    return {
        "trainable": sum(p.numel() for p in ours.values()) - head,
        "trainable_formula": method.count(shape, config),
        "head": head,
        "stored": stored,
        "added": total - shape.parameters - head,
        "total": total,
    }


def set_precision(model: nn.Module, precision: str) -> None:
    """bf16: frozen matrices are stored in bf16. Vectors stay as they are, since a norm wants weight and bias of one
    kind and either may train; what trains stays in float32."""
    if precision == "bf16":
        for parameter in model.parameters():
            if parameter.is_floating_point() and not parameter.requires_grad and parameter.ndim > 1:
                parameter.data = parameter.data.to(torch.bfloat16)
