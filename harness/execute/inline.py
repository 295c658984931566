"""Runs jobs in this very process: nothing to start, but a crash ends the sweep and resident memory has no peak of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.execute.job import Job
from harness.record import RunRecord
from harness.run import execute


def run_all(jobs: Iterable[Job]) -> Iterator[RunRecord]:
    for job in jobs:
        yield execute(job)
