"""Jobs that go together -> their records, as harness/run.py makes them one by one, but for costs: what several runs
share has no price for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.execute.job import Job
from harness.meter import PhaseMeter
from harness.model import seeded
from harness.oom import OUT_OF_MEMORY, out_of_memory
from harness.pack.model import PackedModel
from harness.pack.stack import Unpackable, share
from harness.pack.train import Lane, Pack
from harness.prepare import Setting
from harness.record import RunRecord
from harness.run import begin, calibrate, execute, report, told
from harness.watch import Watch, curve_of, evaluate


class Unmetered(PhaseMeter):
    """Measures nothing."""

    def begin(self, phase: str) -> None:
        pass

    def end(self) -> None:
        pass

    def counters(self) -> dict[str, str]:
        return {"pack": "costs are not measured where runs train together"}


@dataclass
class Run:
    """A job on its way to its record. `setting` is None where it ended before its first step."""

    job: Job
    record: RunRecord
    setting: Setting | None = None
    before: dict[str, float | None] = field(default_factory=dict)


def execute_packed(jobs: Sequence[Job]) -> list[RunRecord]:
    """Runs jobs of one group (harness/pack/groups.py) to their records, in the jobs' order.

    Where they turn out not to go together they run one by one and their records say why (`not_packed`), and a pack that
    finds too little memory is halved.
    Whatever goes wrong becomes a failed record, that of one run where it is that run's; only KeyboardInterrupt passes.
    """
    if len(jobs) < 2:
        return [execute(job) for job in jobs]
    runs = [Run(job, RunRecord(job.spec, "failed")) for job in jobs]
    try:
        _together(runs)
    except Unpackable as error:
        reason = str(error)
    except Exception as error:
        if not out_of_memory(error):
            for run in runs:
                with told(run.record):
                    raise
            return [run.record for run in runs]
        reason = ""
    else:
        return [run.record for run in runs]
    # Past the handlers, which hold on to what filled the memory.
    del runs
    if not reason:
        half = len(jobs) // 2
        return execute_packed(jobs[:half]) + execute_packed(jobs[half:])
    records = [execute(job) for job in jobs]
    for record in records:
        record.provenance["not_packed"] = reason
    return records


def _together(runs: Sequence[Run]) -> None:
    """Raises Unpackable, and whatever the shared steps raise."""
    for run in runs:
        with told(run.record):
            _prepare(run, next((other.setting for other in runs if other.setting is not None), None))
        if run.record.reason.startswith(OUT_OF_MEMORY):
            raise MemoryError(run.record.reason)
    ready = [(run, run.setting) for run in runs if run.setting is not None]
    if len(ready) < 2:
        raise Unpackable("fewer than two runs came to their first step")
    watches = [Watch(s) for _, s in ready]
    pack = _pack([(run.job.spec.seed, s) for run, s in ready], watches)
    pack.train()
    for (run, s), lane, watch in zip(ready, pack.lanes, watches, strict=True):
        with told(run.record):
            _finish(run, s, lane, watch)
        run.record.costs = dict.fromkeys(run.record.costs)
        run.record.provenance["packed"] = len(ready)
        if run.job.checkpoint_every is not None:
            run.record.provenance["checkpoint_notes"] = ["no checkpoint: runs that train together write none"]


def _pack(ready: Sequence[tuple[int, Setting]], watches: Sequence[Watch]) -> Pack:
    """The pack of (seed, setting) runs, checked. Raises Unpackable, and what says that memory is too little."""
    try:
        model = PackedModel([s.model for _, s in ready])
        lanes = [
            Lane(s, seed, watch if watch.wanted else None) for (seed, s), watch in zip(ready, watches, strict=True)
        ]
        pack = Pack(model, lanes)
        pack.check()
    except Exception as error:
        if isinstance(error, Unpackable) or out_of_memory(error):
            raise
        # A model whose code wants its layers as they were; an error of the run itself comes up again in the run alone.
        raise Unpackable(f"{type(error).__name__}: {error}") from error
    return pack


def _prepare(run: Run, first: Setting | None) -> None:
    """Up to the first step. What the run has in common with the first one it holds no second time."""
    seed = run.job.spec.seed
    s = begin(run.job, run.record)
    with seeded(seed):
        calibrate(s, seed)
        run.before = evaluate(s, s.asked).scores if s.recipe.eval_before else {}
    s.meter = Unmetered(s.device, own_process=False)
    if first is not None:
        share(first.model, s.model)
        s.train, s.asked, s.validation = first.train, first.asked, first.validation
    run.setting = s


def _finish(run: Run, s: Setting, lane: Lane, watch: Watch) -> None:
    record, steps = run.record, len(lane.trained.losses)
    if lane.error is not None:
        raise lane.error
    record.curve = curve_of(lane.trained, [point | {"train_seconds": None} for point in watch.points])
    record.data_stats["steps"] = steps
    record.data_stats["reported_step"] = watch.restore() or steps
    report(s, run.job, record, run.before, watch)
    record.status = "done"
