"""Rows x tasks: how far a row lies above or below a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import pandas as pd
from matplotlib.figure import Figure

from harness.report.cells import Column, Row, Table
from harness.report.figures.maps import draw_map
from harness.report.figures.scene import Ask, NothingToShow, Scene, Shown, by_seed, left_out, task_columns
from harness.report.render import short_titles
from harness.report.stats.paired import holm
from harness.report.stats.summary import over_runs
from harness.report.style import Style

USUAL = ("full-ft", "lora")
"""Baselines where none is named, the first that is there."""
ALPHA = 0.05
FULL_COLOUR = 0.9
"""Quantile of the differences that has the darkest colour: one outlier leaves the others their shades."""
LEAST_SCALE = 1.0
"""Points that the darkest colour stands for at least."""


def baseline_row(table: Table, asked: str) -> Row:
    """The row that `asked` names by its label, or by its method where that has one row; else the usual baseline's.
    Raises NothingToShow if there is none."""
    names = (asked,) if asked else USUAL
    for name in names:
        own = [row for row in table.rows if row.label == name] or [row for row in table.rows if row.method == name]
        if len(own) == 1:
            return own[0]
        if own:
            labels = ", ".join(row.label for row in own)
            raise NothingToShow(f"{name} has several rows; --baseline names one of {labels}.")
    if asked:
        raise NothingToShow(f"No row is called {asked}.")
    raise NothingToShow(f"No row of {' or '.join(USUAL)} to compare with; --baseline names another.")


def matched(scene: Scene, label: str, baseline: str, column: Column) -> list[float]:
    """Differences x100 of the seeds that both rows have."""
    own, other = by_seed(scene, label, column), by_seed(scene, baseline, column)
    return [own[seed] - other[seed] for seed in sorted(set(own) & set(other))]


def _p(differences: Sequence[float]) -> float | None:
    return over_runs(differences).p if len(differences) > 1 else None


def frame(scene: Scene, ask: Ask) -> Shown:
    """variant, method, task (or the average's name), difference, seeds, p (paired t over seeds), p_holm (corrected over
    all tasks and rows; the average is no further claim and has p alone)."""
    table = scene.table
    baseline = baseline_row(table, ask.baseline)
    columns = task_columns(table)
    mean = [table.summary] if table.summary and table.summary.kind == "mean" else []
    rows = []
    for row in table.rows:
        for column in [*columns, *mean]:
            found = matched(scene, row.label, baseline.label, column) if row is not baseline else []
            if found:
                rows.append((row.label, row.method, column.name, fmean(found), len(found), _p(found)))
    if not rows:
        raise NothingToShow(f"No other row shares a task and a seed with the baseline {baseline.label}.")
    made = pd.DataFrame(rows, columns=["variant", "method", "task", "difference", "seeds", "p"])
    made = made.astype({"p": float})
    tested = made["p"].notna() & made["task"].isin([column.name for column in columns])
    if tested.any():
        made.loc[tested, "p_holm"] = holm(made.loc[tested, "p"])
    else:
        made["p_holm"] = float("nan")
    many = int(tested.sum())
    said = f"Bold: paired t over seeds, p <= {ALPHA:g} after Holm's correction over {many} cells." if many else ""
    foot = [
        f"Points above or below {baseline.label}, mean of matched seeds.",
        said or "One seed: no tests.",
        left_out(table, [*made["variant"], baseline.label], "no seed in common"),
    ]
    return Shown(made, table.title, " ".join(filter(None, foot)), short_titles(table))


def draw(shown: Shown, look: Style) -> Figure:
    """The map of `frame`: purple above the baseline, orange below, white equal."""
    values = shown.frame["difference"]
    texts = [f"{value:+.1f}" if round(value, 1) else "0.0" for value in values]
    reach = max(LEAST_SCALE, float(values.abs().quantile(FULL_COLOUR)))
    bold = [p <= ALPHA for p in shown.frame["p_holm"]]
    return draw_map(shown, look, "difference", texts, bold, "PuOr", (-reach, reach))
