"""Coreference: what does the pronoun stand for? What is said of it fits one noun phrase only.

Every premise comes with two continuations, one for each reading, and every continuation with both readings.
What fits into what (`FIT`, about one row in sixteen) is meant to be hard.
"""

from __future__ import annotations

from collections.abc import Mapping

from tasks.sources.made.frames import Lexicon, Split, Template
from tasks.sources.made.grammar import columns
from tasks.sources.made.lexicon import LEXICON as COMMON
from tasks.sources.made.simple import Matrix

LETTERS = "ne"
FIELDS = ("sentence1", "sentence2")

# premises up to what is said; @1 and @2 are the noun phrases
CLAUSES: Mapping[Split, Mapping[str, tuple[str, ...]]] = {
    "train": {
        "reason": (
            "{name} noticed @1 before @2 because it was",
            "{name} looked at @1 and not at @2, as it was",
            "{name} talked about @1 and @2 because it was",
            "{name} pointed from @1 to @2, for it was",
            "We kept @1 away from @2 because it was",
            "The {person} photographed @1 behind @2, as it was",
        ),
        "scene": (
            "@1 was close to @2; it was",
            "{name} found @1 near @2, and it was",
            "@1 could be seen behind @2 while it was",
            "There was @1 beside @2, but it was",
            "We remember @1 and @2 in the {room}: it was",
            "{name} drew @1 and then @2 when it was",
        ),
    },
    "dev": {
        "reason": (
            "{name} preferred @1 to @2 since it was",
            "The {person} told me of @1 and @2, because it was",
        ),
        "scene": (
            "{name} saw @1 next to @2 although it was",
            "In the {room} were @1 and @2, and it was",
            "The {person} described @1 and @2, saying it was",
        ),
    },
}

LEXICON: Lexicon = {
    **COMMON,
    # a thing and what it is known for
    "known": columns(
        "-/x/y",
        """
        the lemon/sour/full of juice
        the knife/sharp/made for cutting
        the oven/hot/used for baking
        the fridge/cold inside/full of food
        the snail/slow/hiding in its shell
        the rocket/fast/on its way to the moon
        the novel/well written/hard to read
        the candle/lit/dripping with wax
        the dog/barking/wagging its tail
        the cat/purring/chasing a mouse
        the baby/crying/three weeks old
        the phone/ringing/out of battery
        the river/flowing/full of fish
        the rose/in bloom/full of thorns
        the clock/ticking/ten minutes slow
        the bonfire/burning/full of smoke
        the snowman/melting/made of snow
        the cake/sweet/freshly baked
        the piano/out of tune/hard to play
        the plane/landing/full of passengers
        the ship/sinking/far out at sea
        the horse/galloping/fitted with a saddle
        the canary/singing/sitting in a cage
        the cow/mooing/ready to be milked
        the hen/laying an egg/covered with feathers
        the shirt/ironed/missing a button
        the wine/red/stored in a cellar
        the bicycle/without brakes/hard to pedal
        the tree/without leaves/cut down
        the mirror/cracked/showing our faces
        the letter/stamped/written by hand
        the bee/buzzing/full of honey
        the soup/salty/served in a bowl
        the pillow/soft/stuffed with feathers
        the camera/out of focus/ready to take pictures
        the volcano/about to erupt/full of lava
        the key/too big for the lock/hanging on a ring
        the lion/roaring/king of the jungle
        the train/late/leaving the station
        the umbrella/open in the rain/dripping wet
    """,
    ),
    # what goes in, what it goes into
    "fit": columns(
        "-/c",
        """
        trophy/suitcase
        book/drawer
        ladder/van
        cake/box
        painting/crate
        laptop/bag
        sofa/elevator
        bottle/basket
        bicycle/trunk
        vase/cabinet
    """,
    ),
}


def schema(kind: str, one: str, two: str, says: tuple[str, str], frames: tuple[str, str]) -> Matrix:
    """Both readings: in `frames[i]` the pronoun means `one` (i = 0) or `two`, and `says[i]` is said of it."""
    hypotheses = tuple(f"{who} {said}." for said in says for who in (one, two))
    return Matrix(kind, frames, hypotheses, ("en..", "..ne"))


def sense(kind: str, clause: str, form: str) -> Matrix:
    """Only one of the two is known for what is said."""
    start = clause.replace("@1", "{known}").replace("@2", "{known2}")
    says = f"was {{known.{form}}}", f"was {{known2.{form}}}"
    premises = tuple(f"{start} {said.removeprefix('was ')}." for said in says)
    return schema(kind, "{known}", "{known2}", says, premises)


FIT: Mapping[Split, Matrix] = {
    "train": schema(
        "reason",
        "the {fit}",
        "the {fit.c}",
        ("was too big", "was too small"),
        (
            "The {fit} did not fit into the {fit.c} because it was too big.",
            "The {fit} did not fit into the {fit.c} because it was too small.",
        ),
    ),
    "dev": schema(
        "reason",
        "the {fit}",
        "the {fit.c}",
        ("was too wide", "was too narrow"),
        (
            "The {fit} would not go into the {fit.c} since it was too wide.",
            "The {fit} would not go into the {fit.c} since it was too narrow.",
        ),
    ),
}


def templates(split: Split) -> list[Template]:
    matrices = [
        sense(kind, clause, form) for kind, clauses in CLAUSES[split].items() for clause in clauses for form in "xy"
    ]
    matrices.append(FIT[split])
    return [
        matrix.template(split, LEXICON, LETTERS, FIELDS, [m for m in matrices if m is not matrix], far=0.3)
        for matrix in matrices
    ]
