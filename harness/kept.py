"""A loaded model that is kept for later runs: its modules, its weights, and what proves that they are as loaded."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import xxhash
from torch import nn

MOST_BYTES = 4 << 30
"""Of weights that a kept model holds in memory of its own: those that were converted while they were read. Weights that
lie in memory as in their file are mapped from it, and cost nothing to keep."""

FLAG = "_is_hf_initialized"
"""What transformers marks weights with that it need not draw"""


SCALAR = bool | int | float | str | None


class NotClean(Exception):
    """A kept model cannot be handed on, or a loaded one not be kept: the sentence for the record."""


class NotAlike(NotClean):
    """This model can never be kept."""


def digest(tensor: torch.Tensor) -> str:
    """128 bits of a tensor's type, shape and bytes (XXH3, which keeps up with memory: it tells of accidents, not of
    attacks)."""
    if tensor.untyped_storage().nbytes() < (tensor.storage_offset() + tensor.numel()) * tensor.element_size():
        return "freed"
    values = tensor.detach().cpu().contiguous().view(-1).view(torch.uint8)
    return f"{tensor.dtype} {tuple(tensor.shape)} {xxhash.xxh3_128_hexdigest(values.numpy().data)}"


def tensors(model: nn.Module) -> dict[str, torch.Tensor]:
    """Every tensor that the model's modules hold, each once: parameters, buffers and plain attributes."""
    found = dict(model.named_parameters()) | dict(model.named_buffers())
    for path, module in model.named_modules():
        found |= {f"{path}.{name}": value for name, value in vars(module).items() if isinstance(value, torch.Tensor)}
    first: dict[int, str] = {}
    for name, value in found.items():
        first.setdefault(id(value), name)
    return {name: found[name] for name in first.values()}


def tree_of(model: nn.Module, values: dict[int, torch.Tensor]) -> nn.Module:
    """A copy of the modules and of all they hold, tensors replaced by `values` (id of the old -> the new one)."""
    modules = list(model.modules())
    memo: dict[int, Any] = {**values, **{id(module): type(module).__new__(type(module)) for module in modules}}
    for module in modules:
        own = vars(memo[id(module)])
        for name, value in vars(module).items():
            # Most of what a module holds, and deepcopy takes long for it.
            if isinstance(value, dict) and not value:
                own[name] = type(value)()
            else:
                own[name] = value if isinstance(value, SCALAR) else copy.deepcopy(value, memo)
    return memo[id(model)]


