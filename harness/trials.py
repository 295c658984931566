"""The trials of several searches, handed out as works and told back: any executor makes them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType

import methods
from harness.execute.choose import How
from harness.pack.groups import groups
from harness.record import RunRecord, RunSpec
from harness.tune import BEAT, Asked, Search

Execute = Callable[[Iterable[tuple[RunSpec, ...]]], Iterator[RunRecord]]


class Trials:
    """What is handed out and not told yet. Leaving the block early gives the open trials back."""

    def __init__(self, searches: Sequence[Search], known: Callable[[str], RunRecord | None], how: How) -> None:
        """known: the done record of a run's key, if there is one"""
        self.searches, self.known, self.how = searches, known, how
        self._open: dict[str, list[tuple[Search, Asked]]] = {}
        self._lock, self._over = threading.Lock(), threading.Event()
        self._beats = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Trials:
        self._beats.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._over.set()
        self._beats.join()
        for search, asked in self._all():
            search.drop(asked)

    def _all(self) -> list[tuple[Search, Asked]]:
        """Each open trial once, however many of its runs are missing."""
        with self._lock:
            return list(
                {id(asked): (search, asked) for pairs in self._open.values() for search, asked in pairs}.values()
            )

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            for search, asked in self._all():
                search.beat(asked)

    def works(self) -> Iterator[tuple[RunSpec, ...]]:
        """Search by search, runs that may train together as one; each when it is asked for."""
        for search in self.searches:
            search.begin()
            while specs := self._next(search):
                together = groups(specs, self.how.pack, methods.get, self.how.one_seed)
                yield from (group.specs for group in together)

    def _next(self, search: Search) -> list[RunSpec]:
        """Runs of the search that nobody has made, as many as may train together; empty if its budget is handed out."""
        found: list[RunSpec] = []
        while len(found) < self.how.pack:
            asked = search.ask()
            if asked is None:
                break
            for spec in asked.specs:
                if (record := self.known(spec.key)) is not None:
                    search.tell(asked, record)
                    continue
                with self._lock:
                    if spec.key not in self._open:
                        found.append(spec)
                    self._open.setdefault(spec.key, []).append((search, asked))
        return found

    def tell(self, record: RunRecord) -> None:
        with self._lock:
            pairs = self._open.pop(record.key, [])
        for search, asked in pairs:
            search.tell(asked, record)


def make(
    searches: Sequence[Search], known: Callable[[str], RunRecord | None], how: How, execute: Execute
) -> Iterator[RunRecord]:
    """Makes the trials that are missing; gives the record of each that was run."""
    with Trials(searches, known, how) as trials:
        for record in execute(trials.works()):
            yield record
            trials.tell(record)
