"""Numbers and values as the pages write them."""

from __future__ import annotations

import json
import math
from typing import Any

from harness.report.render import short_number

THIN = "\u202f"
BYTES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
LARGE = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def points(value: float) -> str:
    """A score x100. Minus zero would read as a direction."""
    return f"{value:.1f}" if round(value, 1) else "0.0"


def _scaled(value: float, steps: tuple[tuple[float, str], ...], unit: str) -> str:
    for size, name in steps:
        if abs(value) >= size:
            return f"{_three(value / size)} {name}{unit}"
    return f"{_three(value)} {unit}".strip()


def _three(value: float) -> str:
    """Three figures, so that the numbers of a column have the same look."""
    size = abs(value)
    if size >= 99.95 or value == 0:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 9.995 else f"{value:.2f}" if size >= 0.9995 else f"{value:.3g}"


def _seconds(value: float) -> str:
    if 0 < abs(value) < 1:
        return f"{_three(value * 1e3)} ms" if abs(value) >= 1e-3 else f"{_three(value * 1e6)} µs"
    return f"{value:,.1f} s" if abs(value) < 1000 else f"{value:,.0f} s"


def quantity(name: str, value: float | int | None) -> str:
    """A cost or count in the unit that its field's name ends in; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    if name.endswith("_bytes"):
        return _scaled(value, BYTES, "") if abs(value) >= 1e3 else f"{value:,.0f} B"
    if name.endswith("_joules"):
        return _scaled(value, LARGE, "J")
    if name.endswith("_per_second"):
        return _scaled(value, LARGE, "FLOP/s") if "flops" in name else f"{value:,.0f} /s"
    if "flops" in name:
        return _scaled(value, LARGE, "FLOP")
    if "_seconds" in name:
        return _seconds(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def count(value: float) -> str:
    return short_number(value)


def plain(value: Any) -> str:
    """A value of a config or a recipe as JSON writes it, but words without quotes and lists without brackets."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and value and not any(isinstance(one, list | tuple | dict) for one in value):
        return ", ".join(map(plain, value))
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2)


def web(url: str | None) -> str:
    """The address if a reader may follow it, else "": a declaration from elsewhere may hold a script."""
    return url if url and url.startswith(("https://", "http://")) else ""


def finite(value: Any) -> Any:
    """JSON in a page has no NaN and no infinity."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return value
