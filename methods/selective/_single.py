"""What trains all over a model, in one row of values: LoRAs of some matrices, single values of other matrices and vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from methods.linear import InPlace, InPlaceAdapted, known, lifted


@dataclass(frozen=True)
class Tensor:
    """One that may change, of the model's, in the order in which they are counted."""

    before: int
    """values of those before it"""
    size: int
    lora: int
    """parameters of the LoRA that it may get, 0 for a vector"""


class Pool(nn.Module):
    """`values`: the LoRAs, tensor by tensor, then the single values, by place. `places`: of a single value in all tensors
    laid end to end, -1 for a LoRA's."""

    def __init__(self, n: int, tensors: Sequence[Tensor], device: torch.device) -> None:
        super().__init__()
        self.tensors = tuple(tensors)
        self.values = nn.Parameter(torch.zeros(n, device=device))
        self.register_buffer("has_lora", torch.zeros(len(tensors), dtype=torch.bool, device=device))
        self.register_buffer("places", torch.full((n,), -1, dtype=torch.long, device=device))
        self.version, self.parts = -1, []

    def lay(self, has_lora: Sequence[bool], counts: Sequence[int]) -> None:
        """Which stretch of the values is each tensor's; counts: its single values."""
        kept = list(zip(self.tensors, has_lora, counts, strict=True))
        lora, single = 0, sum(tensor.lora for tensor, has, _ in kept if has)
        self.parts: list[slice] = []
        for tensor, has, number in kept:
            start = lora if has else single
            length = tensor.lora if has else number
            self.parts.append(slice(start, start + length))
            lora, single = (lora + length, single) if has else (lora, single + length)
        self.loras = tuple(has_lora)

    def look(self) -> None:
        """Lays it anew after a load or a new choice."""
        version = self.places._version + self.has_lora._version
        if version == self.version or not known(self.places):
            return
        self.version = version
        single = self.places[self.places >= 0].cpu()
        ends = torch.tensor([0, *(tensor.before + tensor.size for tensor in self.tensors)])
        self.lay(self.has_lora.tolist(), torch.searchsorted(single, ends).diff().tolist())

    def single(self, at: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(single values of a tensor, their places in it)"""
        part = self.parts[at]
        return self.values[part], self.places[part] - self.tensors[at].before


class Layer(InPlaceAdapted):
    """y = W' x + b', W' = W + B A or W with single values added, b' = b with single values added"""

    def __init__(self, base: nn.Module, r: int, pool: Pool, weight: int, bias: int | None) -> None:
        """weight, bias: the numbers of its tensors in the pool"""
        super().__init__(base)
        # Past nn.Module's bookkeeping: the pool belongs to the model.
        self.__dict__["pool"], self.r, self.numbers = pool, r, (weight, bias)

    def single(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.pool.single(self.numbers[0])

    def lora(self) -> tuple[torch.Tensor, torch.Tensor] | None:
        """(A (r, d_in), B (d_out, r)) if the matrix has one"""
        if not self.pool.loras[self.numbers[0]]:
            return None
        row = self.pool.values[self.pool.parts[self.numbers[0]]]
        a, b = row.split([self.r * self.d_in, self.r * self.d_out])
        return a.view(self.r, self.d_in), b.view(self.d_out, self.r)

    def delta(self) -> torch.Tensor:
        self.pool.look()
        found = self.lora()
        if found is not None:
            return found[1] @ found[0]
        return self.spread()

    def bias_delta(self) -> torch.Tensor | None:
        if self.numbers[1] is None:
            return None
        values, places = self.pool.single(self.numbers[1])
        return self.empty(self.d_out).zero_().index_add(0, places, values)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # While the values are chosen, the gradient of all of W is wanted.
        if self.base.weight.requires_grad:
            return self.base(x)
        self.pool.look()
        found, values = self.lora(), self.pool.values[self.pool.parts[self.numbers[0]]]
        if found is not None:
            change = functional.linear(functional.linear(lifted(x), found[0]), found[1])
            y = self.base(x)
            y = y + change.to(y.dtype)
        else:
            y = InPlace.apply(x, values, self) if len(values) else self.base(x)
        bias = self.bias_delta()
        return y if bias is None else y + bias.to(y.dtype)


class Added(nn.Module):
    """A vector with its single values added."""

    def __init__(self, pool: Pool, number: int) -> None:
        super().__init__()
        self.__dict__["pool"], self.number = pool, number

    def forward(self, vector: torch.Tensor) -> torch.Tensor:
        self.pool.look()
        values, places = self.pool.single(self.number)
        return vector.index_add(0, places, values.to(vector.dtype))
