"""Everything that can be reached from some objects, and what became of it since: the way a training's state is kept.

Methods keep state in parameters, buffers, attributes, closures, optimizers, generators and in objects of libraries. So
nothing is named: a first walk numbers all that there is, a later one finds what has changed and what is new. What is
written down are values and numbers of objects, no code: the same build is walked again and changed in place. Of what is
new only plain things can be made anew; anything else is Unsaved.
"""

from __future__ import annotations

import collections
import enum
import functools
import hashlib
import json
import logging
import random
import re
import types
import weakref
from collections.abc import Container, Iterable
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

CHUNK = 1 << 20
PLAIN = (bool, int, float, str, type(None))
DICTS = (dict, collections.OrderedDict)
FIXED = (
    type, types.ModuleType, types.MappingProxyType, enum.Enum, re.Pattern, property, PurePath, logging.Logger, weakref.ref,
    RemovableHandle, types.GetSetDescriptorType, types.WrapperDescriptorType, types.MethodWrapperType,
    types.MethodDescriptorType, types.CodeType, type(NotImplemented), type(...), torch.layout, torch.memory_format,
)  # fmt: skip
"""Kinds of objects without a state of their own that a step could change"""


class Unsaved(Exception):
    """A state that cannot be written down; the message says what of it."""


def kind_of(thing: Any) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


def checksum(tensor: torch.Tensor) -> int:
    """Of the bytes and their places; one changed value always changes it."""
    flat = tensor.detach().contiguous().view(-1)
    if not flat.numel():
        return 0
    if flat.is_complex():
        flat = torch.view_as_real(flat).reshape(-1)
    if flat.dtype == torch.bool or flat.element_size() == 1:
        flat = flat.view(torch.uint8)
    else:
        flat = flat.view({2: torch.int16, 4: torch.int32, 8: torch.int64}[flat.element_size()])
    total = 0
    for start in range(0, len(flat), CHUNK):
        part = flat[start : start + CHUNK].long()
        # Odd factors: a product with one is never lost modulo 2^64.
        factors = torch.arange(1, 2 * len(part), 2, device=part.device) * 0x9E3779B1
        total = (total * 6364136223846793005 + int((part * factors).sum())) % 2**64
    return total


