"""What LoRA layers see and would be told to change on some batches, for initialisations that start from data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import nn

from methods.linear import matrix, transposed
from methods.peft_backend import NAME, tuner_of

Batches = Iterable[Mapping[str, torch.Tensor]]


def layers(model: nn.Module) -> dict[str, nn.Module]:
    """Name -> PEFT's LoRA layer."""
    return {name: model.get_submodule(name) for name in tuner_of(model).targeted_module_names}


def moments(model: nn.Module, batches: Batches, scaled: bool = False) -> dict[str, torch.Tensor]:
    """Layer's name -> mean over the batches of X'X, (d_in, d_in) float32, X the layer's inputs but for padding.

    `scaled` divides each X by its largest entry first.
    """
    found: dict[str, torch.Tensor] = {}
    seen, real = 0, None

    def keep(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
            x = given[0].float()
            x = x[real.bool()] if real is not None and real.shape == x.shape[:-1] else x.flatten(0, -2)
            if scaled:
                x = x / x.max().abs()
            # Within a forward pass in bf16 this product would be in bf16 too.
            with torch.autocast(x.device.type, enabled=False):
                gram = x.T @ x
            found[name] = found[name] + gram if name in found else gram

        return hook

    handles = [layer.base_layer.register_forward_pre_hook(keep(name)) for name, layer in layers(model).items()]
    model.eval()
    with torch.no_grad():
        for batch in batches:
            seen, real = seen + 1, batch.get("attention_mask")
            model(**{name: value for name, value in batch.items() if name != "labels"})
    for handle in handles:
        handle.remove()
    return {name: total / seen for name, total in found.items()}


def gradients(model: nn.Module, batches: Batches) -> dict[str, torch.Tensor]:
    """Layer's name -> mean gradient of the loss by W0, (d_out, d_in) float32. Nothing else gets one."""
    free = {p for p in model.parameters() if p.requires_grad}
    weights = {name: layer.base_layer.weight for name, layer in layers(model).items()}
    model.eval()
    model.requires_grad_(False)
    for weight in weights.values():
        weight.requires_grad_(True)
    seen = 0
    for batch in batches:
        seen += 1
        with torch.enable_grad():
            model(**batch).loss.backward()
    found = {name: weight.grad.float() / seen for name, weight in weights.items() if weight.grad is not None}
    for parameter in model.parameters():
        parameter.grad = None
        parameter.requires_grad_(parameter in free)
    return {name: grad.T if transposed(layers(model)[name].base_layer) else grad for name, grad in found.items()}


@torch.no_grad()
def start_at(layer: nn.Module, a: torch.Tensor, b: torch.Tensor) -> None:
    """A and B of the LoRA layer; W0 loses what they add, so that the layer's output stays."""
    layer.lora_A[NAME].weight.copy_(a)
    layer.lora_B[NAME].weight.copy_(b)
    matrix(layer.base_layer).sub_(layer.scaling[NAME] * layer.lora_B[NAME].weight @ layer.lora_A[NAME].weight)


def base_weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """By state_dict name: without these, A and B that were trained from data would be added to another base."""
    return {f"{name}.base_layer.weight": layer.base_layer.weight.detach() for name, layer in layers(model).items()}
