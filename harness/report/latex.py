"""A leaderboard as a LaTeX table (booktabs): best score bold, second underlined, compiles as it is."""

from __future__ import annotations

import re

from harness.report.cells import Cell, Column, Table
from harness.report.render import FEWER, MISSING, cell_text, places, short_titles

SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", **{c: f"\\{c}" for c in "&%$#_{}"},
}  # fmt: skip
MATHS = {"±": r"$\pm$", "·": "--", "×": r"$\times$"}


def escape(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(SPECIAL.get(c) or MATHS.get(c) or c for c in " ".join(text.split()))


def _cell(cell: Cell, column: Column, rank: int) -> str:
    text = cell_text(cell, column.kind, column.scale)
    if text == MISSING:
        return "--"
    text = escape(text.removesuffix(FEWER)) + ("$^*$" if text.endswith(FEWER) else "")
    return ("{}", r"\textbf{{{}}}", r"\underline{{{}}}")[rank].format(text)


def render_latex(table: Table) -> str:
    """A `table*` that needs `\\usepackage{booktabs}` and, for many columns, fits itself into the page's width by
    `\\usepackage{graphicx}`. Published rows stand under a rule of their own, in italics."""
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
    printed = [[rf"\textit{{{escape(one.label)}}}", *map(escape, one.texts)] for one in table.published]
    body = [" & ".join(cells) + r" \\" for cells in rows]
    body += [r"\midrule", *(" & ".join(cells) + r" \\" for cells in printed)] if printed else []
    notes = escape(" ".join(re.sub(r"(?<![.!?])$", ".", text) for text in (table.caption, *table.notes)))
    heads = " & ".join(["Method", *(escape(titles[column.name]) for column in table.columns)])
    lines = [
        "% \\usepackage{booktabs,graphicx}",
        r"\begin{table*}[t]",
        r"\centering",
        rf"\caption{{{escape(table.title)}. {notes}}}",
        rf"\label{{tab:{table.setting.slug}}}",
        r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        heads + r" \\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"
