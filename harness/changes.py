"""What became of a build since its start, taken down and put into another build of the same run."""

from __future__ import annotations

import collections
import functools
import hashlib
import json
import random
import types
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from harness.graph import DICTS, Unsaved, Walk, kind_of

KEPT = frozenset(
    {"list", "deque", "dict", "OrderedDict", "defaultdict", "set", "tensor", "array", "generator", "random"}
)
"""What can be changed in place, and made anew"""
CHANGED = KEPT | {"object", "cell"}
MADE = KEPT | {"frozenset", "method", "partial"}
EMPTY: Mapping[str, type] = {kind.__name__: kind for kind in (list, set, collections.deque, *DICTS)}
FACTORIES: Mapping[str, type] = {kind.__name__: kind for kind in (dict, list, set, int, float)}


class Changes(NamedTuple):
    """What became of a build; all but `data` is JSON."""

    rest: str
    """of what did not change"""
    contents: dict[int, Any]
    """by number: of what changed and of what is new"""
    data: dict[str, torch.Tensor]
    """of tensors and arrays, by number; may share memory with the build"""


def digest(content: Any) -> bytes:
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=16).digest()


class Base:
    """What there is before the first step, as every build of the same run has it."""

    def __init__(self, roots: Iterable[Any], transient: Callable[[], Container[int]] = frozenset) -> None:
        """transient: ids of the parameters whose gradients nobody reads after a step. Raises Unsaved."""
        self.roots, self.transient = list(roots), transient
        walk = Walk(self.roots, [], transient())
        self.objects = walk.objects
        self._kinds = {kind_of(thing) for thing in self.objects if _is_ordinary(thing)}
        self._digests = {number: digest(content) for number, content in walk.contents.items()}
        self._hooks = {n: c[1]["hooks"] for n, c in walk.contents.items() if c[0] == "tensor"}

    def changes(self) -> Changes:
        """Raises Unsaved."""
        walk = Walk(self.roots, self.objects, self.transient())
        found = {n: c for n, c in walk.contents.items() if self._digests.get(n) != digest(c)}
        data: dict[str, torch.Tensor] = {}
        for number, content in found.items():
            thing, known = walk.objects[number], number < len(self.objects)
            again = content[0] == "object" and _is_ordinary(thing) and kind_of(thing) in self._kinds
            if content[0] not in (CHANGED if known else MADE) and not again:
                raise Unsaved(f"{kind_of(thing)} ({content[0]}) {'was changed' if known else 'was made in a step'}")
            if content[0] == "tensor":
                if content[1]["hooks"] != self._hooks.get(number, 0):
                    raise Unsaved("a hook of a tensor came or went")
                data[str(number)] = _values(thing, walk.objects[content[1]["owner"]], known)
            elif content[0] == "array":
                data[str(number)] = torch.from_numpy(thing.copy())
        return Changes(self._rest(found), found, data)

    def _rest(self, changed: Container[int]) -> str:
        """Two builds that agree in it differ in nothing but what was changed."""
        whole = hashlib.sha256(str(len(self.objects)).encode())
        for number, found in sorted(self._digests.items()):
            if number not in changed:
                whole.update(number.to_bytes(8, "big") + found)
        return whole.hexdigest()

    def fits(self, changes: Changes) -> bool:
        """Whether they are those of the same build."""
        return changes.rest == self._rest(changes.contents)

    def apply(self, changes: Changes) -> None:
        """Puts the changes into this build, which `fits` them and has made no step yet. A ValueError, KeyError or
        TypeError says that they are broken, and leaves the build unfit for use."""
        _Apply(self.objects, changes)


def _is_ordinary(thing: Any) -> bool:
    """Whether another of its kind can be made without running any code of that kind."""
    return hasattr(thing, "__dict__") and type(thing).__new__ is object.__new__


def _values(tensor: torch.Tensor, owner: torch.Tensor, known: bool) -> torch.Tensor:
    """Of a tensor, contiguous. Raises Unsaved for a new one that looks into memory of which its owner shows only a part."""
    if owner is not tensor and not known:
        span = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
        first = tensor.storage_offset() - owner.storage_offset()
        if tensor.dtype != owner.dtype or not owner.is_contiguous() or first < 0 or first + span >= owner.numel():
            raise Unsaved("a tensor shares a part of another's memory")
    found = tensor.detach()
    found = torch.view_as_real(found) if found.is_complex() else found
    return found.clone(memory_format=torch.contiguous_format) if owner is not tensor else found.contiguous()


