"""Joins results folders of several machines: each record with its per-item files, or nothing of it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from harness.record import RunRecord, UserError
from harness.store import Store, make_folder, replacing

Keep = Literal["first", "newest"]
NAMED = 5
"""Conflicts that a sentence names"""


@dataclass
class Merged:
    """What came of it."""

    copied: int = 0
    replaced: int = 0
    same: int = 0
    """runs whose results stood there already"""
    problems: list[str] = field(default_factory=list)
    """one sentence for each file that was passed over"""


@dataclass(frozen=True)
class _Found:
    """A run's record in one of the folders."""

    store: Store
    record: RunRecord

    @property
    def path(self) -> Path:
        return self.store.path(self.record.key)

    @property
    def name(self) -> str:
        spec = self.record.spec
        return f"{spec.method} on {spec.task}, seed {spec.seed} ({self.record.key})"


def merge(sources: Sequence[Path], out: Path, keep: Keep | None = None) -> Merged:
    """Brings the records of `sources` into `out`, which is one of them, or new, or has records that come first.

    Of one key: a done record is taken before one that is not; else, if the results are the same, the first. Two done ones
    with other scores are refused with UserError, before anything is written, unless `keep` says which to take: the first
    in the order of the folders, or the newest by the time of its file.
    """
    out_store = Store(out)
    stores = [Store(folder) for folder in sources if folder.resolve() != out.resolve()]
    merged = Merged()
    taken = {record.key: _Found(out_store, record) for record in _records(out_store, merged)}
    there = dict(taken)
    conflicts: list[str] = []
    for store in stores:
        for record in _records(store, merged):
            found = _Found(store, record)
            first = taken.setdefault(record.key, found)
            if first is found:
                continue
            if _conflict(first.record, record) and keep is None:
                conflicts.append(f"{found.name} in {first.store.folder} and {store.folder}")
            elif _goes_before(found, first, keep):
                taken[record.key] = found
            else:
                merged.same += 1
    if conflicts:
        more = f" and {len(conflicts) - NAMED} more" if len(conflicts) > NAMED else ""
        raise UserError(
            f"The same run has different results: {'; '.join(conflicts[:NAMED])}{more}. --keep first or --keep newest "
            "says which to take."
        )
    for key, found in taken.items():
        if found.store is not out_store:
            _copy(found, out_store)
            merged.replaced += key in there
            merged.copied += key not in there
    return merged


def _records(store: Store, merged: Merged) -> list[RunRecord]:
    found = list(store.records(brief=True))
    merged.problems += store.problems
    return found


def _conflict(first: RunRecord, other: RunRecord) -> bool:
    return first.status == other.status == "done" and first.scores != other.scores


def _goes_before(found: _Found, first: _Found, keep: Keep | None) -> bool:
    done, first_done = found.record.status == "done", first.record.status == "done"
    if done != first_done:
        return done
    return keep == "newest" and found.path.stat().st_mtime_ns > first.path.stat().st_mtime_ns


def _copy(found: _Found, out: Store) -> None:
    """The per-item files first: where the record stands, all of it stands. Raises UserError if it cannot be written."""
    target = out.path(found.record.key)
    make_folder(target.parent)
    items = found.store.items(found.record.key)
    try:
        for path in [*items, found.path]:
            with replacing(target.with_name(path.name)) as temporary:
                shutil.copy2(path, temporary)
        for old in out.items(found.record.key):
            if old.name not in {path.name for path in items}:
                old.unlink()
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror or error}.") from None
