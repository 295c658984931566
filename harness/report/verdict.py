"""What a comparison allows to say, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.report.compare import TaskDifference
    from harness.report.stats.summary import Estimate


def p_text(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}" if p < 0.995 else "p = 1"


def _range(estimate: Estimate, alpha: float) -> str:
    """Of the one that is ahead minus the other."""
    found = estimate.scaled(-1 if estimate.value < 0 else 1).interval(1 - alpha)
    assert found is not None, "an estimate without spread supports no sentence"
    return f"{100 * (1 - alpha):g}% interval {found.low:+.1f} to {found.high:+.1f}"


def _points(value: float) -> str:
    shown = round(abs(value), 1)
    return f"{shown:.1f} point{'' if shown == 1 else 's'}" if shown else "less than 0.1 points"


def _by_task(a: str, b: str, tasks: Sequence[TaskDifference], alpha: float) -> str:
    real = [one for one in tasks if one.p_holm is not None and one.p_holm <= alpha]
    sides = [(a, [t.task for t in real if t.difference > 0]), (b, [t.task for t in real if t.difference < 0])]
    said = [f"{name} is better on {', '.join(names)}" for name, names in sides if names]
    return f"after Holm's correction {' and '.join(said)}" if said else "no single task differs after Holm's correction"


def _no_claim(a: str, b: str, tasks: Sequence[TaskDifference], alpha: float) -> str:
    """One seed, or seeds that agree exactly."""
    real = [one for one in tasks if one.p_items is not None and one.p_items <= alpha / len(tasks)]
    about = "no claim about the methods can be made"
    why = "with one seed each" if all(one.seeds == 1 for one in tasks) else "without a measured spread"
    tested = [one for one in tasks if one.p_items is not None]
    if not tested:
        return f"{why.capitalize()} {about}."
    if not real:
        return f"{why.capitalize()} {about}, and the trained models of {a} and {b} cannot be told apart on their items."
    ahead = ", ".join(f"{a if t.difference > 0 else b} ahead on {t.task}, {p_text(t.p_items or 0.0)}" for t in real)
    return f"{why.capitalize()} {about}; these trained models differ on their items ({ahead}, exact McNemar)."


def verdict(a: str, b: str, tasks: Sequence[TaskDifference], mean: Estimate | None, alpha: float) -> str:
    """`mean` is that of the tasks with a measured spread over seeds; None for fewer than two of them."""
    sound = [one for one in tasks if one.counts_seeds]
    if not sound:
        return _no_claim(a, b, tasks, alpha)
    estimate = mean or sound[0].estimate
    assert estimate is not None and estimate.p is not None
    where = f"on average over {len(sound)} tasks" if mean else f"on {sound[0].task}"
    detail = f"; {_by_task(a, b, tasks, alpha)}" if mean else ""
    if estimate.p <= alpha:
        first, second = (a, b) if estimate.value > 0 else (b, a)
        evidence = f"{_range(estimate, alpha)}, {p_text(estimate.p)}"
        return f"{first} is better than {second} by {_points(estimate.value)} {where} ({evidence}){detail}."
    ahead = f"{a if estimate.value >= 0 else b} is {_points(estimate.value)} ahead"
    if not round(abs(estimate.value), 1):
        ahead = "they score the same"
    return f"{a} and {b} cannot be told apart: {ahead} {where} ({_range(estimate, alpha)}){detail}."
