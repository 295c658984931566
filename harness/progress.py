"""How a sweep goes: a live bar in a terminal, one plain line a run where output is piped."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from harness.record import RunRecord, RunSpec


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Progress:
    """`start`, then `watch` the specs as they begin and tell `finished` each record."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.total = self.before = self.count = self.failed = 0
        self._bar: Bar | None = None
        self._task: Any = None
        self._began = 0.0
        self._told = False

    def start(self, total: int, done: int) -> None:
        self.total, self.before, self._began = total, done, time.monotonic()
        if done:
            self.console.print(f"{done} of {total} runs have a record already; {total - done} to go.")

    def __enter__(self) -> Progress:
        if self.console.is_terminal and self.total > self.before:
            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                TextColumn("{task.fields[left]}"),
                console=self.console,
            )
            self._task = self._bar.add_task("starting", total=self.total, completed=self.before, left="")
            self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar:
            self._bar.stop()

    def watch(self, specs: Iterable[RunSpec]) -> Iterator[RunSpec]:
        for spec in specs:
            if self._bar:
                self._bar.update(
                    self._task, description=f"{spec.method} on {spec.task}, seed {spec.seed}", left=self._left()
                )
            yield spec

    def _left(self) -> str:
        if not self.count:
            return "estimating"
        rest = (time.monotonic() - self._began) / self.count * (self.total - self.before - self.count)
        return f"about {duration(rest)} left"

    def waiting(self, runs: int) -> None:
        """Told once: nothing is left but what another sweep is making."""
        if not self._told:
            self._told = True
            what = "a run" if runs == 1 else f"{runs} runs"
            self.console.print(f"Waiting for {what} that another sweep is making in this folder.")

    def elsewhere(self, record: RunRecord) -> None:
        """A record that another sweep made."""
        self.finished(record, " by another sweep")

    def finished(self, record: RunRecord, by: str = "") -> None:
        self.count += 1
        self.failed += record.status == "failed"
        spec = record.spec
        what = f"{100 * record.score:.1f} {record.metric}" if record.score is not None else record.reason or "no score"
        wall = record.costs.get("wall_seconds")
        took = f" in {duration(wall)}" if wall is not None else ""
        left = "" if self.before + self.count == self.total else f", {self._left()}"
        line = f"[{self.before + self.count}/{self.total}] {spec.method} on {spec.task}, seed {spec.seed}: {record.status}{by}, {what}{took}"
        self.console.print(line + ("" if self._bar else left), markup=False, highlight=False, soft_wrap=True)
        if self._bar:
            self._bar.update(self._task, advance=1, left=self._left())
