"""Whether a claim could be made at all: the smallest p that an exact test can reach with so few values."""

from __future__ import annotations

from math import comb
from typing import Literal

from harness.report.stats.check import share

Test = Literal["signed-rank", "mcnemar", "mann-whitney"]
NAMES = {
    "signed-rank": "exact Wilcoxon signed-rank test",
    "mcnemar": "exact McNemar test",
    "mann-whitney": "exact Mann-Whitney test",
}
MOST = 1000


def smallest_p(n: int, test: Test = "signed-rank") -> float:
    """Two-sided, when all `n` differences point one way: pairs for signed-rank, discordant items for McNemar,
    runs of each of two methods for Mann-Whitney. 1 for none."""
    return min(1.0, 2 / (comb(2 * n, n) if test == "mann-whitney" else 2**n))


def too_few(n: int, unit: str = "seed", test: Test = "signed-rank", alpha: float = 0.05, comparisons: int = 1) -> str:
    """A sentence if `n` units cannot reach `alpha`, divided by `comparisons` (Holm's first step); else "".

    `unit` is named in the singular. Raises ValueError for a negative `n`, no comparison, or an alpha outside 0..1.
    """
    if n < 0 or comparisons < 1:
        raise ValueError(f"{n} values in {comparisons} comparisons cannot be; both count from 0 and 1.")
    bound = share(alpha, "alpha") / comparisons
    least = smallest_p(n, test)
    if least <= bound:
        return ""
    needed = next((count for count in range(n, MOST) if smallest_p(count, test) <= bound), None)
    limit = f"{alpha:g}" if comparisons == 1 else f"{alpha:g}/{comparisons} ({comparisons} comparisons)"
    verb = f"{n} {unit} is" if n == 1 else f"{n} {unit}s are"
    more = f"; {needed} would do" if needed else ""
    return f"{verb} too few: the smallest p that the {NAMES[test]} can reach is {least:.3g}, above {limit}{more}."
