"""`peftbench compare`, `table`, `import`: records in, tables out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.base import Results, app, console, plain_errors
from harness.record import RESULTS


class Format(StrEnum):
    text = "text"
    markdown = "markdown"
    csv = "csv"


import_ = typer.Typer(no_args_is_help=True, help="Read other tools' result files into a results folder.")
app.add_typer(import_, name="import")
Out = Annotated[Path, typer.Option("--out", help="Folder for the records.")]


@import_.command("hf-peft")
@plain_errors
def import_hf_peft(
    folder: Annotated[Path, typer.Argument(help="Folder of method_comparison's MetaMathQA result files.")],
    out: Out = RESULTS,
) -> None:
    """Hugging Face PEFT's method comparison, marked as imported, its counters named as what they are."""
    from harness.commands import foreign

    foreign.hf_peft_folder(folder, out, console())


@import_.command("lm-eval")
@plain_errors
def import_lm_eval(
    files: Annotated[list[Path], typer.Argument(help="Result files, or folders of them.")],
    method: Annotated[str, typer.Option(help="How the model was tuned; the files do not say it.")] = "unknown",
    seed: Annotated[int, typer.Option(min=0, help="Seed of that training.")] = 0,
    out: Out = RESULTS,
) -> None:
    """lm-evaluation-harness: a record for each task of each file, marked as imported."""
    from harness.commands import foreign

    foreign.lm_eval_files(files, method, seed, out, console())


@app.command()
@plain_errors
def compare(
    a: Annotated[str, typer.Argument(help="A row of the leaderboard, as lora or 'lora r=16'; or a results folder.")],
    b: Annotated[str, typer.Argument(help="Another row, or another results folder.")],
    results: Results = RESULTS,
    format: Annotated[Format, typer.Option()] = Format.text,
) -> None:
    """Two methods, or two results folders: difference by task, interval, tests, ratio of costs, and one sentence."""
    from harness.commands import compare as command

    command.compare(a, b, results, format.value, console())


@app.command()
@plain_errors
def table(
    results: Results = RESULTS, out: Annotated[Path | None, typer.Option(help="Default: the results folder.")] = None
) -> None:
    """Write the tidy long table of all records as CSV and Parquet."""
    from harness.commands import views

    views.table(results, out or results, console())
