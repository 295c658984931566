"""`peftbench figure`: records in, pictures out."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from harness.commands.views import open_records


def figure(kind: str, results: Path, out: Path, cost: str, console: Console) -> None:
    from harness.report import figure as figures

    for path in figures.draw(kind, open_records(results, console), out, cost):
        console.print(str(path), markup=False, soft_wrap=True)
