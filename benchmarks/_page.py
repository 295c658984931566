"""Puts a table between its markers in a page of results/reference."""

from __future__ import annotations

from pathlib import Path

START, END = "<!-- table -->", "<!-- /table -->"


def put_table(page: Path, table: str) -> None:
    """What stood between the markers is replaced. Raises ValueError if the page has none."""
    before, start, rest = page.read_text(encoding="utf-8").partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"{page} has no {START} ... {END}")
    page.write_text(f"{before}{START}\n{table}\n{END}{after}", encoding="utf-8")
