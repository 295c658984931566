"""X-LoRA: y = W0 x + (alpha / r) sum_e g_e B_e (A_e x); g, softmax over the experts for each token and each adapted layer, is
read by one network off the last hidden state of a first pass through the model without its experts.

Buehler & Buehler 2024, https://arxiv.org/abs/2402.07148. The paper's experts are LoRAs that were trained before, each on a field
of its own, and stay frozen. A single task has none, so here they are new LoRAs that train together with the gate: what the
authors' code calls trainable adapters. Of the gate, one layer and weights of each adapted layer's own as in the models that
the authors released, no gradient through the first pass, dropout between the layers of a deeper one. Rank and rate are ours.
Not PEFT's, which takes its experts from saved adapters only. Every pass through the model is two.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from methods.linear import Adapted, adapt, as_lora_draws, lifted
from methods.spec import Method, ModelKind, Paper, Shape, Site, TaskKind


@dataclass(frozen=True)
class Config:
    experts: int = 4
    r: int = 8
    alpha: int = 16
    """an expert's update is scaled by alpha / r"""
    depth: int = 1
    """layers of the gate"""
    inner: int = 2048
    """width of the gate's inner layers"""
    gate_dropout: float = 0.2
    layerwise: bool = True
    """whether every adapted layer has weights of its own"""
    targets: tuple[str, ...] = ("query", "value")

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise ValueError(f"X-LoRA's depth={self.depth}: the gate has at least one layer")


def widths(hidden: int, layers: int, config: Config) -> list[int]:
    """of what goes into the gate's layers and comes out of the last"""
    return [hidden, *[config.inner] * (config.depth - 1), config.experts * (layers if config.layerwise else 1)]


class Gate(nn.Module):
    """hidden (rows, tokens, d) -> g (rows, tokens, layers or 1, experts), kept in `shares` for the second pass"""

    def __init__(self, hidden: int, layers: int, config: Config, like: torch.Tensor) -> None:
        super().__init__()
        self.config, self.shares = config, None
        steps: list[nn.Module] = []
        sizes = widths(hidden, layers, config)
        for d_in, d_out in zip(sizes[:-2], sizes[1:-1], strict=True):
            steps += [nn.Linear(d_in, d_out, device=like.device), nn.ReLU(), nn.Dropout(config.gate_dropout)]
        self.net = nn.Sequential(*steps, nn.Linear(*sizes[-2:], device=like.device))

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.net(lifted(hidden)).unflatten(-1, (-1, self.config.experts)).softmax(-1, dtype=torch.float32)


class Experts(Adapted):
    def __init__(self, base: nn.Module, config: Config, gate: Gate, at: int) -> None:
        super().__init__(base)
        # Past nn.Module's bookkeeping: the gate belongs to the model.
        self.__dict__["gate"], self.at = gate, at if config.layerwise else 0
        self.scale = config.alpha / config.r
        drawn = as_lora_draws(self.empty(config.experts * config.r, self.d_in))
        self.A = nn.Parameter(drawn.unflatten(0, (config.experts, config.r)))
        self.B = self.trained(config.experts, self.d_out, config.r)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.base(x) if self.gate.shares is None else super().forward(x)

    def update(self, x: torch.Tensor) -> torch.Tensor:
        inner = nn.functional.linear(x, self.A.flatten(0, 1)).unflatten(-1, self.A.shape[:2])
        weighed = self.gate.shares[..., self.at, :, None].to(inner.dtype) * inner
        wide = self.B.transpose(0, 1).flatten(1)
        return nn.functional.linear(weighed.flatten(-2), wide) * self.scale


def first_cache(cache: Any) -> Any:
    """The keys and values of the first pass beside those of the second, put in order with them."""
    if cache is None:
        return None
    if not hasattr(cache, "first_pass"):
        from transformers.cache_utils import DynamicCache

        cache.first_pass, reorder = DynamicCache(), cache.reorder_cache

        def both(rows: torch.Tensor) -> None:
            reorder(rows)
            cache.first_pass.reorder_cache(rows)

        cache.reorder_cache = both
    return cache.first_pass


def _look(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    body = model.base_model
    known = inspect.signature(body.forward).parameters
    given = dict(zip(inspect.signature(model.forward).parameters, args, strict=False)) | kwargs
    given = {name: value for name, value in given.items() if name in known}
    if "past_key_values" in known:
        cache = first_cache(given.get("past_key_values"))
        given |= {"past_key_values": cache, "use_cache": cache is not None}
    model.xlora.shares = None
    with torch.no_grad():
        hidden = body(**given).last_hidden_state
    model.xlora.shares = model.xlora(hidden)


def _forget(model: nn.Module, args: Any, output: Any) -> None:
    # A recomputed block looks at them once more.
    if not getattr(model, "is_activation_checkpointing", False):
        model.xlora.shares = None


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    like, at = model.get_submodule(sites[0].name).weight, iter(range(len(sites)))
    gate = Gate(model.config.hidden_size, len(sites), config, like)
    adapt(model, sites, lambda base: Experts(base, config, gate, next(at)))
    model.xlora = gate
    model.register_forward_pre_hook(_look, with_kwargs=True)
    model.register_forward_hook(_forget)
    return model


def count(shape: Shape, config: Config) -> int:
    """E r (d_in + d_out) values a matrix, and the gate's layers with their biases."""
    sites = shape.select(config.targets)
    sizes = widths(shape.hidden, len(sites), config)
    gate = sum((d_in + 1) * d_out for d_in, d_out in zip(sizes[:-1], sizes[1:], strict=True))
    return gate + sum(config.experts * config.r * (site.d_in + site.d_out) for site in sites)


def supports(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    return "a gate over an encoder-decoder's two sequences is not implemented" if model_kind == "seq2seq" else None


METHOD = Method(
    name="x-lora",
    family="mixture",
    paper=Paper(
        "X-LoRA: Mixture of Low-Rank Adapter Experts, a Flexible Framework for Large Language Models with Applications in Protein Mechanics and Molecular Design",
        "Buehler, Buehler",
        2024,
        "https://arxiv.org/abs/2402.07148",
    ),
    formula="y = W0 x + (alpha / r) sum_e softmax(gate(h))_e B_e A_e x, h the last hidden state of a first pass",
    backend="native",
    # Not from the paper; LoRA's.
    learning_rate=4e-4,
    aliases=("xlora",),
    config=Config,
    attach=attach,
    count=count,
    supports=supports,
    search_space={"learning_rate": (1e-4, 4e-4, 1e-3, 3e-3), "experts": (2, 4, 8), "depth": (1, 2)},
)