def like(tensor: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """`value` as a tensor of the same kind, with the attributes that libraries put on it."""
    made = nn.Parameter(value, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else value
    vars(made).update(vars(tensor))
    return made


def differences(one: Any, other: Any) -> list[str]:
    """What two models differ in: names of tensors, of modules' plain values, or `config`."""
    mine, its = tensors(one), tensors(other)
    if mine.keys() != its.keys():
        return sorted(mine.keys() ^ its.keys())
    found = [name for name in mine if digest(mine[name]) != digest(its[name])]
    found += [name for name in mine if mine[name].requires_grad != its[name].requires_grad]
    for (path, a), (_, b) in zip(one.named_modules(), other.named_modules(), strict=True):
        plain = [{k: v for k, v in vars(m).items() if isinstance(v, SCALAR | tuple)} for m in (a, b)]
        if type(a) is not type(b) or plain[0] != plain[1]:
            found.append(path or type(a).__name__)
    if getattr(one, "config", None) is not None and one.config.to_dict() != other.config.to_dict():
        found.append("config")
    return found


class KeptModel:
    """A loaded model's modules over its weights."""

    def __init__(self, model: nn.Module, seed: int | None, folder: Path) -> None:
        """From a model just loaded with `seed`, which goes on to its run. Raises NotClean if it cannot be kept."""
        own = tensors(model)
        if any(type(t) not in {torch.Tensor, nn.Parameter} for t in own.values()):
            raise NotAlike("the model holds tensors of a kind of its own")
        if any(m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in model.modules()):
            raise NotAlike("the model is loaded with hooks in it")
        self.drawn = {n for n, p in model.named_parameters() if not hasattr(p, FLAG)}
        if self.drawn and (seed is None or not hasattr(model, "initialize_weights")):
            raise NotAlike("the model draws weights that no seed decides")
        self.seed, self.folder = seed, folder
        self.digests = {name: digest(t) for name, t in own.items() if name not in self.drawn}
        self.places = {name: t.data_ptr() % 64 for name, t in own.items()}
        with torch.no_grad():
            self.model = tree_of(model, {id(t): like(t, self._copied(n, t, shared=True)) for n, t in own.items()})
        self.own = tensors(self.model)
        self.lent = True
        self.proven = False
        if sum(t.nbytes for t in own.values()) > MOST_BYTES:
            held = sum(own[name].nbytes for name in self.digests if name not in self.origin)
            if held > MOST_BYTES:
                raise NotAlike(f"{held / 1e9:.1f} GB of its weights were converted while they were read")

    def _copied(self, name: str, tensor: torch.Tensor, shared: bool) -> torch.Tensor:
        """Its values anew. Buffers are changed by passes too, and small."""
        if name in self.drawn:
            return torch.full_like(tensor, torch.nan)
        return tensor.data if shared and isinstance(tensor, nn.Parameter) else tensor.detach().clone()

    @functools.cached_property
    def origin(self) -> dict[str, tuple[Path, str]]:
        """Name of each weight that lies in memory as in its file -> (file, name there)."""
        wanted: dict[tuple[str, int], list[str]] = {}
        for name in self.digests:
            wanted.setdefault((self.digests[name], self.places[name]), []).append(name)
        found = {}
        for path in sorted(self.folder.glob("*.safetensors")):
            with opened(path) as file:
                for key in file.keys():  # noqa: SIM118 (it is no dict)
                    value = file.get_tensor(key)
                    names = wanted.get((digest(value), value.data_ptr() % 64))
                    # Of equal weights (biases of zeros) each has its own place, or they would be trained as one.
                    if names:
                        found[names.pop()] = (path, key)
        return found

    def _from_file(self, names: list[str]) -> dict[str, torch.Tensor]:
        """Raises NotClean for one that is not in a file as it was in memory."""
        found: dict[str, torch.Tensor] = {}
        for path in {self.origin[name][0] for name in names if name in self.origin}:
            with opened(path) as file:
                for name in names:
                    if name in self.origin and self.origin[name][0] == path:
                        found[name] = file.get_tensor(self.origin[name][1])
        for name in names:
            if name not in found or digest(found[name]) != self.digests[name]:
                raise NotClean(f"a run changed {name}, which its file does not hold as it was in memory")
        return found

    def _clean(self) -> None:
        """Puts back what runs have changed in place. Raises NotClean if something cannot be."""
        changed = [name for name, known in self.digests.items() if digest(self.own[name]) != known]
        if changed:
            for name, value in self._from_file(changed).items():
                self.own[name].data = value

    def _apart(self) -> dict[str, torch.Tensor]:
        """Weights for another tree while one lies over the kept ones. Raises NotClean if that one changed what no file
        holds."""
        mapped = [n for n in self.digests if n in self.origin and isinstance(self.own[n], nn.Parameter)]
        found = self._from_file(mapped)
        for name in self.digests.keys() - found.keys():
            if digest(self.own[name]) != self.digests[name]:
                raise NotClean(f"the run changed {name}, which its file does not hold as it was in memory")
        return found

    def prove(self, load: Callable[[int | None], nn.Module], seed: int | None) -> None:
        """Holds what would be handed out against a fresh load, once. Raises NotClean."""
        if self.proven:
            return
        # Drawn weights are to follow a seed that is not the one of the load.
        other = seed if seed is None or seed != self.seed else seed + 1
        lent = self.lent
        found = differences(self.handed(other), load(other))
        if found:
            raise NotAlike(f"the kept model is not as a fresh load: {', '.join(found[:3])}")
        self.proven, self.lent = True, lent

    def handed(self, seed: int | None) -> nn.Module:
        """A model as a fresh load with `seed` gives it. Raises NotClean."""
        own, shared = self.own, not self.lent
        anew: dict[str, torch.Tensor] = {}
        if shared:
            self._clean()
        else:
            anew = self._apart()
        self.lent = True
        with torch.no_grad():
            copies = {
                id(t): like(t, anew[name] if name in anew else self._copied(name, t, shared)) for name, t in own.items()
            }
        model = tree_of(self.model, copies)
        if self.drawn:
            assert seed is not None
            draw(model, self.drawn, seed)
        return model


def opened(path: Path) -> Any:
    """A safetensors file. Raises NotClean if it cannot be read."""
    from safetensors import safe_open

    try:
        return safe_open(path, "pt")
    except Exception as error:
        raise NotClean(f"{path.name} cannot be read again ({error})") from None


def draw(model: Any, names: set[str], seed: int) -> None:
    """Draws the parameters of these names as transformers does it for those that a checkpoint lacks."""
    from harness.model import seeded

    for path, module in model.named_modules():
        within = f"{path}." if path else ""
        setattr(module, FLAG, not any(name.startswith(within) for name in names))
    with seeded(seed):
        model.initialize_weights()
