"""The registry of tasks and suites: every module of this folder that declares `TASKS` and `SUITE`."""

from tasks.registry import get, names, suite, suites

__all__ = ["get", "names", "suite", "suites"]
