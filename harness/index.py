"""What tables ask of every record, in one file beside them, so that 100,000 records open in seconds.

It is made from the records and never needed: what it lacks, or what changed since, is read from the record itself. A row
is bound to its record's file by size, times and inode, so that the index of a copied folder counts for nothing until
the copy has been read. The file is one line (edition, checksum) and then Parquet.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.record import SCHEMA, RunRecord, RunSpec, canonical_json

if TYPE_CHECKING:
    import pyarrow as pa

FILE = ".index"
LAYOUT = 1
SETTLED_NS = 2_000_000_000
"""A file that changed less than this before it was read may change again within one tick of its clock."""
BATCH = 2048
OF_SPEC = ("config", "data", "model_source", "recipe", "tuning")
OF_RECORD = ("parameters", "provenance")
LEFT_OUT = ("spec", "status", "reason", "traceback", *OF_RECORD)
LIGHT = ("key", "stamp", "status", "reason", "probes")
"""The columns that tell what stands in a store, without the records themselves"""
COLUMNS = (*LIGHT, *OF_SPEC, *OF_RECORD, "rest")
"""All are texts: JSON, but for the first three."""


def stamp_of(found: os.stat_result) -> str:
    """What tells one content of a file from another: size, times of change of content and of inode, inode."""
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"


def _settled(stamp: str, now_ns: int) -> bool:
    """Whether a later change is sure to show; never for a file from the future."""
    _, modified, changed, _ = map(int, stamp.split())
    return max(modified, changed) < now_ns - SETTLED_NS


class Standing(NamedTuple):
    """What a store holds for a key."""

    stamp: str
    status: str
    reason: str
    probes: tuple[str, ...]

    @classmethod
    def of(cls, stamp: str, record: RunRecord) -> Standing:
        return cls(stamp, record.status, record.reason, probes_of(record))


def probes_of(record: RunRecord) -> tuple[str, ...]:
    found = record.provenance.get("probes")
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()


def _edition() -> str:
    """Changes with everything that a row's meaning hangs on."""
    return canonical_json([LAYOUT, SCHEMA, [item.name for part in (RunSpec, RunRecord) for item in fields(part)]])


def load(path: Path, columns: Sequence[str] | None = None) -> pa.Table | None:
    """The table in that file; None if there is none, or it is damaged or of another edition."""
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        if json.loads(head) != {"edition": _edition(), "crc32": zlib.crc32(body)}:
            return None
        import pyarrow as pa
        import pyarrow.parquet as pq

        return pq.read_table(pa.BufferReader(body), columns=None if columns is None else list(columns))
    except Exception:
        # Whatever is wrong with it: the records are there.
        return None


def save(table: pa.Table, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    body = sink.getvalue().to_pybytes()
    head = canonical_json({"edition": _edition(), "crc32": zlib.crc32(body)})
    path.write_bytes(head.encode() + b"\n" + body)


def _ends(curve: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The points at epoch ends: those with a score."""
    return [point for point in curve if any(name.startswith(("eval_", "validation_")) for name in point)]


def _row(stamp: str, record: RunRecord) -> dict[str, Any]:
    spec = record.spec
    rest = {item.name: getattr(record, item.name) for item in fields(record) if item.name not in LEFT_OUT}
    rest["curve"] = _ends(record.curve)
    rest["spec"] = {item.name: getattr(spec, item.name) for item in fields(spec) if item.name not in OF_SPEC}
    return {
        "key": record.key,
        "stamp": stamp,
        "status": record.status,
        "reason": json.dumps(record.reason),
        "probes": json.dumps(probes_of(record)),
        **{name: json.dumps(getattr(spec, name)) for name in OF_SPEC},
        **{name: json.dumps(getattr(record, name)) for name in OF_RECORD},
        "rest": json.dumps(rest),
    }


def rows(found: Iterable[tuple[str, RunRecord]]) -> pa.Table:
    """A row for each (stamp, record)."""
    import pyarrow as pa

    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    return pa.Table.from_pylist([_row(stamp, record) for stamp, record in found], schema)


def stamps(table: pa.Table) -> dict[str, str]:
    """Key -> stamp of each row."""
    return dict(zip(table["key"].to_pylist(), table["stamp"].to_pylist(), strict=True))


def fitting(table: pa.Table, found: Mapping[str, str]) -> pa.Table:
    """The rows whose file stands as it was read."""
    import pyarrow as pa

    fits = [found.get(key) == stamp for key, stamp in stamps(table).items()]
    return table if all(fits) else table.filter(pa.array(fits, pa.bool_()))


def settled(table: pa.Table, now_ns: int) -> pa.Table:
    """The rows that may be trusted later; `now_ns`: when their files began to be read."""
    import pyarrow as pa

    return table.filter(pa.array([_settled(stamp, now_ns) for stamp in stamps(table).values()], pa.bool_()))


def joined(tables: Sequence[pa.Table], columns: Sequence[str]) -> pa.Table:
    """One table in the order of its keys."""
    import pyarrow as pa

    return pa.concat_tables([table.select(list(columns)) for table in tables]).sort_by("key")


def standing(table: pa.Table) -> dict[str, Standing]:
    """By key; the table needs the light columns only."""
    keys, found, status, reasons, probes = (table[name].to_pylist() for name in LIGHT)
    texts = {text: json.loads(text) for text in {*reasons, *probes}}
    return {
        key: Standing(stamp, state, texts[reason], tuple(texts[names]))
        for key, stamp, state, reason, names in zip(keys, found, status, reasons, probes, strict=True)
    }


def records(table: pa.Table) -> Iterator[RunRecord]:
    """Each row's record, its curve cut to the epoch ends and without a traceback. Equal parts are the same objects."""
    known: dict[str, Any] = {}
    for batch in table.to_batches(max_chunksize=BATCH):
        values = {name: _parsed(batch.column(name), known) for name in OF_SPEC}
        # Of these nearly every run may have its own: they are not kept for the next rows.
        values |= {name: _parsed(batch.column(name), {}) for name in (*OF_RECORD, "reason")}
        keys, status, rest = (batch.column(name).to_pylist() for name in ("key", "status", "rest"))
        # One document: its repeated names are kept once.
        for at, body in enumerate(json.loads(f"[{','.join(rest)}]")):
            spec = RunSpec(**body.pop("spec"), **{name: values[name][at] for name in OF_SPEC})
            # Checked against the spec when the record's file was read.
            spec.__dict__["key"] = keys[at]
            own = {name: values[name][at] for name in (*OF_RECORD, "reason")}
            yield RunRecord(spec=spec, status=status[at], **own, **body)


def _parsed(column: pa.Array, known: dict[str, Any]) -> list[Any]:
    """The values of the texts, equal ones parsed once; `known`: those of earlier columns, text -> value."""
    coded = column.dictionary_encode()
    texts = coded.dictionary.to_pylist()
    known |= {text: json.loads(text) for text in texts if text not in known}
    return [known[texts[code]] for code in coded.indices.to_pylist()]
