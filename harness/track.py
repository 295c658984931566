"""Records as runs of TensorBoard or MLflow, for those who look at curves there. Off by default; the record is the truth."""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from harness.record import RunRecord, UserError

LONGEST = 80
"""Characters of a part of a run's name, or of a metric's"""
TEXT = 500
"""Characters of a setting's value"""


class Tracker(Protocol):
    def __call__(self, record: RunRecord) -> None:
        """Logs a record as one run. May raise anything."""


def plain(text: str) -> str:
    """A name that any file system and any tracker bears, and that names no other folder."""
    found = re.sub(r"[^A-Za-z0-9_.-]+", "_", text)[:LONGEST]
    return "_" if set(found) <= {"."} else found


def run_name(record: RunRecord) -> str:
    """method/task/seed/key"""
    spec = record.spec
    return "/".join(plain(part) for part in (spec.method, spec.task, str(spec.seed), record.key))


def points(record: RunRecord) -> Iterator[tuple[str, int, float]]:
    """(name, step, value) of the curve by its steps; then scores, costs and parameters at the last one."""
    last = 0
    for point in record.curve:
        step = point.get("step")
        if not isinstance(step, int) or isinstance(step, bool) or not 0 <= step < 2**63:
            continue
        last = max(last, step)
        for name, value in point.items():
            if name != "step" and _number(value):
                yield f"curve/{plain(name)}", step, float(value)  # type: ignore[arg-type]
    for part in ("scores", "costs", "parameters"):
        for name, value in getattr(record, part).items():
            if _number(value):
                yield f"{part}/{plain(name)}", last, float(value)


def _number(value: Any) -> bool:
    """Whether it can be drawn: a finite number that a double can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def settings(record: RunRecord) -> dict[str, bool | float | str]:
    """What the run was made with, flat, by name."""
    spec = record.spec
    found: dict[str, Any] = {
        name: getattr(spec, name) for name in ("method", "task", "model", "seed", "suite", "preset", "protocol")
    }
    found |= {f"config.{plain(k)}": v for k, v in spec.config.items()}
    found |= {f"recipe.{plain(k)}": v for k, v in spec.recipe.items()}
    found |= {"status": record.status, "reason": record.reason}
    return {k: v if isinstance(v, bool) or _number(v) else _text(v) for k, v in found.items()}


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    # Lone surrogates have no UTF-8.
    return text[:TEXT].encode("utf-8", "replace").decode("utf-8")


class TensorBoard:
    """`<folder>/<run>/events.out.tfevents.*`; `tensorboard --logdir <folder>` shows them."""

    def __init__(self, folder: Path) -> None:
        """Raises ImportError if the package is absent."""
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.plugins.hparams import summary_v2
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self.folder, self._event, self._summary = folder, event_pb2.Event, summary_pb2.Summary
        self._hparams, self._writer = summary_v2.hparams_pb, EventFileWriter

    def __call__(self, record: RunRecord) -> None:
        folder = self.folder / run_name(record)
        # A run that is made again replaces its curve.
        for old in folder.glob("events.out.tfevents.*"):
            old.unlink()
        writer = self._writer(str(folder))
        try:
            now = time.time()
            hparams = self._hparams(settings(record), trial_id=record.key, start_time_secs=now)
            writer.add_event(self._event(wall_time=now, summary=hparams))
            for name, step, value in points(record):
                summary = self._summary(value=[self._summary.Value(tag=name, simple_value=value)])
                writer.add_event(self._event(wall_time=now, step=step, summary=summary))
        finally:
            writer.close()


class MLflow:
    """Runs of the experiment `peftbench` in a store of files; `mlflow ui --backend-store-uri <folder>` shows them."""

    EXPERIMENT = "peftbench"
    MOST = 100
    """Settings, or metrics, that go in one call"""

    def __init__(self, folder: Path) -> None:
        """Raises ImportError if the package is absent."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        # It asks for a data base otherwise, whose client is several times as large.
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        from mlflow import MlflowClient
        from mlflow.entities import Metric, Param

        self._metric, self._param = Metric, Param
        self._client = MlflowClient(tracking_uri=folder.absolute().as_uri())
        self._experiment: str | None = None

    def __call__(self, record: RunRecord) -> None:
        client = self._client
        if self._experiment is None:
            known = client.get_experiment_by_name(self.EXPERIMENT)
            self._experiment = known.experiment_id if known else client.create_experiment(self.EXPERIMENT)
        run = client.create_run(self._experiment, run_name=run_name(record), tags={"peftbench.key": record.key})
        now = int(time.time() * 1000)
        params = [self._param(name, str(value)) for name, value in settings(record).items()]
        metrics = [self._metric(name, value, now, step) for name, step, value in points(record)]
        for at in range(0, max(len(params), len(metrics)), self.MOST):
            part = slice(at, at + self.MOST)
            client.log_batch(run.info.run_id, metrics=metrics[part], params=params[part])
        client.set_terminated(run.info.run_id, "FINISHED" if record.status == "done" else "FAILED")


TRACKERS: dict[str, tuple[Callable[[Path], Tracker], str]] = {
    "tensorboard": (TensorBoard, "tensorboard"),
    "mlflow": (MLflow, "mlflow-skinny"),
}
"""name -> how one is had, and the package that it needs"""


class Tracking:
    """Tells trackers of records that are stored. One that raises is noted once, and told of the next record all the same."""

    def __init__(self, trackers: dict[str, Tracker], say: Callable[[str], None]) -> None:
        self.trackers, self._say = trackers, say
        self._noted: set[str] = set()

    def __call__(self, record: RunRecord) -> None:
        for name, tracker in self.trackers.items():
            try:
                tracker(record)
            except Exception as error:
                if name not in self._noted:
                    self._noted.add(name)
                    told = f"{type(error).__name__}: {error}".splitlines()[0]
                    self._say(f"Note:  {name} did not take run {record.key[:8]} ({told}); its record is stored.")


def tracking_from(names: Sequence[str], folder: Path, say: Callable[[str], None]) -> Tracking:
    """The trackers of those names, each with a folder of its own in `folder`.

    Raises UserError for a name that is none, or one whose package is not installed.
    """
    found: dict[str, Tracker] = {}
    for name in dict.fromkeys(names):
        if name not in TRACKERS:
            raise UserError(f"--track {name}: there are {', '.join(TRACKERS)}.")
        make, package = TRACKERS[name]
        try:
            found[name] = make(folder / name)
        except ImportError:
            raise UserError(f"--track {name} needs the package {package}: pip install peftbench[{name}]") from None
    return Tracking(found, say)
