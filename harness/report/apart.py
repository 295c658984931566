"""Which rows of a table cannot be told apart, by their seeds: a compact letter display."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from statistics import fmean

ALPHA = 0.05
ALL = "Group: rows without a letter in common are told apart."
MOST = 26
"""Letters; with many rows and few seeds the groups can overlap in more ways than anyone would read."""
ONLY_BEST = (
    f"Group: a, not told apart from the best; the groups below overlap in more than {MOST} ways and have no letters."
)
LEAST = 2
"""Seeds that two rows must share to be compared."""


@dataclass(frozen=True)
class Apart:
    letters: Mapping[str, str] = field(default_factory=dict)
    """Row -> its letters, "" for a row that cannot be judged; empty where no two rows can be compared."""
    notes: tuple[str, ...] = ()


def _compared(rows: Mapping[str, Mapping[int, float]]) -> dict[tuple[str, str], list[float]]:
    """Pairs of rows with enough seeds in common -> their differences."""
    found = {}
    for a, b in combinations(rows, 2):
        shared = sorted(set(rows[a]) & set(rows[b]))
        if len(shared) >= LEAST:
            found[a, b] = [rows[a][seed] - rows[b][seed] for seed in shared]
    return found


def apart(scores: Mapping[str, Mapping[int, float]]) -> Apart:
    """Letters for rows (label -> seed -> summary score): two rows share one if and only if they are not told apart.

    Paired t over the seeds that two rows share, Holm's correction over all pairs, 5 %. It counts the noise of seeds, not
    that of the test items (`peftbench compare` counts both). Nothing for fewer than two rows.
    """
    rows = {label: seeds for label, seeds in scores.items() if seeds}
    if len(rows) < 2:
        return Apart()
    pairs = _compared(rows)
    if not pairs:
        one = any(set(rows[a]) & set(rows[b]) for a, b in combinations(rows, 2))
        many = "One seed" if one else "No seed that two rows share"
        return Apart(notes=(f"{many}: nothing here says that a row is better than another.",))
    import numpy as np

    from harness.report.stats.groups import TooMany, letters, with_the_best
    from harness.report.stats.paired import holm
    from harness.report.stats.summary import over_runs

    judged = [label for label in rows if any(label in pair for pair in pairs)]
    # The same difference for each seed: no spread to judge it by.
    p_values = [1.0 if (p := over_runs(np.array(found)).p) is None else p for found in pairs.values()]
    different = np.zeros((len(judged), len(judged)), dtype=bool)
    for (a, b), p in zip(pairs, holm(p_values), strict=True):
        i, j = judged.index(a), judged.index(b)
        different[i, j] = different[j, i] = p <= ALPHA
    means = [fmean(rows[label].values()) for label in judged]
    try:
        said, meaning = letters(different, means, MOST), ALL
    except TooMany:
        said, meaning = ["a" if near else "" for near in with_the_best(different, means)], ONLY_BEST
    found = dict.fromkeys(scores, "") | dict(zip(judged, said, strict=True))
    best = int(np.argmax(means))
    same = [label for at, label in enumerate(judged) if at != best and not different[best, at]]
    left = [label for label in scores if label not in judged]
    return Apart(found, tuple(_notes(judged[best], same, pairs, meaning, left)))


def _notes(
    best: str, same: list[str], pairs: Mapping[tuple[str, str], list[float]], meaning: str, left: list[str]
) -> list[str]:
    from harness.report.stats.enough import too_few

    counts = sorted({len(found) for found in pairs.values()})
    seeds = f"{counts[0]} seeds" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"
    how = f"by the noise of {seeds} alone (paired t, Holm over all pairs, 5 %; `peftbench compare` counts the test items' too)"
    notes = [
        f"Not told apart from the best, {best}, {how}: {', '.join(same)}."
        if same
        else f"{best} is above every other row {how}.",
        meaning,
    ]
    if left:
        notes.append(f"No letter, since fewer than {LEAST} seeds are shared with another row: {', '.join(left)}.")
    if few := too_few(counts[0], comparisons=len(pairs)):
        notes.append(f"Without taking the noise of seeds for normal, as the letters do, {few}")
    return notes
