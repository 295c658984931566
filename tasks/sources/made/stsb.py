"""Graded similarity 0..5 of everyday scenes, after the STS guidelines: 5 the same, 4 a detail differs,
3 something that matters differs, 2 and 1 only parts are shared, 0 nothing is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TypeVar

from tasks.sources.made.frames import Item, Lexicon, Made, Split, allowed, pick, render, shuffled
from tasks.sources.made.grammar import columns, plain

T = TypeVar("T")

LEXICON: Lexicon = {
    # person, another word for the same
    "who": columns(
        "-/s",
        """
        man/guy
        woman/lady
        boy/young boy
        chef/cook
        girl/young girl
        farmer/farm worker
        soldier/member of the army
        teacher/schoolteacher
        doctor/physician
        child/kid
    """,
    ),
    "look": plain(
        "in a red shirt, in a blue coat, with long hair, in a hat, with glasses, in a green sweater, in black"
    ),
    "when": plain("in the morning, at night, in the rain, on a sunny day, in winter, after lunch"),
}


@dataclass(frozen=True)
class Scene:
    """Something done to things: two wordings of the action, another action of the same topic, things, places."""

    action: str
    wording: str
    other: str
    things: Sequence[tuple[str, str]]
    """(name, another name)"""
    places: Sequence[str]


def scene(action: str, wording: str, other: str, things: str, places: str) -> Scene:
    pairs = tuple((a.strip(), b.strip()) for a, b in (t.split("=") for t in things.split(",")))
    return Scene(action, wording, other, pairs, tuple(p.strip() for p in places.split(",")))


SCENES: Mapping[Split, tuple[Scene, ...]] = {
    "train": (
        scene(
            "cutting",
            "slicing",
            "washing",
            "a potato=a potato, a loaf of bread=some bread, an onion=an onion, a melon=a piece of melon",
            "in a kitchen, at a table, in a restaurant",
        ),
        scene(
            "riding",
            "sitting on",
            "feeding",
            "a horse=a horse, a camel=a camel, a donkey=a donkey, an elephant=an elephant",
            "on a beach, in a field, on a farm",
        ),
        scene(
            "playing",
            "making music on",
            "repairing",
            "a guitar=a guitar, a piano=a piano, a violin=a fiddle, a drum=a drum",
            "on a stage, in the street, at home",
        ),
        scene(
            "reading",
            "looking through",
            "writing",
            "a book=a book, a letter=a letter, a newspaper=a paper, a poem=some poetry",
            "on a bench, in a library, on a train",
        ),
        scene(
            "painting",
            "putting paint on",
            "knocking down",
            "a wall=a wall, a fence=a fence, a door=a door, a shed=a hut",
            "in a garden, behind a house, near a school",
        ),
        scene(
            "driving",
            "steering",
            "washing",
            "a car=an automobile, a bus=a bus, a truck=a lorry, a tractor=a tractor",
            "on a road, in a town, on a bridge",
        ),
        scene(
            "throwing",
            "tossing",
            "picking up",
            "a ball=a ball, a stone=a rock, a stick=a stick, a frisbee=a frisbee",
            "in a park, on a field, near a lake",
        ),
        scene(
            "carrying",
            "holding",
            "opening",
            "a box=a carton, a suitcase=a travel bag, a basket=a basket, a bag=a sack",
            "on the stairs, at a station, in a hotel",
        ),
        scene(
            "petting",
            "stroking",
            "chasing",
            "a dog=a hound, a cat=a kitty, a rabbit=a bunny, a goat=a goat",
            "on a sofa, in a yard, on a porch",
        ),
        scene(
            "drinking",
            "sipping",
            "pouring",
            "some tea=a cup of tea, a glass of milk=some milk, some juice=a glass of juice, some coffee=a cup of coffee",
            "in a cafe, at a desk, in bed",
        ),
        scene(
            "building",
            "putting together",
            "breaking",
            "a table=a table, a chair=a seat, a shelf=a shelf, a cage=a cage",
            "in a garage, in a workshop, on a roof",
        ),
        scene(
            "buying",
            "paying for",
            "stealing",
            "a shirt=a shirt, a watch=a wristwatch, a lamp=a lamp, a toy=a plaything",
            "in a shop, at a market, at an airport",
        ),
        scene(
            "planting",
            "digging in",
            "watering",
            "a tree=a tree, a rose=a rose, some beans=bean plants, some flowers=flowers",
            "beside a church, in the yard, along a street",
        ),
    ),
    "dev": (
        scene(
            "cooking",
            "preparing",
            "eating",
            "some rice=rice, a fish=fish, some soup=a soup, an egg=an egg",
            "in a camp, on a boat, in a kitchen",
        ),
        scene(
            "kicking",
            "booting",
            "catching",
            "a ball=a ball, a can=a tin can, a pillow=a cushion, a bottle=a bottle",
            "in a stadium, on a street, in a hall",
        ),
        scene(
            "fixing",
            "repairing",
            "selling",
            "a bike=a bicycle, a radio=a radio, a computer=a PC, a boat=a boat",
            "in a garage, at a port, in a shop",
        ),
        scene(
            "cleaning",
            "wiping",
            "breaking",
            "a window=a window, a mirror=a mirror, a plate=a dish, a floor=a floor",
            "in an office, in a school, at home",
        ),
        scene(
            "feeding",
            "giving food to",
            "washing",
            "a baby=an infant, a cow=a cow, a pig=a hog, a parrot=a parrot",
            "on a farm, in a zoo, in a house",
        ),
    ),
}
SHELLS: Mapping[Split, tuple[str, ...]] = {
    "train": (
        "{who}{look} is {act}{when}.",
        "There is {who}{look} {act}{when}.",
        "{who}{look} was {act}{when}.",
        "Someone saw {who}{look} {act}{when}.",
    ),
    "dev": (
        "I see {who}{look} {act}{when}.",
        "Here is {who}{look} {act}{when}.",
        "The photo shows {who}{look} {act}{when}.",
    ),
}

EDITS: tuple[tuple[float, tuple[str, ...]], ...] = (
    (5.0, ("words", "shell")),
    (5.0, ("words",)),
    (4.8, ("shell",)),
    (4.2, ("drop",)),
    (3.8, ("extra",)),
    (3.2, ("who",)),
    (2.8, ("who", "extra")),
    (2.4, ("thing",)),
    (2.2, ("act",)),
    (1.8, ("thing", "who")),
    (1.4, ("act", "who")),
    (1.2, ("thing", "act")),
    (0.8, ("thing", "act", "who")),
    (0.6, ("scene", "who", "keep extra")),
    (0.4, ("scene", "extra")),
    (0.0, ("scene", "who", "extra")),
    (0.0, ("scene", "who", "extra", "shell")),
)
"""(score, what is changed): the more it matters to what happens, the lower."""


@dataclass
class Picture:
    """One scene with one detail, ready to be said."""

    who: Item
    found: Scene
    act: str
    thing: tuple[str, str]
    extra: str
    """A look (" in a hat"), or a place or time (", at night")."""


def _extra(rng: Random, split: Split, found: Scene, kind: str) -> str:
    if kind == "place":
        return ", " + pick(rng, found.places)
    return (" " if kind == "look" else ", ") + pick(rng, allowed(LEXICON[kind], split))[""]


def _other(rng: Random, options: Sequence[T], current: T) -> T:
    return pick(rng, [option for option in options if option != current])


def _picture(rng: Random, split: Split, found: Scene, kind: str) -> Picture:
    who = pick(rng, allowed(LEXICON["who"], split))
    return Picture(who, found, found.action, pick(rng, found.things), _extra(rng, split, found, kind))


def _change(rng: Random, split: Split, first: Picture, kind: str, edits: Sequence[str]) -> Picture:
    """The second picture: what is not named in `edits` stays."""
    second = replace(first)
    if "scene" in edits:
        found = _other(rng, SCENES[split], first.found)
        second = Picture(first.who, found, found.action, pick(rng, found.things), first.extra)
    if "who" in edits:
        second.who = _other(rng, allowed(LEXICON["who"], split), first.who)
    if "thing" in edits:
        second.thing = _other(rng, first.found.things, first.thing)
    if "act" in edits:
        second.act = first.found.other
    while "extra" in edits and second.extra == first.extra:
        second.extra = _extra(rng, split, second.found, kind)
    if "drop" in edits:
        second.extra = ""
    return second


def _say(rng: Random, shell: str, picture: Picture, reword: bool) -> str:
    """`reword`: the other words for action, person and thing."""
    act = picture.found.wording if reword and picture.act == picture.found.action else picture.act
    who = picture.who["s" if reword else ""]
    look, when = ("", picture.extra[1:]) if picture.extra.startswith(",") else (picture.extra, "")
    parts = {"who": f"a {who}", "look": look, "act": f"{act} {picture.thing[reword]}", "when": when}
    return render(shell.format(**parts), {}, rng)


def examples(split: Split, count: int, rng: Random, seen: dict[tuple[str, ...], None]) -> list[Made]:
    """`count` new rows, all edits in turn."""
    made: list[Made] = []
    turn = 0
    while len(made) < count:
        score, edits = EDITS[turn % len(EDITS)]
        turn += 1
        found, kind = pick(rng, SCENES[split]), pick(rng, ("look", "place", "when"))
        first = _picture(rng, split, found, kind)
        second = _change(rng, split, first, kind, edits)
        shell = pick(rng, SHELLS[split])
        other = _other(rng, SHELLS[split], shell) if "shell" in edits else shell
        reword = "words" in edits or pick(rng, (True, False, False))
        texts = shuffled(rng, [_say(rng, shell, first, False), _say(rng, other, second, reword)])
        key = tuple(text.lower() for text in texts)
        if key in seen or texts[0] == texts[1]:
            continue
        seen[key] = None
        row = {"sentence1": texts[0], "sentence2": texts[1], "label": score}
        made.append(Made(row, f"scene: {found.action}", " + ".join(edits)))
    return shuffled(rng, made)
