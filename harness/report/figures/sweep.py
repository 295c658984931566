"""Score against parameters: a curve for the rows of one method that differ in its size alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from harness.match import SIZES
from harness.record import RunRecord, canonical_json
from harness.report import style
from harness.report.figures.costs import log_axis, values
from harness.report.figures.panels import grid
from harness.report.figures.pareto import score_axis
from harness.report.figures.place import Box, along, put_names
from harness.report.figures.scene import Ask, NothingToShow, Scene, Shown, interval, summaries, summary_title, whiskers
from harness.report.setting import words
from harness.report.style import Style

WITH_SIZE = {"alpha", "lora_alpha", "experiment"}
"""Fields that may go with the size: a scale that is set in proportion to it, an import's name for the whole."""
OTHER_SIZES = ("num_virtual_tokens", "n_frequency")
MOST_NAMED = 24


def _numeric(config: Mapping[str, Any]) -> set[str]:
    return {k for k, v in config.items() if isinstance(v, int | float) and not isinstance(v, bool)} - WITH_SIZE


def _order(field: str) -> tuple[int, str]:
    known = (*SIZES, *OTHER_SIZES)
    return known.index(field) if field in known else len(known), field


def _alike(run: RunRecord, field: str) -> str:
    """What must be the same along a curve."""
    kept = {k: v for k, v in run.spec.config.items() if k not in WITH_SIZE | {field}}
    return canonical_json([run.spec.method, run.spec.method_sha256, kept, dict(run.spec.tuning)])


def curves(runs: Mapping[str, Sequence[RunRecord]], counts: Mapping[str, float]) -> list[tuple[str, list[str]]]:
    """(size field, labels by size) of rows that differ in one numeric field and in their parameter
    counts. A row stands in one curve: that of the field that more often names a size."""
    rows = {label: own[0] for label, own in runs.items() if own and label in counts}
    rates = {label: {run.spec.recipe.get("learning_rate") for run in runs[label]} for label in rows}
    fields = sorted(set().union(*(_numeric(run.spec.config) for run in rows.values())), key=_order) if rows else []
    found: list[tuple[str, list[str]]] = []
    taken: set[str] = set()
    for field in fields:
        groups: dict[str, list[str]] = {}
        for label in sorted(set(rows) - taken):
            if field in _numeric(rows[label].spec.config):
                groups.setdefault(_alike(rows[label], field), []).append(label)
        for labels in groups.values():
            labels.sort(key=lambda label: rows[label].spec.config[field])
            sizes = {rows[label].spec.config[field] for label in labels}
            if (
                len({counts[label] for label in labels}) > 1
                and len(sizes) == len(labels)
                and _same_rates(labels, rates)
            ):
                found.append((field, labels))
                taken |= set(labels)
    return found


def _same_rates(labels: Iterable[str], rates: Mapping[str, set[float]]) -> bool:
    return len({tuple(sorted(rates[label], key=str)) for label in labels}) == 1


def frame(scene: Scene, ask: Ask) -> Shown:
    """curve, method, field, size, variant, trainable, score, score_sd, seeds, low, high."""
    found = {row.label: (row, cell) for row, cell in summaries(scene.table)}
    _, counts = values(scene, "trainable")
    rows = []
    made_of = curves(scene.runs, {label: count for label, count in counts.items() if label in found})
    often = Counter((field, found[labels[0]][0].method) for field, labels in made_of)
    for field, labels in made_of:
        method = found[labels[0]][0].method
        name = f"{method} ({field})" if often[field, method] == 1 else f"{labels[0]} and on ({field})"
        for label in labels:
            row, cell = found[label]
            size = scene.runs[label][0].spec.config[field]
            rows.append(
                (name, row.method, field, size, label, counts[label], cell.value, cell.sd, cell.n, *interval(cell))
            )
    if not rows:
        raise NothingToShow("No method has rows that differ in its size alone, as runs with --set lora.r=16 do.")
    columns = ["curve", "method", "field", "size", "variant", "trainable", "score", "score_sd", "seeds", "low", "high"]
    made = pd.DataFrame(rows, columns=columns).astype({"score_sd": float})
    assert scene.table.summary is not None
    foot = whiskers(found[label][1] for label in made["variant"])
    foot = " ".join([f"Beside the points: the size ({', '.join(dict.fromkeys(made['field']))}).", foot])
    return Shown(made, scene.table.title, foot, {"score": summary_title(scene.table.summary)})


def draw(shown: Shown, look: Style) -> Figure:
    """A line a curve of `frame`, the size beside each point."""
    rows = shown.frame
    looks = look.looks(zip(rows["curve"], rows["method"], strict=True))
    axes = ("Trainable parameters, task head apart", shown.names["score"])
    figure, (ax,) = grid(shown, look, [""], looks, "line", axes)
    xs = log_axis(ax, list(rows["trainable"]))
    score_axis(ax, list(rows["low"].fillna(rows["score"])), list(rows["high"].fillna(rows["score"])))
    at = dict(zip(rows.index, xs, strict=True))
    covered: list[Box] = []
    for name, own in rows.groupby("curve", sort=False):
        seen = looks[name]
        places = [at[index] for index in own.index]
        order = sorted(range(len(places)), key=places.__getitem__)
        ax.plot(
            [places[i] for i in order], [own["score"].iloc[i] for i in order], linewidth=1, markersize=4, **seen.curve
        )
        pixels = ax.transData.transform([(places[i], own["score"].iloc[i]) for i in order])
        covered += [box for (x, y), end in pairwise(pixels) for box in along(x, y, tuple(end))]
        for x, row in zip(places, own.itertuples(), strict=True):
            if row.low < row.high:
                reach = [[row.score - row.low], [row.high - row.score]]
                ax.errorbar(x, row.score, yerr=reach, color=seen.colour, linewidth=0.6, capsize=1.2, capthick=0.6)
    if len(rows) <= MOST_NAMED:
        texts = put_names(ax, xs, list(rows["score"]), [words(size) for size in rows["size"]], style.TINY, covered)
        for text, curve in zip(texts, rows["curve"], strict=True):
            text.set_color(looks[curve].colour)
    return figure