class Walk:
    """One look at everything that can be reached. Objects of an earlier walk keep their numbers."""

    def __init__(self, roots: Iterable[Any], known: list[Any], transient: Container[int] = ()) -> None:
        """transient: ids of parameters whose gradients nobody reads any more.

        Raises Unsaved for what has a state that cannot be seen."""
        self.objects = list(known)
        self._numbers = {id(thing): number for number, thing in enumerate(known)}
        self._seen: set[int] = set()
        self._queue: collections.deque[int] = collections.deque()
        self._transient = transient
        self._owners: dict[int, int] = {}
        self._hooks: set[int] = set()
        for number, thing in enumerate(known):
            if isinstance(thing, torch.Tensor):
                self._owner(thing, number)
        self.contents: dict[int, Any] = {}
        self.roots = [self.value(root) for root in roots]
        while self._queue:
            number = self._queue.popleft()
            self.contents[number] = self._content(self.objects[number], number)

    def _number(self, thing: Any) -> int:
        number = self._numbers.get(id(thing))
        if number is None:
            number = self._numbers[id(thing)] = len(self.objects)
            self.objects.append(thing)
        if number not in self._seen:
            self._seen.add(number)
            self._queue.append(number)
        return number

    def value(self, thing: Any) -> Any:
        """As JSON says it: plain things as they are, lists for all else."""
        if type(thing) in PLAIN:
            return thing
        if isinstance(thing, torch.dtype | torch.device):
            return [type(thing).__name__, str(thing)]
        if type(thing) in (tuple, torch.Size):
            return ["tuple" if type(thing) is tuple else "size", [self.value(part) for part in thing]]
        if type(thing) is bytes:
            return ["bytes", thing.hex()]
        if type(thing) in (slice, range):
            return [type(thing).__name__, *map(self.value, (thing.start, thing.stop, thing.step))]
        if isinstance(thing, np.generic):
            return ["scalar", str(thing.dtype), thing.item()]
        return ["ref", self._number(thing)]

    def _members(self, things: Iterable[Any]) -> list[Any]:
        """Of a set, whose order differs from process to process."""
        found = []
        for thing in things:
            # Numbered by where it is met: only what has been met already has a number that says something.
            if type(thing) not in (*PLAIN, tuple) and id(thing) not in self._numbers:
                raise Unsaved(f"a set holds {kind_of(thing)}")
            found.append(self.value(thing))
        return sorted(found, key=json.dumps)

    def _owner(self, tensor: torch.Tensor, number: int) -> int:
        """Whose memory it uses."""
        if not tensor.numel() or tensor.layout != torch.strided or tensor.is_meta:
            return number
        return self._owners.setdefault(tensor.untyped_storage().data_ptr(), number)

    def _content(self, thing: Any, number: int) -> Any:
        if isinstance(thing, torch.Tensor):
            return self._tensor(thing, number)
        if isinstance(thing, np.ndarray):
            if thing.dtype.hasobject:
                raise Unsaved("an array of objects")
            return ["array", str(thing.dtype), list(thing.shape), hashlib.sha256(thing.tobytes()).hexdigest()]
        if type(thing) in (list, collections.deque):
            return [type(thing).__name__, [self.value(part) for part in thing]]
        if type(thing) in (set, frozenset):
            return [type(thing).__name__, self._members(thing)]
        if id(thing) in self._hooks:
            # Their keys are numbers of the process.
            return ["hooks", [self.value(hook) for hook in thing.values()]]
        if type(thing) in DICTS or type(thing) is collections.defaultdict:
            factory = getattr(thing, "default_factory", None)
            return [type(thing).__name__, self._items(thing), factory and getattr(factory, "__name__", "")]
        if isinstance(thing, torch.Generator):
            return ["generator", str(thing.device), thing.get_state().numpy().tobytes().hex()]
        if isinstance(thing, random.Random):
            return ["random", self.value(thing.getstate())]
        return self._code(thing) or self._object(thing)

    def _code(self, thing: Any) -> Any:
        """Functions and what they carry along; None for other things."""
        if isinstance(thing, types.FunctionType):
            held = (thing.__closure__ or (), thing.__defaults__, thing.__kwdefaults__, vars(thing))
            return ["function", *map(self.value, held)]
        if isinstance(thing, types.CellType):
            try:
                return ["cell", self.value(thing.cell_contents)]
            except ValueError:
                return ["cell"]
        if isinstance(thing, types.MethodType):
            return ["method", self.value(thing.__self__), self.value(thing.__func__)]
        if isinstance(thing, functools.partial):
            return ["partial", self.value(thing.func), self.value(thing.args), self.value(thing.keywords)]
        if isinstance(thing, types.BuiltinFunctionType):
            owner = thing.__self__
            known = owner is None or isinstance(owner, types.ModuleType | type)
            return ["builtin", thing.__name__, None if known else self.value(owner)]
        if isinstance(thing, FIXED):
            return ["fixed", str(thing) if isinstance(thing, enum.Enum | PurePath) else ""]
        return None

    def _object(self, thing: Any) -> Any:
        """Attributes, and the items of what derives from a dict or a list."""
        slots = slots_of(thing)
        if not hasattr(thing, "__dict__") and not slots and not isinstance(thing, dict | list | tuple):
            if type(thing) is object:
                return ["fixed", ""]
            raise Unsaved(f"nothing is known of the state of {kind_of(thing)}")
        attributes = [[name, self._attribute(name, value)] for name, value in vars_of(thing).items()]
        attributes += [[name, self._attribute(name, getattr(thing, name))] for name in slots]
        inside: Any = None
        if isinstance(thing, dict):
            inside = self._items(thing)
        elif isinstance(thing, list | tuple):
            inside = [self.value(part) for part in thing]
        return ["object", kind_of(thing), attributes, inside]

    def _attribute(self, name: str, value: Any) -> Any:
        if "hooks" in name and isinstance(value, dict):
            self._hooks.add(id(value))
        return self.value(value)

    def _items(self, thing: dict[Any, Any]) -> list[Any]:
        return [[self.value(key), self.value(value)] for key, value in thing.items()]

    def _tensor(self, tensor: torch.Tensor, number: int) -> Any:
        if tensor.layout != torch.strided or tensor.is_meta or type(tensor) not in (torch.Tensor, nn.Parameter):
            raise Unsaved(f"a tensor of the kind {kind_of(tensor)}, {tensor.layout}, on {tensor.device}")
        owner = self._owner(tensor, number)
        if owner != number:
            self._number(self.objects[owner])
        gradient = tensor.grad if tensor.is_leaf and id(tensor) not in self._transient else None
        details = {
            "parameter": isinstance(tensor, nn.Parameter),
            "dtype": str(tensor.dtype),
            "shape": list(tensor.shape),
            "stride": list(tensor.stride()),
            "device": str(tensor.device),
            "owner": owner,
            "offset": tensor.storage_offset() - self.objects[owner].storage_offset(),
            "sum": checksum(tensor),
            "free": tensor.requires_grad and tensor.is_leaf,
            "hooks": len(getattr(tensor, "_backward_hooks", None) or ()) if tensor.is_leaf else 0,
            "gradient": self.value(gradient),
            "attributes": [[name, self.value(value)] for name, value in vars(tensor).items()],
        }
        return ["tensor", details]


def vars_of(thing: Any) -> dict[str, Any]:
    return vars(thing) if hasattr(thing, "__dict__") else {}


def slots_of(thing: Any) -> list[str]:
    """Names of the attributes that it has outside of a dict."""
    names: list[str] = []
    for kind in type(thing).__mro__:
        own = vars(kind).get("__slots__", ())
        names += [own] if isinstance(own, str) else own
    return [name for name in names if name not in ("__dict__", "__weakref__") and hasattr(thing, name)]
