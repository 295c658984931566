"""A leaderboard as a LaTeX table (booktabs): best score bold, second underlined, compiles as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from harness.report.cells import Cell, Column, Table
from harness.report.render import FEWER, MISSING, cell_text, places, short_titles

SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "`": "'", "[": "{[}", "*": "{*}", "|": r"\textbar{}", **{c: f"\\{c}" for c in "&%$#_{}"},
}  # fmt: skip
"""A bracket or a star that begins a row would be an option of the line break before it."""
LATIN = 0x17F
"""The last letter of Latin Extended-A."""
MATHS = {"±": r"$\pm$", "·": "--", "×": r"$\times$"}


def escape(text: str) -> str:
    """Text that LaTeX prints as it is; two hyphens stay two."""
    parts = " ".join(text.split()).split("--")
    return "-{}-".join("".join(SPECIAL.get(c) or MATHS.get(c) or _known(c) for c in part) for part in parts)


def _known(c: str) -> str:
    """The character, or its number where the fonts that every LaTeX has may lack it."""
    return c if ord(c) <= LATIN else f"[U+{ord(c):04X}]"


def _prose(texts: Iterable[str]) -> str:
    """Sentences; powers set as such, commands quoted."""
    text = escape(" ".join(re.sub(r"(?<![.!?])$", ".", text) for text in texts))
    text = re.sub(r"'(peftbench [^']*)'", r"`\1'", text)
    return re.sub(r"\\textasciicircum\{\}(-?\w+)", r"$^{\1}$", text)


def _cell(cell: Cell, column: Column, rank: int) -> str:
    text = cell_text(cell, column.kind, column.scale)
    if text == MISSING:
        return "--"
    text = escape(text.removesuffix(FEWER)) + ("$^*$" if text.endswith(FEWER) else "")
    return ("{}", r"\textbf{{{}}}", r"\underline{{{}}}")[rank].format(text)


def render_latex(table: Table) -> str:
    """A `table*` that needs `\\usepackage{booktabs}` and, for many columns, fits itself into the page's width by
    `\\usepackage{graphicx}`. Published rows stand under a rule of their own, in italics; notes
    under the table."""
    titles = short_titles(table)
    ranks = [places(table, column) for column in table.columns]
    rows = [
        [
            escape(row.label),
            *(
                _cell(cell, column, rank[at])
                for column, cell, rank in zip(table.columns, row.cells, ranks, strict=True)
            ),
        ]
        for at, row in enumerate(table.rows)
    ]
    # The source itself would make the column wider than the page.
    printed = [[rf"\textit{{{escape(one.short_label)}}}", *map(escape, one.texts)] for one in table.published]
    body = [" & ".join(cells) + r" \\" for cells in rows]
    if printed:
        heading = rf"\multicolumn{{{1 + len(table.columns)}}}{{l}}{{Published}} \\"
        body += [r"\midrule", heading, *(" & ".join(cells) + r" \\" for cells in printed)]
    notes = _prose((*table.notes, table.caption))
    heads = " & ".join(["Method", *(escape(titles[column.name]) for column in table.columns)])
    lines = [
        "% \\usepackage{booktabs,graphicx}",
        r"\begin{table*}[t]",
        r"\centering",
        rf"\caption{{{escape(table.title)}.}}",
        rf"\label{{tab:{table.setting.slug}}}",
        r"\par\smallskip",
        r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        heads + r" \\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}}",
        r"\par\smallskip",
        rf"\begin{{minipage}}{{\textwidth}}\footnotesize {notes}\end{{minipage}}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"
