"""Finds tasks and suites: each module `tasks/<suite>.py` declares `TASKS` (a tuple of Task) and `SUITE`."""

from __future__ import annotations

import difflib
import importlib
from functools import cache
from pathlib import Path

from tasks.spec import Suite, Task

NOT_SUITES = {"__init__", "registry", "spec"}


@cache
def _all() -> tuple[dict[str, Task], dict[str, Suite]]:
    tasks: dict[str, Task] = {}
    found: dict[str, Suite] = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem in NOT_SUITES or path.stem.startswith("_"):
            continue
        module = importlib.import_module(f"tasks.{path.stem}")
        found[module.SUITE.name] = module.SUITE
        tasks.update({task.name: task for task in module.TASKS})
    return tasks, found


def names() -> list[str]:
    """Names of all tasks, suite by suite, in the suite's order."""
    return [name for suite in suites().values() for name in suite.tasks]


def suites() -> dict[str, Suite]:
    """Name -> suite."""
    return _all()[1]


def suite(name: str) -> Suite:
    """Raises KeyError with a sentence if there is none."""
    return _get(name, suites(), "suite")


def get(name: str) -> Task:
    """Raises KeyError with a sentence that suggests near names if there is none."""
    return _get(name, _all()[0], "task")


def _get(name, table, what):
    if name in table:
        return table[name]
    near = difflib.get_close_matches(name, list(table), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`peftbench tasks` lists them."
    raise KeyError(f"There is no {what} {name!r}; {hint}")
