"""File names and anchors made of names that may hold anything."""

from __future__ import annotations

import hashlib
import re

LONGEST = 60
# "index" is a page of its own; the others are devices on Windows, whatever their ending.
TAKEN = {"index", "con", "prn", "aux", "nul", *(f"{name}{at}" for name in ("com", "lpt") for at in range(10))}


def short_hash(name: str) -> str:
    """8 hex digits; the same for the same name."""
    return hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:8]


def slug(name: str) -> str:
    """The name where it is made of a-z, 0-9 and single hyphens, else what is left of it, `--` and a hash.

    Two names never share a slug, since a name that is its own slug holds no double hyphen.
    """
    text = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:LONGEST].strip("-")
    return text if text and text == name and text not in TAKEN else f"{text or 'x'}--{short_hash(name)}"


def method_page(method: str) -> str:
    return f"methods/{slug(method)}.html"


def task_page(task: str) -> str:
    return f"tasks/{slug(task)}.html"


def run_page(key: str) -> str:
    return f"runs/{key}.html"


def record_file(key: str) -> str:
    return f"records/{key}.json"
