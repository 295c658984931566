"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[Path | None, typer.Argument(help="A YAML file that says the same as the options.")]
Methods = Annotated[
    str | None, typer.Option(help="Names or files, comma between: lora,./my_method.py. `all` for every method.")
]
Tasks = Annotated[str | None, typer.Option(help="Suites or tasks, comma between: glue or cola,rte.")]
Preset = Annotated[
    str | None,
    typer.Option(help="mini (made data, offline), quick (real data, small model) or paper (published protocol)."),
]
Model = Annotated[str | None, typer.Option(help="A registered name, a hub id or a local folder.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder with the data sets' own files, instead of the hub.")]
Seeds = Annotated[str | None, typer.Option(help="Seeds, comma between. Default: 0.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="METHOD.FIELD=VALUE, as lora.r=16; may be repeated.")]
Lr = Annotated[float | None, typer.Option(help="Peak learning rate of every method.")]
Epochs = Annotated[float | None, typer.Option(help="Passes over the training rows.")]
MaxSteps = Annotated[int | None, typer.Option(help="Steps, in place of epochs.")]
BatchSize = Annotated[int | None, typer.Option(help="Rows of a step.")]
GradientAccumulation = Annotated[int | None, typer.Option(help="Parts that a batch goes through the model in.")]
GradientCheckpointing = Annotated[bool | None, typer.Option(help="Recompute activations: less memory, more time.")]
Distributed = Annotated[
    str | None,
    typer.Option(
        help="ddp:2 or fsdp:2: each run over so many processes, each with its part of every batch; fsdp also divides the "
        "weights, for models too large for one GPU."
    ),
]
OnOom = Annotated[
    str | None,
    typer.Option(
        help="A run whose training finds too little memory: fail (the default), or accumulate: once more, with the same "
        "batches in twice as many parts; its record says so."
    ),
]
MaskPrompt = Annotated[
    bool | None, typer.Option(help="Text: leave the prompt out of the loss (--no-mask-prompt: train on it).")
]
ImageSize = Annotated[int | None, typer.Option(help="Pixels a side.")]
EvalBefore = Annotated[bool | None, typer.Option(help="Score before the first step too.")]
EvalEveryEpoch = Annotated[
    bool | None, typer.Option(help="Score the reported split after each epoch too, for curves and time to a score.")
]
MatchParams = Annotated[
    str | None, typer.Option(help="Size each method to so many trainable parameters: 0.3% of the model's, or 4M.")
]
Probe = Annotated[
    str | None,
    typer.Option(help="After scoring: serving (size, latency, merging), weights (how they changed), forgetting, all."),
]
MaxLength = Annotated[int | None, typer.Option(help="Tokens; longer inputs are cut and counted.")]
MaxTrain = Annotated[int | None, typer.Option(help="At most so many training rows.")]
MaxEval = Annotated[int | None, typer.Option(help="At most so many rows of the reported split.")]
Precision = Annotated[str | None, typer.Option(help="fp32 or bf16.")]
Select = Annotated[
    str | None, typer.Option(help="last: the last weights. best: best epoch on a part carved from train.")
]
Out = Annotated[Path | None, typer.Option(help="Folder for the records. Default: results/local.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan with its skips; run nothing.")]
Isolate = Annotated[
    bool | None,
    typer.Option(
        help="A process of its own for each run: the default, but with --executor or --jobs, whose workers live on. "
        "--no-isolate: all in this process. Resident memory is measured with --isolate only."
    ),
]
Executor = Annotated[str | None, typer.Option(help="Who makes the runs: local, ray or slurm.")]
Jobs = Annotated[
    int | None,
    typer.Option(
        help="Workers side by side, each taking run after run. Runs that share a device have no measured costs."
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        help="With --executor ray: the cluster, as auto or HOST:PORT. Default: RAY_ADDRESS, one that runs here, or a new one."
    ),
]
Slurm = Annotated[
    str | None,
    typer.Option(
        metavar="KEY=VALUE,...",
        help="With --executor slurm, for submitit: partition=gpu,time=120,gpus=1,mem=32GB; cluster=local tries it here.",
    ),
]
Track = Annotated[
    str | None,
    typer.Option(help="Show stored records in tensorboard or mlflow too (folder OUT/track); comma between."),
]
AllowPickle = Annotated[
    bool | None,
    typer.Option(
        "--allow-pickle",
        help="Read a model's pickled weights where it has no safetensors: plain tensors only, converted once.",
    ),
]
TrustRemoteCode = Annotated[
    bool | None,
    typer.Option(
        "--trust-remote-code",
        help="Run Python files that come with a model which transformers has no class for. Read them first.",
    ),
]
Pack = Annotated[
    str | None,
    typer.Option(
        help="auto, off or a number: runs of a method that differ in seed, learning rate or rank train together over one "
        "model, without costs. Default: off."
    ),
]
CheckpointEvery = Annotated[
    int | None,
    typer.Option(
        metavar="STEPS",
        help="Write a run's state every so many steps, and when Ctrl-C stops it; the same command then goes on from there to "
        "the same record, without its training costs.",
    ),
]
TimeoutPerRun = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="A run that takes longer is ended and recorded as failed.")
]
