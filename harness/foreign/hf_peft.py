"""Hugging Face PEFT's method_comparison: one JSON file a run of MetaMathQA -> GSM8K.

https://github.com/huggingface/peft/tree/main/method_comparison/MetaMathQA, whose run.py says what its numbers are:
- train_time runs from before the data is prepared to after the test set is generated, less the evaluations
  in between, so it is no time of training; the sum of the steps' own times is kept beside it;
- tokens per second have no warm-up left out;
- accelerator_memory_max is max_memory_reserved over the whole process, generation included;
- the answers are read by its own rule, which knows no thousands separators: hence a protocol of its own;
- trainable parameters are PEFT's count.
Its costs keep names that say so (`COUNTERS`), none of them one of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.foreign import IMPORTED, load, number, part, whole
from harness.record import RunRecord, RunSpec

TOOL = "hf-peft"
TASK, SUITE, PROTOCOL = "gsm8k-hf-peft", "gsm8k", "hf-peft method_comparison"
NO_SIZE = {123, 99999999}
"""Stand for a checkpoint whose size could not be read."""
COUNTERS = {
    "hf_peft_train_seconds_with_preparation_and_test": "train_time: data preparation, steps and test generation",
    "hf_peft_step_seconds_with_warmup": "sum of the steps' times, the first steps included",
    "hf_peft_tokens_per_second_with_warmup": "tokens without padding by that sum",
    "hf_peft_total_seconds": "total_time: the whole process",
    "hf_peft_process_peak_reserved_bytes": "accelerator_memory_max: max_memory_reserved of the whole process, "
    "generation included",
    "hf_peft_step_mean_reserved_bytes": "memory_reserved after each step, mean",
    "hf_peft_step_p99_reserved_bytes": "memory_reserved after each step, 99th percentile",
    "hf_peft_checkpoint_bytes": "file_size of the saved adapter",
}
OPTIMIZERS = {"lora+": "lora-plus", "lora-fa": "lora-fa", "riemannian": "riemannian-lora"}
LORA_FLAGS = {
    "use_dora": "dora", "use_rslora": "rslora", "use_bdlora": "bdlora", "use_qalora": "qalora", "lora_bias": "lora-bias",
    "velora_config": "velora", "kasa_config": "kasa", "monteclora_config": "monteclora", "arrow_config": "arrow",
    "alora_invocation_tokens": "alora", "loftq_config": "loftq",
}  # fmt: skip
LORA_STARTS = {"lora_ga": "lora-ga", "orthogonal": "lora-orthogonal"}
OTHER_NAMES = {"ADAPTION_PROMPT": "llama-adapter"}
BOOKKEEPING = {"peft_version", "base_model_name_or_path", "inference_mode", "auto_mapping", "task_type"}
OF_METHOD = {"autocast_adapter_dtype", "init_kv_cache_prefix"}
APART = OF_METHOD | {"model_id", "seed", "optimizer_type", "optimizer_kwargs", "batch_size_eval"}
OUR_NAMES = {
    "max_seq_length": "max_length", "lr_scheduler": "schedule", "grad_norm_clip": "max_grad_norm",
    "use_gc": "gradient_checkpointing", "dtype": "precision",
}  # fmt: skip
PRECISIONS = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}


def read(path: Path) -> tuple[list[RunRecord], list[str]]:
    """Raises OSError, or ValueError if the file is no result of method_comparison's text task."""
    value, digest = load(path)
    run, info = part(value, "run_info"), part(value, "train_info")
    train, points = part(run, "train_config"), info.get("metrics")
    if not train.get("model_id") or not isinstance(points, list) or "status" not in info:
        raise ValueError("not a result file of PEFT's method_comparison")
    points = [point for point in points if isinstance(point, Mapping)]
    last = points[-1] if points else {}
    accuracy = number(last.get("test accuracy"))
    done = info["status"] == "success"
    if done and accuracy is None:
        raise ValueError("no test accuracy: only the text task MetaMathQA can be imported")
    meta = part(value, "meta_info")
    record = RunRecord(
        _spec(run, train, meta),
        "done" if done else "failed",
        metric="accuracy",
        scores={"accuracy": accuracy, "wikipedia_loss_increase": number(last.get("forgetting"))} if done else {},
        parameters={"trainable": whole(info.get("num_trainable_params")), "total": whole(info.get("num_total_params"))},
        costs=_costs(run, info, points),
        curve=[_point(point) for point in points if "valid accuracy" in point],
        data_stats={"steps": whole(last.get("step")), "train_samples": whole(last.get("train samples"))},
        provenance=_provenance(run, meta, path, digest),
        reason="" if done else str(run.get("error_msg") or f"status {info['status']}"),
    )
    return [record], []


