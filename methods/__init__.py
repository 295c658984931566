"""The registry of methods: one file a method, found by its file name. Nothing is imported until asked for."""

from methods.registry import Entry, entries, get, names

__all__ = ["Entry", "entries", "get", "names"]
