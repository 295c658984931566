"""How a step's time divides into forward, backward and the rest: marks on the host, or on the device's own stream."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch
from torch import nn

MARKED_STEPS = 200


class StepParts:
    """Marks up to about MARKED_STEPS of the steps that the caller hands over. On CUDA a mark is an event that the
    device passes, so that nothing waits; they are read when all is over."""

    def __init__(self, device: torch.device, total_steps: int) -> None:
        self.cuda = device.type == "cuda"
        self.every = max(1, total_steps // MARKED_STEPS)
        self._steps: list[list[tuple[str, Any]]] = []
        self._marks: list[tuple[str, Any]] | None = None
        self._seen = 0

    def _mark(self, part: str) -> None:
        if self._marks is None:
            return
        if self.cuda:
            stamp: Any = torch.cuda.Event(enable_timing=True)
            stamp.record()
        else:
            stamp = time.perf_counter()
        self._marks.append((part, stamp))

    def step_begins(self, tokens: int) -> None:
        self._marks = [] if self._seen % self.every == 0 else None
        self._seen += 1
        self._mark("begin")

    def forward_done(self) -> None:
        self._mark("forward")

    def backward_done(self, model: nn.Module) -> None:
        self._mark("backward")

    def step_done(self, optimizer: Any) -> None:
        self._mark("optimizer")
        if self._marks is not None:
            self._steps.append(self._marks)
            self._marks = None

    def _between(self, first: Any, second: Any) -> float:
        return first.elapsed_time(second) / 1e3 if self.cuda else second - first

    def costs(self) -> dict[str, float | int | None]:
        """Means over the marked steps; `optimizer` is clipping, the method's hooks and the update. On CUDA also the
        quantiles of whole steps, which the host's clock cannot see."""
        names = ("forward", "backward", "optimizer")
        if not self._steps:
            return {f"{name}_seconds_mean": None for name in names}
        if self.cuda:
            torch.cuda.synchronize()
        sums = dict.fromkeys(names, 0.0)
        whole = []
        for marks in self._steps:
            for (_, before), (part, after) in zip(marks, marks[1:], strict=False):
                sums[part] += self._between(before, after)
            whole.append(self._between(marks[0][1], marks[-1][1]))
        found: dict[str, float | int | None] = {f"{k}_seconds_mean": v / len(self._steps) for k, v in sums.items()}
        if self.cuda and len(whole) > 1:
            cuts = statistics.quantiles(whole, n=10, method="inclusive")
            found |= {"step_seconds_p10": cuts[0], "step_seconds_median": cuts[4], "step_seconds_p90": cuts[8]}
        return found
