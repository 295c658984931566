"""What a run would have used had the user said nothing: read from the declarations, without torch.

Where nothing is declared (a method or task of another version or another machine), the value that most
of the given runs used stands in.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import methods
import tasks
from harness.record import RunSpec, canonical_json

METHODS = Path(methods.__file__).parent


def _module_file(module: str) -> Path:
    return METHODS.joinpath(*module.split(".")[1:]).with_suffix(".py")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _class_defaults(path: Path, name: str) -> dict[str, Any]:
    """Literal defaults of a class's fields, those of its bases first; {} if the class is not found."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            for base in node.bases:
                if isinstance(base, ast.Name):
                    found |= _class_defaults(path, base.id)
            for item in node.body:
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.value is not None:
                    try:
                        found[item.target.id] = _plain(ast.literal_eval(item.value))
                    except ValueError:
                        found.pop(item.target.id, None)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("methods."):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    found = _class_defaults(_module_file(node.module or ""), alias.name)
    return found


def _config_name(path: Path) -> str:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "METHOD":
            for keyword in getattr(node.value, "keywords", ()):
                if keyword.arg == "config" and isinstance(keyword.value, ast.Name):
                    return keyword.value.id
    return ""


@cache
def config_defaults(method: str) -> Mapping[str, Any]:
    """The literal defaults that a method's file declares; {} for a method that is not registered or not readable."""
    try:
        entry = methods.entries().get(method)
        path = _module_file(entry.module) if entry else None
        return _class_defaults(path, _config_name(path)) if path else {}
    except (OSError, SyntaxError, ValueError):
        return {}


@cache
def declared_recipe(task: str, preset: str, method: str) -> Mapping[str, Any]:
    """The recipe as a record holds it, learning rate resolved; {} if the task or the preset is not registered."""
    try:
        recipe = tasks.get(task).recipes[preset]
    except KeyError:
        return {}
    found = {k: v for k, v in asdict(recipe).items() if k not in recipe.BY_METHOD}
    if method in recipe.learning_rates:
        return found | {"learning_rate": recipe.learning_rates[method]}
    try:
        return found | {"learning_rate": methods.entries()[method].learning_rate}
    except (KeyError, OSError, SyntaxError, ValueError):
        return found


class Defaults:
    """Declared values, and the usual ones among `specs` for what is not declared."""

    def __init__(self, specs: Iterable[RunSpec]) -> None:
        self._seen: dict[tuple[str, ...], Counter[str]] = {}
        self._values: dict[str, Any] = {}
        for spec in specs:
            for name, value in spec.config.items():
                self._note(("config", spec.method, name), value)
            for name, value in spec.recipe.items():
                self._note(self._recipe_place(spec, name), value)

    def _recipe_place(self, spec: RunSpec, name: str) -> tuple[str, ...]:
        # Rates are a method's; everything else in a recipe is the task's.
        return ("recipe", spec.suite, spec.preset, spec.task, name, spec.method if name == "learning_rate" else "")

    def _note(self, place: tuple[str, ...], value: Any) -> None:
        text = canonical_json(value)
        self._values[text] = value
        self._seen.setdefault(place, Counter())[text] += 1

    def _usual(self, place: tuple[str, ...]) -> Any:
        counts = self._seen[place]
        return self._values[min(counts, key=lambda text: (-counts[text], text))]

    def config_changes(self, spec: RunSpec) -> dict[str, Any]:
        """Fields of the config that differ from the default."""
        declared = config_defaults(spec.method)
        return {
            name: value
            for name, value in spec.config.items()
            if value != (declared[name] if name in declared else self._usual(("config", spec.method, name)))
        }

    def recipe_changes(self, spec: RunSpec) -> dict[str, Any]:
        """Fields of the recipe that differ from the preset's."""
        declared = declared_recipe(spec.task, spec.preset, spec.method)
        return {
            name: value
            for name, value in spec.recipe.items()
            if value != (declared[name] if name in declared else self._usual(self._recipe_place(spec, name)))
        }
