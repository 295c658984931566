"""What a job of a Slurm cluster does: it makes one work, and speaks with its sweep through files in a folder."""

from __future__ import annotations

import os
import pickle
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.execute.process import too_long
from harness.execute.travel import Parcel, lacks
from harness.execute.work import do, unpriced
from harness.record import RunRecord
from harness.stop import STOP, Stopped
from harness.store import replacing

SILENCE = 600.0
"""Seconds without a sign of the sweep after which a job ends itself"""
LOOK = 2.0
"""Seconds between looks for such a sign, or the word to stop"""
ALIVE, STOPS = "alive", "stop"
"""Files by which the sweep tells its jobs that it goes on, or that their runs are to write their state and end"""
UNCOMPLETED = "UncompletedJobError"
"""What submitit raises in a job at its time limit"""


@dataclass(frozen=True)
class Task:
    """What a job does. Called again, it begins again unless it has answered."""

    sent: Parcel
    folder: Path
    number: int
    sharers: int = 1
    timeout: float | None = None
    silence: float = SILENCE

    @property
    def answer(self) -> Path:
        return self.folder / f"{self.number}.answer"

    @property
    def begun(self) -> Path:
        return self.folder / f"{self.number}.begun"

    def __call__(self) -> None:
        if self.answer.exists():
            return
        self.begun.touch()
        # Before the first run: its clock is the run's.
        import harness.execute.preload  # noqa: F401

        over = threading.Event()
        threading.Thread(target=self._guard, args=(over,), daemon=True).start()
        lacking = lacks(self.sent, f"the machine {os.uname().nodename}")
        try:
            self._tell(lacking or self._records())
        except Stopped:
            self._tell([])
        over.set()

    def checkpoint(self) -> Any:
        """What submitit queues in place of a job that is preempted."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _records(self) -> list[RunRecord]:
        import torch

        torch.set_num_threads(max(1, torch.get_num_threads() // self.sharers))
        records = do(tuple(replace(job, own_process=True) for job in self.sent.work))
        for record in records:
            if record.reason.startswith(UNCOMPLETED):
                record.reason = "it came to the time limit of its job (--slurm time=MINUTES)"
        unpriced(records, self.sharers)
        return records

    def _tell(self, answer: list[RunRecord] | str) -> None:
        """Records, none if it was asked to stop, or a sentence that says what is lacking here."""
        with replacing(self.answer) as temporary:
            temporary.write_bytes(pickle.dumps(answer))

    def _guard(self, over: threading.Event) -> None:
        """Ends this job when it takes too long or its sweep is gone: nothing goes on unseen."""
        began = heard = time.monotonic()
        sign = b""
        while not over.wait(min(LOOK, self.silence / 4)):
            now = time.monotonic()
            try:
                last = (self.folder / ALIVE).read_bytes()
            except OSError:
                os._exit(1)
            if last != sign:
                sign, heard = last, now
            if now - heard > self.silence:
                os._exit(1)
            if (self.folder / STOPS).exists():
                STOP.ask()
            if self.timeout is not None and now - began > self.timeout * len(self.sent.work):
                self._tell([too_long(job, self.timeout) for job in self.sent.work])
                os._exit(0)
