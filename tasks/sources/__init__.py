"""Where a task's rows come from: files of the user's, the hub, or a generator of the project's.

One is chosen by what the task declares and what the user gives, never by what happens to work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from tasks.spec import Row, RowOf, Rows, Task

WAYS_OUT = (
    "Three ways out: --data-dir with the classic files; a network or a filled hub cache (HF_HOME); "
    "or the mini preset, which needs neither."
)


class SourceError(Exception):
    """Data that the user can mend: one or two sentences that name the file, line, value or way out."""


@dataclass(frozen=True)
class Source:
    """A task's rows and what identifies them."""

    kind: Literal["embedded", "local", "hub"]
    id: str
    """The hub id, the task's name for rows that the project makes, or the files below the data folder."""
    revision: str | None
    """The hub's commit as loaded, or the task's version for rows that the project makes."""
    sha256: str | None
    """Of the files' sha256 in order of reading, or of the made rows' canonical JSON; None for the hub."""
    load: Callable[[str], Rows]
    notes: list[str] = field(default_factory=list)
    """What is odd but usable, one sentence each."""

    def rows(self, split: Literal["train", "eval"]) -> Rows:
        """The rows in their published order. Raises SourceError if they cannot be used."""
        return self.load(split)

    def describe(self) -> dict[str, str | None]:
        """What of the source is part of a run's identity: kind, id, revision, sha256."""
        return {"kind": self.kind, "id": self.id, "revision": self.revision, "sha256": self.sha256}


def open_rows(task: Task, data_dir: Path | None) -> Source:
    """The task's rows: made ones if it makes them, else those in `data_dir` if given, else the hub's.

    Raises SourceError for whatever the user can mend. Local files are read and checked whole here, so
    that a bad line is known before anything trains; the hub's rows are fetched here and read later.
    A task with a prompt gets a note if reported questions stand in its training rows too.
    """
    from tasks.sources import overlap

    source = open_apart(task, data_dir)
    return overlap.counted(task, source) if task.prompt else source


def open_apart(task: Task, data_dir: Path | None) -> Source:
    """The same, without a look at whether its splits share questions."""
    # The readers raise this module's SourceError, so they can only be imported once it exists.
    from tasks.sources import embedded, folder, hub, joint, json, local

    if task.rows_of is not None:
        source = open_apart(task.rows_of, data_dir)
        return replace(source, load=lambda split: [task.row(row) for row in source.load(split)])
    if task.members:
        return joint.open_source(task, data_dir)
    if task.folder is not None and (data_dir is not None or task.hub is None):
        return folder.open_source(task, data_dir)
    if task.generate is not None:
        return embedded.open_source(task)
    if data_dir is not None:
        return (json if task.json else local).open_source(task, data_dir)
    return hub.open_source(task)


def part_of(task: Task, split: str, name: str) -> dict[str, str]:
    """{"part": "matched"} for a split of several parts, here validation_matched; else nothing."""
    return {"part": name.rpartition("_")[2]} if len(task.splits[split]) > 1 else {}


def size_notes(task: Task, counts: Mapping[str, int]) -> list[str]:
    """A sentence for each split part whose number of rows is not the published one."""
    return [
        f"{name} has {count} rows, {task.sizes[name]} were published"
        for name, count in counts.items()
        if count != task.sizes.get(name, count)
    ]


def find_folder(task: Task, wanted: list[str], data_dir: Path) -> Path:
    """`data_dir`, or its subfolder with the suite's name: the one that holds all `wanted` files."""
    if not data_dir.is_dir():
        raise SourceError(f"The data folder {data_dir} does not exist.")
    for folder in (data_dir, data_dir / task.suite):
        missing = [name for name in wanted if not (folder / name).is_file()]
        if not missing:
            return folder
        if len(missing) < len(wanted):
            raise SourceError(f"{folder / missing[0]} is missing: {task.name} needs {' and '.join(wanted)}.")
    raise SourceError(
        f"{data_dir / wanted[0]} is missing: {task.name} needs {' and '.join(wanted)} "
        f"in that folder or in its subfolder {task.suite}."
    )


def read_with(
    row: RowOf, published: Iterable[tuple[str, Mapping[str, Any]]], most: int | None, part: Mapping[str, str]
) -> tuple[list[Row], int]:
    """(at most `most` rows as the task has them, each with `part`; how many were left out before the last of them).

    `published` gives each row as published after the words that say where it stands. Raises SourceError for a row that
    `row` refuses.
    """
    rows: list[Row] = []
    left_out = 0
    for where, given in published:
        if len(rows) == most:
            break
        try:
            made = row(given)
        except KeyError as error:
            raise SourceError(f"{where}: {error.args[0]!r} is missing; it has: {', '.join(given)[:300]}.") from None
        except ValueError as error:
            raise SourceError(f"{where}: {str(error).rstrip('.')}.") from None
        if made is None:
            left_out += 1
        else:
            rows.append({**made, **part})
    return rows, left_out


def left_out_notes(where: str, left_out: int) -> list[str]:
    return [f"{where}: {left_out} rows left out, which the task's protocol does not use"] if left_out else []
