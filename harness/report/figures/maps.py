"""Row x task heat maps, drawn alike: a number in each cell."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib import colormaps
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from harness.report import style
from harness.report.figures.scene import Shown
from harness.report.style import Sheet, Style, fold, head_lines, line_height, width_of

NARROW_COLUMNS = 6
LABEL_SHARE = 0.4
"""Of the width, that names may take."""


def _ink(colour: tuple[float, float, float, float]) -> str:
    """Black or white, whichever is easier to read on it."""
    red, green, blue = ((c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for c in colour[:3])
    return "white" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.18 else "black"


def draw_map(
    shown: Shown, look: Style, value: str, texts: Sequence[str], bold: Sequence[bool], colours: str, limits: tuple
) -> Figure:
    """`value` names the column that colours a cell; `texts` and `bold` go with the frame's rows. A cell that the frame
    lacks stays white and crossed."""
    rows = shown.frame
    tasks, labels = list(dict.fromkeys(rows["task"])), list(dict.fromkeys(rows["variant"]))
    longest = max(width_of(label, style.SMALL) for label in labels)
    narrow = len(tasks) <= NARROW_COLUMNS and longest < LABEL_SHARE * look.column
    width = look.column if narrow else look.page
    side = min(longest, LABEL_SHARE * width) + 0.08
    names = ["\n".join(fold(label, side - 0.08, style.SMALL)) for label in labels]
    step = max(0.16, max(name.count("\n") + 1 for name in names) * line_height(style.SMALL) + 0.03)
    across = (width - side - style.EDGE) / len(tasks)
    titles = [shown.names[task] for task in tasks]
    heads = head_lines(titles, across - 0.04, style.SMALL)
    widest = max(width_of(title, style.SMALL) for title in titles)
    above = (max(map(len, heads)) * line_height(style.SMALL) if heads else widest) + 0.08
    tall = step * len(labels)
    sheet = Sheet(width, tall + above, shown.title, shown.foot)
    ax = sheet.axes(side, 0.02, width - side - style.EDGE, tall)
    palette, norm = colormaps[colours], Normalize(*limits)
    size = style.SMALL if max(width_of(text, style.SMALL, "bold") for text in texts) < across - 0.03 else style.TINY
    _cells(ax, rows, (tasks, labels), (rows[value], texts, bold), (palette, norm), size)
    ax.set_xlim(0, len(tasks))
    ax.set_ylim(len(labels), 0)
    ax.set_xticks([at + 0.5 for at in range(len(tasks))], ["\n".join(lines) for lines in heads] if heads else titles)
    ax.tick_params(axis="x", top=True, bottom=False, labeltop=True, labelbottom=False, length=0, pad=2)
    if not heads:
        ax.tick_params(axis="x", labelrotation=90)
    ax.set_yticks([at + 0.5 for at in range(len(labels))], names)
    ax.tick_params(axis="y", length=0, pad=2)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return sheet.figure


def _cells(
    ax, rows: pd.DataFrame, order: tuple[list[str], list[str]], marks: tuple, scale: tuple[Colormap, Normalize], size
) -> None:
    tasks, labels = order
    palette, norm = scale
    filled = {}
    for task, label, number, text, strong in zip(rows["task"], rows["variant"], *marks, strict=True):
        x, y = tasks.index(task), labels.index(label)
        colour = palette(norm(number))
        filled[x, y] = colour
        ax.add_patch(Rectangle((x, y), 1, 1, facecolor=colour, edgecolor="white", linewidth=0.8))
        weight = "bold" if strong else "normal"
        ax.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=size, color=_ink(colour), fontweight=weight)
    for x in range(len(tasks)):
        for y in range(len(labels)):
            if (x, y) not in filled:
                ax.plot([x + 0.42, x + 0.58], [y + 0.58, y + 0.42], color=style.GREY, linewidth=0.6)
