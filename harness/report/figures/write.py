"""Figures as files: PDF, SVG, PNG and the CSV of what they show, for each setting that has something to show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from harness.record import UserError
from harness.report import style
from harness.report.figures import FORMATS, Kind
from harness.report.figures.scene import Ask, NothingToShow, Scene, Shown
from harness.report.style import Style
from harness.store import make_folder, replacing


@dataclass(frozen=True)
class Made:
    """One figure, or why there is none."""

    kind: str
    """With the cost, where the kind shows one: pareto-memory."""
    scene: Scene
    paths: tuple[Path, ...] = ()
    reason: str = ""


def style_for(scenes: Iterable[Scene], venue: str) -> Style:
    """One for all figures of these scenes."""
    return Style({row.method for scene in scenes for row in scene.table.rows}, venue)


def make(kinds: Iterable[Kind], scenes: Sequence[Scene], ask: Ask, folder: Path, look: Style) -> Iterator[Made]:
    """Draws each kind for each setting, `ask.cost` empty: with every cost that the kind knows. Raises UserError if the
    folder cannot be written to."""
    for kind in kinds:
        for cost in (ask.cost,) if ask.cost and any(kind.costs) else kind.costs:
            name = f"{kind.name}-{cost}" if cost else kind.name
            for scene in scenes:
                if scene.trials and kind.name != "rates":
                    continue
                yield _make(kind, name, scene, replace(ask, cost=cost), folder, look)


def _make(kind: Kind, name: str, scene: Scene, ask: Ask, folder: Path, look: Style) -> Made:
    module = kind.load()
    try:
        shown = module.frame(scene, ask)
    except NothingToShow as nothing:
        return Made(name, scene, reason=str(nothing))
    make_folder(folder)
    stem = f"{name}-{'tuning-' if scene.trials else ''}{scene.table.setting.slug}"
    with matplotlib.rc_context(style.RC):
        return Made(name, scene, tuple(write(module.draw(shown, look), shown, folder / stem)))


def write(figure: Figure, shown: Shown, stem: Path) -> list[Path]:
    """Raises UserError if a file cannot be written."""
    dates: dict[str, dict[str, Any]] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}
    paths = [stem.with_name(f"{stem.name}.{ending}") for ending in (*FORMATS, "csv")]
    try:
        for path, ending in zip(paths, FORMATS, strict=False):
            with replacing(path) as temporary:
                figure.savefig(
                    temporary, format=ending, dpi=style.DPI, metadata={**dates[ending], "Title": shown.title}
                )
        with replacing(paths[-1]) as temporary:
            note = shown.foot.replace("\n", " ")
            shown.frame.assign(title=shown.title, note=note).to_csv(temporary, index=False)
    except OSError as error:
        raise UserError(f"{stem}.* cannot be written: {error.strerror or error}.") from None
    return paths
