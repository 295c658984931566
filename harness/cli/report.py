"""`peftbench report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.base import Results, app, console, plain_errors
from harness.record import RESULTS


@app.command()
@plain_errors
def report(
    results: Results = RESULTS,
    out: Annotated[
        Path, typer.Option("--out", help="Folder of the site: new, empty, or a site made before, which is replaced.")
    ] = Path("site"),
    with_published: Annotated[
        bool, typer.Option("--with-published", help="Also the rows that papers print of the measured methods, marked.")
    ] = False,
) -> None:
    """Write a static HTML site: leaderboards, Pareto plots, a page for each method, task and run."""
    from harness.commands import report as command

    command.report(results, out.expanduser(), with_published, console())
