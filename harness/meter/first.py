"""What is found out by following every operation of a step: done on a run's first steps, which are not timed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Protocol

from torch import nn

from harness.meter.account import Tracker, accounted
from harness.meter.flops import Flops


class StepWatch(Protocol):
    """Told by the training loop how far a step is; forward and backward come once for each accumulated part."""

    def step_begins(self, tokens: int) -> None: ...

    def forward_done(self) -> None: ...

    def backward_done(self, model: nn.Module) -> None: ...

    def step_done(self, optimizer: Any) -> None: ...


class FirstSteps:
    """Memory by category and operations of the steps during which it is entered, one at a time."""

    STEPS = 2
    """The second one has the optimizer's state."""

    def __init__(self, model: nn.Module, inputs: Iterable[Any] = ()) -> None:
        self.tracker, self.flops = Tracker(model, inputs), Flops()
        self._stack = contextlib.ExitStack()
        self._steps = 0

    def __enter__(self) -> FirstSteps:
        self._steps += 1
        self._watches: tuple[StepWatch, ...] = (self.tracker,)
        if self._steps == 1:
            # All steps do the same products, and counting them takes as long as the rest of the step.
            self._watches = (self.tracker, self.flops)
            self._stack.enter_context(self.flops)
        self._stack.enter_context(self.tracker)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def step_begins(self, tokens: int) -> None:
        for watch in self._watches:
            watch.step_begins(tokens)

    def forward_done(self) -> None:
        for watch in self._watches:
            watch.forward_done()

    def backward_done(self, model: nn.Module) -> None:
        for watch in self._watches:
            watch.backward_done(model)

    def step_done(self, optimizer: Any) -> None:
        for watch in self._watches:
            watch.step_done(optimizer)

    def costs(self) -> dict[str, float | int | None]:
        return accounted(self.tracker) | self.flops.costs()
