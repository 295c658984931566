"""Result files of other tools, read into our records.

Each module has `read(path, ...) -> (records, notes)`: the records of one file and a sentence for each part of it
that was left out; it raises ValueError with a reason if the file is none of that tool's. Imported records carry
the preset `imported` and data of the kind `imported`, so that they never share a table with our own runs, and
`config.experiment`, the name that their own tool gave them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

IMPORTED = "imported"


def load(path: Path) -> tuple[dict[str, Any], str]:
    """The JSON object in a file, and the file's sha256. Raises OSError, or ValueError if it holds no object."""
    body = path.read_bytes()
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value, hashlib.sha256(body).hexdigest()


def part(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The object that lies under these names; {} where a name is missing or holds something else."""
    found: Any = value
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


def number(value: Any) -> float | None:
    """A finite number, also one written as text (`"12.5"`); None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def whole(value: Any) -> int | None:
    """A whole number that is not negative; None for anything else."""
    found = number(value)
    return int(found) if found is not None and found >= 0 and found == int(found) else None
