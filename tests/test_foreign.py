"""Other tools' result files: what is taken over, under which name, and what is passed over with its reason."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.foreign import hf_peft, lm_eval
from harness.record import RunRecord
from harness.report import leaderboard, tidy
from harness.report.tidy import COSTS
from harness.store import Store, _check
from methods import entries

SAMPLES = Path(__file__).parent.parent.parent / "shared" / "data" / "hf_peft_metamathqa"
RUNNER = CliRunner()


def hf(accuracy=0.4, experiment="lora/tiny-rank8", status="success", settings=None, train=None, **info):
    """A result file of method_comparison with two evaluations."""
    return {
        "run_info": {
            "created_at": "2026-01-01T00:00:00+00:00",
            "total_time": 500.0,
            "experiment_name": experiment,
            "train_config": {
                "model_id": "org/tiny", "dtype": "bfloat16", "max_seq_length": 768, "batch_size": 4, "batch_size_eval": 50,
                "max_steps": 20, "seed": 3, "optimizer_type": "AdamW", "optimizer_kwargs": {"lr": 1e-4, "weight_decay": 0.1},
                "lr_scheduler": "cosine", "use_gc": False, "autocast_adapter_dtype": True, **(train or {}),
            },
            "peft_config": {"peft_type": "LORA", "r": 8, "target_modules": ["v", "q"], "peft_version": "1", **(settings or {})},
            "error_msg": "" if status == "success" else "CUDA out of memory",
        },
        "train_info": {
            "accelerator_memory_max": 900, "accelerator_memory_reserved_avg": 600, "accelerator_memory_reserved_99th": 800,
            "train_time": 300.0, "file_size": 4096, "num_trainable_params": 64, "num_total_params": 6400, "status": status,
            "metrics": [
                {"step": 10, "valid accuracy": 0.2, "train loss": 1.5, "train time": 40.0, "tokens / sec": 9.0},
                {"step": 20, "valid accuracy": 0.3, "train loss": 1.0, "train time": 60.0, "tokens / sec": 8.0},
                {"step": 20, "test accuracy": accuracy, "train samples": 80, "train total tokens": 5000, "forgetting": 0.1},
            ],
            **info,
        },
        "meta_info": {
            "model_info": {"sha": "abc"},
            "dataset_info": {"gsm8k": {"sha": "d1"}, "metamath": {"sha": "d2"}},
            "package_info": {"peft-version": "0.19", "peft-commit-hash": "c1", "torch-commit-hash": None},
            "system_info": {"accelerator": "NVIDIA L40S"},
        },
    }  # fmt: skip


def lm(model_args="pretrained=org/tiny,peft=runs/lora,dtype=bfloat16", limit=None, **change):
    """A result file of lm-eval with two tasks, a group and a task whose metric falls."""
    return {
        "results": {
            "gsm8k": {
                "alias": "gsm8k", "exact_match,strict-match": 0.25, "exact_match_stderr,strict-match": 0.01,
                "exact_match,flexible-extract": 0.5, "exact_match_stderr,flexible-extract": "N/A",
            },
            "arc_easy": {"alias": "arc_easy", "acc_norm,none": 0.75, "acc,none": 0.5, "acc_stderr,none": 0.02},
            "wikitext": {"alias": "wikitext", "word_perplexity,none": 11.0},
            "both": {"alias": "both", "acc,none": 0.9},
        },
        "group_subtasks": {"both": ["gsm8k", "arc_easy"], "gsm8k": []},
        "configs": {
            "gsm8k": {"metric_list": [{"metric": "exact_match"}]},
            "arc_easy": {"metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}]},
            "wikitext": {},
        },
        "versions": {"gsm8k": 3.0, "arc_easy": 1.0},
        "n-shot": {"gsm8k": 5, "arc_easy": 0},
        "higher_is_better": {"gsm8k": {"exact_match": True}, "wikitext": {"word_perplexity": False}},
        "n-samples": {"gsm8k": {"original": 1319, "effective": 1319}, "arc_easy": {"effective": 2376}},
        "config": {
            "model": "hf", "model_args": model_args, "limit": limit, "model_num_parameters": 6400,
            "model_dtype": "torch.bfloat16", "model_sha": "abc",
        },
        "lm_eval_version": "0.4.9", "total_evaluation_time_seconds": "12.5", "date": 1.7e9,
        **change,
    }  # fmt: skip


def put(folder, name, value):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return folder / name


def read_hf(tmp_path, **change):
    ((record,), _) = hf_peft.read(put(tmp_path, "one.json", hf(**change)))
    return record


def bring(*words):
    done = RUNNER.invoke(app, ["import", *map(str, words)])
    return done.exit_code, done.output


# Hugging Face PEFT


def test_an_hf_run_is_a_record_with_its_scores_and_its_source(tmp_path):
    record = read_hf(tmp_path)
    assert (record.status, record.score, record.spec.seed) == ("done", 0.4, 3)
    assert (record.spec.method, record.spec.model, record.spec.preset) == ("lora", "org/tiny", "imported")
    assert record.spec.recipe["learning_rate"] == 1e-4 and record.spec.recipe["precision"] == "bf16"
    assert record.spec.config["experiment"] == "tiny-rank8"
    assert record.parameters == {"trainable": 64, "total": 6400}
    assert [point["validation_accuracy"] for point in record.curve] == [0.2, 0.3]
    assert record.provenance["imported"]["file"] == "one.json"
    assert str(tmp_path) not in json.dumps(record.to_dict())


def test_their_counters_keep_names_that_say_what_they_are(tmp_path):
    costs = read_hf(tmp_path).costs
    assert costs["hf_peft_train_seconds_with_preparation_and_test"] == 300.0
    assert costs["hf_peft_step_seconds_with_warmup"] == 100.0
    assert costs["hf_peft_tokens_per_second_with_warmup"] == 50.0
    assert costs["hf_peft_process_peak_reserved_bytes"] == 900
    assert not set(costs) & set(COSTS), "a weak counter under the name of one of ours"


def test_each_counter_is_explained_in_the_record(tmp_path):
    record = read_hf(tmp_path)
    assert set(record.provenance["counters"]) == set(record.costs)


@pytest.mark.parametrize("size", [99999999, 123])
def test_a_sentinel_is_no_size(tmp_path, size):
    assert read_hf(tmp_path, file_size=size).costs["hf_peft_checkpoint_bytes"] is None


def test_a_cancelled_run_is_a_failed_record_with_its_reason(tmp_path):
    record = read_hf(tmp_path, status="canceled", accuracy=None)
    assert (record.status, record.reason, record.score) == ("failed", "CUDA out of memory", None)


@pytest.mark.parametrize(
    ("settings", "optimizer", "name"),
    [
        ({}, "AdamW", "lora"),
        ({"use_rslora": True}, "AdamW", "rslora"),
        ({"use_dora": True}, "AdamW", "dora"),
        ({"init_lora_weights": "pissa_niter_16"}, "AdamW", "pissa"),
        ({"init_lora_weights": "lora_ga"}, "AdamW", "lora-ga"),
        ({"init_lora_weights": True}, "lora+", "lora-plus"),
        ({"init_lora_weights": "gaussian"}, "lora-fa", "lora-fa"),
        ({"use_dora": True, "init_lora_weights": "olora"}, "AdamW", "dora+olora"),
        ({"peft_type": "ADAPTION_PROMPT"}, "AdamW", "llama-adapter"),
        ({"peft_type": "LN_TUNING"}, "AdamW", "ln-tuning"),
    ],
)
def test_a_method_has_our_name_only_where_the_file_says_so(tmp_path, settings, optimizer, name):
    found = read_hf(tmp_path, settings=settings, train={"optimizer_type": optimizer}).spec.method
    assert found == name
    assert name in entries() or "+" in name


def test_full_fine_tuning_has_no_peft_config(tmp_path):
    value = hf()
    value["run_info"]["peft_config"] = None
    assert hf_peft.read(put(tmp_path, "full.json", value))[0][0].spec.method == "full-ft"


def test_what_decides_a_result_is_in_the_key_and_what_does_not_is_not(tmp_path):
    key = read_hf(tmp_path).key
    same = [{"settings": {"peft_version": "2"}}, {"settings": {"target_modules": ["q", "v"]}}, {"train_time": 9.0}]
    other = [{"settings": {"r": 9}}, {"train": {"seed": 4}}, {"train": {"max_steps": 9}}, {"experiment": "lora/b"}]
    assert {read_hf(tmp_path, **change).key for change in same} == {key}
    assert len({key, *(read_hf(tmp_path, **change).key for change in other)}) == len(other) + 1


def test_imported_runs_never_share_a_table_with_ours(tmp_path):
    foreign = read_hf(tmp_path)
    ours = foreign.from_dict(foreign.to_dict())
    spec = replace(ours.spec, preset="paper", data={"kind": "hub"})
    ours.spec = spec
    tables = leaderboard.tables([foreign, ours])
    assert len(tables) == 2
    (imported,) = [table for table in tables if table.setting.preset == "imported"]
    assert "imported data" in imported.title and "method_comparison" in imported.title
    assert [row.label for row in imported.rows] == ["lora tiny-rank8"]
    assert {column.kind for column in imported.columns} <= {"task", "mean", "count"}


# lm-eval


def test_lm_eval_is_a_record_a_task_without_groups_and_falling_metrics(tmp_path):
    records, notes = lm_eval.read(put(tmp_path, "r.json", lm()), "lora", 2)
    assert {(r.spec.task, r.metric, r.score) for r in records} == {
        ("gsm8k", "exact_match_strict-match", 0.25),
        ("arc_easy", "acc", 0.5),
    }
    assert [note.partition(":")[0] for note in notes] == ["wikitext"]
    assert {(r.spec.method, r.spec.seed, r.spec.model, r.spec.preset) for r in records} == {
        ("lora", 2, "org/tiny", "imported")
    }


def test_all_scores_of_a_task_stay_and_errors_stand_apart(tmp_path):
    gsm8k = next(r for r in lm_eval.read(put(tmp_path, "r.json", lm()))[0] if r.spec.task == "gsm8k")
    assert gsm8k.scores == {"exact_match_strict-match": 0.25, "exact_match_flexible-extract": 0.5}
    assert gsm8k.provenance["standard_errors"]["exact_match_strict-match"] == 0.01
    assert gsm8k.data_stats["eval_rows"] == 1319
    assert gsm8k.costs["lm_eval_all_tasks_seconds"] == 12.5


def test_shots_limits_and_templates_are_another_protocol(tmp_path):
    variants = [lm(), lm(limit=100), lm(chat_template="x"), lm(**{"n-shot": {"gsm8k": 0, "arc_easy": 0}})]
    found = [lm_eval.read(put(tmp_path, "r.json", value))[0] for value in variants]
    protocols = [next(r for r in records if r.spec.task == "gsm8k").spec.protocol for records in found]
    assert len(set(protocols)) == 4
    assert protocols[0] == "lm-eval 5-shot" and "limit 100" in protocols[1]


@pytest.mark.parametrize("given", ["pretrained=org/tiny,peft=runs/a", {"pretrained": "org/tiny", "peft": "runs/a"}])
def test_model_arguments_as_text_and_as_an_object(tmp_path, given):
    records, _ = lm_eval.read(put(tmp_path, "r.json", lm(given)))
    assert {(r.spec.model, r.spec.config["experiment"]) for r in records} == {("org/tiny", "runs/a")}


def test_files_of_before_the_filters(tmp_path):
    old = {
        "results": {"arc_easy": {"acc": 0.5, "acc_stderr": 0.1, "acc_norm": 0.6, "bits_per_byte": 0.7}},
        "versions": {"arc_easy": 0},
        "config": {"model": "hf-causal", "model_args": "pretrained=a", "num_fewshot": 3, "limit": None},
    }
    ((record,), _) = lm_eval.read(put(tmp_path, "r.json", old))
    assert record.scores == {"acc": 0.5, "acc_norm": 0.6} and record.metric == "acc"
    assert record.provenance["standard_errors"]["acc"] == 0.1
    assert record.spec.protocol == "lm-eval 3-shot"


# The commands


def test_hf_files_are_imported_and_foreign_ones_named(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    put(folder, "good.json", hf())
    put(folder, "broken.json", "{")
    put(folder, "list.json", "[1]")
    put(folder, "other.json", {"run_info": {}, "train_info": {}})
    put(folder, "lm.json", lm())
    put(folder, "image.json", hf(accuracy=None))
    put(folder, "binary.json", "\x00\x01")
    code, text = bring("hf-peft", folder, "--out", out)
    assert code == 0 and "Imported 1 runs" in text
    for name in ("broken", "list", "other", "lm", "image", "binary"):
        assert f"Passed over: {folder}/{name}.json" in text
    (record,) = Store(out).records()
    assert record.score == 0.4


def test_nothing_to_read_is_exit_code_2(tmp_path):
    folder = tmp_path / "in"
    put(folder, "broken.json", "{")
    for words in (("hf-peft", folder), ("lm-eval", folder / "broken.json"), ("hf-peft", tmp_path / "none")):
        code, text = bring(*words, "--out", tmp_path / "out")
        assert code == 2 and "Error:" in text and "Traceback" not in text
    folder = tmp_path / "empty"
    folder.mkdir()
    assert bring("lm-eval", folder, "--out", tmp_path / "out")[0] == 2
    assert not (tmp_path / "out").exists()


def test_the_same_file_twice_is_one_record_and_another_file_of_the_same_run_is_named(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    put(folder, "a.json", hf(0.4))
    assert bring("hf-peft", folder, "--out", out)[0] == bring("hf-peft", folder, "--out", out)[0] == 0
    put(folder, "b.json", hf(0.9))
    code, text = bring("hf-peft", folder, "--out", out)
    assert code == 0 and "b.json: a.json gave this run already" in text
    assert [record.score for record in Store(out).records()] == [0.4]


def test_two_editions_of_one_experiment_are_not_one_row(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    put(folder, "a.json", hf(0.4))
    put(folder, "b.json", hf(0.9, settings={"new_field": 1}, train={"optimizer_kwargs": {"lr": 9e-4}}))
    assert "b.json: a.json gave this run already" in bring("hf-peft", folder, "--out", out)[1]
    put(folder, "b.json", hf(0.9, train={"seed": 4}))
    assert bring("hf-peft", folder, "--out", out)[0] == 0
    assert sorted(record.score for record in Store(out).records()) == [0.4, 0.9]


def test_lm_eval_reads_files_and_folders_and_what_it_is_told(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    put(folder, "results_2026.json", lm())
    put(folder, "samples_gsm8k.jsonl", "{}")
    code, text = bring("lm-eval", folder, "--method", "dora", "--seed", "1", "--out", out)
    assert code == 0 and "wikitext" in text
    assert {(r.spec.method, r.spec.seed) for r in Store(out).records()} == {("dora", 1)}


def test_imported_runs_have_tables(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    put(folder, "a.json", hf(0.4))
    put(folder, "b.json", hf(0.6, "lora/tiny-rank16", settings={"r": 16}))
    put(tmp_path, "results_1.json", lm())
    bring("hf-peft", folder, "--out", out)
    bring("lm-eval", tmp_path / "results_1.json", "--out", out)
    records = list(Store(out).records())
    labels = {row.label for table in leaderboard.tables(records) for row in table.rows}
    assert labels == {"lora tiny-rank8", "lora tiny-rank16", "unknown runs/lora"}
    assert tidy.long(records)["hf_peft_step_seconds_with_warmup"].max() == 100.0


def _mutants(value, junk):
    """The value with each of its parts in turn replaced by each of `junk`, or missing."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {k: v for k, v in value.items() if k != key}
            yield from ({**value, key: other} for other in junk)
            yield from ({**value, key: other} for other in _mutants(inner, junk))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from ([*value[:at], other, *value[at + 1 :]] for other in [*junk, *_mutants(inner, junk)])


