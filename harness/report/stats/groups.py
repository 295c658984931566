"""Which methods cannot be told apart: letters, and the group of the best."""

from __future__ import annotations

from string import ascii_letters

import numpy as np
from numpy.typing import ArrayLike

from harness.report.stats.check import finite


def _different(significant: ArrayLike) -> np.ndarray:
    matrix = np.asarray(significant, dtype=bool)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or (matrix != matrix.T).any() or matrix.diagonal().any():
        raise ValueError(
            "The pairs that differ must be a symmetric matrix, methods x methods, with False on its diagonal."
        )
    return matrix


class TooMany(ValueError):
    """More sets than were asked for: with few runs, pairs differ so irregularly that they can grow exponentially."""


def groups(significant: ArrayLike, most: int | None = None) -> list[frozenset[int]]:
    """Largest sets without a pair that differs; a pair that does not differ stands together in at least one.

    Insert-and-absorb (Piepho 2004, https://doi.org/10.1198/1061860043515): begin with one set of all; for each pair
    that differs, split each set that holds both, leaving out the one and the other; drop sets that lie within another.
    Raises ValueError if `significant` (methods, methods) is not symmetric or a method differs from itself, TooMany where
    there are more than `most` sets on the way.
    """
    matrix = _different(significant)
    found = [frozenset(range(len(matrix)))]
    for i, j in zip(*np.nonzero(np.triu(matrix)), strict=True):
        split = [half for one in found for half in ((one - {i}, one - {j}) if {i, j} <= one else (one,))]
        found = [one for one in dict.fromkeys(split) if not any(one < other for other in split)]
        if most is not None and len(found) > most:
            raise TooMany(f"There are more than {most} sets of methods that do not differ.")
    return found


def letters(significant: ArrayLike, means: ArrayLike, most: int | None = None) -> list[str]:
    """Compact letter display: two methods share a letter if and only if they do not differ. `a` is the best's.

    `significant` (methods, methods), `means` (methods,), higher is better; ties in `means` go by place.
    Beyond 52 sets the letter is a number in brackets. Raises TooMany as `groups` does.
    """
    values = finite(means, "The means", 1)
    found = groups(significant, most)
    if len(values) != len(_different(significant)):
        raise ValueError("There must be as many means as methods in the matrix.")
    place = {int(method): at for at, method in enumerate(np.argsort(-values, kind="stable"))}
    found.sort(key=lambda one: sorted(place[method] for method in one))
    names = [ascii_letters[at] if at < len(ascii_letters) else f"({at + 1})" for at in range(len(found))]
    return [
        "".join(name for name, one in zip(names, found, strict=True) if method in one) for method in range(len(values))
    ]


def with_the_best(significant: ArrayLike, means: ArrayLike) -> np.ndarray:
    """(methods,) booleans: the method of the highest mean, and those that do not differ from it."""
    matrix, values = _different(significant), finite(means, "The means", 1)
    return ~matrix[int(values.argmax())]
