"""How figures look: sizes of a two-column paper, embedded fonts, colours that the colour-blind can tell apart."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import methods

COLUMN_INCHES, PAGE_INCHES = 3.3, 6.9
FONT, SMALL, TINY = 7.0, 6.0, 5.0
# Okabe and Ito 2008, https://jfly.uni-koeln.de/color/, without the yellow that white paper swallows.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# Nine markers to seven colours: 63 methods before a pair comes again.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
GREY = "#777777"
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
