"""The works of a sweep as an executor asks for them."""

from __future__ import annotations

from collections.abc import Iterable

from harness.execute.job import Work

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