class _Apply:
    """Tensors first, then what holds them."""

    def __init__(self, objects: list[Any], changes: Changes) -> None:
        self.objects: dict[int, Any] = dict(enumerate(objects))
        self.contents, self.data, known = changes.contents, changes.data, len(objects)
        self.kinds = {kind_of(thing): type(thing) for thing in objects if _is_ordinary(thing)}
        with torch.no_grad():
            for number in sorted(self.contents):
                if number >= known:
                    self.thing(number)
                elif self.contents[number][0] == "tensor":
                    self._renew(number)
            for number in sorted(self.contents):
                self._fill(number, *self.contents[number])

    def thing(self, number: int) -> Any:
        if number not in self.objects:
            self.objects[number] = self._made(number, *self.contents[number])
        return self.objects[number]

    def value(self, told: Any) -> Any:
        if not isinstance(told, list):
            return told
        kind, *rest = told
        if kind == "ref":
            return self.thing(rest[0])
        if kind in ("tuple", "size"):
            parts = tuple(map(self.value, rest[0]))
            return parts if kind == "tuple" else torch.Size(parts)
        if kind in ("slice", "range"):
            return {"slice": slice, "range": range}[kind](*map(self.value, rest))
        if kind == "bytes":
            return bytes.fromhex(rest[0])
        if kind == "scalar":
            return np.dtype(rest[0]).type(rest[1])
        if kind == "device":
            return torch.device(rest[0])
        if kind == "dtype":
            return _dtype(rest[0])
        raise ValueError(f"no such value: {kind!r}")

    def _made(self, number: int, kind: str, *told: Any) -> Any:
        """A new thing, still empty if it is one to be filled."""
        if kind == "tensor":
            return self._tensor(number, told[0])
        if kind == "array":
            return self.data[str(number)].numpy().copy()
        if kind == "defaultdict":
            return collections.defaultdict(FACTORIES.get(told[1]))
        if kind == "object":
            return object.__new__(self.kinds[told[0]])
        if kind == "generator":
            return torch.Generator(told[0])
        if kind == "random":
            return random.Random()
        if kind == "frozenset":
            return frozenset(map(self.value, told[0]))
        if kind == "method":
            return types.MethodType(self.value(told[1]), self.value(told[0]))
        if kind == "partial":
            return functools.partial(self.value(told[0]), *self.value(told[1]), **self._unfilled(told[2]))
        return EMPTY[kind]()

    def _unfilled(self, told: Any) -> dict[str, Any]:
        """The dict of that number, which may not have been filled yet."""
        found = self.contents.get(told[1])
        return {k: self.value(v) for k, v in found[1]} if found else self.thing(told[1])

    def _tensor(self, number: int, told: Any) -> torch.Tensor:
        """With its values; what has an owner looks into that one's memory."""
        if told["owner"] != number:
            owner = self.thing(told["owner"])
            found = owner.detach().as_strided(told["shape"], told["stride"], owner.storage_offset() + told["offset"])
        else:
            kind = _dtype(told["dtype"])
            found = torch.empty_strided(told["shape"], told["stride"], dtype=kind, device=told["device"])
        found.copy_(self._values(number, found))
        return nn.Parameter(found, requires_grad=told["free"]) if told["parameter"] else found

    def _values(self, number: int, like: torch.Tensor) -> torch.Tensor:
        found = self.data[str(number)]
        return torch.view_as_complex(found) if like.is_complex() else found

    def _renew(self, number: int) -> None:
        """Values of a tensor of the build, in place where it is laid out as it was."""
        tensor, told = self.objects[number], self.contents[number][1]
        before = [str(tensor.dtype), list(tensor.shape), list(tensor.stride()), str(tensor.device)]
        if before == [told["dtype"], told["shape"], told["stride"], told["device"]]:
            tensor.detach().copy_(self._values(number, tensor))
        else:
            tensor.data = self._tensor(number, told | {"parameter": False})

    def _fill(self, number: int, kind: str, *told: Any) -> None:
        thing = self.objects[number]
        if kind == "tensor":
            if thing.is_leaf:
                thing.requires_grad_(told[0]["free"])
                thing.grad = self.value(told[0]["gradient"])
            vars(thing).update({name: self.value(value) for name, value in told[0]["attributes"]})
        elif kind == "generator":
            thing.set_state(torch.frombuffer(bytearray.fromhex(told[1]), dtype=torch.uint8))
        elif kind == "random":
            thing.setstate(self.value(told[0]))
        elif kind == "array":
            thing[...] = self.data[str(number)].numpy()
        elif kind == "cell":
            thing.cell_contents = self.value(told[0])
        elif kind == "object":
            self._fill_object(thing, told[1], told[2])
        elif kind not in ("frozenset", "method", "partial"):
            self._fill_items(thing, told[0])

    def _fill_items(self, thing: Any, told: list[Any]) -> None:
        found = [self.value(part) for part in told] if not isinstance(thing, dict) else None
        pairs = [(self.value(key), self.value(value)) for key, value in told] if found is None else []
        thing.clear()
        if found is None:
            thing.update(pairs)
        elif isinstance(thing, set):
            thing.update(found)
        else:
            thing.extend(found)

    def _fill_object(self, thing: Any, attributes: list[Any], inside: Any) -> None:
        # Past __setattr__: modules keep books of their own there, and frozen ones refuse.
        own = vars(thing) if hasattr(thing, "__dict__") else {}
        for name in own.keys() - {name for name, _ in attributes}:
            del own[name]
        for name, value in attributes:
            if isinstance(getattr(type(thing), name, None), types.MemberDescriptorType):
                object.__setattr__(thing, name, self.value(value))
            else:
                own[name] = self.value(value)
        if inside is not None and not isinstance(thing, tuple):
            self._fill_items(thing, inside)


def _dtype(name: str) -> torch.dtype:
    found = getattr(torch, name.removeprefix("torch."), None)
    if not isinstance(found, torch.dtype):
        raise ValueError(f"no kind of number: {name!r}")
    return found
