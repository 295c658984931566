"""The same runs as jobs of a Slurm cluster, through submitit.

A work is one job, element of an array: that is what a queue's users see, limit, cancel and are billed for, its time limit
is that of a run, and a preempted job begins again where it was. No more than `jobs` works are in the queue at a time, so
that other sweeps in the folder find something to do. What it costs is torch's import in every job; where runs are short,
--pack makes several in one, and --executor ray inside one allocation keeps its workers.
"""

from __future__ import annotations

import pickle
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.execute.feed import Feed, say_stopping, until_stopped
from harness.execute.job import Job, Work, stops_well
from harness.execute.slurm_options import settings_from
from harness.execute.slurm_task import ALIVE, STOPS, Task
from harness.execute.travel import parcel
from harness.record import RunRecord, UserError
from harness.store import make_folder

POLL = {"slurm": 2.0, "local": 0.2}
"""Seconds between looks at the answers, by cluster"""
CHECK = 60.0
"""Seconds between questions to Slurm after jobs that ended without an answer"""
GRACE = 10.0
"""Seconds for an answer to be seen after its job has ended, and for a cancelled job to end"""
AGAIN = 3
"""Times that a run with checkpoints goes on in a new job after the time limit"""


@dataclass(eq=False)
class Sent:
    """A work in the queue or under way."""

    task: Task
    job: Any
    over: float | None = None
    """since when its job is known to have ended"""


@dataclass
class Queue:
    """The jobs of a sweep."""

    submitit: Any
    cluster: str
    settings: dict[str, Any]
    folder: Path
    jobs: int
    timeout: float | None
    executor: Any = None
    waiting: list[Sent] = field(default_factory=list)
    answered: list[Sent] = field(default_factory=list)
    count: int = 0
    checked: float = 0.0

    @property
    def local(self) -> bool:
        return self.cluster != "slurm"

    def sign(self) -> None:
        """Tells the jobs that the sweep goes on."""
        with suppress(OSError):
            (self.folder / ALIVE).write_text(str(time.time()))

    def _start(self, again: int) -> Any:
        """again: how often a job may go on after its time limit"""
        executor = self.submitit.AutoExecutor(
            self.folder, cluster=self.cluster, slurm_max_num_timeout=again, local_max_num_timeout=again
        )
        executor.update_parameters(**self.settings)
        return executor

    def submit(self, works: list[Work]) -> None:
        # Without its state a run would only come to the same limit again.
        self.executor = self.executor or self._start(AGAIN if works[0][0].stops_well else 0)
        sharers = self.jobs if self.local and not self.settings.get("gpus_per_node") else 1
        tasks = []
        for work in works:
            tasks.append(Task(parcel(work), self.folder, self.count, sharers, self.timeout))
            self.count += 1
        try:
            with self.executor.batch():
                submitted = [self.executor.submit(task) for task in tasks]
        except Exception as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise UserError(f"Slurm did not take a job: {lines[-1] if lines else type(error).__name__}") from error
        self.waiting += [Sent(task, job) for task, job in zip(tasks, submitted, strict=True)]

    def answers(self) -> Iterator[RunRecord]:
        """The records of works that have ended since. Raises UserError if a machine lacks what they need."""
        self.sign()
        force = time.monotonic() - self.checked > CHECK
        if force:
            self.checked = time.monotonic()
        for sent in list(self.waiting):
            work = sent.task.sent.work
            if sent.task.answer.exists():
                found = pickle.loads(sent.task.answer.read_bytes())
                if isinstance(found, str):
                    raise UserError(found)
                self._forget(sent)
                yield from found
            elif sent.over is not None:
                # A file that another machine wrote may be seen late.
                if time.monotonic() - sent.over > (0 if self.local else GRACE):
                    self._forget(sent)
                    yield from (died(job, sent.job) for job in work)
            elif sent.job.done(force_check=force):
                sent.over, force = time.monotonic(), False
        self._clean()

    def _forget(self, sent: Sent) -> None:
        self.waiting.remove(sent)
        self.answered.append(sent)

    def _clean(self) -> None:
        """Removes the files of jobs that have ended: a sweep may have many."""
        for sent in list(self.answered):
            if sent.job.done():
                self.answered.remove(sent)
                for path in (sent.task.answer, sent.task.begun, *self.folder.glob(f"{sent.job.job_id}_*")):
                    path.unlink(missing_ok=True)

    def stop(self) -> Iterator[RunRecord]:
        """Waits for the runs that write their state; the records of those that were done before they were asked. What has
        not begun is cancelled at once: it may stand in the queue for hours."""
        asked = [sent for sent in self.waiting if stops_well(sent.task.sent.work) and sent.task.begun.exists()]
        for sent in self.waiting:
            if sent not in asked:
                with suppress(Exception):
                    sent.job.cancel(check=False)
        if asked:
            (self.folder / STOPS).touch()
            say_stopping()
        while any(sent in asked for sent in self.waiting):
            yield from (record for record in self.answers() if record.status == "done")
            time.sleep(POLL[self.cluster])

    def end(self) -> None:
        """Cancels what is queued or under way, and removes the folder."""
        for sent in self.waiting:
            with suppress(Exception):
                sent.job.cancel(check=False)
        # Those that have answered end by themselves, and want to write into the folder before they do.
        deadline = time.monotonic() + GRACE
        left = self.waiting + self.answered if self.local else self.answered
        while time.monotonic() < deadline and not all(sent.job.done() for sent in left):
            time.sleep(0.05)
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            self.folder.parent.rmdir()


