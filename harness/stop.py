"""A run that is asked to end does so between two steps, when it has written its state. No torch: parents of runs import it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Stopped(KeyboardInterrupt):
    """The run ended when it was asked to; it leaves no record."""


class Stop:
    """Whether the run of this process is to end. Asked between steps: what it listens to must answer at once."""

    def __init__(self) -> None:
        self._asked = False
        self._listen: Callable[[], object] = lambda: False

    def ask(self) -> None:
        self._asked = True

    def listen(self, asked: Callable[[], object]) -> None:
        """`asked` says whether someone has asked: a pipe's `poll`, for example."""
        self._listen = asked

    def __bool__(self) -> bool:
        return self._asked or bool(self._listen())

    def obey(self) -> None:
        """Raises Stopped if someone has asked."""
        if self:
            self._asked = False
            raise Stopped


STOP = Stop()
"""Of this process: it makes one run, or one pack, at a time."""


@contextmanager
def first_interrupt_asks(stop: Stop) -> Iterator[None]:
    """Inside, the first Ctrl-C only asks `stop`; the second is what it was before. For runs in the main thread of the
    process that the terminal speaks to; elsewhere it does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    if before in (signal.SIG_IGN, None):
        yield
        return

    def first(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        stop.ask()

    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
