"""What a tuned model is beyond its base: the tensors that a reload needs, as a safetensors file."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from methods.layers import trainable
from methods.spec import Method


def state(model: nn.Module, method: Method) -> dict[str, torch.Tensor]:
    """Trainable tensors (the head's too) and the method's extra ones, by state_dict name."""
    return {name: p.detach() for name, p in trainable(model).items()} | dict(method.extra_state(model))


def save(model: nn.Module, method: Method, path: Path) -> None:
    from safetensors.torch import save_file

    save_file({name: t.contiguous().cpu().clone() for name, t in state(model, method).items()}, path)


def load(model: nn.Module, path: Path) -> None:
    """Puts saved tensors into a model to which the same method was attached with the same seed.

    Raises KeyError naming the first tensor that the model does not have.
    """
    from safetensors.torch import load_file

    saved = load_file(path)
    own = model.state_dict()
    for name in saved:
        if name not in own:
            raise KeyError(f"{path.name} holds {name}, which this model does not have")
    model.load_state_dict(saved, strict=False)
