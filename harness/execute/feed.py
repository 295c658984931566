"""The works of a sweep as an executor asks for them, and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator

from harness.execute.job import Work
from harness.record import RunRecord

PAUSE = 0.5
"""Seconds between looks at works that another sweep has"""


class Feed:
    """One work at a time, when there is room for it."""

    def __init__(self, works: Iterable[Work | None]) -> None:
        """works: None among them means that there is nothing to hand out at the moment"""
        self._source = iter(works)
        self.more = True
        """whether there may be another work, now or later"""

    def take(self) -> Work | None:
        """The next work; None if there is none at the moment, or none any more."""
        work = next(self._source, ()) if self.more else ()
        if work == ():
            self.more = False
        return work or None


def until_stopped(
    records: Iterator[RunRecord], stop: Callable[[], Iterator[RunRecord]], end: Callable[[], None]
) -> Iterator[RunRecord]:
    """The records; and `end`, however this is left.

    `stop`: called when an interrupt comes or this is left early; asks runs to write their state, waits for them, and gives
    the records of those that were done before they were asked. A second interrupt goes straight to the end.
    """
    try:
        yield from records
    except KeyboardInterrupt:
        yield from stop()
        raise
    except GeneratorExit:
        for _ in stop():
            pass
        raise
    finally:
        end()


def say_stopping() -> None:
    text = "Stopping: runs under way finish their step and write their state. Ctrl-C again ends them now."
    print(text, file=sys.stderr, flush=True)