def _spec(run: Mapping[str, Any], train: Mapping[str, Any], meta: Mapping[str, Any]) -> RunSpec:
    name = str(run.get("experiment_name") or "unnamed")
    settings = run.get("peft_config")
    settings = settings if isinstance(settings, Mapping) else None
    optimizer = part(train, "optimizer_kwargs")
    data = {name: part(one).get("sha") for name, one in sorted(part(meta, "dataset_info").items())}
    return RunSpec(
        method=method_name(settings, str(train.get("optimizer_type"))),
        config={
            "experiment": name.partition("/")[2] or name,
            **_config(settings or {}),
            "optimizer": train.get("optimizer_type"),
            "optimizer_settings": {k: v for k, v in optimizer.items() if k != "lr"},
            **{name: train[name] for name in sorted(OF_METHOD) if name in train},
        },
        task=TASK,
        task_version=IMPORTED,
        protocol=PROTOCOL,
        data={"kind": IMPORTED, "id": "PEFT method_comparison/MetaMathQA", "revision": data or None, "sha256": None},
        model=str(train["model_id"]),
        model_source={"kind": "hub", "id": train["model_id"], "revision": part(meta, "model_info").get("sha")},
        recipe=_recipe(train) | {"learning_rate": number(optimizer.get("lr")), "select": "last"},
        seed=whole(train.get("seed")) or 0,
        suite=SUITE,
        preset=IMPORTED,
    )


def method_name(settings: Mapping[str, Any] | None, optimizer: str) -> str:
    """Our name of the method, where PEFT's configuration says it; variants of LoRA joined by +."""
    if settings is None:
        return "full-ft"
    kind = str(settings.get("peft_type"))
    if kind != "LORA":
        return OTHER_NAMES.get(kind, kind.lower().replace("_", "-"))
    start = settings.get("init_lora_weights")
    variants = {name for flag, name in LORA_FLAGS.items() if settings.get(flag)}
    if isinstance(start, str) and start not in {"gaussian", "true"}:
        variants.add("pissa" if start.startswith("pissa") else LORA_STARTS.get(start, start.replace("_", "-")))
    variants |= {OPTIMIZERS[optimizer]} if optimizer in OPTIMIZERS else set()
    return "+".join(sorted(variants)) or "lora"


def _config(settings: Mapping[str, Any]) -> dict[str, Any]:
    # AdaLoRA's rank pattern is what its training found, not what it was given.
    found = settings.get("peft_type") == "ADALORA"
    left_out = BOOKKEEPING | ({"rank_pattern"} if found else set())
    # Written from sets, whose order says nothing.
    return {
        k: sorted(v, key=str) if k == "target_modules" and isinstance(v, list) else v
        for k, v in settings.items()
        if k not in left_out
    }


def _recipe(train: Mapping[str, Any]) -> dict[str, Any]:
    found = {OUR_NAMES.get(name, name): value for name, value in train.items() if name not in APART}
    return found | {"precision": PRECISIONS.get(str(found.get("precision")), str(found.get("precision")))}


def _costs(
    run: Mapping[str, Any], info: Mapping[str, Any], points: list[Mapping[str, Any]]
) -> dict[str, float | int | None]:
    steps = [seconds for point in points if (seconds := number(point.get("train time"))) is not None]
    tokens = number(points[-1].get("train total tokens")) if points else None
    size = whole(info.get("file_size"))
    values = (
        number(info.get("train_time")),
        sum(steps) if steps else None,
        tokens / sum(steps) if tokens is not None and sum(steps) > 0 else None,
        number(run.get("total_time")),
        whole(info.get("accelerator_memory_max")),
        whole(info.get("accelerator_memory_reserved_avg")),
        whole(info.get("accelerator_memory_reserved_99th")),
        None if size in NO_SIZE else size,
    )
    return dict(zip(COUNTERS, values, strict=True))


def _point(point: Mapping[str, Any]) -> dict[str, float | int | None]:
    return {
        "step": whole(point.get("step")),
        "loss": number(point.get("train loss")),
        "validation_accuracy": number(point.get("valid accuracy")),
    }


def _provenance(run: Mapping[str, Any], meta: Mapping[str, Any], path: Path, digest: str) -> dict[str, Any]:
    packages = part(meta, "package_info")
    device = part(meta, "system_info").get("accelerator")
    return {
        IMPORTED: {"tool": TOOL, "file": path.name, "sha256": digest, "created": run.get("created_at")},
        "versions": {k.removesuffix("-version"): v for k, v in packages.items() if k.endswith("-version")},
        "commits": {k.removesuffix("-commit-hash"): v for k, v in packages.items() if k.endswith("-commit-hash") and v},
        "hardware": {"device": device} if device else {},
        "counters": dict(COUNTERS),
        "notes": ["One seed; answers read by PEFT's rule, which fails on thousands separators."],
    }
