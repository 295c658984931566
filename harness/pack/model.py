"""K attached models as one: the backbone passes over the rows of all runs at once, as they lie one run after the other,
and only where tensors are stacked does each run's part of the rows meet its own.

Nothing here knows a method: a module that holds stacked tensors is called through `torch.func.vmap` with its own code,
and the most frequent kinds of module, nn.Linear and nn.LayerNorm, by a batched product of the same meaning.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, vmap
from torch.nn import functional
from torch.utils._pytree import tree_flatten, tree_unflatten

from harness.pack.stack import Unpackable, share, stack, tensors

KEYS_AND_VALUES = {"PREFIX_TUNING", "CARTRIDGE"}
"""PEFT's prompts that stand in every layer; it makes them row by row already"""

Number = tuple[str, str, str]
"""A float that a module holds: the module's path, the attribute, and the key in it where it is a dictionary (else "")"""


def numbers(model: nn.Module) -> dict[Number, float]:
    found: dict[Number, float] = {}
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if type(value) is float:
                found[path, name, ""] = value
            elif type(value) is dict:
                found |= {(path, name, key): x for key, x in value.items() if type(x) is float and type(key) is str}
    return found


@contextlib.contextmanager
def _holding(module: nn.Module, values: Mapping[Number, Any]) -> Iterator[None]:
    """The floats of the module are `values` inside the block."""
    held = [(vars(module.get_submodule(path)), name, key, value) for (path, name, key), value in values.items()]
    places = [(own[name], key) if key else (own, name) for own, name, key, _ in held]
    before = [place[key] for place, key in places]
    try:
        for (place, key), (*_, value) in zip(places, held, strict=True):
            place[key] = value
        yield
    finally:
        for (place, key), value in zip(places, before, strict=True):
            place[key] = value


class Packed(nn.Module):
    """A module in whose place stand K: rows (K * n, ...) -> rows (K * n, ...), run after run."""

    def __init__(
        self, inner: nn.Module, stacks: Mapping[str, torch.Tensor], numbers: Mapping[Number, torch.Tensor], runs: int
    ) -> None:
        """`stacks`, `numbers`: tensors and floats of the inner module, by their names in it -> (K, ...) and (K,)"""
        super().__init__()
        self.inner: Any = inner
        self.runs = runs
        self.rows = 0
        # Past nn.Module's bookkeeping: the stacks are listed once, by the packed model.
        self.__dict__["stacks"] = dict(stacks)
        self.__dict__["numbers"] = dict(numbers)

    def __getattr__(self, name: str) -> Any:
        """What other modules read off a layer, such as the type of its weight."""
        if name in self.__dict__.get("stacks", {}):
            return self.stacks[name]
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("inner"), name)

    def folded(self, x: torch.Tensor) -> torch.Tensor:
        """(K * n, ...) -> (K, n, ...)"""
        if x.ndim == 0 or len(x) != self.rows:
            raise Unpackable(f"a {type(self.inner).__name__} that trains is not called with the batch's rows")
        return x.unflatten(0, (self.runs, -1))

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        leaves, form = tree_flatten((args, kwargs))
        leaves = [self.folded(x) if isinstance(x, torch.Tensor) else x for x in leaves]
        dims = [0 if isinstance(x, torch.Tensor) else None for x in leaves]

        def one(own: dict[str, torch.Tensor], numbers: dict[Number, torch.Tensor], *inputs: Any) -> Any:
            args, kwargs = tree_unflatten(list(inputs), form)
            with _holding(self.inner, numbers):
                return functional_call(self.inner, own, args, kwargs)

        return vmap(one, in_dims=(0, 0, *dims), randomness="error")(self.stacks, self.numbers, *leaves).flatten(0, 1)

    def aligned(self, name: str, ndim: int) -> torch.Tensor | None:
        """The vector of that name, stacked or not, to stand beside (K, n, ..., d) of `ndim` dimensions."""
        if name not in self.stacks:
            return getattr(self.inner, name)
        vectors = self.stacks[name]
        return vectors.view(self.runs, *(1,) * (ndim - 2), -1)


class PackedLinear(Packed):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if "weight" not in self.stacks:
            y = self.folded(functional.linear(x, self.inner.weight))
            bias = self.aligned("bias", y.ndim)
            return (y if bias is None else y + bias).flatten(0, 1)
        weight = self.stacks["weight"]
        rows = self.folded(x).flatten(1, -2)
        bias = self.aligned("bias", 3)
        y = torch.bmm(rows, weight.mT) if bias is None else torch.baddbmm(bias, rows, weight.mT)
        return y.view(*x.shape[:-1], -1)


