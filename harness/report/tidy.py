"""Records -> tidy tables: long (a row a run and score) or wide (a row a run), as CSV and Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.record import RunRecord, UserError, canonical_json
from harness.report.defaults import Defaults
from harness.report.leaderboard import hardware
from harness.report.setting import label
from harness.store import make_folder, replacing
from tasks.spec import Recipe

if TYPE_CHECKING:
    import pandas as pd

TEXTS = (
    "key", "suite", "preset", "task", "task_version", "protocol", "method", "config", "variant", "model",
    "model_kind", "model_revision", "model_sha256", "data_kind", "data_id", "data_revision", "data_sha256",
)  # fmt: skip
PARAMETERS = ("trainable", "trainable_formula", "head", "stored", "added", "total")
COSTS = (
    *(f"{phase}_{name}" for phase in ("train", "eval") for name in (
        "peak_resident_bytes", "peak_allocated_bytes", "peak_reserved_bytes", "peak_driver_bytes",
        "gpu_energy_joules", "cpu_energy_joules",
    )),
    "baseline_resident_bytes", "baseline_allocated_bytes",
    "train_tokens_per_second", "train_padded_tokens_per_second", "train_samples_per_second",
    "step_seconds_mean", "step_seconds_p10", "step_seconds_median", "step_seconds_p90", "dropped_steps",
    "forward_seconds_mean", "backward_seconds_mean", "optimizer_seconds_mean",
    "counted_step_flops", "step_flops_per_padded_token", "forward_flops_per_padded_token",
    "train_flops_per_second", "model_flops_utilisation",
    "setup_seconds", "train_seconds", "epoch_eval_seconds", "eval_seconds", "wall_seconds",
)  # fmt: skip
TYPES = {"seed": "int64", "is_main": "bool", "value": "float64"}
RECIPE = {item.name: str(item.type) for item in fields(Recipe) if item.name not in Recipe.BY_METHOD}
RECIPE["learning_rate"] = "float"


def _run(record: RunRecord, variant: str) -> dict[str, Any]:
    spec = record.spec
    return {
        "key": record.key,
        "suite": spec.suite,
        "preset": spec.preset,
        "task": spec.task,
        "task_version": spec.task_version,
        "protocol": spec.protocol,
        "method": spec.method,
        "config": canonical_json(spec.config),
        "variant": variant,
        "model": spec.model,
        **{f"model_{name}": spec.model_source.get(name) for name in ("kind", "revision", "sha256")},
        **{f"data_{name}": spec.data.get(name) for name in ("kind", "id", "revision", "sha256")},
        **{f"recipe_{name}": value for name, value in spec.recipe.items()},
        "seed": spec.seed,
        "status": record.status,
        "reason": record.reason,
        "hardware": hardware(record),
        **{f"parameters_{name}": value for name, value in record.parameters.items()},
        **record.costs,
    }


def _extra(known: Sequence[str], found: Iterable[Iterable[str]]) -> list[str]:
    """Names that are not known yet, sorted: a newer version may measure more."""
    return sorted(set().union(*found) - set(known))


def _typed(rows: list[dict[str, Any]], records: Sequence[RunRecord], last: Sequence[str]) -> pd.DataFrame:
    """Columns in a fixed order and with fixed types, also where no run has a value, or there is no run."""
    import pandas as pd

    recipe = [*RECIPE, *_extra(RECIPE, (record.spec.recipe for record in records))]
    parameters = [*PARAMETERS, *_extra(PARAMETERS, (record.parameters for record in records))]
    costs = [*COSTS, *_extra(COSTS, (record.costs for record in records))]
    columns = [
        *TEXTS, *(f"recipe_{name}" for name in recipe), "seed", "status", "reason", *last, "hardware",
        *(f"parameters_{name}" for name in parameters), *costs,
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    for name in columns:
        kind = _type(name, name in costs)
        try:
            frame[name] = frame[name].astype(kind)
        except (TypeError, ValueError):
            # A recipe of another version may hold other kinds of values.
            frame[name] = frame[name].map(str, na_action="ignore").astype("string")
    return frame


def _type(column: str, is_cost: bool) -> str:
    if column in TYPES:
        return TYPES[column]
    if column.startswith("recipe_"):
        declared = RECIPE.get(column.removeprefix("recipe_"), "")
        kinds = {"int": "Int64", "float": "float64", "bool": "boolean"}
        return kinds.get(declared.removesuffix(" | None"), "string")
    if column.startswith("parameters_") or column.endswith(("_bytes", "dropped_steps")):
        return "Int64"
    return "float64" if is_cost or column.startswith("score_") else "string"


def long(records: Iterable[RunRecord]) -> pd.DataFrame:
    """A row for each run and score: `metric`, `is_main`, `value` in the metric's own unit. A run that failed or was
    skipped has one row, whose value is null."""
    found = list(records)
    defaults = Defaults(record.spec for record in found)
    rows = [
        _run(record, label(record.spec, defaults)) | {"metric": name, "is_main": name == record.metric, "value": value}
        for record in found
        for name, value in (record.scores or {record.metric: None}).items()
    ]
    return _typed(rows, found, ("metric", "is_main", "value"))


def wide(records: Iterable[RunRecord]) -> pd.DataFrame:
    """A row for each run: `metric` names the main score; each score has a column `score_<metric>`."""
    found = list(records)
    defaults = Defaults(record.spec for record in found)
    rows = [
        _run(record, label(record.spec, defaults))
        | {"metric": record.metric, **{f"score_{name}": value for name, value in record.scores.items()}}
        for record in found
    ]
    names = [f"score_{name}" for name in _extra((), (record.scores for record in found))]
    return _typed(rows, found, ("metric", *names))


def write_table(records: Iterable[RunRecord], folder: Path) -> list[Path]:
    """The long table as table.csv and table.parquet in `folder`. Raises UserError if it cannot be written to."""
    make_folder(folder)
    table = long(records)
    paths = [folder / "table.csv", folder / "table.parquet"]
    for path, write in zip(paths, (table.to_csv, table.to_parquet), strict=True):
        try:
            with replacing(path) as temporary:
                write(temporary, index=False)
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror or error}.") from None
    return paths
