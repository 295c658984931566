"""The same runs on Ray: workers that live on, an actor each with resources of its own, on this machine or on a cluster
that runs already.

Every machine of the cluster needs the same code and, in the same place, the models and the data (harness/execute/travel.py);
methods given by their file travel with the work, and per-item files come back with the records.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness import provenance
from harness.execute.cluster import cluster, last_line, needed, share
from harness.execute.feed import PAUSE, Feed, say_stopping, until_stopped
from harness.execute.job import Job, Work, stops_well
from harness.execute.process import too_long
from harness.execute.travel import Answer, Parcel, make, parcel, unpack
from harness.execute.work import do, unpriced
from harness.record import RunRecord, UserError
from harness.reuse import kept
from harness.stop import STOP, Stopped

PATIENCE = 600.0
"""Seconds that the cluster has to give room for a first worker: it may have to start a machine for it"""
STOPS = "stops"
"""What Ray calls the threads of a worker that take the word to stop"""
STARTS = 3
"""Workers in a row that may die while they start"""


@dataclass(frozen=True)
class Hello:
    """What a worker says when it has started."""

    node: str
    """Ray's id of its machine"""
    place: str
    """that machine as a sentence names it"""
    version: str | None
    commit: str | None


class Maker:
    """What an actor is: it makes one work after another."""

    def __init__(self, cpus: int, alone: bool, reason: str) -> None:
        """alone: makes one work only; reason: why the worker that was here before ended"""
        # Before the first run: its clock is the run's.
        import torch

        import harness.execute.preload  # noqa: F401

        self.threads = min(cpus, torch.get_num_threads())
        self.folder = tempfile.TemporaryDirectory(prefix="peftbench-")
        self.pool = None if alone else ExitStack().enter_context(kept(reason))

    def hello(self) -> Hello:
        import ray

        place = f"the Ray node {ray.util.get_node_ip_address()}"
        node = ray.get_runtime_context().get_node_id()
        return Hello(node, place, provenance.versions()["peftbench"], provenance.commit())

    def stop(self) -> None:
        """Called while `make` is at work: its run writes its state and ends."""
        STOP.ask()

    def make(self, sent: Parcel, place: str) -> Answer:
        """Without records if it was asked to stop."""
        import torch

        # Of this thread: calls go to another one than the start.
        torch.set_num_threads(self.threads)
        try:
            return self._make(sent, place)
        except Stopped:
            return Answer()

    def _make(self, sent: Parcel, place: str) -> Answer:
        if self.pool is None:
            return make(sent, place, do, Path(self.folder.name))
        with self.pool.run() as told:
            answer = make(sent, place, do, Path(self.folder.name))
        for record in answer.records:
            record.provenance |= told
        return replace(answer, leftovers=self.pool.leftovers() or "")


class Worker:
    """An actor and what it is at work on."""

    def __init__(self, ray: Any, cpus: int, cards: int, alone: bool, reason: str) -> None:
        # One that dies is replaced by us: a run is never made again in silence.
        options = {"num_cpus": cpus, "num_gpus": cards, "max_restarts": 0, "max_task_retries": 0}
        # The word to stop has a thread of its own.
        self.actor = ray.remote(**options, concurrency_groups={STOPS: 1})(Maker).remote(cpus, alone, reason)
        self.handle = self.actor.hello.remote()
        """what is awaited of it"""
        self.hello: Hello | None = None
        self.work: Work = ()
        self.began = 0.0

    def give(self, work: Work) -> None:
        assert self.hello is not None
        self.work, self.began = work, time.monotonic()
        self.handle = self.actor.make.remote(parcel(work), self.hello.place)

    def stop(self) -> None:
        """Asks its run to end after the step under way."""
        self.actor.stop.options(concurrency_group=STOPS).remote()


