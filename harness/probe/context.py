"""What a probe is given and what it gives; the models that probes build beside the tuned one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from harness.attach import attach, set_precision
from harness.shape import is_head
from harness.train import autocast
from methods.layers import freeze
from methods.spec import Method, Shape


@dataclass(frozen=True)
class Context:
    """A tuned model and what it was made from."""

    model: nn.Module
    """tuned, on `device`"""
    method: Method
    config: Any
    shape: Shape
    heads: tuple[str, ...]
    base: Callable[[], nn.Module]
    """a new base model with the head that the run began with, float32, on the CPU"""
    tokenizer: Any
    """None where the model reads no text"""
    device: torch.device
    precision: str
    """of the run: fp32 | bf16"""
    batch: Mapping[str, torch.Tensor]
    """inputs of a typical batch without its labels, each (rows, ...)"""
    seed: int
    """with which the method was attached"""
    rounds: int = 20
    """most repetitions of a timing"""

    @property
    def generates(self) -> bool:
        """Whether the model is a language model with its own head."""
        return not self.heads and self.model.can_generate()

    def plain(self) -> nn.Module:
        """The base as it would be served: frozen, in the precision of the run, its head in float32."""
        model = self.base()
        freeze(model)
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(is_head(name, self.heads))
        set_precision(model, self.precision)
        return model.to(self.device).eval()

    def attached(self, precision: str) -> nn.Module:
        """A second model with the method in it, as it was before training; `adapter.load` makes it the tuned one."""
        model = attach(self.base(), self.method, self.config, self.shape, self.heads, self.seed)
        set_precision(model, precision)
        return model.to(self.device).eval()

    def inputs(self, rows: int) -> dict[str, torch.Tensor]:
        """`rows` rows of the typical batch on the device, repeated from its first where it has fewer."""
        index = torch.arange(rows)
        return {name: value[index % len(value)].to(self.device) for name, value in self.batch.items()}

    @torch.inference_mode()
    def logits(self, model: nn.Module, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Of one forward pass, in float32."""
        with autocast(self.device, self.precision):
            return model(**inputs).logits.float()


@dataclass
class Found:
    """What probes found."""

    costs: dict[str, float | int | None] = field(default_factory=dict)
    """flat, for the record; None where it could not be measured"""
    notes: list[str] = field(default_factory=list)
    """why something is None, or is a proxy"""
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """probe -> rows of what the figures sum up"""


@dataclass(frozen=True)
class Probe:
    name: str
    about: str
    """one line"""
    fields: Callable[[Context], tuple[str, ...]]
    """the names in `costs` for this kind of model, so that a probe that breaks leaves None and no hole"""
    measure: Callable[[Context], Found]
