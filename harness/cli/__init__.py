"""The command line: thin. What is slow to import is imported inside the command that needs it."""

# ruff: noqa: I001  (`--help` lists the commands in this order)
from harness.cli.base import app
from harness.cli import running, folders, lists, board, reproduce, results, figures, report  # noqa: F401

__all__ = ["app"]
