"""Rows x tasks: which place a row has on each task."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from harness.report.figures.maps import draw_map
from harness.report.figures.scene import Ask, NothingToShow, Scene, Shown, left_out, task_columns
from harness.report.render import short_titles
from harness.report.style import Style

MEAN = "mean rank"


def frame(scene: Scene, ask: Ask) -> Shown:
    """variant, method, task, score, rank: 1 for the highest score of a task, ties share their mean rank. Rows with a
    score on every task also have their mean rank over the tasks, which sorts them."""
    table, columns = scene.table, task_columns(scene.table)
    parts = []
    for column in columns:
        cells = [(row, table.cell(row, column).value) for row in table.rows]
        part = pd.DataFrame(
            [(row.label, row.method, column.name, value) for row, value in cells if value is not None],
            columns=["variant", "method", "task", "score"],
        )
        parts.append(part.assign(rank=part["score"].round(12).rank(ascending=False)))
    made = pd.concat(parts, ignore_index=True)
    if made["variant"].nunique() < 2:
        raise NothingToShow("Ranks need two rows with scores.")
    by_row = made.groupby("variant", sort=False)
    full = by_row.filter(lambda own: len(own) == len(columns)).groupby(["variant", "method"], sort=False)["rank"]
    means = full.mean().sort_values(kind="stable").reset_index()
    order = [*means["variant"], *(name for name in by_row.groups if name not in set(means["variant"]))]
    made = made.set_index("variant").loc[order].reset_index()
    if len(columns) > 1:
        made = pd.concat([made, means.assign(task=MEAN)], ignore_index=True)
    among = "Rank of the mean score over seeds, 1 the highest; ties share a rank."
    foot = " ".join(filter(None, [among, left_out(table, order, "no score")]))
    columns_first = ["variant", "method", "task", "score", "rank"]
    return Shown(made[columns_first], table.title, foot, short_titles(table) | {MEAN: MEAN})


def draw(shown: Shown, look: Style) -> Figure:
    """The map of `frame`; rank 1 darkest."""
    ranks = shown.frame["rank"]
    texts = [
        f"{rank:.1f}" if task == MEAN or rank % 1 else f"{rank:.0f}"
        for task, rank in zip(shown.frame["task"], ranks, strict=True)
    ]
    bold = [rank == 1 for rank in ranks]
    return draw_map(shown, look, "rank", texts, bold, "cividis", (1, max(2.0, float(ranks.max()))))
