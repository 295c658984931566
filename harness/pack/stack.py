"""The tensors of K attached models: shared where they are the same, slices of one stack where they train or differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


class Unpackable(Exception):
    """These runs cannot train together; the message is the reason, and they are to be run one by one."""


@dataclass(frozen=True)
class Stack:
    """One tensor of every run: `whole` (K, ...), of which each run's own is a view; a smaller one has zeros behind it."""

    whole: torch.Tensor
    own: tuple[torch.Tensor, ...]

    def spread(self) -> None:
        """Gives each run's parameter its part of the gradient."""
        for at, tensor in enumerate(self.own):
            grad = self.whole.grad
            tensor.grad = None if grad is None else grad[at][_corner(tensor)]

    def gather(self) -> None:
        """Takes back the gradients that a run's method put in place of its part."""
        grad = self.whole.grad
        for at, tensor in enumerate(self.own):
            if grad is not None and tensor.grad is not None:
                part = grad[at][_corner(tensor)]
                if part.data_ptr() != tensor.grad.data_ptr():
                    part.copy_(tensor.grad)


def _corner(tensor: torch.Tensor) -> tuple[slice, ...]:
    return tuple(map(slice, tensor.shape))


def tensors(model: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and buffers under every name that they have."""
    named = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
    return dict(named)


def put(model: nn.Module, name: str, tensor: torch.Tensor) -> None:
    """Sets the parameter or buffer of that name to `tensor` itself."""
    owner_name, _, leaf = name.rpartition(".")
    owner = model.get_submodule(owner_name)
    held: dict[str, Any] = owner._parameters if leaf in owner._parameters else owner._buffers
    held[leaf] = tensor


def share(first: nn.Module, other: nn.Module) -> set[str]:
    """Makes `other` hold the very tensors of `first` that train in neither and are equal; gives the names of all others.

    Raises Unpackable if the two models do not have the same tensors, or train others of them.
    """
    ours, theirs = tensors(first), tensors(other)
    if ours.keys() != theirs.keys() or any(ours[n].requires_grad != theirs[n].requires_grad for n in ours):
        raise Unpackable("their models do not hold the same tensors")
    apart = set()
    for name, tensor in ours.items():
        twin = theirs[name]
        if tensor is twin and not tensor.requires_grad:
            continue
        if tensor.requires_grad or tensor.shape != twin.shape or not torch.equal(tensor, twin):
            apart.add(name)
        else:
            put(other, name, tensor)
    return apart


def stack(models: Sequence[nn.Module], names: set[str]) -> dict[str, Stack]:
    """The named tensors of the models, stacked; the models' own become views of the stacks. Names of one tensor share
    one stack."""
    found: dict[int, Stack] = {}
    stacks = {}
    every = [tensors(model) for model in models]
    for name in sorted(names):
        own = [held[name] for held in every]
        if id(own[0]) not in found:
            found[id(own[0])] = _stacked(own)
        stacks[name] = found[id(own[0])]
        for model, tensor in zip(models, stacks[name].own, strict=True):
            put(model, name, tensor)
    return stacks


def _stacked(own: Sequence[torch.Tensor]) -> Stack:
    """Parameters stay the objects that they are, so that whoever holds them follows; buffers become new views."""
    if len({tensor.ndim for tensor in own}) > 1:
        raise Unpackable("their models' tensors have different numbers of dimensions")
    largest = [max(sizes) for sizes in zip(*(tensor.shape for tensor in own), strict=True)]
    whole = own[0].new_zeros(len(own), *largest)
    views = []
    for at, tensor in enumerate(own):
        view = whole[at][_corner(tensor)]
        view.copy_(tensor.detach())
        if tensor.requires_grad:
            tensor.data = view
        views.append(tensor if tensor.requires_grad else view)
    return Stack(nn.Parameter(whole) if own[0].requires_grad else whole, tuple(views))
