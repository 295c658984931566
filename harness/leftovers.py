"""What a run may leave behind in its process: generators, switches of torch, global hooks, code replaced by other code."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules import module as hooks
from torch.optim import optimizer as optimizers

from methods.plugins import OF_FILE

PATCHED = ("torch.nn", "torch.optim", "torch.autograd", "torch.utils", "transformers", "peft", "accelerate")
"""Packages whose functions and classes libraries replace by their own (a faster RMSNorm, say), besides torch itself"""
SEVERAL = 3
"""How many replaced names a sentence gives"""


def switches() -> dict[str, Any]:
    """What holds for the whole process or thread: words -> value."""
    cudnn, backend = torch.backends.cudnn, torch.backends.cuda
    found: dict[str, Any] = {
        "torch's default dtype": torch.get_default_dtype(),
        "torch's default device": torch.get_default_device(),
        "torch's gradient mode": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "torch's anomaly detection": torch.is_anomaly_enabled(),
        "torch's deterministic mode": (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        ),
        "torch's number of threads": torch.get_num_threads(),
        "torch's precision of matrix products": torch.get_float32_matmul_precision(),
        "torch's flushing of denormal numbers": bool((torch.tensor([1e-310], dtype=torch.float64) * 1.0).item() == 0),
        "torch's function modes": torch.overrides._len_torch_function_stack(),
        "torch's dispatch modes": torch._C._len_torch_dispatch_stack(),
        "torch's cuDNN switches": (cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32),
        "torch's attention kernels": (
            backend.flash_sdp_enabled(),
            backend.mem_efficient_sdp_enabled(),
            backend.math_sdp_enabled(),
            backend.cudnn_sdp_enabled(),
        ),
        "NumPy's handling of errors": tuple(np.geterr().values()),
        "the working directory": os.getcwd(),
    }
    for device in ("cpu", "cuda"):
        dtype = torch.get_autocast_dtype(device)
        found[f"torch's autocast on {device}"] = (torch.is_autocast_enabled(device), dtype)
    for name, owner in global_hooks():
        found[f"a global hook of torch ({name.lstrip('_')})"] = tuple(map(id, vars(owner)[name].values()))
    return found


def global_hooks() -> Iterator[tuple[str, ModuleType]]:
    for owner in (hooks, optimizers):
        yield from ((n, owner) for n, v in vars(owner).items() if n.startswith("_global_") and isinstance(v, dict))


def module_classes() -> Iterator[type]:
    """Every class of modules and optimizers that is known by now and can be imported."""
    seen: set[type] = set()
    todo: list[type] = [nn.Module, torch.optim.Optimizer]
    while todo:
        kind = todo.pop()
        if kind not in seen:
            seen.add(kind)
            todo += type.__subclasses__(kind)
            # One that is made anew for each layer (as parametrizations do) is nobody else's, and a method's file may be
            # read again.
            if not kind.__module__.startswith(OF_FILE) and getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is kind:
                yield kind


def within(name: str, packages: tuple[str, ...]) -> bool:
    """Whether a module's or a class' full name lies in one of the packages."""
    return name.startswith(tuple(f"{package}." for package in packages)) or name in packages


def namespaces() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Where code is looked up by name: modules of the libraries, classes of modules, tensors, registries."""
    for name, module in list(sys.modules.items()):
        if module is not None and (name == "torch" or within(name, PATCHED)):
            yield name, vars(module)
    for kind in (torch.Tensor, *module_classes()):
        yield f"{kind.__module__}.{kind.__qualname__}", vars(kind)
    attention = sys.modules.get("transformers.modeling_utils")
    if attention is not None:
        table = getattr(attention, "ALL_ATTENTION_FUNCTIONS", None)
        yield "transformers' attention functions", dict(table) if table is not None else {}


class Surroundings:
    """The process as it is when this is made."""

    def __init__(self) -> None:
        self.switches = switches()
        self.generators = generators()
        self.code: dict[str, dict[str, Any]] = {}
        self.extend()

    def extend(self) -> None:
        """Takes in code that was imported since."""
        for name, space in namespaces():
            if name not in self.code:
                self.code[name] = {key: value for key, value in space.items() if callable_in(value)}

    def restore_generators(self) -> None:
        """Puts the generators back: nothing of a run shows in what the next one draws."""
        for put_back in self.generators:
            put_back()

    def differences(self) -> list[str]:
        """What is no longer as it was, in words."""
        now = switches()
        found = [name for name, value in self.switches.items() if now.get(name, value) != value]
        replaced = []
        for name, space in namespaces():
            before = self.code.get(name)
            if before is None:
                replaced += [f"{name}.{key}" for key in foreign(name, space)]
            else:
                changed = {key: value for key, value in before.items() if space.get(key) is not value}
                replaced += [f"{name}.{key}" for key, value in changed.items() if not wraps(space.get(key), value)]
        if replaced:
            more = f" and {len(replaced) - SEVERAL} more" if len(replaced) > SEVERAL else ""
            found.append(f"code in the place of {', '.join(replaced[:SEVERAL])}{more}")
        return found


def callable_in(value: Any) -> bool:
    return callable(value) or isinstance(value, staticmethod | classmethod | property)


def wraps(new: Any, old: Any) -> bool:
    """Whether a library put a wrapper of its own around its function: torch does so once its compiler is imported."""
    made_in, of = (getattr(f, "__globals__", {}).get("__name__", "").partition(".")[0] for f in (new, old))
    return bool(made_in) and made_in == of and getattr(new, "__wrapped__", None) is old


def foreign(name: str, space: Mapping[str, Any]) -> list[str]:
    """`forward`, of a library's class that is first seen now, where it comes from another package."""
    if "__module__" not in space or not within(name, ("torch", *PATCHED)):
        return []
    package = getattr(space.get("forward"), "__module__", None) or name
    return [] if package.partition(".")[0] == name.partition(".")[0] else ["forward"]


def generators() -> list[Callable[[], Any]]:
    """For each default generator what puts it back to where it is now. Those of a GPU change within `seeded` only."""
    of_torch, of_numpy, of_python = torch.get_rng_state(), np.random.get_state(), random.getstate()
    return [
        lambda: torch.set_rng_state(of_torch),
        lambda: np.random.set_state(of_numpy),
        lambda: random.setstate(of_python),
    ]
