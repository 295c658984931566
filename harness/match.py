"""Sizes a method to a budget: the value of its own size field whose parameter formula comes closest."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import Any

from harness.record import UserError
from methods.spec import Method, Shape

SIZES = ("r_start", "r", "rank", "bottleneck", "tokens", "width", "block", "reduction", "n", "frequencies", "k")
"""Names of fields that say how large a method is, in the order in which they are looked for."""
LARGEST = 1 << 20
CLOSE = 0.1
"""A count that is further from the budget than this share of it is worth a word."""


@dataclass(frozen=True)
class Match:
    config: Any
    field: str
    value: int
    count: int

    def far(self, budget: int) -> bool:
        return abs(self.count - budget) > CLOSE * budget


def share_of(text: str, whole: int) -> int:
    """ "0.3%" of the model's parameters, or "4M", "4200000" -> parameters. Raises UserError."""
    found = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([%kKmM]?)\s*", text)
    if not found or float(found[1]) <= 0:
        raise UserError(f"--match-params {text}: a share such as 0.3% or a number such as 4M is expected.")
    factor = {"%": whole / 100, "k": 1e3, "m": 1e6, "": 1.0}[found[2].lower()]
    return round(float(found[1]) * factor)


def size_field(method: Method) -> str | None:
    """The field that sizes the method; None if it has none."""
    whole = {item.name for item in fields(method.config) if isinstance(getattr(method.config(), item.name), int)}
    return next((name for name in SIZES if name in whole), None)


def _count(method: Method, shape: Shape, config: Any) -> int | None:
    try:
        return method.count(shape, config)
    except (ValueError, ZeroDivisionError, ArithmeticError):
        return None


def match(method: Method, shape: Shape, budget: int, config: Any) -> Match | None:
    """The config whose count is closest to `budget` parameters, all other fields as in `config`.

    None if the method has no field that changes its count. Values are tried one by one up to 64, then in steps of a
    64th: a formula need not rise with its field (a reduction factor falls, a block must divide a width).
    """
    field = size_field(method)
    if field is None:
        return None
    found: list[tuple[int, int, int]] = []
    value = 1
    while value <= LARGEST:
        try:
            count = _count(method, shape, replace(config, **{field: value}))
        except (TypeError, ValueError):
            count = None
        if count is not None:
            found.append((abs(count - budget), value, count))
        value += max(1, value // 64)
    counts = {count for _, _, count in found}
    if len(counts) < 2:
        return None
    _, value, count = min(found)
    return Match(replace(config, **{field: value}), field, value, count)