@pytest.mark.parametrize(("read", "value"), [(hf_peft.read, hf()), (lm_eval.read, lm())], ids=["hf-peft", "lm-eval"])
def test_a_file_with_any_part_spoiled_is_read_or_refused_with_a_reason(tmp_path, read, value):
    """And what is read is a record as the store holds them."""
    path, read_ones = tmp_path / "one.json", 0
    for mutant in _mutants(value, (None, "x", -1, 1e300, [], [1], {}, {"x": [None]}, True)):
        path.write_text(json.dumps(mutant), encoding="utf-8")
        try:
            records, _ = read(path)
        except ValueError as error:
            assert str(error)
            continue
        for record in records:
            read_ones += 1
            _check(RunRecord.from_dict(json.loads(json.dumps(record.to_dict(), allow_nan=False))))
    assert read_ones > 100


# Real files


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    if not SAMPLES.is_dir():
        pytest.skip(f"no result files of method_comparison in {SAMPLES}")
    out = tmp_path_factory.mktemp("out")
    code, text = bring("hf-peft", SAMPLES, "--out", out)
    return code, text, list(Store(out).records()), sorted(SAMPLES.glob("*.json"))


def test_every_real_file_is_imported_with_its_own_accuracy(samples):
    code, text, records, files = samples
    assert (code, len(records)) == (0, len(files)) and "Passed over" not in text
    printed = {path.name: json.loads(path.read_text())["train_info"]["metrics"][-1]["test accuracy"] for path in files}
    assert {record.provenance["imported"]["file"]: record.score for record in records} == printed


def test_real_files_are_one_table_with_a_row_each(samples):
    _, _, records, files = samples
    (table,) = leaderboard.tables(records)
    assert len({row.label for row in table.rows}) == len(files)
    assert table.machines == "NVIDIA L40S"


def test_their_train_time_is_longer_than_their_steps(samples):
    for record in samples[2]:
        costs = record.costs
        steps, named = costs["hf_peft_step_seconds_with_warmup"], "hf_peft_train_seconds_with_preparation_and_test"
        assert 0 < steps < 0.9 * costs[named]