def died(job: Job, slurm_job: Any) -> RunRecord:
    """The record of a run whose job ended without one; its traceback holds the end of what the job wrote."""
    state, log = "", ""
    with suppress(Exception):
        state = str(slurm_job.state)
    with suppress(OSError):
        log = slurm_job.paths.stderr.read_text(errors="replace")[-4000:]
    reason = f"its Slurm job {slurm_job.job_id} ended without a record (state {state or 'unknown'})"
    return RunRecord(job.spec, "failed", reason=reason, traceback=log)


def needed() -> Any:
    """The submitit package. Raises UserError if it is not installed."""
    try:
        import submitit
    except ImportError:
        raise UserError("--executor slurm needs the package submitit: pip install peftbench[slurm]") from None
    return submitit


def run_all(
    works: Iterable[Work | None],
    jobs: int = 1,
    timeout: float | None = None,
    folder: Path = Path("slurm"),
    options: str = "",
) -> Iterator[RunRecord]:
    """Yields each record as it comes; a work is asked for when fewer than `jobs` are queued or under way, and None means
    that there is nothing to hand out at the moment. A work of more than `timeout` seconds a run is ended and failed.

    `folder`: where jobs and answers meet, on a file system that all machines share, as is whatever a job names by a path;
    a folder in it is made and removed again. `options`: what --slurm says (harness/execute/slurm_options.py).
    However this is left, the jobs are cancelled, and what was under way leaves no record; but runs with checkpoints that
    have begun are let finish their step and write their state, unless a second interrupt comes meanwhile. Raises UserError if
    submitit or Slurm is absent, an option is none, or Slurm refuses a job.
    """
    submitit = needed()
    cluster, settings = settings_from(options, submitit)
    own = folder.absolute() / secrets.token_hex(6)
    make_folder(own)
    queue = Queue(submitit, cluster, settings, own, jobs, timeout)
    yield from until_stopped(_served(Feed(works), queue), queue.stop, queue.end)


def _served(feed: Feed, queue: Queue) -> Iterator[RunRecord]:
    while feed.more or queue.waiting:
        queue.sign()
        fresh: list[Work] = []
        while len(queue.waiting) + len(fresh) < queue.jobs and (work := feed.take()):
            fresh.append(work)
        if fresh:
            queue.submit(fresh)
        yield from queue.answers()
        if feed.more or queue.waiting:
            time.sleep(POLL[queue.cluster])
