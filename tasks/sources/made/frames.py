"""Sentence frames and how rows are drawn from them: the one language that all made suites are written in.

A frame is a sentence with slots. `{person}` draws an item of the lexicon's class `person`, `{person2}`
another one, `{person.p}` asks for a form of the item (here the plural). `[is|are]` takes the
alternative that belongs to the row's label, `<a|b>` any alternative.

Only `Random.random()` is used: it is the one method whose sequence Python promises across versions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, Literal, TypeVar

Split = Literal["train", "dev"]
Item = Mapping[str, str]
"""Forms of one entry: "" is the base form."""
Lexicon = Mapping[str, tuple[Item, ...]]
Values = Mapping[str, Item]
T = TypeVar("T")

SLOT = re.compile(r"\{(([a-z]+)\d*)(?:\.([a-z]+))?\}")
CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")
FREE = re.compile(r"<([^<>]*\|[^<>]*)>")
ARTICLE = re.compile(r"\b([Aa]) (?=[aeiou]|hour|honest|heir)(?!uni|use|usu|one\b|once\b|eu)")
HELD_OUT = 5
"""One entry in so many of a class is kept out of train."""


@dataclass(frozen=True)
class Template:
    """A source of rows. `make(rng, label)` gives the text fields, or None if this draw came to nothing."""

    id: str
    kind: str
    make: Callable[[Random, int], Mapping[str, str] | None]
    labels: tuple[int, ...]
    """Labels that it can give."""


@dataclass(frozen=True)
class Made:
    """A row and where it came from."""

    row: Mapping[str, Any]
    template: str
    kind: str


def pick(rng: Random, options: Sequence[T]) -> T:
    """One of a non-empty sequence, each as likely as any other."""
    return options[int(rng.random() * len(options))]


def shuffled(rng: Random, items: Iterable[T]) -> list[T]:
    """A new list in random order (Fisher-Yates)."""
    result = list(items)
    for last in range(len(result) - 1, 0, -1):
        other = int(rng.random() * (last + 1))
        result[last], result[other] = result[other], result[last]
    return result


def allowed(items: Sequence[T], split: Split) -> Sequence[T]:
    """What a split may draw of a class: train goes without the last fifth, dev may use all."""
    return items[: len(items) - len(items) // HELD_OUT] if split == "train" else items


@cache
def slots(frame: str) -> tuple[tuple[str, str], ...]:
    """(slot, class) pairs of a frame in order of appearance."""
    return tuple(dict.fromkeys((m.group(1), m.group(2)) for m in SLOT.finditer(frame)))


def bind(frames: Iterable[str], lexicon: Lexicon, rng: Random, split: Split) -> dict[str, Item]:
    """An entry for each slot of the frames; slots of one class never share one. KeyError for an unknown class."""
    values: dict[str, Item] = {}
    used: dict[str, list[Item]] = {}
    for frame in frames:
        for slot, name in slots(frame):
            if slot in values:
                continue
            taken = used.setdefault(name, [])
            options = allowed(lexicon[name], split)
            item = pick(rng, options)
            while item in taken:
                item = pick(rng, options)
            taken.append(item)
            values[slot] = item
    return values


def render(frame: str, values: Values, rng: Random, label: int = 0) -> str:
    """The frame's text: slots filled, alternatives chosen, "a" made "an", first letter raised."""
    text = CHOICE.sub(lambda m: m.group(1).split("|")[label], frame)
    text = FREE.sub(lambda m: pick(rng, m.group(1).split("|")), text)
    text = SLOT.sub(lambda m: values[m.group(1)][m.group(3) or ""], text)
    text = re.sub(r"\s+", " ", text).strip()
    text = ARTICLE.sub(r"\1n ", re.sub(r" ([,.?!;])", r"\1", text))
    start = re.search(r"[A-Za-z0-9]", text)
    return text if start is None else text[: start.start()] + start.group().upper() + text[start.end() :]


def draw(
    templates: Sequence[Template], quota: Mapping[int, int], rng: Random, seen: dict[tuple[str, ...], None]
) -> list[Made]:
    """`quota[label]` new rows a label, kinds in turn and templates of a kind in turn, in random order.

    `seen` holds the texts that must not come again and is added to. Raises ValueError if the
    templates cannot give that many different rows.
    """
    made: list[Made] = []
    for label, count in quota.items():
        made += _draw_label([t for t in templates if label in t.labels], label, count, rng, seen)
    return shuffled(rng, made)


def _draw_label(
    templates: Sequence[Template], label: int, count: int, rng: Random, seen: dict[tuple[str, ...], None]
) -> list[Made]:
    kinds = {t.kind: shuffled(rng, [u for u in templates if u.kind == t.kind]) for t in templates}
    turns = {kind: 0 for kind in kinds}
    made: list[Made] = []
    failures = 0
    while len(made) < count:
        for kind in shuffled(rng, kinds):
            template = kinds[kind][turns[kind] % len(kinds[kind])]
            turns[kind] += 1
            fields = template.make(rng, label)
            key = tuple(text.lower() for text in fields.values()) if fields else ()
            if not fields or key in seen:
                failures += 1
                if failures > 50 * count:
                    raise ValueError(f"label {label}: only {len(made)} of {count} different rows could be made")
                continue
            seen[key] = None
            made.append(Made({**fields, "label": label}, template.id, kind))
            if len(made) == count:
                break
    return made


def evenly(total: int, labels: int) -> dict[int, int]:
    """`total` shared out over labels as evenly as whole numbers allow."""
    return {label: total // labels + (label < total % labels) for label in range(labels)}