class PackedLayerNorm(Packed):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.folded(functional.layer_norm(x, self.inner.normalized_shape, eps=self.inner.eps))
        weight, bias = self.aligned("weight", y.ndim), self.aligned("bias", y.ndim)
        y = y if weight is None else y * weight
        return (y if bias is None else y + bias).flatten(0, 1)


BATCHED: dict[type[nn.Module], type[Packed]] = {nn.Linear: PackedLinear, nn.LayerNorm: PackedLayerNorm}


def _kind(module: nn.Module) -> type[Packed]:
    """Hooks on a module are part of what it does, and only its own call runs them."""
    if module._forward_hooks or module._forward_pre_hooks or len(getattr(module, "normalized_shape", ())) > 1:
        return Packed
    return BATCHED.get(type(module), Packed)


def _owner(model: nn.Module, name: str) -> str:
    """The path of the nearest module around the tensor that is called: containers of parameters are not."""
    path = name.rpartition(".")[0]
    while path and type(model.get_submodule(path)).forward is nn.Module.forward:
        path = path.rpartition(".")[0]
    if not path:
        raise Unpackable(f"the model itself holds {name}")
    return path


def _units(owners: Mapping[Any, str]) -> dict[str, list[Any]]:
    """{what differs: path of the module around it} -> {path of each outermost such module: what differs in it}"""
    outermost: dict[str, list[Any]] = {}
    for name, path in owners.items():
        around = min((other for other in set(owners.values()) if f"{path}.".startswith(f"{other}.")), key=len)
        outermost.setdefault(around, []).append(name)
    return outermost


def _inside(path: str, around: str) -> str:
    """The path from the module `around` on."""
    return path[len(around) + 1 :]


class PackedModel:
    """The models of K runs and, over the same tensors, the one that trains them together."""

    def __init__(self, models: Sequence[nn.Module]) -> None:
        """From here on the models share what is equal and frozen in them, and the rest are views of `stacks`.

        Raises Unpackable if they cannot go together.
        """
        first: Any
        first, *others = models
        apart = {name for name, tensor in tensors(first).items() if tensor.requires_grad}
        for other in others:
            apart |= share(first, other)
        self.runs = len(models)
        self.stacks = stack(models, apart)
        self.numbers = self._differing([numbers(model) for model in models])
        self.trained = list({id(s): s for s in self.stacks.values() if s.whole.requires_grad}.values())
        # The copy is of the modules alone: every tensor in it is the first model's own.
        self.model: Any = copy.deepcopy(first, {id(tensor): tensor for tensor in tensors(first).values()})
        self.units = self._place()
        if hasattr(self.model, "get_prompt") and self.model.active_peft_config.peft_type not in KEYS_AND_VALUES:
            self.model.get_prompt = self._prompts

    def _differing(self, held: Sequence[dict[Number, float]]) -> dict[Number, torch.Tensor]:
        """(K,) of each float that is not the same in all runs."""
        like = next(each.whole for each in self.stacks.values() if each.whole.is_floating_point())
        if any(own.keys() != held[0].keys() for own in held):
            raise Unpackable("their layers do not hold the same numbers")
        values = {at: [own[at] for own in held] for at in held[0]}
        return {at: like.new_tensor(own) for at, own in values.items() if len(set(own)) > 1}

    def _place(self) -> list[Packed]:
        made: dict[int, Packed] = {}
        owners: dict[str | Number, str] = {name: _owner(self.model, name) for name in self.stacks}
        owners |= {at: at[0] for at in self.numbers}
        for path, held in _units(owners).items():
            inner = self.model.get_submodule(path)
            if id(inner) not in made:
                own = {_inside(at, path): self.stacks[at].whole for at in held if isinstance(at, str)}
                floats = {(_inside(at[0], path), *at[1:]): self.numbers[at] for at in held if not isinstance(at, str)}
                kind = Packed if floats else _kind(inner)
                made[id(inner)] = kind(inner, own, floats, self.runs)
            parent, _, child = path.rpartition(".")
            setattr(self.model.get_submodule(parent), child, made[id(inner)])
        return list(made.values())

    def __call__(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Logits of (K * n, ...) inputs, run after run."""
        self._expect(len(next(iter(inputs.values()))))
        return self.model(**inputs).logits

    def _expect(self, rows: int) -> None:
        for unit in self.units:
            unit.rows = rows

    def _prompts(self, batch_size: int, task_ids: None = None) -> torch.Tensor:
        """In place of PEFT's `get_prompt`: each run's prompt before its own rows, (K * n, l, d): PEFT makes one prompt and repeats it over all rows."""
        name = self.model.active_adapter
        self._expect(self.runs)
        prompts = self.model.prompt_encoder[name](self.model.prompt_tokens[name].expand(self.runs, -1))
        self._expect(batch_size)
        return prompts.repeat_interleave(batch_size // self.runs, dim=0, output_size=batch_size)
