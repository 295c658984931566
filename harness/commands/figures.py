"""`peftbench figure` and `figures`: records in, pictures out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console

from harness.commands.views import open_records, show_problems
from harness.record import RunRecord, UserError
from harness.report import published
from harness.report.figures import FORMATS, KINDS
from harness.report.figures.scene import Ask, Scene, scenes
from harness.report.figures.write import Made, make, style_for
from harness.store import Store


def _trials(results: Path, console: Console) -> list[RunRecord]:
    """The records of `peftbench tune`'s searches, which lie beside the others."""
    folder = results / "tuning"
    if not folder.is_dir():
        return []
    store = Store(folder)
    found = list(store.records())
    show_problems(store, console)
    return found


def _scenes(results: Path, console: Console) -> list[Scene]:
    return scenes(open_records(results, console), _trials(results, console), published.load())


def _check_baseline(found: Sequence[Scene], baseline: str) -> None:
    """Raises UserError if no row has that label or method."""
    rows = {name for scene in found for row in scene.table.rows for name in (row.label, row.method)}
    if baseline and baseline not in rows:
        raise UserError(f"--baseline {baseline}: no row is called so; choose from {', '.join(sorted(rows))}.")


def figure(kind: str, results: Path, out: Path, ask: Ask, venue: str, console: Console) -> None:
    """One kind. Raises UserError if no setting has something to show."""
    found = _scenes(results, console)
    _check_baseline(found, ask.baseline)
    made = list(make([KINDS[kind]], found, ask, out, style_for(found, venue)))
    for one in made:
        for path in one.paths:
            console.print(str(path), markup=False, soft_wrap=True)
    if not any(one.paths for one in made):
        raise UserError(f"No {kind} figure: " + " ".join(_reasons(made)))


def figures(kinds: Sequence[str], results: Path, out: Path, ask: Ask, venue: str, console: Console) -> None:
    """Several kinds; what has nothing to show is named with the reason. Raises UserError if nothing has."""
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise UserError(f"There is no kind of figure called {unknown[0]}; choose from {', '.join(KINDS)}.")
    found = _scenes(results, console)
    _check_baseline(found, ask.baseline)
    chosen = [KINDS[kind] for kind in kinds or KINDS]
    lacking: dict[str, list[Made]] = {}
    count = 0
    endings = ",".join((*FORMATS, "csv"))
    for one in make(chosen, found, ask, out, style_for(found, venue)):
        if one.paths:
            count += 1
            console.print(f"{one.paths[0].with_suffix('')}.{{{endings}}}", markup=False, soft_wrap=True)
        else:
            lacking.setdefault(one.kind, []).append(one)
    if lacking:
        console.print("Nothing to show:")
    for name, without in lacking.items():
        for reason in _reasons(without):
            console.print(f"  {name}: {reason}", markup=False, soft_wrap=True)
    if not count:
        raise UserError("No figure could be drawn; the reasons stand above.")
    console.print(f"{count} figure{'' if count == 1 else 's'} in {out}", markup=False, soft_wrap=True)


def _reasons(made: Iterable[Made]) -> list[str]:
    """Each reason once, with the settings that it holds for where they are not all."""
    settings: dict[str, list[str]] = {}
    everything = list(made)
    for one in everything:
        if one.reason:
            settings.setdefault(one.reason, []).append(one.scene.table.setting.slug)
    return [
        reason if len(slugs) == len(everything) else f"{reason} ({', '.join(slugs)})"
        for reason, slugs in settings.items()
    ]
