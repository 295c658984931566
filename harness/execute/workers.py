"""Worker processes that live on and take one work after another: torch is imported, a base model read and a text
tokenised once a worker, not once a run."""

from __future__ import annotations

import gc
import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import connection
from multiprocessing.connection import Connection
from typing import Any

from harness.execute import process
from harness.execute.feed import PAUSE, Feed, say_stopping, until_stopped
from harness.execute.job import Work, stops_well
from harness.execute.travel import Answer
from harness.record import RunRecord
from harness.stop import STOP, Stopped


@dataclass(frozen=True)
class Place:
    """Where a worker computes."""

    cards: str | None = None
    """what CUDA may see, as CUDA_VISIBLE_DEVICES says it; None: what this process sees"""
    sharers: int = 1
    """workers on that device, this one among them"""
    alone: bool = False
    """one work a process, whose resident memory is then its own"""


def places(jobs: int, cards: Sequence[str], alone: bool = False) -> list[Place]:
    """One place a worker. Workers are spread over the cards evenly; without cards they share the processor.

    Raises ValueError if `jobs` is below 1.
    """
    if jobs < 1:
        raise ValueError(f"{jobs} workers: at least 1 is expected")
    if not cards:
        return [Place(None, jobs, alone)] * jobs
    found = [cards[at % len(cards)] for at in range(jobs)]
    return [Place(card, found.count(card), alone) for card in found]


def _serve(pipe: Connection, place: Place, reason: str) -> None:
    process.settle()
    if place.cards is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = place.cards
    if place.sharers > 1 and place.cards is None:
        import torch

        torch.set_num_threads(max(1, torch.get_num_threads() // place.sharers))
    # While a run is under way nothing comes through the pipe but the word to stop.
    STOP.listen(pipe.poll)
    with suppress(EOFError, BrokenPipeError, Stopped):
        if place.alone:
            pipe.send(_made(pipe.recv(), place))
        else:
            _live(pipe, place, reason)


def _live(pipe: Connection, place: Place, reason: str) -> None:
    """Takes works until there are no more, or one left something behind that the next would meet."""
    from harness.reuse import kept

    leftovers = None
    # What was imported is not looked through after every run.
    gc.freeze()
    with kept(reason) as pool:
        while not leftovers:
            work = pipe.recv()
            if work is None:
                return
            with pool.run() as told:
                answer = _made(work, place)
            # A run's model lies in cycles; the next one needs its memory.
            gc.collect()
            leftovers = pool.leftovers()
            for record in answer.records:
                record.provenance |= told
            pipe.send(replace(answer, leftovers=leftovers or ""))


def _made(work: Work, place: Place) -> Answer:
    from harness.execute.work import do, unpriced

    records = do(tuple(replace(job, own_process=place.alone) for job in work))
    unpriced(records, place.sharers)
    return Answer(records)


class Worker:
    """A process and what it is at work on."""

    def __init__(self, place: Place, reason: str = "") -> None:
        """reason: why the worker that was here before ended"""
        server = multiprocessing.get_context("forkserver")
        self.place = place
        self.pipe, theirs = server.Pipe()
        self.process = server.Process(target=_serve, args=(theirs, place, reason), daemon=True)
        self.process.start()
        theirs.close()
        self.work: Work = ()
        self._began = 0.0

    def give(self, work: Work) -> None:
        self.work, self._began = work, time.monotonic()
        # One that died meanwhile is found out when its answer is awaited.
        with suppress(BrokenPipeError):
            self.pipe.send(work)

    def left(self, timeout: float | None) -> float | None:
        """Seconds until its work has taken `timeout` a run."""
        return None if timeout is None else self._began + timeout * len(self.work) - time.monotonic()

    def answer(self) -> Answer | None:
        """The records of its work; None if it died without them."""
        if not self.pipe.poll():
            # What it has started may hold the other end of the pipe open.
            self.end()
        try:
            found: Answer = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(process.PATIENCE)
            return None
        self.work = ()
        return found

    def stop(self) -> None:
        """Asks its run to end after the step under way."""
        with suppress(OSError):
            self.pipe.send(None)

    def end(self) -> None:
        process.end(self.process)


class Team:
    """Workers in their places, each started when there is a first work for it."""

    def __init__(self, where: Sequence[Place], timeout: float | None) -> None:
        self.timeout = timeout
        self._free = [(place, "") for place in reversed(where)]
        self._idle: list[Worker] = []
        self.busy: list[Worker] = []

    @property
    def has_room(self) -> bool:
        return bool(self._idle or self._free)

    def give(self, work: Work) -> None:
        worker = self._idle.pop() if self._idle else Worker(*self._free.pop())
        worker.give(work)
        self.busy.append(worker)

    def answers(self, patience: float | None) -> Iterator[RunRecord]:
        """The records of the works that end first, awaited for at most `patience` seconds."""
        waits = [s for s in (patience, *(worker.left(self.timeout) for worker in self.busy)) if s is not None]
        handles: list[Any] = [handle for w in self.busy for handle in (w.pipe, w.process.sentinel)]
        ready = connection.wait(handles, max(0.0, min(waits)) if waits else None)
        for worker in list(self.busy):
            left = worker.left(self.timeout)
            if worker.pipe in ready or worker.process.sentinel in ready:
                work, answer = worker.work, worker.answer()
                if answer is None:
                    answer = Answer([process.died(job, worker.process.exitcode) for job in work])
                self._back(
                    worker, not worker.work and not worker.place.alone and not answer.leftovers, answer.leftovers
                )
                yield from answer.records
            elif left is not None and left <= 0:
                self._back(worker, lives=False)
                yield from (process.too_long(job, self.timeout or 0.0) for job in worker.work)

    def _back(self, worker: Worker, lives: bool, reason: str = "") -> None:
        self.busy.remove(worker)
        if lives:
            self._idle.append(worker)
        else:
            worker.end()
            worker.pipe.close()
            self._free.append((worker.place, reason))

    def stop(self) -> Iterator[RunRecord]:
        """Waits for the runs that write their state; the records of those that were done before they were asked. An
        interrupt meanwhile ends them."""
        asked = [worker for worker in self.busy if stops_well(worker.work)]
        for worker in asked:
            worker.stop()
        if asked:
            say_stopping()
        while asked:
            connection.wait([handle for w in asked for handle in (w.pipe, w.process.sentinel)])
            for worker in asked:
                answer = worker.answer() if worker.pipe.poll() else None
                yield from answer.records if answer else ()
            asked = [worker for worker in asked if worker.process.is_alive()]

    def end(self) -> None:
        for worker in (*self.busy, *self._idle):
            worker.end()
            worker.pipe.close()


def run_all(works: Iterable[Work | None], where: Sequence[Place], timeout: float | None = None) -> Iterator[RunRecord]:
    """Yields each record as it comes; a work is asked for when a worker is free, and None means that there is nothing to
    hand out at the moment. A work of more than `timeout` seconds a run is ended and failed.

    However this is left, every worker ends, and what was under way leaves no record; but runs with checkpoints are let
    finish their step and write their state, unless a second interrupt comes meanwhile."""
    process.start_server()
    team = Team(where, timeout)
    yield from until_stopped(_served(Feed(works), team), team.stop, team.end)


def _served(feed: Feed, team: Team) -> Iterator[RunRecord]:
    while feed.more or team.busy:
        while team.has_room and (work := feed.take()):
            team.give(work)
        if team.busy:
            yield from team.answers(PAUSE if feed.more and team.has_room else None)
        elif feed.more:
            time.sleep(PAUSE)
