"""Operations of a training step: multiplications and additions of matrix products, convolutions and attention."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

aten = torch.ops.aten


def _attention(query: Any, key: Any, value: Any, *args: Any, out_shape: Any = None, **kwargs: Any) -> int:
    return sdpa_flop_count(query, key, value)


def _attention_backward(
    grad: Any, query: Any, key: Any, value: Any, *args: Any, out_shape: Any = None, **kwargs: Any
) -> int:
    return sdpa_backward_flop_count(grad, query, key, value)


# Torch counts the attention kernels of GPUs only; a step on the CPU, real or fake, would seem to have none.
CPU_ATTENTION = {
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}


class Flops(FlopCounterMode):
    """Counts while it is entered; the figures are those of the step that began last."""

    def __init__(self) -> None:
        super().__init__(display=False, custom_mapping=CPU_ATTENTION)
        self.forward = self.step = self.tokens = 0
        self._begun = self._seen = 0

    def step_begins(self, tokens: int) -> None:
        """`tokens`: of the whole step, padding with them."""
        self.tokens, self.forward = tokens, 0
        self._begun = self._seen = self.get_total_flops()

    def forward_done(self) -> None:
        self.forward += self.get_total_flops() - self._seen

    def backward_done(self, model: Any) -> None:
        self._seen = self.get_total_flops()

    def step_done(self, optimizer: Any) -> None:
        self.step = self.get_total_flops() - self._begun

    def costs(self) -> dict[str, float | int | None]:
        """Of a step, and by padded token: batches differ in length."""
        per = (lambda flops: flops / self.tokens) if self.tokens else (lambda flops: None)
        return {
            "counted_step_flops": self.step,
            "step_flops_per_padded_token": per(self.step),
            "forward_flops_per_padded_token": per(self.forward),
        }
