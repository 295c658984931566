"""Turns plain word lists into lexicon entries with their forms; regular inflection by rule."""

from __future__ import annotations

import re

from tasks.sources.made.frames import Item


def plain(text: str) -> tuple[Item, ...]:
    """Entries separated by commas, base form only."""
    return tuple({"": word.strip()} for word in text.split(",") if word.strip())


def plural(noun: str) -> str:
    """Plural of a regular English noun."""
    if re.search(r"(s|x|z|ch|sh)$", noun):
        return noun + "es"
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + "s"


def nouns(text: str) -> tuple[Item, ...]:
    """ "dog, child/children": forms "" and p (plural)."""
    pairs = (word.strip().split("/") for word in text.split(",") if word.strip())
    return tuple({"": pair[0], "p": pair[1] if len(pair) > 1 else plural(pair[0])} for pair in pairs)


def verbs(text: str) -> tuple[Item, ...]:
    """ "walk, take/took/taken": forms "" (base), s (he walks), d (past), n (participle), g (walking).

    A verb that doubles its last consonant is written with a + ("stop+").
    """
    return tuple(_verb(word.strip()) for word in text.split(",") if word.strip())


def _verb(entry: str) -> Item:
    base, *irregular = entry.split("/")
    double = base.endswith("+")
    base = base.rstrip("+")
    head, _, rest = base.partition(" ")
    rest = f" {rest}" if rest else ""
    stem = head + head[-1] if double else head
    if head.endswith("e"):
        past, ing = head + "d", (head[:-1] if not head.endswith(("ee", "ye")) else head) + "ing"
    elif re.search(r"[^aeiou]y$", head):
        past, ing = head[:-1] + "ied", head + "ing"
    else:
        past, ing = stem + "ed", stem + "ing"
    past, participle = irregular if len(irregular) == 2 else (irregular * 2 or [past, past])
    third = plural(head) if not head.endswith("o") else head + "es"
    return {"": base, "s": third + rest, "d": past + rest, "n": participle + rest, "g": ing + rest}


def columns(names: str, text: str) -> tuple[Item, ...]:
    """Lines of forms separated by "/"; `names` gives the forms' names, "-" for the base form."""
    keys = ["" if name == "-" else name for name in names.split("/")]
    rows = (line.strip().split("/") for line in text.strip().splitlines() if line.strip())
    return tuple(dict(zip(keys, (cell.strip() for cell in row), strict=True)) for row in rows)


def people(feminine: str, masculine: str) -> tuple[Item, ...]:
    """Names or nouns with their pronouns: he, him, his, self; o* are those of the other gender. Genders alternate."""
    she = {"he": "she", "him": "her", "his": "her", "self": "herself"}
    he = {"he": "he", "him": "him", "his": "his", "self": "himself"}
    women = [{"": w.strip(), **she, **{"o" + k: v for k, v in he.items()}} for w in feminine.split(",")]
    men = [{"": w.strip(), **he, **{"o" + k: v for k, v in she.items()}} for w in masculine.split(",")]
    return tuple(entry for pair in zip(women, men, strict=True) for entry in pair)
