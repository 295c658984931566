"""The kinds of figures. Each is a module with two pure steps: `frame(scene, ask)` gives what is shown, or raises
NothingToShow with the reason; `draw(shown, style)` draws it. Nothing heavy is imported before a kind is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType


@dataclass(frozen=True)
class Kind:
    name: str
    module: str
    what: str
    """As the help says it."""
    costs: tuple[str, ...] = ("",)
    """One figure each, where the kind shows a cost."""

    def load(self) -> ModuleType:
        return import_module(f"{__name__}.{self.module}")


COSTS = ("trainable", "memory", "time", "energy", "speed")
KINDS = {
    kind.name: kind
    for kind in (
        Kind("pareto", "pareto", "score against a cost, with the Pareto front", COSTS),
        Kind("bars", "bars", "scores by task, with intervals"),
        Kind("ranks", "rank_map", "rows x tasks: rank"),
        Kind("differences", "difference_map", "rows x tasks: difference to a baseline"),
        Kind("critical-difference", "critical", "average ranks, and which of them cannot be told apart"),
        Kind("profiles", "profiles", "share of runs above each score"),
        Kind("sweep", "sweep", "score against parameters, a curve for a method's sizes"),
        Kind("rates", "rates", "score against learning rate, of tune or of runs with --lr"),
        Kind("loss", "loss_curves", "training loss, bands over seeds"),
        Kind("scores", "score_curves", "scores on the way, bands over seeds"),
        Kind("memory", "memory", "memory by category, accounted"),
        Kind("radar", "radar", "tasks by group, as VTAB's"),
        Kind("claims", "claims", "published against measured"),
    )
}
FORMATS = ("pdf", "svg", "png")
