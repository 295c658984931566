"""What is found out by following every operation of a step: done on a run's first steps, which are not timed."""

from __future__ import annotations

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
    """Memory by category and operations of the steps during which it is entered; its figures are the last one's."""

    STEPS = 2
    """The second one has the optimizer's state."""

    def __init__(self, model: nn.Module, inputs: Iterable[Any] = ()) -> None:
        self.flops = Flops()
        self.tracker = Tracker(model, inputs, self.flops.see)

    def __enter__(self) -> FirstSteps:
        self.tracker.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.tracker.__exit__(kind, error, trace)

    def step_begins(self, tokens: int) -> None:
        self.tracker.step_begins(tokens)
        self.flops.step_begins(tokens)

    def forward_done(self) -> None:
        self.tracker.forward_done()
        self.flops.forward_done()

    def backward_done(self, model: nn.Module) -> None:
        self.tracker.backward_done(model)
        self.flops.backward_done(model)

    def step_done(self, optimizer: Any) -> None:
        self.tracker.step_done(optimizer)
        self.flops.step_done(optimizer)

    def costs(self) -> dict[str, float | int | None]:
        return accounted(self.tracker) | self.flops.costs()
