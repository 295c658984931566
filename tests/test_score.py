"""Metrics against values worked out by hand, scoring of logits, and the per-item files."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace

import evaluate
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from harness.metrics import METRICS, measure
from harness.score import NO_CLASS, Scored, largest_class, read_items, score, score_choices, score_texts, write_items
from tasks.spec import Rule, Task

TASK = Task(
    name="three",
    suite="test",
    kind="classify",
    title="",
    url="",
    fields=("text",),
    labels=("a", "b", "c"),
    metrics=("accuracy",),
    splits={},
    protocol="test",
    version="1",
    recipes={},
)
VALUES = replace(TASK, kind="regress", labels=(), metrics=("pearson", "spearman"))


@pytest.mark.parametrize(
    ("name", "predictions", "references", "expected"),
    [
        ("accuracy", [2, 0, 1, 1], [2, 1, 1, 0], 2 / 4),
        # TP 2, FP 1, FN 1
        ("f1", [1, 0, 1, 1], [1, 1, 1, 0], 4 / 6),
        ("f1", [0, 0, 0], [1, 0, 0], 0.0),
        # TP 3, TN 2, FP 1, FN 1: (3 * 2 - 1 * 1) / sqrt(4 * 4 * 3 * 3)
        ("matthews_correlation", [1, 1, 1, 0, 1, 0, 0], [1, 1, 1, 1, 0, 0, 0], 5 / 12),
        ("matthews_correlation", [0, 1], [1, 0], -1.0),
        # Deviations -1, 0, 1 and -4/3, -1/3, 5/3: 3 / sqrt(2 * 42 / 9)
        ("pearson", [1.0, 2.0, 3.0], [1.0, 2.0, 4.0], 3 / math.sqrt(84 / 9)),
        # Rank differences 0, 1, -1, 0: 1 - 6 * 2 / (4 * 15)
        ("spearman", [1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 100.0], 0.8),
        # Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / sqrt(4.5 * 5)
        ("spearman", [1.0, 2.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0], 4.5 / math.sqrt(22.5)),
    ],
)
def test_metrics_are_right(name, predictions, references, expected):
    assert measure(name, predictions, references) == pytest.approx(expected, abs=1e-12)
    assert measure(name, np.array(predictions), np.array(references)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "predictions", "references"),
    [
        ("pearson", [0.5, 0.5, 0.5], [1.0, 2.0, 3.0]),
        ("spearman", [0.5, 0.5, 0.5], [1.0, 2.0, 3.0]),
        ("pearson", [1.0, 2.0], [3.0, 3.0]),
        ("f1", [0, 0], [0, 0]),
        ("accuracy", [], []),
        ("pearson", [], []),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_is_undefined_is_none(name, predictions, references):
    assert measure(name, predictions, references) is None


@pytest.mark.filterwarnings("error")
def test_one_class_only_is_a_matthews_correlation_of_zero():
    assert measure("matthews_correlation", [1, 1, 1], [1, 0, 1]) == 0.0


@pytest.mark.parametrize("name", METRICS)
def test_metrics_are_modules_that_touch_neither_random_state_nor_disk(name, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setattr(evaluate.config, "HF_METRICS_CACHE", str(blocked / "metrics"))
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    before = random.getstate(), np.random.get_state()[1].tolist(), np.random.get_state()[2], torch.get_rng_state()
    assert issubclass(METRICS[name], evaluate.Metric)
    assert measure(name, [0, 1, 1], [0, 1, 0]) is not None
    assert before[:3] == (random.getstate(), np.random.get_state()[1].tolist(), np.random.get_state()[2])
    assert torch.equal(before[3], torch.get_rng_state())


def test_always_the_commonest_answer_scores_its_share():
    rows = [{"label": label} for label in (2, 0, 2, 2, 1)]
    assert largest_class(TASK, rows) == 3 / 5 and largest_class(VALUES, [{"label": 0.5}]) is None


def test_classes_are_the_largest_logits():
    logits = np.array([[0.1, 0.9, 0.0], [5.0, -1.0, 2.0], [0.0, 0.0, 0.1], [-3.0, -1.0, -2.0]], dtype=np.float32)
    scored = score(TASK, logits, np.array([1, 0, 1, 1]))
    assert scored.predictions == [1, 0, 2, 1]
    assert scored.correct == [True, True, False, True]
    assert scored.scores == {"accuracy": 0.75}


def test_parts_are_scored_apart_and_together():
    logits = np.eye(3)[[0, 1, 2, 0, 1]]
    parts = ["matched", "matched", "matched", "mismatched", "mismatched"]
    scored = score(TASK, logits, np.array([0, 1, 0, 0, 0]), parts)
    assert scored.scores == {
        "accuracy": pytest.approx(3 / 5),
        "accuracy_matched": pytest.approx(2 / 3),
        "accuracy_mismatched": pytest.approx(1 / 2),
    }


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_values_are_scored_by_correlation_and_error(shape):
    values = np.array([1.0, 2.0, 3.0], dtype=np.float32).reshape(shape)
    scored = score(VALUES, values, np.array([1.5, 2.0, 5.0], dtype=np.float32))
    assert scored.predictions == [1.0, 2.0, 3.0]
    assert scored.correct == [0.5, 0.0, 2.0]
    assert scored.scores["spearman"] == pytest.approx(1.0)
    # Deviations -1, 0, 1 and -4/3, -5/6, 13/6: 3.5 / sqrt(2 * 258 / 36)
    assert scored.scores["pearson"] == pytest.approx(3.5 / math.sqrt(2 * 258 / 36))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_diverged_model_scores_nothing_and_crashes_nothing(bad):
    logits = np.array([[1.0, 0.0, 0.0], [bad, 0.0, 0.0], [0.0, 1.0, 0.0]])
    scored = score(TASK, logits, np.array([0, 0, 1]), ["matched", "mismatched", "matched"])
    assert scored.predictions == [0, NO_CLASS, 1]
    assert scored.correct == [True, False, True]
    assert scored.scores == {"accuracy": None, "accuracy_matched": 1.0, "accuracy_mismatched": None}
    values = score(VALUES, np.array([1.0, bad, 2.0]), np.array([1.0, 2.0, 2.0]))
    assert values.scores == {"pearson": None, "spearman": None}
    assert values.correct[0] == 0.0 and math.isnan(values.correct[1])


def test_scores_are_plain_numbers_for_json():
    scored = score(TASK, np.eye(3, dtype=np.float32), np.array([0, 1, 0]))
    assert json.loads(json.dumps(scored.scores)) == scored.scores
    assert json.loads(json.dumps([scored.predictions, scored.correct])) == [[0, 1, 2], [True, True, False]]


def test_predictions_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="three"):
        score(TASK, np.zeros((4, 2)), np.zeros(4, dtype=int))
    with pytest.raises(ValueError, match="three"):
        score(TASK, np.zeros((3, 3)), np.zeros(4, dtype=int))


def test_no_rows_have_no_score():
    scored = score(TASK, np.zeros((0, 3)), np.zeros(0, dtype=int))
    assert scored == Scored({"accuracy": None}, [], [])


@pytest.mark.parametrize(
    "scored",
    [
        Scored({}, [0, 2, NO_CLASS], [True, False, False]),
        Scored({}, [1.5, -0.25, 3.0], [0.5, 0.0, 2.0]),
        Scored({}, [], []),
    ],
    ids=["classes", "values", "empty"],
)
def test_items_come_back_as_they_went(tmp_path, scored):
    path = tmp_path / "new" / "items.parquet"
    write_items(path, scored)
    assert read_items(path) == (scored.predictions, scored.correct)
    assert [p.name for p in path.parent.iterdir()] == ["items.parquet"]


def test_items_are_small_and_readable_by_others(tmp_path):
    rows = 40430
    draws = np.random.default_rng(0).integers(0, 2, rows)
    write_items(tmp_path / "items.parquet", Scored({}, draws.tolist(), (draws == 1).tolist()))
    assert (tmp_path / "items.parquet").stat().st_size < rows
    assert pd.read_parquet(tmp_path / "items.parquet")["correct"].sum() == draws.sum()


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "items.parquet"
    write_items(path, Scored({}, [1], [True]))

    def full(table, file, **options):
        file.write(b"PAR1")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.score.pq.write_table", full)
    with pytest.raises(OSError, match="No space left"):
        write_items(path, Scored({}, [2], [False]))
    assert read_items(path) == ([1], [True])
    assert [p.name for p in tmp_path.iterdir()] == ["items.parquet"]


NUMBER = Rule("number", lambda text: text.split()[-1] if text.split() else None)
LOOSE = Rule("loose", lambda text: text.strip(".").split()[-1] if text.split() else None)
GENERATED = Task(
    "g", "s", "generate", "", "", ("q",), ("accuracy", "robust_accuracy"), {}, "p", "1", {},
    rules={"accuracy": NUMBER, "robust_accuracy": LOOSE},
)  # fmt: skip


def test_generated_texts_are_counted_by_each_rule_and_kept(tmp_path):
    scored = score_texts(GENERATED, ["it is 4", "it is 4.", "", "5"], ["4", "4", "4", "4"])
    assert scored.scores == {"accuracy": 0.25, "robust_accuracy": 0.5}
    assert scored.predictions == ["4", "4.", None, "5"] and scored.correct == [True, False, False, False]
    write_items(tmp_path / "items.parquet", scored)
    assert read_items(tmp_path / "items.parquet") == (scored.predictions, scored.correct)
    kept = pq.read_table(tmp_path / "items.parquet").to_pydict()
    assert kept["text"][1] == "it is 4." and kept["robust_accuracy"] == [True, True, False, False]


def test_a_joint_task_is_the_flat_mean_of_its_members():
    joint = replace(GENERATED, members=("a", "b"))
    texts, parts = ["4", "5", "5", "4"], ["a", "b", "b", "b"]
    assert score_texts(joint, texts, ["4"] * 4, parts).scores["accuracy"] == pytest.approx((1 + 1 / 3) / 2)
    pooled = score_texts(GENERATED, texts, ["4"] * 4, parts).scores
    assert pooled["accuracy"] == 0.5 and pooled["accuracy_a"] == 1.0 and pooled["accuracy_b"] == pytest.approx(1 / 3)


def test_options_are_chosen_by_likelihood_and_by_likelihood_a_character():
    task = Task("c", "s", "choice", "", "", ("q",), ("acc", "acc_norm"), {}, "p", "1", {})
    # Row 0: the short option is likelier, a character the long one is. Row 1: both say the second of three.
    likelihoods, characters = np.array([-4.0, -6.0, -9.0, -1.0, -8.0]), np.array([2, 6, 3, 3, 3])
    scored = score_choices(task, likelihoods, characters, np.array([0, 0, 1, 1, 1]), np.array([1, 1]))
    assert scored.scores == {"acc": 0.5, "acc_norm": 1.0}
    assert scored.predictions == [0, 1] and scored.correct == [False, True] and scored.more["acc_norm"] == [True, True]
