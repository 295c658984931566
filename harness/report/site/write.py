"""A folder of files written whole or not at all, and never over something that is not a site of ours."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from harness.record import UserError

MANIFEST = "site.json"
GENERATOR = "peftbench report"


def _listed(folder: Path) -> set[str] | None:
    """What the manifest of a site names; None if the folder has none of ours."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = found["files"]
        return {*map(str, files), MANIFEST} if found["generator"] == GENERATOR else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def check(out: Path) -> None:
    """Raises UserError if `out` is there and is anything but an empty folder or a site that this program wrote."""
    if not os.path.lexists(out):
        return
    if not out.is_dir():
        raise UserError(f"{out} is no folder; name one with --out.")
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_symlink() or not path.is_dir()}
    if not found:
        return
    listed = _listed(out)
    if listed is None:
        raise UserError(f"{out} holds files and is no site of peftbench; name another folder with --out.")
    if foreign := sorted(found - listed):
        raise UserError(f"{out} also holds {foreign[0]}, which is not the site's; move it away or name another --out.")


def _place(folder: Path, name: str) -> Path:
    """Raises ValueError for a name that would leave the folder."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name or ":" in name:
        raise ValueError(f"{name!r} is no name of a file in a site")
    return folder.joinpath(*parts)


def _fill(folder: Path, files: Iterable[tuple[str, bytes]]) -> int:
    names: list[str] = []
    for name, body in files:
        path = _place(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as stream:
            stream.write(body)
        names.append(name)
    manifest = {"generator": GENERATOR, "files": sorted(names)}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return len(names)


def _swap(new: Path, out: Path, aside: Path) -> None:
    """Two renames: whoever is stopped between them finds the old site under its name with `.old` at the end."""
    if not out.exists():
        new.rename(out)
        return
    out.rename(aside)
    try:
        new.rename(out)
    except OSError:
        aside.rename(out)
        raise
    shutil.rmtree(aside)


def write(files: Iterable[tuple[str, bytes]], out: Path) -> int:
    """Makes the site in a folder beside `out` and moves it there when it is whole; the number of files.

    Raises UserError if `out` holds something else or cannot be written; the old site then stands as it was.
    """
    check(out)
    real = out.expanduser().resolve()
    mark = f".{real.name}.{os.getpid()}-{secrets.token_hex(4)}"
    new, aside = real.with_name(f"{mark}.tmp"), real.with_name(f"{mark}.old")
    try:
        new.mkdir(parents=True)
        many = _fill(new, files)
        _swap(new, real, aside)
    except OSError as error:
        raise UserError(f"The site {out} cannot be written: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return many
