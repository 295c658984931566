"""Performance profiles: the share of runs that score above each threshold.

Agarwal et al. 2021, https://arxiv.org/abs/2108.13264; bands by stratified bootstrap.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from harness.report.figures.panels import grid
from harness.report.figures.scene import Ask, NothingToShow, Scene, Shown, by_seed, left_out, task_columns
from harness.report.stats.bootstrap import RESAMPLES, profile
from harness.report.style import Style

THRESHOLDS = 101
MOST_BANDS = 5
"""Rows beyond which bands would cover each other."""
SEED = 0


def _scores(scene: Scene, label: str) -> np.ndarray | None:
    """(runs, tasks) x100 of the seeds that all tasks have; None if there is none."""
    columns = [by_seed(scene, label, column) for column in task_columns(scene.table)]
    shared = sorted(set.intersection(*map(set, columns))) if columns else []
    return np.array([[column[seed] for column in columns] for seed in shared]) if shared else None


def frame(scene: Scene, ask: Ask) -> Shown:
    """variant, method, threshold (score x100), share of all runs above it, low, high, runs, tasks."""
    table = scene.table
    found = {(row.label, row.method): scores for row in table.rows if (scores := _scores(scene, row.label)) is not None}
    if not found:
        raise NothingToShow("No row has a seed with a score on every task.")
    if max(scores.size for scores in found.values()) < 2:
        raise NothingToShow("One run a row makes no profile; several tasks or seeds are needed.")
    lowest = min(float(scores.min()) for scores in found.values())
    highest = max(float(scores.max()) for scores in found.values())
    room = 0.04 * ((highest - lowest) or 1.0)
    thresholds = np.linspace(lowest - room, highest + room, THRESHOLDS)
    parts = []
    for (label, method), scores in found.items():
        band = profile(scores, thresholds, np.random.default_rng(SEED))
        # Of one seed there is nothing to draw anew.
        alone = len(scores) == 1
        low, high = (np.nan, np.nan) if alone else (band.low, band.high)
        part = {"variant": label, "method": method, "threshold": thresholds, "share": band.values, "low": low}
        parts.append(pd.DataFrame({**part, "high": high, "runs": len(scores), "tasks": scores.shape[1]}))
    bands = len(found) <= MOST_BANDS and any(len(scores) > 1 for scores in found.values())
    count = next(iter(found.values())).shape[1]
    foot = [
        f"All runs of {count} task{'' if count == 1 else 's'}, not normalised.",
        f"Bands: 95 %, {RESAMPLES} resamples of the seeds within tasks." if bands else "",
        left_out(table, [label for label, _ in found], "no seed with all tasks"),
    ]
    return Shown(pd.concat(parts, ignore_index=True), table.title, " ".join(filter(None, foot)))


def draw(shown: Shown, look: Style) -> Figure:
    """A falling line a row of `frame`."""
    rows = shown.frame
    looks = look.looks(zip(rows["variant"], rows["method"], strict=True))
    figure, (ax,) = grid(shown, look, [""], looks, "line", ("Score (x100)", "Share of runs above it"))
    many = len(looks)
    for nth, (label, own) in enumerate(rows.groupby("variant", sort=False)):
        seen = looks[label]
        every = (nth * THRESHOLDS // (8 * many), THRESHOLDS // 8)
        ax.plot(
            own["threshold"], own["share"], linewidth=1, drawstyle="steps-post", marker=seen.marker, markersize=3.2, markevery=every,
            markerfacecolor=seen.fill, markeredgewidth=0.6, **seen.line,
        )  # fmt: skip
        if many <= MOST_BANDS and own["low"].notna().all():
            ax.fill_between(
                own["threshold"], own["low"], own["high"], color=seen.colour, alpha=0.15, linewidth=0, step="post"
            )
    ax.set_ylim(-0.02, 1.02)
    ax.set_xlim(rows["threshold"].min(), rows["threshold"].max())
    return figure
