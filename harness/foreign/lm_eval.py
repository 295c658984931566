"""lm-evaluation-harness: a results_*.json with any number of tasks, one record a task.

https://github.com/EleutherAI/lm-evaluation-harness, lm_eval/evaluator.py: `results` holds `metric,filter` and
`metric_stderr,filter` for each task (before 0.4: `metric` alone), `group_subtasks` the groups, whose rows are
means of tasks and are left out. Such a file knows the model and the adapter's folder, not how it was trained:
neither the method nor the seed of the training stands in it, so both are the caller's to give.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.foreign import IMPORTED, load, number, part, whole
from harness.record import RunRecord, RunSpec

TOOL = SUITE = "lm-eval"
UNKNOWN = "unknown"
NOT_SCORES = {"alias", "name", "sample_len", "sample_count"}
FALLING = {"perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte", "brier_score", "ter"}
"""Less is better, also in files of before `higher_is_better`."""


def read(path: Path, method: str = UNKNOWN, seed: int = 0) -> tuple[list[RunRecord], list[str]]:
    """`method` and `seed`: of the training. Raises OSError, or ValueError if the file is no lm-eval result."""
    value, digest = load(path)
    results, config = part(value, "results"), part(value, "config")
    if not results or not any(name in config for name in ("model", "model_args")):
        raise ValueError("not a result file of lm-eval")
    groups = {name for name, members in part(value, "group_subtasks").items() if members}
    records, notes = [], []
    for task in sorted(set(results) - groups):
        if part(value, "configs") and task not in part(value, "configs"):
            continue
        scores, errors = _scores(value, task)
        if scores:
            spec = _spec(value, task, method, seed)
            records.append(_record(value, spec, scores, errors, {"file": path.name, "sha256": digest}))
        else:
            notes.append(f"{task}: no metric between 0 and 1 of which more is better")
    if not records:
        raise ValueError("; ".join(notes) or "no task in it")
    return records, notes


def _scores(value: Mapping[str, Any], task: str) -> tuple[dict[str, float], dict[str, float | None]]:
    """Scores that can be shown x100, the main one first (the task's own order), and their standard errors."""
    found = part(value, "results", task)
    rising = part(value, "higher_is_better", task)
    scores: dict[str, float] = {}
    errors: dict[str, float | None] = {}
    metrics: dict[str, str] = {}
    for key, raw in found.items():
        metric, _, rule = key.partition(",")
        score = number(raw) if isinstance(raw, int | float) else None
        if key in NOT_SCORES or metric.endswith("_stderr") or score is None:
            continue
        if rising.get(metric, metric not in FALLING) is False or not -1 <= score <= 1:
            continue
        name = metric if rule in ("", "none") else f"{metric}_{rule}"
        scores[name], metrics[name] = score, metric
        errors[name] = number(found.get(f"{metric}_stderr,{rule}" if rule else f"{metric}_stderr"))
    listed = part(value, "configs", task).get("metric_list")
    order = [str(m.get("metric")) for m in listed if isinstance(m, Mapping)] if isinstance(listed, list) else []
    first = [name for metric in order for name in scores if metrics[name] == metric]
    return {name: scores[name] for name in dict.fromkeys([*first, *scores])}, errors


def model_args(config: Mapping[str, Any]) -> dict[str, str]:
    """`pretrained=a,peft=b` or an object, as an object of texts."""
    given = config.get("model_args")
    if isinstance(given, Mapping):
        return {str(k): str(v) for k, v in given.items()}
    pairs = (pair.partition("=") for pair in str(given or "").split(","))
    return {name.strip(): text.strip() for name, sign, text in pairs if sign}


def _protocol(value: Mapping[str, Any], task: str) -> str:
    """What decides the score beside the weights, so that a limited run is never taken for a full one."""
    config = part(value, "config")
    shots, limit = part(value, "n-shot").get(task, config.get("num_fewshot")), number(config.get("limit"))
    parts = [
        TOOL,
        f"{shots}-shot" if whole(shots) is not None else "",
        "" if limit is None else f"limit {limit:g}",
        "chat template" if value.get("chat_template") else "",
        "system instruction" if value.get("system_instruction") else "",
    ]
    return " ".join(filter(None, parts))


def _spec(value: Mapping[str, Any], task: str, method: str, seed: int) -> RunSpec:
    config, given = part(value, "config"), model_args(part(value, "config"))
    adapter = given.get("peft") or given.get("lora_local_path") or given.get("delta") or ""
    model = given.get("pretrained") or given.get("model") or str(value.get("model_name") or config.get("model"))
    return RunSpec(
        method=method,
        config={
            "experiment": adapter or "no adapter",
            "model_args": {k: v for k, v in sorted(given.items()) if k != "pretrained"},
            "gen_kwargs": config.get("gen_kwargs"),
        },
        task=task,
        task_version=str(part(value, "versions").get(task, "")),
        protocol=_protocol(value, task),
        data={"kind": IMPORTED, "id": TOOL, "revision": None, "sha256": None},
        model=model,
        model_source={"kind": TOOL, "id": model, "revision": config.get("model_sha") or None, "sha256": None},
        recipe={"precision": str(config.get("model_dtype") or given.get("dtype") or ""), "select": ""},
        seed=seed,
        suite=SUITE,
        preset=IMPORTED,
    )


def _record(
    value: Mapping[str, Any],
    spec: RunSpec,
    scores: dict[str, float],
    errors: dict[str, float | None],
    source: dict[str, str],
) -> RunRecord:
    return RunRecord(
        spec,
        "done",
        metric=next(iter(scores)),
        scores=dict(scores),
        parameters={"total": whole(part(value, "config").get("model_num_parameters"))},
        costs={"lm_eval_all_tasks_seconds": number(value.get("total_evaluation_time_seconds"))},
        data_stats={"eval_rows": whole(part(value, "n-samples", spec.task).get("effective"))},
        provenance={
            IMPORTED: {"tool": TOOL, **source, "created": number(value.get("date"))},
            "versions": {
                "lm_eval": value.get("lm_eval_version"),
                "transformers": value.get("transformers_version"),
            },
            "commits": {"lm_eval": value["git_hash"]} if value.get("git_hash") else {},
            "standard_errors": errors,
            "counters": {"lm_eval_all_tasks_seconds": "total_evaluation_time_seconds: all tasks of the file together"},
            "notes": ["The training's method and seed are not in the file; they are what the import was told."],
        },
    )
