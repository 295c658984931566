"""The suites' metrics as `evaluate` modules over scikit-learn and scipy: the hub's metric scripts need a network.

Each `_compute` gives {name: value}; None where the metric is undefined. Modules keep their rows in
memory, own no cache folder and no lock, and so may run in many processes at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import datasets
import evaluate
import numpy as np
from scipy import stats
from sklearn import metrics as sk

Values = Sequence[int] | Sequence[float] | np.ndarray


class _Module(evaluate.Metric):
    """A metric of one number over predictions and references of one kind."""

    name_: str
    kind: Literal["int64", "float64"] = "int64"
    about: str
    url: str

    def __init__(self) -> None:
        # A seed of its own, or evaluate would take one from numpy's global generator.
        super().__init__(keep_in_memory=True, seed=0)

    def _build_data_dir(self) -> str:
        return ""  # evaluate would make a folder in the user's cache that nothing is ever written to

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=self.about,
            citation="",
            inputs_description="predictions, references: one value a row",
            features=datasets.Features(
                {"predictions": datasets.Value(self.kind), "references": datasets.Value(self.kind)}
            ),
            reference_urls=[self.url],
        )


class Accuracy(_Module):
    name_ = "accuracy"
    about = "Share of predictions equal to their reference, 0 to 1."
    url = "https://scikit-learn.org/stable/modules/generated/sklearn.metrics.accuracy_score.html"

    def _compute(self, predictions: Values, references: Values) -> dict[str, float | None]:
        return {self.name_: float(sk.accuracy_score(references, predictions))}


class F1(_Module):
    """2 TP / (2 TP + FP + FN) of class 1; undefined where class 1 is neither predicted nor there."""

    name_ = "f1"
    about = "Harmonic mean of precision and recall of class 1, 0 to 1."
    url = "https://scikit-learn.org/stable/modules/generated/sklearn.metrics.f1_score.html"

    def _compute(self, predictions: Values, references: Values) -> dict[str, float | None]:
        value = sk.f1_score(references, predictions, labels=[1], average=None, zero_division=np.nan)[0]
        return {self.name_: _defined(value)}


class MatthewsCorrelation(_Module):
    """0.0 where predictions or references are all of one class, as scikit-learn and with it GLUE's scorer have it."""

    name_ = "matthews_correlation"
    about = "Correlation of predicted and true classes, -1 to 1."
    url = "https://scikit-learn.org/stable/modules/generated/sklearn.metrics.matthews_corrcoef.html"

    def _compute(self, predictions: Values, references: Values) -> dict[str, float | None]:
        return {self.name_: float(sk.matthews_corrcoef(references, predictions))}


class Pearson(_Module):
    name_ = "pearson"
    kind = "float64"
    about = "Linear correlation, -1 to 1; undefined where either side is constant."
    url = "https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.pearsonr.html"

    def _compute(self, predictions: Values, references: Values) -> dict[str, float | None]:
        if _constant(predictions) or _constant(references):
            return {self.name_: None}
        return {self.name_: _defined(stats.pearsonr(predictions, references).statistic)}


class Spearman(_Module):
    name_ = "spearman"
    kind = "float64"
    about = "Correlation of ranks, ties sharing their mean rank, -1 to 1; undefined where either side is constant."
    url = "https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.spearmanr.html"

    def _compute(self, predictions: Values, references: Values) -> dict[str, float | None]:
        if _constant(predictions) or _constant(references):
            return {self.name_: None}
        return {self.name_: _defined(stats.spearmanr(predictions, references).statistic)}


METRICS: dict[str, type[_Module]] = {
    module.name_: module for module in (Accuracy, F1, MatthewsCorrelation, Pearson, Spearman)
}


def measure(name: str, predictions: Values, references: Values) -> float | None:
    """One metric of finite predictions; None where it is undefined, also for no rows. Raises KeyError for an unknown name."""
    module = METRICS[name]()
    if len(predictions) == 0:
        return None
    return module.compute(predictions=predictions, references=references)[name]


def _constant(values: Values) -> bool:
    return min(values) == max(values)


def _defined(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
