"""`peftbench reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import options
from harness.cli.base import app, console, plain_errors
from harness.cli.results import Format


@app.command()
@plain_errors
def reproduce(
    name: Annotated[str | None, typer.Argument(help="What to reproduce; without it: the list.")] = None,
    tasks: Annotated[str | None, typer.Option(help="Only these of its tasks, comma between.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds, comma between. Default: as many as declared.")] = None,
    data_dir: options.DataDir = None,
    out: options.Out = None,
    dry_run: options.DryRun = False,
    isolate: options.Isolate = None,
    executor: options.Executor = None,
    jobs: options.Jobs = None,
    address: options.Address = None,
    slurm: options.Slurm = None,
    pack: options.Pack = None,
    timeout_per_run: options.TimeoutPerRun = None,
    on_oom: options.OnOom = None,
    checkpoint_every: options.CheckpointEvery = None,
    track: options.Track = None,
    allow_pickle: options.AllowPickle = None,
    trust_remote_code: options.TrustRemoteCode = None,
    format: Annotated[Format, typer.Option()] = Format.text,
    published: Annotated[
        Path | None, typer.Option(help="Folder with another reproduce.toml and the CSV files of its numbers.")
    ] = None,
    gradient_accumulation: options.GradientAccumulation = None,
    gradient_checkpointing: options.GradientCheckpointing = None,
    distributed: options.Distributed = None,
    model: Annotated[
        str | None, typer.Option(help="Another model or its folder: not the protocol, and marked so.")
    ] = None,
    epochs: Annotated[float | None, typer.Option(help="Not the protocol, and marked so.")] = None,
    max_steps: Annotated[int | None, typer.Option(help="Not the protocol, and marked so.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Not the protocol, and marked so.")] = None,
    max_length: Annotated[int | None, typer.Option(help="Not the protocol, and marked so.")] = None,
    max_train: Annotated[int | None, typer.Option(help="Not the protocol, and marked so.")] = None,
    max_eval: Annotated[int | None, typer.Option(help="Not the protocol, and marked so.")] = None,
    precision: Annotated[str | None, typer.Option(help="Not the protocol, and marked so.")] = None,
) -> None:
    """Run a published protocol; print published, measured, difference, and whether it lies within the noise."""
    from harness.commands import reproduce as command

    if name is None:
        command.listed(published, console())
        return
    given = {
        "tasks": tasks, "seeds": seeds, "data_dir": data_dir, "out": out, "executor": executor, "jobs": jobs, "pack": pack,
        "address": address, "slurm": slurm, "timeout_per_run": timeout_per_run, "checkpoint_every": checkpoint_every, "allow_pickle": allow_pickle,
        "on_oom": on_oom, "track": track, "trust_remote_code": trust_remote_code,
    }  # fmt: skip
    overrides = {
        "model": model, "epochs": epochs, "max_steps": max_steps, "batch_size": batch_size, "max_length": max_length,
        "max_train": max_train, "max_eval": max_eval, "precision": precision,
        "gradient_accumulation": gradient_accumulation, "gradient_checkpointing": gradient_checkpointing,
        "distributed": distributed,
    }  # fmt: skip
    failed = command.reproduce(
        name,
        {key: value for key, value in given.items() if value is not None},
        {key: value for key, value in overrides.items() if value is not None},
        dry_run,
        isolate,
        format.value,
        published,
        console(),
    )
    if failed:
        raise typer.Exit(1)
