"""The widths, in inches, that venues' LaTeX styles set, so that a figure stands in its paper without being scaled."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Venue:
    column: float
    page: float
    """Of the whole text; where that has one column, both are the same."""


VENUES = {
    "icml": Venue(3.25, 6.75),  # \textwidth 6.75in, \columnsep 0.25in
    "neurips": Venue(5.5, 5.5),  # \textwidth 5.5in
    "iclr": Venue(5.5, 5.5),  # \textwidth 5.5in
    "acl": Venue(7.7 / 2.54, 16 / 2.54),  # A4: columns of 7.7 cm, 0.6 cm apart
    "aaai": Venue(3.3125, 7.0),  # \textwidth 7.0in, \columnsep 0.375in
    "cvpr": Venue(3.28125, 6.875),  # \textwidth 6.875in, \columnsep 0.3125in
    "jmlr": Venue(6.0, 6.0),  # \textwidth 6in
    "tmlr": Venue(6.5, 6.5),  # \textwidth 6.5in
}
DEFAULT = "icml"
