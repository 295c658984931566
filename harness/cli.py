"""The command line: thin. What is slow to import is imported inside the command that needs it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.record import UserError

app = typer.Typer(
    name="peftbench",
    help="Benchmarks of parameter-efficient fine-tuning: runs, records, leaderboards, figures.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
RESULTS = Path("results/local")
Results = Annotated[Path, typer.Option("--results", help="Folder of records.")]


class Format(StrEnum):
    text = "text"
    markdown = "markdown"
    csv = "csv"


class Figure(StrEnum):
    pareto = "pareto"
    bars = "bars"


class Cost(StrEnum):
    trainable = "trainable"
    memory = "memory"
    speed = "speed"


def plain_errors(command: Callable[..., None]) -> Callable[..., None]:
    """What the user can mend is one sentence and exit code 2."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except UserError as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            typer.echo("Stopped. Finished runs are kept; the same command goes on from there.", err=True)
            raise typer.Exit(130) from None
        except BrokenPipeError:
            raise typer.Exit(0) from None

    return guarded


def console() -> Any:
    from rich.console import Console

    return Console(highlight=False)


@app.command()
@plain_errors
def run(
    file: Annotated[Path | None, typer.Argument(help="A YAML file that says the same as the options.")] = None,
    methods: Annotated[
        str | None, typer.Option(help="Names or files, comma between: lora,./my_method.py. `all` for every method.")
    ] = None,
    tasks: Annotated[str | None, typer.Option(help="Suites or tasks, comma between: glue or cola,rte.")] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="mini (made data, offline), quick (real data, small model) or paper (published protocol)."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="A registered name, a hub id or a local folder.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder with the data sets' own files, instead of the hub.")
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds, comma between. Default: 0.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="METHOD.FIELD=VALUE, as lora.r=16; may be repeated.")
    ] = None,
    lr: Annotated[float | None, typer.Option(help="Peak learning rate of every method.")] = None,
    epochs: Annotated[float | None, typer.Option()] = None,
    max_steps: Annotated[int | None, typer.Option()] = None,
    batch_size: Annotated[int | None, typer.Option()] = None,
    gradient_accumulation: Annotated[
        int | None, typer.Option(help="Parts that a batch goes through the model in.")
    ] = None,
    gradient_checkpointing: Annotated[
        bool | None, typer.Option(help="Recompute activations: less memory, more time.")
    ] = None,
    mask_prompt: Annotated[
        bool | None, typer.Option(help="Text: leave the prompt out of the loss (--no-mask-prompt: train on it).")
    ] = None,
    image_size: Annotated[int | None, typer.Option(help="Pixels a side.")] = None,
    eval_before: Annotated[bool | None, typer.Option(help="Score before the first step too.")] = None,
    eval_every_epoch: Annotated[
        bool | None, typer.Option(help="Score the reported split after each epoch too, for curves and time to a score.")
    ] = None,
    match_params: Annotated[
        str | None, typer.Option(help="Size each method to so many trainable parameters: 0.3% of the model's, or 4M.")
    ] = None,
    probe: Annotated[
        str | None,
        typer.Option(
            help="After scoring: serving (size, latency, merging), weights (how they changed), forgetting, all."
        ),
    ] = None,
    max_length: Annotated[int | None, typer.Option(help="Tokens; longer inputs are cut and counted.")] = None,
    max_train: Annotated[int | None, typer.Option(help="At most so many training rows.")] = None,
    max_eval: Annotated[int | None, typer.Option(help="At most so many rows of the reported split.")] = None,
    precision: Annotated[str | None, typer.Option(help="fp32 or bf16.")] = None,
    select: Annotated[
        str | None, typer.Option(help="last: the last weights. best: best epoch on a part carved from train.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the records. Default: results/local.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan with its skips; run nothing.")] = False,
    isolate: Annotated[
        bool, typer.Option(help="A process of its own for each run; without it resident memory is not measured.")
    ] = True,
) -> None:
    """Run methods on tasks; what has a record already is not run again."""
    from harness.commands import run as command

    options = {
        "methods": methods, "tasks": tasks, "preset": preset, "model": model, "data_dir": data_dir, "seeds": seeds,
        "set": set_, "lr": lr, "epochs": epochs, "max_steps": max_steps, "batch_size": batch_size,
        "max_length": max_length, "max_train": max_train, "max_eval": max_eval, "precision": precision,
        "select": select, "out": out, "gradient_accumulation": gradient_accumulation,
        "gradient_checkpointing": gradient_checkpointing, "mask_prompt": mask_prompt, "image_size": image_size,
        "eval_before": eval_before,
        "eval_every_epoch": eval_every_epoch, "match_params": match_params, "probe": probe,
    }  # fmt: skip
    failed = command.run(file, {k: v for k, v in options.items() if v not in (None, [])}, dry_run, isolate, console())
    if failed:
        raise typer.Exit(1)


