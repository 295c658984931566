"""How every figure looks: a venue's widths, embedded fonts, colours that the colour-blind can tell apart, a method's
colour and marker, and a sheet that keeps title, drawing, legend and note apart. Lengths are inches."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from harness.report import venues

FONT, SMALL, TINY = 7.5, 6.5, 5.5
"""Points: axis titles; ticks, legends, names; the lines above and below, and names where there are many."""
# Okabe and Ito 2008, https://jfly.uni-koeln.de/color/, without the yellow that white paper swallows, black
# lightened so that whiskers show on it.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
# Nine markers to seven colours: 63 methods before a pair comes again.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
FILLS = ("", "white", "#BBBBBB")
"""Of the markers of one method's rows; the first is the method's colour."""
DASHES = ("-", (0, (4, 1.5)), (0, (1, 1.2)))
HATCHES = {"white": "/////", "#BBBBBB": "....."}
"""The filling of a marker, as a bar shows it."""
GREY, INK, PALE = "#777777", "#333333", "#DDDDDD"
EDGE = 0.05
RULER_DPI = 720
DPI = 300
"""Of PNG files; names are placed by what they take at it."""
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
    "hatch.linewidth": 0.6,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "path",
    # Without it every writing of the same figure would differ.
    "svg.hashsalt": "peftbench",
    "axes.unicode_minus": False,
    # A method's name may hold a dollar.
    "text.parse_math": False,
}
Mark = Literal["marker", "line", "patch"]


@cache
def _ruler() -> RendererAgg:
    return FigureCanvasAgg(Figure(figsize=(1, 1), dpi=RULER_DPI)).get_renderer()


@lru_cache(maxsize=4096)
def width_of(text: str, size: float, weight: str = "normal") -> float:
    """Of one line of text in `size` points."""
    font = FontProperties(family=RC["font.family"], size=size, weight=weight)
    return float(_ruler().get_text_width_height_descent(text, font, False)[0]) / RULER_DPI


def line_height(size: float) -> float:
    return 1.25 * size / 72


def fold(text: str, width: float, size: float) -> list[str]:
    """Lines no wider than `width`, broken at spaces, and within a word that is wider alone."""
    lines: list[str] = []
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(joined, size) <= width:
            lines[-1] = joined
            continue
        lines += _pieces(word, width, size)
    return lines


def head_lines(titles: Sequence[str], width: float, size: float) -> list[list[str]] | None:
    """Titles in lines no wider than `width`, broken at spaces alone; None if a word is wider: they must stand upright."""
    if max(width_of(word, size) for title in titles for word in title.split(" ")) > width:
        return None
    return [fold(title, width, size) for title in titles]


def _pieces(word: str, width: float, size: float) -> list[str]:
    """Parts of a word, broken after + = / . - where that does, else anywhere."""
    pieces = [""]
    for part in re.findall(r"[^+=/.-]*[+=/.-]*", word):
        if pieces[-1] and width_of(pieces[-1] + part, size) > width:
            pieces.append("")
        for letter in part:
            if pieces[-1] and width_of(pieces[-1] + letter, size) > width:
                pieces.append("")
            pieces[-1] += letter
    return pieces


def _place(method: str) -> int:
    """Where the search for a method's look begins: the same in every version, whatever else is registered."""
    return int(hashlib.sha256(method.encode()).hexdigest()[:8], 16)


def assign(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """method -> (colour, marker). No colour serves twice before each has served once, no pair before all have; within
    that a method's name decides, so that it often looks alike in other sets too."""
    found: dict[str, tuple[str, str]] = {}
    colours, markers = dict.fromkeys(COLOURS, 0), dict.fromkeys(MARKERS, 0)
    pairs = {(colour, marker): 0 for colour in COLOURS for marker in MARKERS}
    for name in sorted(set(names), key=lambda name: (_place(name), name)):
        at = _place(name)
        turned = [COLOURS[(at + step) % len(COLOURS)] for step in range(len(COLOURS))]
        colour = min(turned, key=colours.__getitem__)
        turned = [MARKERS[(at + step) % len(MARKERS)] for step in range(len(MARKERS))]
        marker = min(turned, key=lambda one: (pairs[colour, one], markers[one]))
        colours[colour] += 1
        markers[marker] += 1
        pairs[colour, marker] += 1
        found[name] = colour, marker
    return found


@dataclass(frozen=True)
class Look:
    """Of one row of the leaderboard: colour and marker are its method's, filling and dashes its own."""

    colour: str
    marker: str
    nth: int = 0

    @property
    def fill(self) -> str:
        return FILLS[self.nth % len(FILLS)] or self.colour

    @property
    def point(self) -> dict[str, Any]:
        """As `plot` takes it for points alone."""
        return {"color": self.colour, "marker": self.marker, "markerfacecolor": self.fill, "linestyle": "none"}

    @property
    def line(self) -> dict[str, Any]:
        """As `plot` takes it for a line without markers."""
        return {"color": self.colour, "linestyle": DASHES[self.nth % len(DASHES)]}

    @property
    def curve(self) -> dict[str, Any]:
        """As `plot` takes it for a line with markers."""
        return self.point | self.line

    @property
    def bar(self) -> dict[str, Any]:
        return {"facecolor": self.colour, "hatch": HATCHES.get(self.fill, ""), "edgecolor": "white", "linewidth": 0}


Entry = tuple[str, Look | str, Mark]
"""Of a legend: the name, the look of its row or a plain colour, and what is drawn beside the name."""


class Style:
    """The widths of a venue and the looks of a set's methods; the same for every figure of the set."""

    def __init__(self, names: Iterable[str], venue: str = venues.DEFAULT) -> None:
        self.column, self.page = venues.VENUES[venue].column, venues.VENUES[venue].page
        self._assigned = assign(names)

    def looks(self, pairs: Iterable[tuple[str, str]]) -> dict[str, Look]:
        """(label, method) -> label: its look, in the given order. A method that the set does not hold has one by its name."""
        found: dict[str, Look] = {}
        seen: dict[str, int] = {}
        rows = dict(pairs)
        for label, method in sorted(rows.items()):
            colour, marker = self._assigned.get(method) or assign([method])[method]
            found[label] = Look(colour, marker, seen.get(method, 0))
            seen[method] = seen.get(method, 0) + 1
        return {label: found[label] for label in rows}


def looks(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, str]]:
    """(label, method) -> label: {color, marker, markerfacecolor}, where these rows alone are the set."""
    rows = list(pairs)
    found = Style({method for _, method in rows}).looks(rows)
    return {k: {"color": v.colour, "marker": v.marker, "markerfacecolor": v.fill} for k, v in found.items()}


