"""`peftbench figure`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.base import RESULTS, Results, app, console, plain_errors


class Figure(StrEnum):
    pareto = "pareto"
    bars = "bars"


class Cost(StrEnum):
    trainable = "trainable"
    memory = "memory"
    speed = "speed"


@app.command()
@plain_errors
def figure(
    kind: Annotated[Figure, typer.Argument()],
    results: Results = RESULTS,
    out: Annotated[Path | None, typer.Option(help="Default: figures/ in the results folder.")] = None,
    cost: Annotated[Cost, typer.Option(help="The horizontal axis of pareto.")] = Cost.trainable,
) -> None:
    """Draw pareto (score against a cost) or bars (score by task) as PDF, SVG and PNG, with the CSV they show."""
    from harness.commands import figures as command

    command.figure(kind.value, results, out or results / "figures", cost.value, console())
