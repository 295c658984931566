"""`peftbench merge`: results folders of several machines become one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from harness.merge import Keep, Merged
from harness.merge import merge as join
from harness.record import UserError

PARTS = ("", "tuning")
"""Where records lie in a results folder"""


def merge(folders: Sequence[Path], out: Path | None, keep: Keep | None, console: Console) -> None:
    """Raises UserError for a folder that holds no records, and for runs with different results."""
    folders = [folder.expanduser() for folder in folders]
    target = out.expanduser() if out else folders[0]
    if len(folders) + bool(out) < 2:
        raise UserError("merge needs two folders: peftbench merge A B, or peftbench merge A B --out C.")
    for folder in folders:
        if not (folder / "runs").is_dir():
            raise UserError(f"{folder} is no results folder: it holds no runs/.")
    for part in PARTS:
        sources = [folder / part for folder in folders if (folder / part / "runs").is_dir()]
        if sources:
            _tell(join(sources, target / part, keep), target / part, console)


def _tell(merged: Merged, target: Path, console: Console) -> None:
    for problem in merged.problems:
        console.print(f"Passed over: {problem}", markup=False, soft_wrap=True)
    replaced = f", {merged.replaced} replaced" if merged.replaced else ""
    console.print(
        f"{target}: {merged.copied} runs came in{replaced}, {merged.same} stood there already.",
        markup=False,
        soft_wrap=True,
    )
