"""`peftbench compare`: two methods of one folder, or two folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from harness.commands.views import open_records
from harness.record import RunRecord, UserError
from harness.report import compare as comparing
from harness.report import compared
from harness.store import Store
from harness.terminal import PlainConsole

if TYPE_CHECKING:
    import numpy as np

KINDS = ("correct", "error")


class Items:
    """Reads the stored items of a folder's runs; `problems` names the files that cannot be read."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.problems: list[str] = []

    def __call__(self, record: RunRecord) -> tuple[str, np.ndarray] | None:
        import numpy as np
        import pyarrow.parquet as pq

        path = self.store.path(record.key).with_name(f"{record.key}.items.parquet")
        if not path.is_file():
            return None
        try:
            kind = next(name for name in KINDS if name in pq.read_schema(path).names)
            values = pq.read_table(path, columns=[kind])[kind].to_pylist()
            return kind, np.array([np.nan if value is None else value for value in values], dtype=float)
        except (OSError, ValueError, StopIteration):
            self.problems.append(f"{path}: not a readable file of items")
            return None


def _is_results(word: str) -> bool:
    return (Path(word).expanduser() / "runs").is_dir()


def compare(a: str, b: str, results: Path, form: str, console: Console) -> None:
    """Raises UserError if a name is neither a row nor a folder, or the two share no run."""
    notes = console if form == "text" else PlainConsole(stderr=True)
    folders = [_is_results(word) for word in (a, b)]
    if folders == [True, True]:
        paths = [Path(word).expanduser() for word in (a, b)]
        items = [Items(path) for path in paths]
        sides = [(word, open_records(path, notes), own) for word, path, own in zip((a, b), paths, items, strict=True)]
        found = comparing.compare_folders(*sides)
    elif any(folders):
        raise UserError(f"{a} and {b}: give two rows of one --results folder, or two folders of results.")
    else:
        items = [Items(results)]
        found = comparing.compare_methods(open_records(results, notes), a, b, items[0])
    for problem in dict.fromkeys(problem for own in items for problem in own.problems):
        notes.print(f"Passed over: {problem}", markup=False, soft_wrap=True)
    if form == "csv":
        print(compared.render_csv(found), end="")
    for one in found:
        if form == "markdown":
            print(compared.render_markdown(one))
        elif form == "text":
            console.print()
            compared.print_text(one, console)
