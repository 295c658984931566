"""The runs of a plan that have no record yet: claimed one by one, executed, stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import tasks
from harness.claim import Claims
from harness.execute.job import Job
from harness.index import Standing, probes_of
from harness.journal import Journal
from harness.plan import Planned
from harness.progress import Progress
from harness.record import RunRecord, RunSpec
from harness.store import Store
from methods.registry import file_of

if TYPE_CHECKING:
    from harness.sweep import Sweep

PAUSE = 0.5
"""Seconds between looks at runs that another sweep has"""


def job_for(sweep: Sweep, spec: RunSpec, store: Store) -> Job:
    items = store.items_path(spec.key)
    return Job(
        spec, sweep.models[spec.model], sweep.data_dir, items, method_file=file_of(spec.method), probes=sweep.probes
    )


def executed(jobs: Iterable[Job], isolate: bool, timeout: float | None = None) -> Iterator[RunRecord]:
    """Records in the order of the jobs, each as it comes; a job is asked for when it is about to run.

    `timeout`: seconds after which a run is ended and failed; with `isolate` only.
    """
    if isolate:
        from harness.execute import process

        found = process.run_all(jobs, timeout)
    else:
        from harness.execute import inline

        found = inline.run_all(jobs)
    for record in found:
        record.metric = record.metric or tasks.get(record.spec.task).metric
        yield record


def run(sweep: Sweep, store: Store, progress: Progress, isolate: bool, timeout: float | None = None) -> list[RunRecord]:
    """Runs what has no done record yet and stores each record as it comes; returns those of this call.

    Several sweeps may share a store: a run that another one is making is waited for, and counts as made.
    """
    seen = store.standing([item.spec.key for item in sweep.planned])
    made = _skipped(sweep.planned, store, seen)
    wanted = [item.spec for item in sweep.planned if not item.skip]
    missing = [spec for spec in wanted if not _has(seen.get(spec.key), sweep.probes)]
    done = len(wanted) - len(missing)
    progress.start(total=len(wanted), done=done)
    with progress, Journal(store.folder, len(wanted), done) as journal, Claims(store) as claims:

        def elsewhere(record: RunRecord) -> None:
            progress.elsewhere(record)
            journal.finished(record, elsewhere=True)

        def jobs() -> Iterator[Job]:
            ours = _claimed(missing, store, seen, sweep.probes, claims, elsewhere, progress.waiting)
            for spec in progress.watch(ours):
                journal.began(spec)
                yield job_for(sweep, spec, store)

        for record in executed(jobs(), isolate, timeout):
            store.put(record)
            claims.release(record.key)
            progress.finished(record)
            journal.finished(record)
            made.append(record)
    return made


def _skipped(planned: Sequence[Planned], store: Store, seen: Mapping[str, Standing]) -> list[RunRecord]:
    """The records of what is not run; written where nothing says the same already."""
    made = []
    for item in planned:
        if item.skip:
            made.append(RunRecord(item.spec, "skipped", reason=item.skip))
            there = seen.get(item.spec.key)
            if there is None or (there.status != "done" and (there.status, there.reason) != ("skipped", item.skip)):
                store.put(made[-1])
    return made


def _has(there: Standing | None, probes: Sequence[str]) -> bool:
    return there is not None and there.status == "done" and set(probes) <= set(there.probes)


def _claimed(
    specs: Sequence[RunSpec],
    store: Store,
    seen: Mapping[str, Standing],
    probes: Sequence[str],
    claims: Claims,
    elsewhere: Callable[[RunRecord], None],
    waiting: Callable[[int], None],
) -> Iterator[RunSpec]:
    """Each spec as soon as this process has it to itself, but those whose record another sweep made since `seen`."""
    left = list(specs)
    while left:
        others = []
        for spec in left:
            if not claims.take(spec.key):
                others.append(spec)
                continue
            record = _made_since(store, spec, seen.get(spec.key), probes)
            if record is None:
                yield spec
            else:
                claims.release(spec.key)
                elsewhere(record)
        if others and len(others) == len(left):
            waiting(len(others))
            time.sleep(PAUSE)
        left = others


def _made_since(store: Store, spec: RunSpec, before: Standing | None, probes: Sequence[str]) -> RunRecord | None:
    """The record that was put there since; done or failed, it need not be made again, unless probes are lacking."""
    if store.stamp(spec.key) == (before.stamp if before else None):
        return None
    record = store.get(spec.key)
    lacks = record is not None and record.status == "done" and not set(probes) <= set(probes_of(record))
    return None if lacks else record
