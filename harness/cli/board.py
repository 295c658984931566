"""`peftbench leaderboard`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.base import Results, app, console, plain_errors
from harness.record import RESULTS


class BoardFormat(StrEnum):
    text = "text"
    markdown = "markdown"
    csv = "csv"
    latex = "latex"
    html = "html"
    parquet = "parquet"


def _only(what: str) -> typer.models.OptionInfo:
    return typer.Option(help=f"Only these {what}, comma between.", rich_help_panel="Which records")


@app.command()
@plain_errors
def leaderboard(
    results: Results = RESULTS,
    format: Annotated[BoardFormat, typer.Option(help="latex: with booktabs. parquet: with --out.")] = BoardFormat.text,
    out: Annotated[Path | None, typer.Option(help="A file to write instead of the terminal.")] = None,
    columns: Annotated[
        str,
        typer.Option(
            help="In this order, comma between: score, group, pareto, pscp, trainable, peak_memory, tokens_per_second, "
            "energy, any field of the records; an unknown one lists them all."
        ),
    ] = "",
    against: Annotated[
        str, typer.Option(help="Costs of the column pareto and of the hypervolume, comma between. Default: trainable.")
    ] = "",
    reference: Annotated[
        str, typer.Option(help="Reference point of the hypervolume: the score x100, then the costs, as in 50,1e6.")
    ] = "",
    target: Annotated[
        float | None, typer.Option(help="Also the training time to this score x100, of runs with --eval-every-epoch.")
    ] = None,
    with_published: Annotated[
        bool, typer.Option("--with-published", help="Also the rows that papers print of the measured methods, marked.")
    ] = False,
    all_published: Annotated[bool, typer.Option("--all-published", help="Also those of other methods.")] = False,
    missing: Annotated[
        bool, typer.Option("--missing", help="Instead list every missing score: failed, skipped or not run, and why.")
    ] = False,
    suite: Annotated[str, _only("suites")] = "",
    task: Annotated[str, _only("tasks")] = "",
    method: Annotated[str, _only("methods")] = "",
    model: Annotated[str, _only("base models")] = "",
    preset: Annotated[str, _only("presets")] = "",
    tuning: Annotated[
        str,
        typer.Option(help="Only runs tuned so: none, tuned, or a number of trials.", rich_help_panel="Which records"),
    ] = "",
) -> None:
    """Method x task: mean over seeds, average, groups that seeds cannot tell apart, parameters, memory, throughput."""
    from harness.commands import leaderboard as command

    filters = {
        "suite": suite, "task": task, "method": method, "model": model, "preset": preset, "tuning": tuning
    }  # fmt: skip
    which = "all" if all_published else "measured" if with_published else ""
    wanted = command.Wanted(format.value, out, target, which, columns, against, reference, missing, filters)
    command.leaderboard(results, wanted, console())
