"""`peftbench run`: options and YAML to a request; the plan printed or run."""

from __future__ import annotations

import difflib
import math
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from harness.execute.choose import how_from
from harness.execute.job import OnOom
from harness.execute.process import start_server
from harness.plan import RECIPE_OPTIONS, Planned, Request
from harness.progress import Progress
from harness.record import RunSpec, UserError
from harness.store import Store
from harness.sweep import Sweep, choices_for, fitting, prepare, preset_for
from harness.sweep import run as run_sweep
from harness.track import Tracking, tracking_from
from harness.trust import Trust

OPTIONS = (
    "methods",
    "tasks",
    "preset",
    "model",
    "data_dir",
    "seeds",
    "set",
    "lr",
    "out",
    "match_params",
    "probe",
    "timeout_per_run",
    "executor",
    "jobs",
    "address",
    "slurm",
    "track",
    "pack",
    "on_oom",
    "checkpoint_every",
    *RECIPE_OPTIONS,
)
DEFAULT_OUT = Path("results/local")
NUMBERS = {
    "lr": float, "epochs": float, "max_steps": int, "batch_size": int, "max_length": int, "max_train": int, "max_eval": int,
    "gradient_accumulation": int, "image_size": int, "timeout_per_run": float, "jobs": int, "checkpoint_every": int,
}  # fmt: skip

TRUST = ("allow_pickle", "trust_remote_code")
"""What a file that someone else wrote is not to switch on"""
SWITCHES = ("gradient_checkpointing", "mask_prompt", "eval_before", "eval_every_epoch")


def read_file(path: Path) -> dict[str, Any]:
    """Options from YAML. Raises UserError if it is no mapping or has an unknown key."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read as YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path} must be a mapping of options such as `methods: [lora, dora]`.")
    values = {str(k).replace("-", "_"): v for k, v in values.items()}
    for key in values:
        if key in TRUST:
            raise UserError(f"{path}: {key}: only the command line may say so, as --{key.replace('_', '-')}.")
        if key not in OPTIONS:
            near = difflib.get_close_matches(key, OPTIONS, n=1)
            raise UserError(
                f"{path}: unknown option {key!r}; "
                + (f"did you mean {near[0]}?" if near else f"there are: {', '.join(OPTIONS)}.")
            )
    for key in SWITCHES:
        if not isinstance(values.get(key, False), bool):
            raise UserError(f"{path}: {key}: {values[key]!r} is not true or false.")
    for key, kind in NUMBERS.items():
        if key in values:
            try:
                number, whole = kind(values[key]), float(values[key])
            except (TypeError, ValueError, OverflowError):
                raise UserError(f"{path}: {key}: {str(values[key])[:60]!r} is not a number.") from None
            if number != whole:
                raise UserError(f"{path}: {key}: {values[key]!r} must be a whole number.")
            values[key] = number
    return values


def _names(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else str(value).split(",")
    return tuple(str(part).strip() for part in parts if str(part).strip())


def settings_from(value: Any) -> dict[str, Any]:
    """--set texts, or YAML's {lora: {r: 16}} or {lora.r: 16}."""
    if isinstance(value, dict):
        found = {}
        for name, fields in value.items():
            found |= {f"{name}.{k}": v for k, v in fields.items()} if isinstance(fields, dict) else {str(name): fields}
        return found
    found = {}
    for text in value if isinstance(value, list) else [value]:
        path, equals, setting = str(text).partition("=")
        if not equals:
            raise UserError(f"--set {text}: the form is METHOD.FIELD=VALUE, as in lora.r=16.")
        if path in found:
            raise UserError(f"--set {path} is given twice.")
        found[path] = setting
    return found


def request_from(options: dict[str, Any]) -> Request:
    """Raises UserError for a missing or malformed option."""
    for needed in ("methods", "tasks"):
        if not options.get(needed):
            raise UserError(f"Say which {needed}, as in --methods lora,dora --tasks glue.")
    wanted = _names(options["methods"])
    if "all" in wanted:
        from methods.registry import usable

        wanted = (*usable(), *(name for name in wanted if name != "all"))
    try:
        seeds = tuple(int(part) for part in _names(options.get("seeds", "0")))
    except ValueError:
        raise UserError(f"--seeds {options['seeds']}: whole numbers with commas between are expected.") from None
    if "lr" in options and not math.isfinite(options["lr"]):
        raise UserError("--lr must be a finite number.")
    return Request(
        methods=wanted,
        tasks=_names(options["tasks"]),
        preset=options["preset"],
        seeds=seeds,
        settings=settings_from(options.get("set", [])),
        learning_rate=options.get("lr"),
        match_params=None if options.get("match_params") is None else str(options["match_params"]),
        recipe={name: options[name] for name in RECIPE_OPTIONS if name in options},
    )


def probes_from(value: Any) -> tuple[str, ...]:
    """Raises UserError for a name that is no probe's."""
    names = _names(value)
    if not names:
        return ()
    from harness.probe import PROBES, check

    wanted = tuple(PROBES) if "all" in names else tuple(dict.fromkeys(names))
    check(wanted)
    return wanted


