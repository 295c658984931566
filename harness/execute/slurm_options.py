"""What --slurm says: `partition=gpu,time=120,gpus=1,mem=32GB`, for submitit."""

from __future__ import annotations

import difflib
import math
import re
import shutil
from typing import Any

from harness.record import UserError

ALIASES = {
    "time": "timeout_min",
    "mem": "mem_gb",
    "memory": "mem_gb",
    "gpus": "gpus_per_node",
    "cpus": "cpus_per_task",
    "job_name": "name",
}
OURS = ("nodes", "tasks_per_node", "ntasks_per_node", "stderr_to_stdout")
"""A run is one task on one machine."""
NOT_ONE_VALUE = ("setup", "teardown", "srun_args", "additional_parameters")
DEFAULTS = {"timeout_min": 240, "name": "peftbench"}
CLUSTERS = ("slurm", "local")


def settings_from(options: str, submitit: Any) -> tuple[str, dict[str, Any]]:
    """(cluster, parameters of submitit's AutoExecutor). Raises UserError for what is none of them."""
    given = _parsed(options)
    cluster = given.pop("cluster", "slurm")
    if cluster not in CLUSTERS:
        raise UserError(f"--slurm cluster={cluster}: there are {' and '.join(CLUSTERS)}.")
    if cluster == "slurm" and not (shutil.which("srun") and shutil.which("sbatch")):
        raise UserError(
            "There is no Slurm here (no srun and sbatch); start the sweep on a login node, or say --slurm cluster=local."
        )
    shared: dict[str, type] = submitit.AutoExecutor._typed_parameters()
    own = set(submitit.SlurmExecutor._valid_parameters()) - {*OURS, *NOT_ONE_VALUE}
    known = sorted((set(shared) | own | set(ALIASES)) - set(OURS)) + ["cluster"]
    settings: dict[str, Any] = dict(DEFAULTS)
    for key, value in given.items():
        name = ALIASES.get(key, key)
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise UserError(
                f"--slurm {key}: submitit has no such parameter for a run; "
                + (f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}.")
            )
        settings[name if name in shared else f"slurm_{name}"] = _value(key, name, value, shared.get(name))
    return cluster, settings


def _parsed(text: str) -> dict[str, str]:
    if not text.isprintable():
        # It goes into the lines of a batch script.
        raise UserError("--slurm: one line of printable characters is expected, as in partition=gpu,time=120.")
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise UserError(f"--slurm {part}: the form is KEY=VALUE, as in partition=gpu,time=120.")
        if key.strip() in found:
            raise UserError(f"--slurm {key.strip()} is given twice.")
        found[key.strip()] = value.strip()
    return found


def _value(key: str, name: str, text: str, kind: type | None) -> Any:
    """The value as submitit takes it. Raises UserError."""
    read = {"timeout_min": _minutes, "mem_gb": _gigabytes}.get(name, _whole if kind is int else None)
    if read is None and kind is None and re.fullmatch(r"\d+", text):
        read = _whole
    found = text if read is None else read(text)
    if found is None:
        form = {"timeout_min": "minutes, or [DAYS-]HOURS:MINUTES[:SECONDS]", "mem_gb": "gigabytes, as 32 or 32GB"}
        raise UserError(f"--slurm {key}={text[:60]}: {form.get(name, 'a whole number')} is expected.")
    return found


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _minutes(text: str) -> int | None:
    """Minutes, rounded up; a bare number is minutes."""
    found = re.fullmatch(r"(?:(\d{1,4})-)?(\d{1,5}):(\d{1,2})(?::(\d{1,2}))?", text, re.ASCII)
    if found is None:
        return _whole(text) or None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return math.ceil(((days * 24 + hours) * 60 + minutes) + seconds / 60) or None


def _gigabytes(text: str) -> float | None:
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s*(?:(G|M|T)B?)?", text, re.ASCII | re.IGNORECASE)
    if found is None:
        return None
    return float(found[1]) * {"M": 1 / 1024, "G": 1.0, "T": 1024.0}[(found[2] or "G").upper()] or None
