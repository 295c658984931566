"""A grid of panels that share a legend: one a task."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.report import style
from harness.report.figures.scene import Shown
from harness.report.style import Look, Mark, Sheet, Style, fold, line_height

ACROSS_FROM = 6.0
"""Inches of page from which four panels stand side by side, below that three."""
MOST_IN_COLUMN = 8
"""Lines of a lone panel; with more it is as wide as the page."""
LEFT, UNDER, GAP = 0.5, 0.4, 0.06


def grid(
    shown: Shown,
    look: Style,
    titles: Sequence[str],
    looks: Mapping[str, Look],
    mark: Mark,
    labels: tuple[str, str],
    tall: float = 1.25,
) -> tuple[Figure, list[Axes]]:
    """The figure and an axes a title; `labels` name the horizontal and the vertical axis of all of them."""
    alone = len(titles) == 1
    crowded = len(looks) > MOST_IN_COLUMN
    width = look.column if alone and not crowded else look.page
    across = min(len(titles), 4 if width >= ACROSS_FROM else 3)
    down = math.ceil(len(titles) / across)
    tall = (2.4 if crowded else 1.7) if alone else tall
    one = (width - LEFT + 0.3 - style.EDGE) / across
    heads = [fold(title, one - 0.1, style.FONT) for title in titles]
    head = 0.06 + max(map(len, heads)) * line_height(style.FONT) if any(titles) else 0.04
    step = tall + head + UNDER - GAP
    legend = [(name, own, mark) for name, own in looks.items()]
    sheet = Sheet(width, down * step + GAP, shown.title, shown.foot, legend)
    made = []
    for nth, lines in enumerate(heads):
        line, at = divmod(nth, across)
        # Each panel has its own scale, whose ticks need room at its left.
        ax = sheet.axes(LEFT + at * one, UNDER + (down - 1 - line) * step, one - 0.38, tall)
        ax.set_title("\n".join(lines), pad=3)
        if at == 0:
            ax.set_ylabel(labels[1])
        if nth + across >= len(titles):
            ax.set_xlabel(labels[0])
        made.append(ax)
    return sheet.figure, made