class Sheet:
    """A figure: the setting above, a body of the given height, a legend, a note below. `axes` counts from the body's
    lower left corner."""

    def __init__(self, width: float, body: float, title: str, foot: str, legend: Sequence[Entry] = ()) -> None:
        inner = width - 2 * EDGE
        above = [line for part in _parts(title, inner) for line in part]
        below = [line for text in foot.split("\n") if text for line in fold(text, inner, TINY)]
        rows = _legend_rows(legend, inner)
        step, row = line_height(TINY), line_height(SMALL)
        under = EDGE + len(below) * step + (0.02 if below else 0)
        legend_height = sum(max(len(entry[0]) for entry in line) * row for line in rows)
        self.width = width
        self._bottom = under + legend_height + (0.04 if rows else 0)
        height = self._bottom + body + EDGE + len(above) * step
        self.figure = Figure(figsize=(width, height), dpi=DPI)
        FigureCanvasAgg(self.figure)
        for at, line in enumerate(above):
            self._text(EDGE, height - EDGE / 2 - (at + 0.8) * step, line, TINY, GREY)
        for at, line in enumerate(below):
            self._text(EDGE, under - 0.02 - (at + 0.8) * step, line, TINY, GREY)
        top = under + legend_height
        for line in rows:
            for place, (lines, look, mark) in enumerate(line):
                left = EDGE + place * inner / len(rows[0])
                self._entry(left, top, lines, look, mark)
            top -= max(len(entry[0]) for entry in line) * row

    def _text(self, x: float, y: float, text: str, size: float, colour: str) -> None:
        self.figure.text(x, y, text, fontsize=size, color=colour, transform=self.figure.dpi_scale_trans)

    def _entry(self, left: float, top: float, lines: Sequence[str], look: Look | str, mark: Mark) -> None:
        place = {"transform": self.figure.dpi_scale_trans}
        row, size = line_height(SMALL), SMALL / 72
        middle = top - row / 2
        if mark == "patch" or isinstance(look, str):
            style = look.bar if isinstance(look, Look) else {"facecolor": look, "linewidth": 0}
            box = Rectangle((left + 0.03, middle - size * 0.4), 0.14, size * 0.8, **style, **place)
            self.figure.add_artist(box)
        else:
            point = {name: value for name, value in look.point.items() if name != "linestyle"} | {"markersize": 4}
            line = look.line if mark == "line" else {"linestyle": "none"}
            self.figure.add_artist(
                Line2D([left + 0.01, left + 0.1, left + 0.19], [middle] * 3, markevery=[1], **(point | line), **place)
            )
        for at, text in enumerate(lines):
            self._text(left + 0.24, top - (at + 0.75) * row, text, SMALL, INK)

    def axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        return self.figure.add_axes(self.box(left, bottom, width, height))

    def box(self, left: float, bottom: float, width: float, height: float) -> tuple[float, float, float, float]:
        """The same place as shares of the figure."""
        across, up = self.figure.get_size_inches()
        return left / across, (self._bottom + bottom) / up, width / across, height / up


def _parts(title: str, width: float) -> list[list[str]]:
    """The title's parts, divided by |, in lines; a part is broken only where it is wider than a line."""
    lines: list[list[str]] = []
    for part in title.split(" | "):
        joined = " | ".join([*(lines[-1] if lines else []), part])
        if lines and width_of(joined, TINY) <= width:
            lines[-1].append(part)
        else:
            lines.append([part])
    return [fold(" | ".join(parts), width, TINY) for parts in lines]


def _legend_rows(legend: Sequence[Entry], width: float) -> list[list[tuple[list[str], Look | str, Mark]]]:
    """Entries in as many columns as fit, read line by line; a label wider than the sheet is broken."""
    if not legend:
        return []
    widest = max(width_of(label, SMALL) for label, _, _ in legend) + 0.34
    across = max(1, min(len(legend), int(width / widest)))
    down = math.ceil(len(legend) / across)
    across = math.ceil(len(legend) / down)
    entries = [(fold(label, width - 0.3, SMALL), look, mark) for label, look, mark in legend]
    return [entries[at : at + across] for at in range(0, len(entries), across)]
