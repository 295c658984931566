"""Trackers: what they wrote is read back by their own readers; one that fails loses nothing."""

import math
import sys

import pytest
import tiny
from hypothesis import given, settings
from test_hostile import RECORD, TEXT

from harness import track
from harness.record import RunRecord, UserError
from harness.track import Tracking, plain, points, run_name, tracking_from


def record(**change):
    values = {
        "metric": "accuracy",
        "scores": {"accuracy": 0.75, "f1": None},
        "costs": {"train_seconds": 2.5, "peak_memory_bytes": None},
        "parameters": {"trainable": 1024},
        "curve": [
            {"step": 1, "loss": 0.9, "learning_rate": 0.5},
            {"step": 2, "loss": float("nan"), "learning_rate": 0.25},
            {"step": 4, "epoch": 1, "eval_accuracy": 0.5},
        ],
    }
    return RunRecord(tiny.spec(config={"r": 8, "targets": ["query"]}), **{"status": "done"} | values | change)


WANTED = {
    "curve/loss": [(1, 0.9)],
    "curve/learning_rate": [(1, 0.5), (2, 0.25)],
    "curve/epoch": [(4, 1.0)],
    "curve/eval_accuracy": [(4, 0.5)],
    "scores/accuracy": [(4, 0.75)],
    "costs/train_seconds": [(4, 2.5)],
    "parameters/trainable": [(4, 1024.0)],
}


def test_tensorboard_reads_what_was_logged(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator").EventAccumulator
    tracking = tracking_from(["tensorboard"], tmp_path, pytest.fail)
    made = record()
    tracking(made)
    tracking(made)
    (folder,) = {path.parent for path in tmp_path.rglob("events.out.tfevents.*")}
    assert folder == tmp_path / "tensorboard" / "lora" / "rte" / "0" / made.key
    events = accumulator(str(folder))
    events.Reload()
    found = {
        tag: [(event.step, pytest.approx(event.value)) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }
    assert found == WANTED, "and a run that is logged again stands there once"
    from tensorboard.plugins.hparams import plugin_data_pb2

    (start,) = events.PluginTagToContent("hparams").values()
    told = plugin_data_pb2.HParamsPluginData.FromString(start).session_start_info.hparams
    assert told["config.r"].number_value == 8 and told["method"].string_value == "lora"
    assert told["config.targets"].string_value == '["query"]' and told["recipe.learning_rate"].number_value == 1e-3


def test_mlflow_reads_what_was_logged(tmp_path):
    mlflow = pytest.importorskip("mlflow", reason="the extra `mlflow` is large and not installed")
    tracking = tracking_from(["mlflow"], tmp_path, pytest.fail)
    failed = record(status="failed", reason="x" * 9000, scores={}, curve=[], costs={}, parameters={})
    for made in (record(), failed):
        tracking(made)
    client = mlflow.MlflowClient(tracking_uri=(tmp_path / "mlflow").as_uri())
    experiment = client.get_experiment_by_name("peftbench").experiment_id
    runs = {run.info.status: run for run in client.search_runs([experiment])}
    assert set(runs) == {"FINISHED", "FAILED"}
    run = runs["FINISHED"]
    assert run.info.run_name == f"lora/rte/0/{record().key}" and run.data.tags["peftbench.key"] == record().key
    found = {
        name: [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, name)]
        for name in run.data.metrics
    }
    assert found == WANTED
    assert run.data.params["config.r"] == "8" and run.data.params["recipe.learning_rate"] == "0.001"
    assert runs["FAILED"].data.params["reason"].startswith("xxx")


@settings(deadline=None, max_examples=60)
@given(TEXT)
def test_a_name_names_no_other_folder(text):
    name = plain(text)
    assert name not in ("", ".", "..") and "/" not in name and "\\" not in name and len(name) <= 80
    assert name.isascii() and name.isprintable() and (plain(name) == name)


@settings(deadline=None, max_examples=60)
@given(RECORD)
def test_any_record_has_a_name_and_points_that_can_be_drawn(made):
    assert len(run_name(made).split("/")) == 4 and run_name(made).endswith(made.key)
    for name, step, value in points(made):
        assert name.isascii() and type(step) is int and type(value) is float and math.isfinite(value)


@settings(deadline=None, max_examples=15)
@given(made=RECORD)
def test_any_record_is_taken_by_tensorboard_inside_its_folder(tmp_path_factory, made):
    pytest.importorskip("tensorboard")
    root = tmp_path_factory.mktemp("hostile")
    tracking_from(["tensorboard"], root / "in", pytest.fail)(made)
    written = [path for path in root.rglob("*") if path.is_file()]
    assert written and all(root / "in" / "tensorboard" in path.parents for path in written)


def test_a_curve_with_points_that_are_none_is_drawn_without_them():
    curve = [{"loss": 1.0}, {"step": True, "loss": 1.0}, {"step": -1, "loss": 1.0}, {"step": 10**30, "loss": 1.0}]
    curve += [{"step": 3, "loss": 10**400}, {"step": 3, "loss": "1"}, {"step": 3, "loss": True}]
    assert list(points(record(curve=curve, scores={}, costs={}, parameters={}))) == []


def test_a_tracker_that_raises_is_noted_once_and_the_others_go_on():
    taken, said = [], []

    def broken(made):
        taken.append(("broken", made.key))
        raise OSError(28, "No space left on device")

    tracking = Tracking({"one": broken, "two": lambda made: taken.append(("two", made.key))}, said.append)
    for _ in range(2):
        tracking(record())
    assert [name for name, _ in taken] == ["broken", "two"] * 2
    assert len(said) == 1 and "one did not take run" in said[0] and "No space left" in said[0]


@pytest.mark.parametrize(("name", "module"), [("tensorboard", "tensorboard.compat.proto"), ("mlflow", "mlflow")])
def test_a_package_that_is_absent_is_a_sentence(monkeypatch, tmp_path, name, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=rf"--track {name} needs .*pip install peftbench\[{name}\]"):
        tracking_from([name], tmp_path, pytest.fail)


def test_a_name_that_is_no_trackers_is_a_sentence(tmp_path):
    with pytest.raises(UserError, match="--track wandb: there are tensorboard, mlflow"):
        tracking_from(["wandb"], tmp_path, pytest.fail)
    assert tracking_from([], tmp_path, pytest.fail).trackers == {} and set(track.TRACKERS) == {"tensorboard", "mlflow"}