class Team:
    """The workers; one that dies is replaced."""

    def __init__(self, ray: Any, resources: Sequence[Mapping[str, float]], jobs: int, alone: bool) -> None:
        self.ray, self.alone = ray, alone
        self.cpus, self.cards = share(resources, jobs)
        self.fewest = 1 if self.cards else -(-jobs // max(1, len(resources)))
        """workers that a machine is to hold at least, once all are placed"""
        self.idle: list[Worker] = []
        self.busy: list[Worker] = []
        self.starting = [self._start() for _ in range(jobs)]
        self._lost, self._since = 0, time.monotonic()
        self._known: set[str] = set()

    def _start(self, reason: str = "") -> Worker:
        return Worker(self.ray, self.cpus, self.cards, self.alone, reason)

    def give(self, work: Work) -> None:
        sent = tuple(replace(job, own_process=self.alone) for job in work)
        self.idle[-1].give(sent)
        self.busy.append(self.idle.pop())

    def answers(self, patience: float, timeout: float | None) -> Iterator[RunRecord]:
        """The records of the works that end within so many seconds; returns as soon as anything happens."""
        handles = {worker.handle: worker for worker in (*self.busy, *self.starting)}
        ready, _ = self.ray.wait(list(handles), num_returns=1, timeout=patience)
        for worker in (handles[handle] for handle in ready):
            if worker in self.starting:
                self._started(worker)
            else:
                yield from self._made(worker)
        for worker in list(self.busy):
            if timeout is not None and time.monotonic() - worker.began > timeout * len(worker.work):
                self._replace(worker)
                yield from (too_long(job, timeout) for job in worker.work)
        if not (self.busy or self.idle) and time.monotonic() - self._since > PATIENCE:
            raise UserError(
                f"Ray found no room for a worker ({self.cpus} CPUs, {self.cards} GPUs) in {PATIENCE:g} s; "
                f"`ray status` shows what the cluster has."
            )

    def _started(self, worker: Worker) -> None:
        self.starting.remove(worker)
        try:
            worker.hello = self.ray.get(worker.handle)
        except self.ray.exceptions.RayError as error:
            self._lost += 1
            if self._lost >= STARTS or not isinstance(error, self.ray.exceptions.RayActorError):
                raise UserError(f"A worker could not be started on the Ray cluster: {last_line(error)}") from None
            self.starting.append(self._start())
            return
        self._lost = 0
        if worker.hello.node not in self._known:
            # One that starts later may find a checkout that has moved on; its records name the commit.
            self._known.add(worker.hello.node)
            _same_code(worker.hello)
        self.idle.append(worker)

    def _made(self, worker: Worker) -> Iterator[RunRecord]:
        work, leftovers = worker.work, ""
        try:
            answer: Answer = self.ray.get(worker.handle)
            leftovers = answer.leftovers
            records = unpack(answer, work)
        except self.ray.exceptions.RayTaskError as error:
            yield from (RunRecord(job.spec, "failed", reason=last_line(error)) for job in work)
        except self.ray.exceptions.RayError as error:
            self._replace(worker)
            yield from (died(job, worker.hello, error) for job in work)
            return
        else:
            unpriced(records, self._sharers(worker))
            yield from records
        if self.alone or leftovers:
            self._replace(worker, leftovers)
        else:
            self.busy.remove(worker)
            self.idle.append(worker)

    def _sharers(self, worker: Worker) -> int:
        """Workers on the worker's device."""
        if self.cards:
            return 1
        there = Counter(w.hello.node for w in (*self.busy, *self.idle) if w.hello)
        assert worker.hello is not None
        return max(self.fewest, there[worker.hello.node])

    def _replace(self, worker: Worker, reason: str = "") -> None:
        self.busy.remove(worker)
        self._kill(worker)
        self._since = time.monotonic()
        self.starting.append(self._start(reason))

    def _kill(self, worker: Worker) -> None:
        with suppress(Exception):
            self.ray.kill(worker.actor, no_restart=True)

    def stop(self) -> Iterator[RunRecord]:
        """Waits for the runs that write their state; the records of those that were done before they were asked."""
        asked = {worker.handle: worker for worker in self.busy if stops_well(worker.work)}
        for worker in asked.values():
            worker.stop()
        if asked:
            say_stopping()
        while asked:
            ready, _ = self.ray.wait(list(asked), num_returns=1)
            for worker in map(asked.pop, ready):
                with suppress(self.ray.exceptions.RayError):
                    answer: Answer = self.ray.get(worker.handle)
                    if answer.records:
                        records = unpack(answer, worker.work)
                        unpriced(records, self._sharers(worker))
                        yield from records

    def end(self) -> None:
        for worker in (*self.busy, *self.idle, *self.starting):
            self._kill(worker)


def _same_code(hello: Hello) -> None:
    """Raises UserError if that machine has another edition of this program."""
    version, commit = provenance.versions()["peftbench"], provenance.commit()
    if hello.version != version or (hello.commit and commit and hello.commit != commit):
        raise UserError(
            f"peftbench on {hello.place} is {hello.version} ({hello.commit or 'no commit'}), here {version} "
            f"({commit or 'no commit'}): install the same on all machines."
        )


def died(job: Job, hello: Hello | None, error: BaseException) -> RunRecord:
    """The record of a run whose actor ended without one."""
    where = hello.place if hello else "the Ray cluster"
    reason = f"the run's process on {where} died (often of memory running out): {type(error).__name__}"
    return RunRecord(job.spec, "failed", reason=reason, traceback=str(error))


def run_all(
    works: Iterable[Work | None],
    jobs: int = 1,
    timeout: float | None = None,
    address: str | None = None,
    alone: bool = False,
) -> Iterator[RunRecord]:
    """Yields each record as it comes, from `jobs` workers; a work is asked for when a worker is free, and None means that
    there is nothing to hand out at the moment. A work of more than `timeout` seconds a run is ended and failed; `alone`:
    a process of its own for each work.

    However this is left, the workers end, and what was under way leaves no record; but runs with checkpoints are let finish
    their step and write their state, unless a second interrupt comes meanwhile. Raises UserError if Ray is absent, the cluster
    cannot be reached or a machine of it lacks what the runs need.
    """
    ray = needed()
    with cluster(address, jobs) as resources:
        team = Team(ray, resources, jobs, alone)
        yield from until_stopped(_served(Feed(works), team, timeout), team.stop, team.end)


def _served(feed: Feed, team: Team, timeout: float | None) -> Iterator[RunRecord]:
    while feed.more or team.busy:
        while team.idle and (work := feed.take()):
            team.give(work)
        if team.busy or (feed.more and team.starting and not team.idle):
            yield from team.answers(PAUSE, timeout)
        elif feed.more:
            time.sleep(PAUSE)
