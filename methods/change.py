"""A layer whose update is made as a whole matrix before it meets the input, and places for one that is sparse."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from methods.linear import Adapted


class Changed(Adapted):
    """y = (W + change) x + b"""

    def change(self) -> torch.Tensor:
        """(d_out, d_in)"""
        raise NotImplementedError

    def update(self, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x, self.change().to(x.dtype))

    def delta(self) -> torch.Tensor:
        return self.change()


class Scattered(Changed):
    """y = (W + f(S)) x + b; S is zero but for `values`, which train from zero, at `number` places drawn at random."""

    def __init__(self, base: nn.Module, number: int) -> None:
        super().__init__(base)
        size, device = self.d_out * self.d_in, base.weight.device
        if device.type == "meta":
            places = torch.empty(number, dtype=torch.long, device=device)
        else:
            # On the CPU, so that every device has the same.
            places = torch.randperm(size, device="cpu")[:number].clone().to(device)
        self.register_buffer("places", places)
        self.values = self.trained(number)

    def change(self) -> torch.Tensor:
        flat = self.values.new_zeros(self.d_out * self.d_in)
        return flat.scatter(0, self.places, self.values).view(self.d_out, self.d_in)
