"""Costs of matched runs side by side, where they may be compared at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.record import RunRecord
from harness.report.caption import MEMORY, hardware
from harness.report.leaderboard import SPEED, memory_counter

Matched = Sequence[tuple[RunRecord, RunRecord]]
Cost = Callable[[RunRecord], float | None]
Join = Callable[[Sequence[float]], float]


@dataclass(frozen=True)
class Ratio:
    name: str
    """A field of a record, whose unit it ends in."""
    title: str
    a: float | None = None
    b: float | None = None
    reason: str = ""
    """Why there is no ratio."""

    @property
    def ratio(self) -> float | None:
        """a / b; None where either is missing or b is 0."""
        return self.a / self.b if self.a is not None and self.b else None


def _over(tasks: Sequence[Matched], side: int, value: Cost, join: Join) -> float | None:
    """Mean over seeds, then `join` over tasks; None if a run has no value."""
    found = [[value(pair[side]) for pair in pairs] for pairs in tasks]
    if any(one is None for values in found for one in values):
        return None
    return join([fmean(v for v in values if v is not None) for values in found])


def _machines(tasks: Sequence[Matched]) -> str:
    """Why the machines forbid a comparison; "" if all runs were made on one that is recorded."""
    names = [sorted({hardware(pair[side]) for pairs in tasks for pair in pairs}) for side in (0, 1)]
    if not all(name for side in names for name in side):
        return "hardware not recorded"
    if len({name for side in names for name in side}) == 1:
        return ""
    return f"different hardware ({' and '.join(names[0])} against {' and '.join(names[1])})"


def ratios(tasks: Sequence[Matched]) -> list[Ratio]:
    """Trainable parameters, peak memory and throughput over the tasks' matched runs; memory and speed on one machine.

    Memory and parameters: the highest over tasks; throughput: the mean, as in a leaderboard.
    """
    counters = {memory_counter(run) for pairs in tasks for pair in pairs for run in pair}
    memory = next(iter(counters)) if len(counters) == 1 else None
    machines = _machines(tasks)
    title = f"{MEMORY[memory][0]}" if memory else "Peak memory"
    named: list[tuple[str, str, Cost, Join, str]] = [
        ("trainable", "Trainable", lambda run: run.parameters.get("trainable"), max, ""),
        (memory or "peak_memory_bytes", title, lambda run: run.costs.get(memory or ""), max, machines),
        (SPEED, "Tokens/s", lambda run: run.costs.get(SPEED), fmean, machines),
    ]
    found = []
    for name, words, value, join, reason in named:
        a, b = (_over(tasks, side, value, join) for side in (0, 1))
        missing = "" if a is not None and b is not None else "not recorded by all runs"
        if name == "peak_memory_bytes" and len(counters - {None}) > 1:
            missing = "different counters of memory"
        found.append(Ratio(name, words, reason=missing or reason) if missing or reason else Ratio(name, words, a, b))
    return found
