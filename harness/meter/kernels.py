"""What kernels return that torch's stand-ins for them misstate, so that a step traced on fake tensors holds the bytes that
a real one holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten
PAGE, LINE, ALIAS = 4096, 64, 256
LSTM = 2
"""torch's number of the kind of cell"""


def _row(width: int, size: int) -> int:
    """Values from one row of a matrix to the next where oneDNN multiplies with it: whole cache lines of 64 bytes, and
    never a multiple of 256 values."""
    step = LINE // size
    row = math.ceil(width / step) * step
    return row + step if row % ALIAS == 0 else row


def lstm_workspace(steps: int, rows: int, width: int, hidden: int, size: int) -> int:
    """Bytes that oneDNN's LSTM, one layer in one direction, keeps for the backward pass on a CPU; size: of a value.

    Gates and outputs of each step; then, for the layer and its input and one step more, outputs, cells, and float32 room
    for the gradients of outputs, of what goes on to the next step, and of cells. Each part begins a page. The sizes are
    those of src/cpu/rnn/rnn_utils.hpp in https://github.com/uxlfoundation/oneDNN and the same for every instruction set.
    """
    wide, states, single = max(width, hidden), 2 * (steps + 1) * rows, torch.float32.itemsize
    parts = [
        steps * rows * _row(4 * hidden, size) * size,
        steps * rows * _row(hidden, size) * size,
        states * _row(wide, size) * size,
        states * hidden * size,
        *[states * _row(wide, single) * single] * 2,
        states * hidden * single,
    ]
    return sum(math.ceil(part / PAGE) * PAGE for part in parts)


def _layer_norm(out: Sequence[torch.Tensor], args: Sequence[Any]) -> Sequence[torch.Tensor]:
    """With weights in float32 the statistics are in float32 too, on any device; the stand-in has them in x's type."""
    y, mean, deviation = out
    weight = args[2]
    if weight is None or weight.dtype == mean.dtype:
        return out
    return y, mean.to(weight.dtype), deviation.to(weight.dtype)


def _lstm(out: Sequence[torch.Tensor], args: Sequence[Any]) -> Sequence[torch.Tensor]:
    """The stand-in returns no workspace."""
    *results, workspace = out
    x, mode, hidden, train = args[0], args[9], args[10], args[15]
    if mode != LSTM or not train:
        return out
    steps, rows, width = x.shape
    size = lstm_workspace(steps, rows, width, hidden, x.element_size())
    return *results, workspace.new_empty(size)


REPAIRS: dict[Any, Callable[[Sequence[torch.Tensor], Sequence[Any]], Sequence[torch.Tensor]]] = {
    aten.native_layer_norm.default: _layer_norm,
    aten.mkldnn_rnn_layer.default: _lstm,
}
"""Operator -> (what the stand-in returned, the operator's arguments) -> what the kernel returns"""


class AsKernels(TorchDispatchMode):
    """Entered within a FakeTensorMode."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # As in Tracker.
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        repair = REPAIRS.get(func)
        return repair(out, args) if repair else out
