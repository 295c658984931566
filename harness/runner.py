"""The runs of a plan that have no record yet: claimed one by one, executed, stored."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import methods
import tasks
from harness.claim import Claims
from harness.execute.choose import How, run_all
from harness.execute.job import Job, Work
from harness.index import Standing, probes_of
from harness.journal import Journal
from harness.pack.groups import groups
from harness.plan import Planned
from harness.progress import Progress
from harness.record import RunRecord, RunSpec
from harness.store import Store
from methods.registry import file_of

if TYPE_CHECKING:
    from harness.sweep import Sweep


def job_for(sweep: Sweep, spec: RunSpec, store: Store) -> Job:
    items = store.items_path(spec.key)
    return Job(
        spec,
        sweep.models[spec.model],
        sweep.data_dir,
        items,
        method_file=file_of(spec.method),
        probes=sweep.probes,
        checkpoint=store.checkpoint_path(spec.key),
        checkpoint_every=sweep.checkpoint_every,
        on_oom=sweep.on_oom,
    )


def executed(works: Iterable[Work | None], how: How) -> Generator[RunRecord]:
    """Records as they come; see `run_all`."""
    for record in run_all(works, how):
        record.metric = record.metric or tasks.get(record.spec.task).metric
        yield record


def run(
    sweep: Sweep, store: Store, progress: Progress, how: How, told: Callable[[RunRecord], None] | None = None
) -> list[RunRecord]:
    """Runs what has no done record yet and stores each record as it comes; returns those of this call. `told` hears of
    each record once it is stored.

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

        def works() -> Iterator[Work | None]:
            for specs in _claimed(
                _together(missing, how), store, seen, sweep.probes, claims, elsewhere, progress.waiting
            ):
                if specs:
                    progress.began(specs)
                    journal.began(specs)
                yield tuple(job_for(sweep, spec, store) for spec in specs) or None

        # Closed at once where this is left, so that workers end before their claims are given back.
        with closing(executed(works(), how)) as records:
            for record in records:
                store.put(record)
                claims.release(record.key)
                if told:
                    told(record)
                progress.finished(record)
                journal.finished(record)
                made.append(record)
    return made


def _together(specs: Sequence[RunSpec], how: How) -> list[tuple[RunSpec, ...]]:
    """The runs that are handed out together."""
    if how.pack == 1:
        return [(spec,) for spec in specs]
    return [group.specs for group in groups(specs, how.pack, methods.get, how.one_seed)]


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
    wanted: Sequence[tuple[RunSpec, ...]],
    store: Store,
    seen: Mapping[str, Standing],
    probes: Sequence[str],
    claims: Claims,
    elsewhere: Callable[[RunRecord], None],
    waiting: Callable[[int], None],
) -> Iterator[tuple[RunSpec, ...]]:
    """Of each group what this process has to itself, as soon as it has, but those whose record another sweep made since
    `seen`; an empty one where others have all that is left."""
    left = list(wanted)
    while left:
        others, ours = [], 0
        for specs in left:
            mine, theirs = [], []
            for spec in specs:
                if not claims.take(spec.key):
                    theirs.append(spec)
                    continue
                record = _made_since(store, spec, seen.get(spec.key), probes)
                if record is None:
                    mine.append(spec)
                else:
                    claims.release(spec.key)
                    elsewhere(record)
            if mine:
                ours += 1
                yield tuple(mine)
            if theirs:
                others.append(tuple(theirs))
        if others and not ours:
            waiting(sum(map(len, others)))
            yield ()
        left = others


def _made_since(store: Store, spec: RunSpec, before: Standing | None, probes: Sequence[str]) -> RunRecord | None:
    """The record that was put there since; done or failed, it need not be made again, unless probes are lacking."""
    if store.stamp(spec.key) == (before.stamp if before else None):
        return None
    record = store.get(spec.key)
    lacks = record is not None and record.status == "done" and not set(probes) <= set(probes_of(record))
    return None if lacks else record
