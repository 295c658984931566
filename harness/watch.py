"""What a training is watched by: scores at epoch ends, the best weights, and the curve of it all."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from harness import adapter, score
from harness.kinds import Asked
from harness.prepare import Setting
from harness.train import Trained


class Watch:
    """Scores at epoch ends: the validation part when it chooses, the reported split for the curve only."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.points: list[dict[str, Any]] = []
        self.best: tuple[float, dict[str, torch.Tensor], int] | None = None
        self.began = time.perf_counter()
        self.spent = self.away = 0.0
        """seconds of the evaluations at epoch ends, and of all that is not training"""
        self.whole = True
        """whether it has seen the training from its start"""

    @property
    def wanted(self) -> bool:
        return self.setting.recipe.eval_every_epoch or self.setting.validation is not None

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Around what is not training."""
        self.setting.meter.end()
        started = time.perf_counter()
        yield
        self.away += time.perf_counter() - started
        self.setting.meter.begin("train")

    def __call__(self, step: int, epoch: int) -> None:
        before = self.away
        with self.aside():
            self._look(step, epoch)
        self.spent += self.away - before

    def _look(self, step: int, epoch: int) -> None:
        s = self.setting
        seconds = time.perf_counter() - self.began - self.away if self.whole else None
        point: dict[str, Any] = {"step": step, "epoch": epoch, "train_seconds": seconds}
        if s.recipe.eval_every_epoch:
            point |= {f"eval_{k}": v for k, v in evaluate(s, s.asked).scores.items()}
        if s.validation is not None:
            scores = evaluate(s, s.validation).scores
            point |= {f"validation_{k}": v for k, v in scores.items()}
            value = scores.get(s.task.metric)
            if self.best is None or (value is not None and value > self.best[0]):
                kept = {n: p.detach().cpu().clone() for n, p in adapter.state(s.model, s.method).items()}
                self.best = (float("-inf") if value is None else value, kept, step)
        self.points.append(point)

    def state(self) -> tuple[Any, dict[str, torch.Tensor]]:
        """For a checkpoint."""
        value, kept, step = self.best or (None, {}, None)
        return {"points": self.points, "best": [value, step]}, kept

    def put_back(self, told: Any, tensors: Mapping[str, torch.Tensor]) -> None:
        self.points, (value, step) = told["points"], told["best"]
        self.best = None if step is None else (value, dict(tensors), step)
        self.whole = False

    def restore(self) -> int | None:
        """Puts the best epoch's weights back and says its step; None if nothing was chosen."""
        if self.best is None:
            return None
        self.setting.model.load_state_dict(self.best[1], strict=False)
        return self.best[2]


def evaluate(setting: Setting, asked: Asked) -> score.Scored:
    equal = setting.method.positions(setting.config) > 0
    return setting.spread.agreed(lambda: setting.reader.answer(setting.model, asked, setting.device, equal))


def curve_of(trained: Trained, points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most about 200 points of the loss, each the mean of the steps since the last, and the epoch ends."""
    every = max(1, len(trained.losses) // 200)
    curve = [
        {
            "step": min(start + every, len(trained.losses)),
            "loss": sum(part) / len(part),
            "learning_rate": trained.learning_rates[min(start + every, len(trained.losses)) - 1],
        }
        for start in range(0, len(trained.losses), every)
        for part in [trained.losses[start : start + every]]
    ]
    return curve + points