@app.command()
@plain_errors
def methods(
    name: Annotated[str | None, typer.Argument()] = None,
    family: Annotated[str | None, typer.Option(help="Only methods of this family.")] = None,
    supports: Annotated[str | None, typer.Option(help="Only methods that work on encoder, decoder or vision.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="The catalogue page, as results/METHODS.md.")] = False,
) -> None:
    """List the methods, or explain one: paper, formula, defaults, where it works."""
    if markdown:
        from harness.commands.catalogue import page

        typer.echo(page(), nl=False)
        return
    from harness.commands import show

    show.methods(name, console(), family, supports)


@app.command()
@plain_errors
def tasks(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME] | check NAME", help="A suite or a task; `check` before it checks its data."),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="check: folder with the data sets' own files.")] = None,
    preset: Annotated[str | None, typer.Option(help="check: mini, quick or paper.")] = None,
    model: Annotated[str | None, typer.Option(help="check: whose tokenizer shows the example.")] = None,
) -> None:
    """List the suites and tasks, explain one, or check one's data: sizes, labels, one example as the model sees it."""
    from harness.commands import check, show

    match words or []:
        case []:
            show.tasks(None, console())
        case ["check", name]:
            check.check(name, data_dir.expanduser() if data_dir else None, preset, model, console())
        case [name]:
            show.tasks(name, console())
        case _:
            raise UserError("The forms are `peftbench tasks`, `peftbench tasks NAME` and `peftbench tasks check NAME`.")


@app.command()
@plain_errors
def models(name: Annotated[str | None, typer.Argument()] = None) -> None:
    """List the registered base models, or explain one. Hub ids and local folders work without being listed."""
    from harness.commands import show

    show.models(name, console())


@app.command()
@plain_errors
def estimate(
    methods: Annotated[str, typer.Option(help="Names, comma between.")],
    models: Annotated[str, typer.Option(help="Registered models, comma between; no weights are needed.")],
    batch: Annotated[int, typer.Option(help="Rows of a step.")] = 4,
    seq_len: Annotated[int, typer.Option(help="Tokens of a row.")] = 512,
    precision: Annotated[str, typer.Option(help="bf16 or fp32.")] = "bf16",
    grad_checkpointing: Annotated[bool, typer.Option("--grad-checkpointing", help="Recompute activations.")] = False,
    set_: Annotated[list[str] | None, typer.Option("--set", help="METHOD.FIELD=VALUE, as lora.r=16.")] = None,
    device: Annotated[
        str | None, typer.Option(help="Also a lower bound of time on it: a100-80gb, h100, rtx-4090 ...")
    ] = None,
    fits: Annotated[str | None, typer.Option(help="The largest batch that fits, as 24GiB.")] = None,
    match_params: Annotated[
        str | None, typer.Option(help="Size each method to so many parameters, as 0.3% or 4M.")
    ] = None,
) -> None:
    """Predict memory, operations and time of a training step from shapes alone: no weights, no device."""
    from harness.commands import estimate as command
    from harness.commands.run import settings_from
    from harness.estimate import Load

    if precision not in {"bf16", "fp32"}:
        raise UserError(f"--precision {precision}: fp32 or bf16.")
    load = Load(batch, seq_len, precision, grad_checkpointing, gpu=True)
    names = [[part.strip() for part in text.split(",") if part.strip()] for text in (methods, models)]
    command.run(names[0], names[1], load, settings_from(set_ or []), device, fits, match_params, console())


@app.command()
@plain_errors
def check(
    name: Annotated[str, typer.Argument(help="A method's name, or the path of its file.")],
    kinds: Annotated[str, typer.Option(help="Only on these tiny models, comma between: encoder,gpt2.")] = "",
    set_: Annotated[list[str] | None, typer.Option("--set", help="METHOD.FIELD=VALUE, as lora.r=4.")] = None,
) -> None:
    """Hold a method to the contract on tiny models of every kind; exit code 1 if something does not hold."""
    from harness.commands import contract
    from harness.commands.run import settings_from

    chosen = [part.strip() for part in kinds.split(",") if part.strip()]
    if not contract.check(name, chosen, settings_from(set_ or []), console()):
        raise typer.Exit(1)


new = typer.Typer(no_args_is_help=True, help="Write a commented file to start from.")
app.add_typer(new, name="new")


@new.command("method")
@plain_errors
def new_method(name: Annotated[str, typer.Argument(help="As in my-method; the file is my_method.py.")]) -> None:
    """Write NAME.py, a commented low-rank method that passes `check`, into this folder."""
    from harness.commands import contract

    path = contract.new_method(name, Path())
    typer.echo(f"Wrote {path}. Next: peftbench check ./{path}")


@app.command()
@plain_errors
def leaderboard(
    results: Results = RESULTS,
    format: Annotated[Format, typer.Option()] = Format.text,
    target: Annotated[
        float | None, typer.Option(help="Also the training time to this score x100, of runs with --eval-every-epoch.")
    ] = None,
    with_published: Annotated[
        bool, typer.Option("--with-published", help="Also the rows that papers print of the measured methods, marked.")
    ] = False,
    all_published: Annotated[bool, typer.Option("--all-published", help="Also those of other methods.")] = False,
) -> None:
    """Method x task: mean over seeds, average, trainable parameters, memory, throughput."""
    from harness.commands import views

    which = "all" if all_published else "measured" if with_published else ""
    views.leaderboard(results, format.value, console(), target, which)


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


@app.command()
@plain_errors
def figure(
    kind: Annotated[Figure, typer.Argument()],
    results: Results = RESULTS,
    out: Annotated[Path | None, typer.Option(help="Default: figures/ in the results folder.")] = None,
    cost: Annotated[Cost, typer.Option(help="The horizontal axis of pareto.")] = Cost.trainable,
) -> None:
    """Draw pareto (score against a cost) or bars (score by task) as PDF, SVG and PNG, with the CSV they show."""
    from harness.commands import views

    views.figure(kind.value, results, out or results / "figures", cost.value, console())
