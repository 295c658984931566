"""Which rows of a table cannot be told apart from the best one, by their seeds."""

from __future__ import annotations

from collections.abc import Mapping

ALPHA = 0.05


def apart(scores: Mapping[str, Mapping[int, float]]) -> str:
    """A sentence on rows (label -> seed -> summary score): which of them are not significantly below the best.

    Paired t over the seeds that all rows have, Holm's correction over the comparisons with the best, 5 %. It counts the
    noise of seeds, not that of the test items (`peftbench compare` counts both). Empty for fewer than two rows.
    """
    rows = {label: seeds for label, seeds in scores.items() if seeds}
    if len(rows) < 2:
        return ""
    common = sorted(set.intersection(*(set(seeds) for seeds in rows.values())))
    if len(common) < 2:
        many = "One seed" if len(common) == 1 else "No seed that all rows have"
        return f"{many}: nothing here says that a row is better than another."
    import numpy as np

    from harness.report.stats.paired import holm
    from harness.report.stats.summary import over_runs

    values = {label: np.array([seeds[seed] for seed in common]) for label, seeds in rows.items()}
    best = max(values, key=lambda label: float(values[label].mean()))
    others = [label for label in values if label != best]
    estimates = [over_runs(values[best] - values[label]) for label in others]
    # The same difference for each seed: no spread to judge it by.
    p_values = [1.0 if found.p is None else found.p for found in estimates]
    same = [label for label, p in zip(others, holm(p_values), strict=True) if p > ALPHA]
    how = f"by the noise of {len(common)} seeds alone (paired t, Holm, 5 %; `peftbench compare` counts the test items' too)"
    if not same:
        return f"{best} is above every other row {how}."
    return f"Not told apart from the best, {best}, {how}: {', '.join(same)}."
