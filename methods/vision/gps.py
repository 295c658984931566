"""GPS: y = (W0 + S) x + b; in each row of W0, a neuron, the k weights of largest |gradient| train, and every b. The
gradient is that of a contrast between classes, before training: -log of the share that rows of the same class have in
exp(cos(f_i, f_j) / t), f what the new head reads.

Zhang et al. 2023, https://arxiv.org/abs/2312.10136, with its code's choices: norms, position and class tokens stay
frozen, the patch embedding's neurons count too. The authors contrast two augmented views of each picture; here a row
meets the other rows of its class, and those that have none in their batch are left out. Until the choice the first k
weights are taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrize

from methods.layers import freeze
from methods.linear import transposed
from methods.spec import Method, ModelKind, Paper, Shape, Site, TaskKind
from methods.vision._grid import patches_of


@dataclass(frozen=True)
class Config:
    k: int = 1
    """weights a neuron"""
    rows: int = 1000
    """training rows of which the gradient is taken; all of VTAB-1k's"""
    temperature: float = 0.07
    """t"""
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


class Selected(nn.Module):
    """W -> W + S, of which each row has k trained values at the columns `places`; a convolution's kernel is one row."""

    def __init__(self, weight: torch.Tensor, k: int, flipped: bool) -> None:
        super().__init__()
        self.flipped = flipped
        rows, width = self.as_rows(weight).shape
        if k > width:
            raise ValueError(f"GPS's k={k} is more than the {width} weights of a neuron; lower k")
        self.values = nn.Parameter(torch.zeros(rows, k, device=weight.device))
        self.register_buffer("places", torch.arange(k, device=weight.device).repeat(rows, 1))

    def as_rows(self, weight: torch.Tensor) -> torch.Tensor:
        return weight.T if self.flipped else weight.flatten(1)

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        changed = self.as_rows(weight).scatter_add(1, self.places, self.values.to(weight.dtype))
        return changed.T if self.flipped else changed.view(weight.shape)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises Unsupported for a vision model whose patches are not embedded by a convolution with a bias, ValueError if
    k is larger than a row."""
    freeze(model)
    for layer in patches_of(model) + [model.get_submodule(site.name) for site in sites]:
        parametrize.register_parametrization(
            layer, "weight", Selected(layer.weight.detach(), config.k, transposed(layer))
        )
        if layer.bias is not None:
            layer.bias.requires_grad_(True)
    return model


def count(shape: Shape, config: Config) -> int:
    """k + 1 values a neuron, k if it has no bias. Raises ValueError if k is larger than a row."""
    sites = shape.select(config.targets)
    narrow = min(site.d_in for site in sites)
    if config.k > narrow:
        raise ValueError(f"GPS's k={config.k} is more than the {narrow} weights of a neuron; lower k")
    patches = shape.hidden * (config.k + 1) if shape.kind == "vision" else 0
    return patches + sum(site.d_out * (config.k + (1 if site.bias else 0)) for site in sites)


def chosen(model: nn.Module) -> list[tuple[nn.Parameter, Selected]]:
    """(W0, where its trained values lie) of each layer that was changed"""
    lists = [module for module in model.modules() if isinstance(module, parametrize.ParametrizationList)]
    return [(found.original, found[0]) for found in lists if isinstance(found[0], Selected)]


def features(model: nn.Module, part: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """What the new head reads, (rows, width); of a text's tokens the first."""
    kept: list[torch.Tensor] = []
    heads = [child for name, child in model.named_children() if name != model.base_model_prefix]
    head = next(head for head in heads if any(True for _ in head.parameters()))
    handle = head.register_forward_pre_hook(lambda module, args: kept.append(args[0]))
    try:
        model(**{name: value for name, value in part.items() if name != "labels"})
    finally:
        handle.remove()
    return kept[0] if kept[0].ndim == 2 else kept[0][:, 0]


def contrast(features: torch.Tensor, labels: torch.Tensor, temperature: float) -> torch.Tensor | None:
    """The mean over rows of -log of the share of a row of the same class; None if no class has two rows."""
    self_mask = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    same = (labels[:, None] == labels) & ~self_mask
    if not same.any():
        return None
    unit = functional.normalize(features.float(), dim=1)
    logs = (unit @ unit.T / temperature).masked_fill(self_mask, -torch.inf).log_softmax(1).masked_fill(~same, 0.0)
    alike = same.sum(1)
    return -(logs.sum(1)[alike > 0] / alike[alike > 0]).mean()


def calibrate(model: nn.Module, batches: Iterable[Mapping[str, torch.Tensor]], config: Config) -> None:
    """Raises ValueError if no batch holds two rows of one class."""
    free = [parameter for parameter in model.parameters() if parameter.requires_grad]
    freeze(model)
    layers, rows, met = chosen(model), config.rows, False
    for original, _ in layers:
        original.requires_grad_(True)
    for batch in batches:
        part = {name: value[:rows] for name, value in batch.items()}
        rows -= len(part["labels"])
        loss = contrast(features(model, part), part["labels"], config.temperature)
        if loss is not None:
            loss.backward()
            met = True
        if rows <= 0:
            break
    if not met:
        raise ValueError(
            "GPS contrasts rows of one class, and no batch of the first rows has two; raise the batch size"
        )
    for original, selected in layers:
        selected.places.copy_(selected.as_rows(original.grad).abs().topk(config.k, dim=1).indices)
        original.grad = None
    freeze(model)
    for parameter in free:
        parameter.requires_grad_(True)


@torch.no_grad()
def merge(model: nn.Module) -> nn.Module:
    for layer in [module for module in model.modules() if parametrize.is_parametrized(module, "weight")]:
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
    return model


def extra_state(model: nn.Module) -> Mapping[str, torch.Tensor]:
    inside = [name for name, module in model.named_modules() if isinstance(module, Selected)]
    return {f"{name}.places": model.get_submodule(name).places for name in inside}


def supports(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    if model_kind in {"encoder", "vision"} and task_kind in {"classify", "image"}:
        return None
    return "it chooses weights by contrasting classes in what an encoder hands to its new head"


METHOD = Method(
    name="gps",
    family="vision",
    paper=Paper(
        "Gradient-based Parameter Selection for Efficient Fine-Tuning",
        "Zhang, Zhang, Gao, Zhang, Shutova, Zhou, Zhang",
        2023,
        "https://arxiv.org/abs/2312.10136",
    ),
    formula="y = (W0 + S) x + b, S trained where |gradient| is largest in each row, b trains",
    backend="native",
    learning_rate=2e-3,
    config=Config,
    attach=attach,
    count=count,
    calibrate=calibrate,
    merge=merge,
    extra_state=extra_state,
    supports=supports,
    search_space={"learning_rate": (5e-4, 1e-3, 2e-3, 5e-3, 1e-2), "k": (1, 2, 5)},
)
