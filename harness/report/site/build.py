"""Records -> the files of a site, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from harness.record import RunRecord
from harness.report.defaults import Defaults
from harness.report.published import Printed
from harness.report.setting import label
from harness.report.site import form, names
from harness.report.site.board import marks, show
from harness.report.site.gather import COSTS_PLACE, Board, Line, boards
from harness.report.site.method import method_pages
from harness.report.site.run import run_page
from harness.report.site.task import task_pages
from harness.store import Store

HERE = Path(__file__).parent
STATIC = ("site.css", "site.js")


@cache
def environment() -> Environment:
    """Every value is escaped, whatever the template's name; a name that is not there is an error."""
    found = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"points": form.points, "plain": form.plain, "web": form.web, "short": form.count}
    found.globals |= {
        "method_page": names.method_page,
        "task_page": names.task_page,
        "run_page": names.run_page,
        "record_file": names.record_file,
        "costs_place": COSTS_PLACE,
    }
    return found


def _page(template: str, path: str, **values: Any) -> tuple[str, bytes]:
    root = "../" * path.count("/")
    text = environment().get_template(template).render(root=root, here=path.partition("/")[0], **values)
    # A record may hold half of a surrogate pair, which is no text.
    return path, text.encode("utf-8", "replace")


def _places(found: Iterable[Board]) -> dict[str, list[tuple[Board, Line]]]:
    """Key of a run -> the rows in which it stands."""
    places: dict[str, list[tuple[Board, Line]]] = {}
    for board in found:
        for line in board.lines:
            for record in line.records:
                places.setdefault(record.key, []).append((board, line))
    return places


def files(store: Store, records: list[RunRecord], printed: Iterable[Printed] = ()) -> Iterator[tuple[str, bytes]]:
    """(path within the site, content) of every file. `records` are the store's, read before; `store.problems` are told.

    Raises UserError if a record's file is gone.
    """
    found = boards(records, printed)
    defaults = Defaults(record.spec for record in records)
    counts = {status: sum(r.status == status for r in records) for status in ("done", "failed", "skipped")}
    shared = {"records": records, "counts": counts, "boards": found}
    methods, tasks = method_pages(found, records), task_pages(found, records)
    for name in STATIC:
        yield name, (HERE / "static" / name).read_bytes()
    looks = marks(record.spec.method for record in records)
    shown = [show(board, looks) for board in found]
    yield _page("index.html.j2", "index.html", shown=shown, methods=methods, tasks=tasks, **shared)
    yield _page("methods.html.j2", "methods/index.html", methods=methods, **shared)
    yield _page("tasks.html.j2", "tasks/index.html", tasks=tasks, **shared)
    for method in methods:
        yield _page("method.html.j2", names.method_page(method.name), page=method)
    for task in tasks:
        yield _page("task.html.j2", names.task_page(task.name), page=task)
    places = _places(found)
    labels = {record.key: label(record.spec, defaults) for record in records}
    yield _page("runs.html.j2", "runs/index.html", places=places, labels=labels, problems=store.problems, **shared)
    for record in records:
        page = run_page(record, store, places.get(record.key, ()))
        yield _page("run.html.j2", names.run_page(record.key), page=page, label=labels[record.key])
        yield names.record_file(record.key), page.body
