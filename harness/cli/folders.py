"""`peftbench status` and `merge`: what becomes of results folders."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.base import Results, app, console, plain_errors
from harness.record import RESULTS


class Keep(StrEnum):
    first = "first"
    newest = "newest"


@app.command()
@plain_errors
def status(results: Results = RESULTS) -> None:
    """How a sweep goes, from another terminal: done, running, failed and why, rate, time left."""
    from harness.commands import status as command

    command.status(results, console())


@app.command()
@plain_errors
def merge(
    folders: Annotated[list[Path], typer.Argument(help="Results folders; the first counts first.")],
    out: Annotated[
        Path | None, typer.Option(help="Where they are joined; what it holds counts first. Default: the first.")
    ] = None,
    keep: Annotated[
        Keep | None, typer.Option(help="Which record to take where the same run has different results; else refused.")
    ] = None,
) -> None:
    """Join results folders of several machines, records with their per-item files."""
    from harness.commands import merge as command

    command.merge(folders, out, keep.value if keep else None, console())
