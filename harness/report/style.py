"""How figures look: sizes of a two-column paper, embedded fonts, colours that the colour-blind can tell apart."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Sequence
from functools import cache
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import methods

COLUMN_INCHES, PAGE_INCHES = 3.3, 6.9
FONT, SMALL, TINY = 7.0, 6.0, 5.0
# Okabe and Ito 2008, https://jfly.uni-koeln.de/color/, without the yellow that white paper swallows, black
# lightened so that whiskers show on it.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
# Nine markers to seven colours: 63 methods before a pair comes again.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
GREY = "#777777"
TINY_CHARACTERS_PER_INCH = 27
RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": FONT,
    "axes.labelsize": FONT,
    "axes.titlesize": FONT,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.fontsize": SMALL,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "path",
    # Without it every writing of the same figure would differ.
    "svg.hashsalt": "peftbench",
    "axes.unicode_minus": False,
    # A method's name may hold a dollar.
    "text.parse_math": False,
}


@cache
def _position(method: str) -> int:
    """A method's place among the registered names; one that is not registered has a place of its own behind them."""
    names = methods.names()
    if method in names:
        return names.index(method)
    return len(names) + int(hashlib.sha256(method.encode()).hexdigest()[:8], 16) % (len(COLOURS) * len(MARKERS))


def looks(variants: Sequence[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """(label, method) -> label: {color, marker, markerfacecolor}. A method looks the same in every figure; the
    labels of one method share colour and marker and differ in the marker's filling."""
    found: dict[str, dict[str, Any]] = {}
    seen: dict[str, int] = {}
    for label, method in sorted(variants):
        place, nth = _position(method), seen.get(method, 0)
        seen[method] = nth + 1
        colour = COLOURS[place % len(COLOURS)]
        found[label] = {
            "color": colour,
            "marker": MARKERS[place % len(MARKERS)],
            "markerfacecolor": (colour, "white", "#BBBBBB")[nth % 3],
        }
    return found


def canvas(width: float, height: float, title: str, foot: str = "") -> tuple[Figure, float, float]:
    """A figure with the setting above and a note below; (figure, inches that the one takes, and the other)."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    left, line = 0.05 / width, TINY * 1.25 / 72
    above, below = (
        textwrap.wrap(text, int((width - 0.1) * TINY_CHARACTERS_PER_INCH))
        for text in (title.replace(" | ", "\u00a0| "), foot)
    )
    look = {"fontsize": TINY, "color": GREY}
    figure.text(left, 1 - 0.03 / height, "\n".join(above), va="top", **look)
    figure.text(left, 0.03 / height, "\n".join(below), va="bottom", **look)
    return figure, 0.05 + len(above) * line, len(below) * line


def axes_at(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place given in inches."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))
