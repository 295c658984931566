"""Records on disk: `<folder>/runs/<first 2 hex of the key>/<key>.json`, one a run, replaced whole or not at all."""

from __future__ import annotations

import json
import math
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from harness.record import RunRecord, RunSpec, Status, UserError

KEY = re.compile(r"[0-9a-f]{12,64}")
ITEMS = re.compile(rf"{KEY.pattern}\.items\..+")
TEXTS, MAPPINGS = {"str", "Status"}, ("Mapping[", "dict[")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`; moves it over `path` when the block ends well, removes it when not."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def make_folder(folder: Path) -> None:
    """Raises UserError if the folder cannot be made or written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {folder} cannot be made: {error.strerror}.") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"The folder {folder} cannot be written to.")


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: what has no number is null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return value


def _check(record: RunRecord) -> None:
    """Raises ValueError if a field is of a kind that the views cannot read."""
    if record.status not in get_args(Status):
        raise ValueError(f"status {record.status!r}")
    for part in (record.spec, record):
        for item in fields(part):
            value, kind = getattr(part, item.name), str(item.type)
            fits = (
                isinstance(value, str) if kind in TEXTS
                else isinstance(value, dict) if kind.startswith(MAPPINGS)
                else isinstance(value, list) if kind.startswith("list[")
                else isinstance(value, int) if kind == "int"
                else True
            )  # fmt: skip
            if not fits:
                raise ValueError(f"{item.name} is {type(value).__name__}")
    for name in ("scores", "parameters", "costs"):
        for field, value in getattr(record, name).items():
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise ValueError(f"{name}.{field} is no number")
            if isinstance(value, float) and (name == "parameters" or field.endswith("_bytes")):
                raise ValueError(f"{name}.{field} is no whole number")


def read_record(path: Path) -> RunRecord:
    """Raises OSError, or ValueError with a reason if the file is no record of ours."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda _: None)
        record = RunRecord.from_dict(value)
        _check(record)
    except KeyError as error:
        raise ValueError(f"{error} is missing") from None
    except (TypeError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if record.key != path.stem:
        raise ValueError(f"it holds the run {record.key}")
    return record


class Store:
    """A folder of records. Reading needs no right to write; nothing is made before the first write."""

    def __init__(self, folder: Path) -> None:
        """Raises UserError if `folder`, or what should be a folder above it, is a file."""
        self.folder = Path(folder)
        self.problems: list[str] = []
        """One sentence for each file that the last `records()` passed over."""
        standing = next((p for p in (self.folder, *self.folder.absolute().parents) if p.exists()), None)
        if standing is not None and not standing.is_dir():
            raise UserError(f"{standing} is a file; a folder of records is needed there.")

    def path(self, key: str) -> Path:
        """Raises ValueError if the key is not 12 to 64 lower-case hex digits."""
        if not KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key of a run")
        return self.folder / "runs" / key[:2] / f"{key}.json"

    def items_path(self, key: str, suffix: str = "parquet") -> Path:
        """Where a run's per-item file goes; its folder is made. Raises UserError if that cannot be."""
        record = self.path(key)
        make_folder(record.parent)
        return record.with_name(f"{key}.items.{suffix}")

    def get(self, key: str) -> RunRecord | None:
        """The record of that key; None if there is none that can be read, so that its run is made again."""
        path = self.path(key)
        try:
            return read_record(path)
        except (OSError, ValueError):
            return None

    def has_done(self, key: str) -> bool:
        found = self.get(key)
        return found is not None and found.status == "done"

    def missing(self, specs: Iterable[RunSpec]) -> list[RunSpec]:
        """Those without a done record: never run, failed, skipped, or unreadable."""
        return [spec for spec in specs if not self.has_done(spec.key)]

    def put(self, record: RunRecord) -> bool:
        """Writes the record; returns False, and writes nothing, where it would replace a done one with one that is not.

        Numbers that are not finite are written as null. Raises UserError if the folder cannot be written to,
        TypeError if the record holds what JSON cannot say.
        """
        path = self.path(record.key)
        if record.status != "done" and self.has_done(record.key):
            return False
        text = json.dumps(_finite(record.to_dict()), indent=1, allow_nan=False) + "\n"
        make_folder(path.parent)
        try:
            with replacing(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror or error}.") from None
        return True

    def records(self) -> Iterator[RunRecord]:
        """All readable records in the order of their keys; `problems` then names what was passed over."""
        self.problems = []
        runs = self.folder / "runs"
        for path in sorted(p for p in runs.rglob("*") if not p.is_dir()):
            if path.name.startswith(".") or ITEMS.fullmatch(path.name):
                continue
            if not KEY.fullmatch(path.stem) or path.suffix != ".json" or path != self.path(path.stem):
                self.problems.append(f"{path}: not a file of this store")
                continue
            try:
                yield read_record(path)
            except (OSError, ValueError) as error:
                reason = error.strerror if isinstance(error, OSError) else error
                self.problems.append(f"{path}: not a readable record ({reason})")