def on_oom_from(options: dict[str, Any]) -> OnOom:
    """What becomes of a run that finds too little memory. Raises UserError for a word that says neither."""
    asked = options.get("on_oom", "fail")
    if asked not in ("fail", "accumulate"):
        raise UserError(f"--on-oom {asked}: fail or accumulate is expected.")
    return asked


def checkpoint_every_from(options: dict[str, Any]) -> int | None:
    """Steps between two checkpoints of a run. Raises UserError for what cannot be."""
    steps: int | None = options.get("checkpoint_every")
    if steps is not None and steps < 1:
        raise UserError("--checkpoint-every must be a number of steps, 1 or above.")
    return steps


def trust_from(options: Mapping[str, Any]) -> Trust:
    return Trust(pickle=bool(options.get("allow_pickle")), code=bool(options.get("trust_remote_code")))


def tracking_of(options: dict[str, Any], out: Path, say: Callable[[str], None]) -> Tracking | None:
    """Who is told of stored records; None: nobody. Raises UserError for a tracker that cannot be had."""
    names = _names(options.get("track") or "")
    if not names:
        return None
    return tracking_from(names, out / "track", say)


def run(file: Path | None, options: dict[str, Any], dry: bool, isolate: bool | None, console: Console) -> bool:
    """Returns whether a run failed. Options from the command line win over the file's."""
    options = (read_file(file) if file else {}) | options
    data_dir = Path(options["data_dir"]).expanduser() if "data_dir" in options else None
    options["preset"] = preset_for(options.get("preset"), data_dir)
    request = request_from(options)
    probes, on_oom = probes_from(options.get("probe", "")), on_oom_from(options)
    how, checkpoint_every = how_from(options, isolate), checkpoint_every_from(options)
    out = Path(options.get("out", DEFAULT_OUT)).expanduser()

    def say(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    say(
        f"peftbench: preset {request.preset}"
        + (
            " (made data, small model: for trying out and comparing, not for papers)"
            if request.preset == "mini"
            else ""
        )
    )
    if how.forks and not dry:
        choices_for(request)
        start_server()
    told = None if dry else tracking_of(options, out, say)
    sweep = prepare(request, options.get("model"), data_dir, dry, say, trust_from(options))
    sweep = replace(sweep, probes=probes, on_oom=on_oom, checkpoint_every=checkpoint_every)
    announce(sweep, say)
    if dry:
        print_plan(sweep.planned, console)
        return False
    how = fitting(how, sweep, say)
    store = Store(out)
    run_sweep(sweep, store, Progress(console), how, told)
    from harness.commands import views

    planned = {item.spec.key for item in sweep.planned}
    records = [record for record in store.records(brief=True) if record.key in planned]
    views.show_problems(store, console)
    views.show_leaderboard(records, console)
    say(f"\nRecords: {store.folder}/runs\nTable:   " + ", ".join(str(p) for p in views.write_table(store)))
    where = "" if out == DEFAULT_OUT else f" --results {shlex.quote(str(out))}"
    say(f"Figures: peftbench figures --all{where}")
    return any(record.status == "failed" for record in records)


def _source(spec: RunSpec) -> str:
    return "not at hand" if spec.data["kind"] == "unresolved" else f"{spec.data['kind']} {spec.data['id']}"


def announce(sweep: Sweep, say: Any) -> None:
    specs = [item.spec for item in sweep.planned]
    kinds = dict.fromkeys(_source(spec) for spec in {s.task: s for s in specs}.values())
    data = ", ".join(kinds) if len(kinds) <= 3 else f"{specs[0].data['kind']}, {len(kinds)} tasks"
    names = dict.fromkeys(spec.model for spec in specs)
    say("\n".join(f"Model: {sweep.models.get(name, name)}" for name in names) + f"\nData:  {data}")
    for note in sweep.notes:
        say(f"Note:  {note}")


def print_plan(planned: list[Planned], console: Console) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("key", "method", "task", "seed", "lr (from)", "batch", "length"):
        table.add_column(name, overflow="fold")
    reasons: dict[tuple[str, str], list[str]] = {}
    for item in planned:
        spec, recipe = item.spec, item.spec.recipe
        if item.skip:
            methods = reasons.setdefault((spec.task, item.skip), [])
            methods += [spec.method] if spec.method not in methods else []
            continue
        length = f"{recipe['max_steps']} steps" if recipe["max_steps"] else f"{recipe['epochs']:g} epochs"
        table.add_row(
            "-" if "unresolved" in (spec.data["kind"], spec.model_source["kind"]) else spec.key[:8], spec.method, spec.task, str(spec.seed), f"{recipe['learning_rate']:g} ({item.learning_rate_from})",
            str(recipe["batch_size"]), length,
        )  # fmt: skip
    console.print(table)
    for (task, reason), methods in reasons.items():
        console.print(f"Skipped on {task}: {', '.join(methods)}: {reason}", markup=False)
    skipped = sum(1 for item in planned if item.skip)
    console.print(f"To run: {len(planned) - skipped}. Skipped: {skipped}.")
