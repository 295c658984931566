"""`peftbench run` and `tune`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from harness.cli import options
from harness.cli.base import app, console, plain_errors

OTHERS = ("file", "dry_run", "isolate", "trials", "trial_seeds", "sampler", "knobs", "reach")
"""Arguments that are no option of a run, or none that a YAML file may hold."""


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    """The options that were said, of a command's arguments."""
    return {k.rstrip("_"): v for k, v in arguments.items() if k not in OTHERS and v not in (None, [])}


@app.command()
@plain_errors
def run(
    file: options.File = None,
    methods: options.Methods = None,
    tasks: options.Tasks = None,
    preset: options.Preset = None,
    model: options.Model = None,
    data_dir: options.DataDir = None,
    seeds: options.Seeds = None,
    set_: options.Set = None,
    lr: options.Lr = None,
    epochs: options.Epochs = None,
    max_steps: options.MaxSteps = None,
    batch_size: options.BatchSize = None,
    gradient_accumulation: options.GradientAccumulation = None,
    gradient_checkpointing: options.GradientCheckpointing = None,
    distributed: options.Distributed = None,
    mask_prompt: options.MaskPrompt = None,
    image_size: options.ImageSize = None,
    eval_before: options.EvalBefore = None,
    eval_every_epoch: options.EvalEveryEpoch = None,
    match_params: options.MatchParams = None,
    probe: options.Probe = None,
    max_length: options.MaxLength = None,
    max_train: options.MaxTrain = None,
    max_eval: options.MaxEval = None,
    precision: options.Precision = None,
    select: options.Select = None,
    out: options.Out = None,
    timeout_per_run: options.TimeoutPerRun = None,
    executor: options.Executor = None,
    jobs: options.Jobs = None,
    address: options.Address = None,
    slurm: options.Slurm = None,
    pack: options.Pack = None,
    on_oom: options.OnOom = None,
    checkpoint_every: options.CheckpointEvery = None,
    track: options.Track = None,
    allow_pickle: options.AllowPickle = None,
    trust_remote_code: options.TrustRemoteCode = None,
    dry_run: options.DryRun = False,
    isolate: options.Isolate = None,
) -> None:
    """Run methods on tasks; what has a record already is not run again."""
    given = _given(locals())
    from harness.commands import run as command

    if command.run(file, given, dry_run, isolate, console()):
        raise typer.Exit(1)


@app.command()
@plain_errors
def tune(
    file: options.File = None,
    methods: options.Methods = None,
    tasks: options.Tasks = None,
    preset: options.Preset = None,
    model: options.Model = None,
    data_dir: options.DataDir = None,
    seeds: options.Seeds = None,
    set_: options.Set = None,
    epochs: options.Epochs = None,
    max_steps: options.MaxSteps = None,
    batch_size: options.BatchSize = None,
    gradient_accumulation: options.GradientAccumulation = None,
    gradient_checkpointing: options.GradientCheckpointing = None,
    distributed: options.Distributed = None,
    mask_prompt: options.MaskPrompt = None,
    image_size: options.ImageSize = None,
    max_length: options.MaxLength = None,
    max_train: options.MaxTrain = None,
    max_eval: options.MaxEval = None,
    precision: options.Precision = None,
    select: options.Select = None,
    out: options.Out = None,
    timeout_per_run: options.TimeoutPerRun = None,
    executor: options.Executor = None,
    jobs: options.Jobs = None,
    address: options.Address = None,
    slurm: options.Slurm = None,
    pack: options.Pack = None,
    on_oom: options.OnOom = None,
    checkpoint_every: options.CheckpointEvery = None,
    track: options.Track = None,
    allow_pickle: options.AllowPickle = None,
    trust_remote_code: options.TrustRemoteCode = None,
    isolate: options.Isolate = None,
    trials: Annotated[int, typer.Option(help="Settings tried for each method and task.")] = 12,
    trial_seeds: Annotated[
        int, typer.Option(help="Runs that judge a setting by their mean: one may owe its score to luck.")
    ] = 1,
    sampler: Annotated[str, typer.Option(help="grid (even in the rate's logarithm), random or tpe.")] = "grid",
    knobs: Annotated[
        bool, typer.Option(help="Search the methods' own settings too, not the learning rate alone.")
    ] = False,
    reach: Annotated[
        float,
        typer.Option(
            help="Each method's range of rates up to so many times its own end: 10 for a few hundred steps; below 1, down to."
        ),
    ] = 1.0,
) -> None:
    """Search each method's settings with the same budget, away from the reported split; then run the best ones."""
    given = _given(locals())
    from harness.commands import tune as command
    from harness.tune import Budget

    if command.tune(file, given, Budget(trials, sampler, knobs, reach, trial_seeds), isolate, console()):
        raise typer.Exit(1)
