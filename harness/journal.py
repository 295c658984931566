"""How a sweep goes, for another terminal: `<folder>/sweeps/<id>.json`, written by `peftbench run`, read by `status`.

The sweep holds a lock beside it as long as it lives, so that a reader knows a sweep that died from one that is busy.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.claim import Lock, is_held
from harness.record import RunRecord, RunSpec

FOLDER = "sweeps"
REASON = 200
"""Characters of a reason that are kept"""


@dataclass
class Sweep:
    """What stands in the file. Times are seconds since 1970; `elapsed` is by a clock that never jumps."""

    host: str
    process: int
    began: float
    updated: float
    elapsed: float = 0.0
    state: str = "running"
    """running | finished | stopped"""
    total: int = 0
    before: int = 0
    """runs that had a record when the sweep began"""
    made: int = 0
    elsewhere: int = 0
    """runs that another sweep made meanwhile"""
    failed: dict[str, int] = field(default_factory=dict)
    """reason -> runs"""
    running: dict[str, Any] = field(default_factory=dict)
    """key of each run at work -> its method, task, seed and since (a time)"""

    @classmethod
    def from_dict(cls, value: Any) -> Sweep:
        """Raises TypeError or ValueError if it is none."""
        found = cls(**value)
        for item in fields(cls):
            given, kind = getattr(found, item.name), str(item.type).partition("[")[0]
            fits = {"str": str, "int": int, "float": int | float, "dict": dict}[kind]
            if not isinstance(given, fits) or isinstance(given, bool):
                raise ValueError(f"{item.name} is {type(given).__name__}")
        if not all(isinstance(count, int) for count in found.failed.values()):
            raise ValueError("failed holds no counts")
        if not all(isinstance(run, dict) for run in found.running.values()):
            raise ValueError("running holds no runs")
        return found


class Journal:
    """Keeps the file up to date; leaving the block says how the sweep ended. What cannot be written is left unwritten."""

    def __init__(self, folder: Path, total: int, before: int) -> None:
        now = time.time()
        self.folder = folder / FOLDER
        self.name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        self.sweep = Sweep(platform.node(), os.getpid(), now, now, total=total, before=before)
        self._failed: Counter[str] = Counter()
        self._started = time.monotonic()
        self._lock = Lock(self.folder / f".{self.name}.lock")

    def __enter__(self) -> Journal:
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            _remove_ended(self.folder)
            self._lock.take()
            self._write()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.sweep.state, self.sweep.running = "finished" if kind is None else "stopped", {}
        self._write()
        self._lock.release()

    def began(self, specs: Sequence[RunSpec]) -> None:
        """Runs that one worker makes together."""
        for spec in specs:
            at = {"method": spec.method, "task": spec.task, "seed": spec.seed, "since": time.time()}
            self.sweep.running[spec.key] = at
        self._write()

    def finished(self, record: RunRecord, elsewhere: bool = False) -> None:
        if elsewhere:
            self.sweep.elsewhere += 1
        else:
            self.sweep.made += 1
            self.sweep.running.pop(record.key, None)
        if record.status == "failed":
            self._failed[" ".join(record.reason.split())[:REASON]] += 1
            self.sweep.failed = dict(self._failed.most_common())
        self._write()

    def _write(self) -> None:
        self.sweep.updated, self.sweep.elapsed = time.time(), time.monotonic() - self._started
        path = self.folder / f"{self.name}.json"
        temporary = path.with_name(f".{path.name}.tmp")
        with suppress(OSError):
            # Not waited for on the disk: after a power cut it says nothing that the records do not.
            temporary.write_text(json.dumps(asdict(self.sweep), indent=1) + "\n", encoding="utf-8")
            os.replace(temporary, path)


def _lock_of(path: Path) -> Path:
    return path.with_name(f".{path.stem}.lock")


def _remove_ended(folder: Path) -> None:
    for path in folder.glob("*.json"):
        if is_held(_lock_of(path)) is False:
            for old in (path, _lock_of(path), path.with_name(f".{path.name}.tmp")):
                old.unlink(missing_ok=True)


def read(folder: Path) -> list[tuple[Sweep, bool | None]]:
    """The sweeps of a results folder by their beginning, each with whether its process lives (None: that cannot be told)."""
    found = []
    for path in (folder / FOLDER).glob("*.json"):
        # Asked first: a sweep that ends in between has then written its end.
        alive = is_held(_lock_of(path))
        with suppress(OSError, ValueError, TypeError, RecursionError):
            found.append((Sweep.from_dict(json.loads(path.read_text(encoding="utf-8"))), alive))
    return sorted(found, key=lambda pair: pair[0].began)
