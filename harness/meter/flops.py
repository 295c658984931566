"""Operations of a training step: multiplications and additions of matrix products, convolutions and attention."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop_count, sdpa_flop_count

aten = torch.ops.aten


def _shape(value: Any) -> Any:
    return value.shape if isinstance(value, torch.Tensor) else value


def _attention(query: Any, key: Any, value: Any, *args: Any, **kwargs: Any) -> int:
    return sdpa_flop_count(*map(_shape, (query, key, value)))


def _attention_backward(grad: Any, query: Any, key: Any, value: Any, *args: Any, **kwargs: Any) -> int:
    return sdpa_backward_flop_count(*map(_shape, (grad, query, key, value)))


# Torch's formulas know the attention kernels of GPUs only; a step on the CPU, real or fake, would seem to have none.
FORMULAS = {
    **flop_registry,
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}


class Flops:
    """Adds up what it is shown; the figures are those of the step that began last."""

    def __init__(self) -> None:
        self.forward = self.step = self.tokens = 0
        self._total = self._begun = self._seen = 0

    def see(self, func: Any, args: Any, kwargs: Any, out: Any) -> None:
        """An operation that was done."""
        formula = FORMULAS.get(func._overloadpacket)
        if formula is not None:
            self._total += formula(*args, **(kwargs or {}), out_val=out)

    def step_begins(self, tokens: int) -> None:
        """`tokens`: of the whole step, padding with them."""
        self.tokens, self.forward = tokens, 0
        self._begun = self._seen = self._total

    def forward_done(self) -> None:
        self.forward += self._total - self._seen

    def backward_done(self, model: Any) -> None:
        self._seen = self._total

    def step_done(self, optimizer: Any) -> None:
        self.step = self._total - self._begun

    def costs(self) -> dict[str, float | int | None]:
        """Of a step, and by padded token: batches differ in length."""
        tokens = self.tokens or None
        return {
            "counted_step_flops": self.step,
            "step_flops_per_padded_token": tokens and self.step / tokens,
            "forward_flops_per_padded_token": tokens and self.forward / tokens,
        }
