"""Finds methods by file: `methods/<family>/<name>.py`, '-' in the name written '_'.

Listings read each file's declaration as literals, without running it, so that they need no torch.
"""

from __future__ import annotations

import ast
import difflib
import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from methods.spec import Method, Paper

ROOT = Path(__file__).parent


@dataclass(frozen=True)
class Entry:
    """What a listing shows of a method."""

    name: str
    module: str
    family: str
    formula: str
    backend: str
    paper: Paper
    learning_rate: float
    aliases: tuple[str, ...]


@cache
def _files() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(ROOT.glob("*/*.py")):
        if not path.name.startswith("_"):
            found[path.stem.replace("_", "-")] = path
    return found


def _literal(node: ast.expr) -> Any:
    """The value of a literal, or of Paper(...) over literals. Raises ValueError for anything else."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Paper":
        return Paper(*map(_literal, node.args), **{k.arg: _literal(k.value) for k in node.keywords if k.arg})
    return ast.literal_eval(node)


def read_entry(path: Path) -> Entry:
    """The declaration in a method's file. Raises ValueError naming the file if it has none."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if not (isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "METHOD"):
            continue
        if not isinstance(node.value, ast.Call):
            break
        given = {k.arg: k.value for k in node.value.keywords}
        wanted = ("name", "family", "formula", "backend", "paper", "learning_rate")
        try:
            values = {key: _literal(given[key]) for key in wanted}
            values["aliases"] = _literal(given["aliases"]) if "aliases" in given else ()
        except (KeyError, ValueError) as error:
            raise ValueError(f"{path}: METHOD must give {', '.join(wanted)} as literals ({error})") from None
        return Entry(module=f"methods.{path.parent.name}.{path.stem}", **values)
    raise ValueError(f"{path}: no `METHOD = Method(...)` at the top level")


def names() -> list[str]:
    """All registered names, sorted."""
    return sorted(_files())


@cache
def entries() -> dict[str, Entry]:
    """Name -> declaration, for all methods."""
    return {name: read_entry(path) for name, path in sorted(_files().items())}


def resolve(name: str) -> str:
    """The registered name for a name or an alias. Raises KeyError with a sentence that suggests near names."""
    if name in _files():
        return name
    aliases = {alias: entry.name for entry in entries().values() for alias in entry.aliases}
    if name in aliases:
        return aliases[name]
    near = difflib.get_close_matches(name, [*names(), *aliases], n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`peftbench methods` lists them."
    raise KeyError(f"There is no method {name!r}; {hint}")


@cache
def get(name: str) -> Method:
    """The method of that name or alias. Raises KeyError with one sentence if there is none."""
    path = _files()[resolve(name)]
    return importlib.import_module(f"methods.{path.parent.name}.{path.stem}").METHOD
