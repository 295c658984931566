"""Bytes alive by category, from every tensor operation of a step: the same figures on any device, and on fake tensors.

A storage lives from the operation that made it until nothing refers to it. What it was is settled at the end, from what
it became: a gradient, a state of the optimizer, an activation kept from the forward pass for the backward pass, or a
temporary. Not in it: a device's context, the allocator's rounding and caching, workspaces inside a library's kernels.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

See = Callable[[Any, Any, Any, Any], None]
ASKS_DEVICE = torch.ops.prim.device.default
CATEGORIES = ("weights", "trainable", "gradients", "optimizer", "activations", "temporaries")


@dataclass
class Life:
    """A storage: its size and when, counted in allocations and releases, it came and went."""

    size: int
    born: int
    died: int | None = None
    category: str = "temporaries"


@dataclass
class Account:
    """Bytes alive at the moment when most were, by category, and their sum."""

    total: int
    parts: dict[str, int] = field(default_factory=dict)


class Tracker(TorchDispatchMode):
    """Follows storages while it is entered. The caller says when a phase begins or ends: `step_begins`, `forward_done`,
    `backward_done`, `step_done`. Storages that existed before count as `weights` or `trainable` if `model` owns them, else not at all."""

    def __init__(self, model: nn.Module, inputs: Iterable[Any] = (), see: See | None = None) -> None:
        """`see(func, args, kwargs, out)` is told of every operation as well."""
        super().__init__()
        self._told = see
        self.lives: list[Life] = []
        self._alive: dict[int, Life] = {}
        self._keep: dict[int, Any] = {}
        self._time = self._begun = 0
        for tensor in (*model.parameters(), *model.buffers()):
            life = self._see(tensor)
            if life is not None:
                life.category = "trainable" if tensor.requires_grad else "weights"
        for tensor in tree_iter(list(inputs)):
            if isinstance(tensor, torch.Tensor) and (life := self._see(tensor)) is not None:
                life.category = "activations"

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # A step is not compiled; torch's guard against that would take longer than what is done here.
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if func is ASKS_DEVICE:  # two of three calls on fake tensors
            return out
        if self._told is not None:
            self._told(func, args, kwargs, out)
        for tensor in tree_iter(out):
            if isinstance(tensor, torch.Tensor):
                self._see(tensor)
        return out

    def _see(self, tensor: torch.Tensor) -> Life | None:
        """Notes a storage that is new; None if it is known."""
        storage = tensor.untyped_storage()
        name = storage._cdata
        if name in self._alive:
            return None
        self._time += 1
        life = Life(storage.nbytes(), self._time)
        self.lives.append(life)
        self._alive[name] = life
        self._keep[name] = weakref.ref(storage, lambda _, name=name: self._gone(name))
        return life

    def _gone(self, name: int) -> None:
        life = self._alive.pop(name, None)
        self._keep.pop(name, None)
        if life is not None:
            self._time += 1
            life.died = self._time

    def _mark(self, tensors: Iterable[torch.Tensor], category: str) -> None:
        for tensor in tensors:
            life = self._alive.get(tensor.untyped_storage()._cdata)
            if life is not None and life.category == "temporaries":
                life.category = category

    def step_begins(self, tokens: int) -> None:
        """The account is of the step that began last: the first one lacks the optimizer's state."""
        self._begun = self._time

    def forward_done(self) -> None:
        """What the forward pass made and is still there is kept for the backward pass."""
        for life in self._alive.values():
            if life.category == "temporaries":
                life.category = "activations"

    def backward_done(self, model: nn.Module) -> None:
        self._mark((p.grad for p in model.parameters() if p.grad is not None), "gradients")

    def step_done(self, optimizer: torch.optim.Optimizer) -> None:
        self._mark((t for t in tree_iter(dict(optimizer.state)) if isinstance(t, torch.Tensor)), "optimizer")

    def account(self) -> Account:
        """The moment of most bytes since the last step began."""
        events = sorted(
            [(life.born, life.size, life) for life in self.lives]
            + [(life.died, -life.size, life) for life in self.lives if life.died is not None],
            key=lambda event: event[0],
        )
        now = most = at = 0
        for time, size, _ in events:
            now += size
            if time > self._begun and now > most:
                most, at = now, time
        parts = dict.fromkeys(CATEGORIES, 0)
        for life in self.lives:
            if life.born <= at and (life.died is None or life.died > at):
                parts[life.category] += life.size
        return Account(most, parts)


def accounted(tracker: Tracker) -> dict[str, float | int | None]:
    """As a record holds it: {accounted_peak_bytes, accounted_<category>_bytes}."""
    found = tracker.account()
    return {"accounted_peak_bytes": found.total} | {
        f"accounted_{name}_bytes": size for name, size in found.parts.items()
    }
