"""What is written to a terminal: never a control sequence that stood in somebody's record or file name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console, ConsoleOptions
from rich.segment import Segment

CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)))
"""C0 and C1, but tab and the end of a line"""


def clean(text: str) -> str:
    """The text without what moves a terminal's cursor, colours or title."""
    return text.translate(CONTROLS)


class PlainConsole(Console):
    """Rich's own colours and cursor movements stand beside the text, not in it: they pass."""

    def render(self, renderable: Any, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(clean(segment.text), segment.style)
