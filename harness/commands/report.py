"""`peftbench report`: records in, a static site out."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from harness.commands.views import show_problems
from harness.record import UserError
from harness.report import published
from harness.report.site.build import files
from harness.report.site.write import check, write
from harness.store import Store


def report(results: Path, out: Path, with_published: bool, console: Console) -> None:
    """Raises UserError if there are no records, or if `out` is something else than a site, or cannot be written."""
    check(out)
    store = Store(results)
    records = list(store.records())
    show_problems(store, console)
    if not records:
        raise UserError(f"{results} holds no records; `peftbench run` makes some, --results names another folder.")
    printed = published.load() if with_published else ()
    many = write(files(store, records, printed), out)
    console.print(f"{out / 'index.html'} ({many} files from {len(records)} records)", markup=False, soft_wrap=True)
