"""Coreference: who or what does the pronoun stand for? One word decides; each schema comes with both answers."""

from __future__ import annotations

from tasks.sources.made.frames import Lexicon, Split, Template
from tasks.sources.made.grammar import columns, plain
from tasks.sources.made.lexicon import LEXICON as COMMON
from tasks.sources.made.simple import Matrix

LETTERS = "ne"
FIELDS = ("sentence1", "sentence2")
LEXICON: Lexicon = {
    **COMMON,
    # what goes in, what it goes into
    "fit": columns(
        "-/c",
        """
        trophy/suitcase
        book/drawer
        ladder/van
        cake/box
        painting/crate
        piano/hallway
        laptop/bag
        sofa/elevator
        bottle/basket
        bicycle/trunk
        table/kitchen
        vase/cabinet
    """,
    ),
    # what both a person and a thing can be
    "both": plain(
        "dirty, wet, clean, old, heavy, small, beautiful, strange, huge, missing, cold, ugly, warm, in the way, dusty"
    ),
    # what only an animal and only a thing can be
    "feels": plain("hungry, sleepy, angry, curious, thirsty, afraid, playful, tired, excited, restless"),
    "made": plain("expensive, broken, for sale, badly made, cheap, new, out of order, handmade, antique, on loan"),
    "girl": plain("girl, woman, waitress, queen, actress, lady, princess, mother, aunt, grandmother"),
    "boy": plain("boy, man, waiter, king, actor, monk, prince, father, uncle, grandfather"),
}


def schema(kind: str, one: str, two: str, says: tuple[str, str], frames: tuple[str, str]) -> Matrix:
    """Both readings: `frames[i]` is a premise whose pronoun means `one` (i = 0) or `two`; `says[i]` what is said then."""
    hypotheses = tuple(said.replace("@", who) for said in says for who in (one, two))
    return Matrix(kind, frames, hypotheses, ("en..", "..ne"))


def pronoun(kind: str, one: tuple[str, str], two: tuple[str, str], frame: str, said: str) -> Matrix:
    """The pronoun's form decides: `one` and `two` are (noun phrase, its pronoun), `#` stands for the pronoun in `frame`.

    `said` follows the noun phrase in the hypothesis and the pronoun in the premise.
    """
    texts = [frame.replace("@1", one[0]).replace("@2", two[0]).replace("#", f"{who[1]} {said}") for who in (one, two)]
    return schema(kind, one[0], two[0], (f"@ {said}.", f"@ {said}."), (texts[0], texts[1]))


WOMAN, MAN, GIRL, BOY = ("{woman}", "she"), ("{man}", "he"), ("the {girl}", "she"), ("the {boy}", "he")
THING, PERSONS, ANIMALS = ("the {thing}", "it"), ("the {person.p}", "they"), ("the {animal.p}", "they")
TRAIN = (
    schema(
        "sense",
        "The {animal}",
        "The {thing}",
        ("@ was {feels}.", "@ was {made}."),
        (
            "The {animal} knocked over the {thing} because it was {feels}.",
            "The {animal} knocked over the {thing} because it was {made}.",
        ),
    ),
    schema(
        "sense",
        "The {animal}",
        "The {thing}",
        ("@ was {feels}.", "@ was {made}."),
        ("When the {animal} saw the {thing}, it was {feels}.", "When the {animal} saw the {thing}, it was {made}."),
    ),
    schema(
        "sense",
        "The {person.p}",
        "The {thing.p}",
        ("@ were {adjp}.", "@ were {made}."),
        (
            "The {person.p} looked for the {thing.p}, as they were {adjp}.",
            "The {person.p} looked for the {thing.p}, as they were {made}.",
        ),
    ),
    schema(
        "sense",
        "The {person.p}",
        "The {thing.p}",
        ("@ were {adjp}.", "@ were {made}."),
        (
            "The {person.p} {vo.d} the {thing.p}, but they were {adjp}.",
            "The {person.p} {vo.d} the {thing.p}, but they were {made}.",
        ),
    ),
    pronoun("thing", WOMAN, THING, "@1 washed @2 because #.", "was {both}"),
    pronoun("thing", BOY, THING, "@1 pushed @2 aside because #.", "was {both}"),
    pronoun("thing", THING, GIRL, "@1 hit @2 when #.", "was on the roof"),
    pronoun("thing", MAN, THING, "@1 kept @2 in the {room} until #.", "was {both}"),
    pronoun("thing", GIRL, THING, "@1 looked at @2; #.", "was {both}"),
    pronoun("gender", WOMAN, MAN, "@1 {vt.d} @2 because #.", "was {adjp}"),
    pronoun("gender", MAN, WOMAN, "@1 {vt.d} @2 after #.", "had {vo.n} the {thing}"),
    pronoun("gender", GIRL, BOY, "@1 met @2 at the {place}, where #.", "{vi.d}"),
    pronoun("gender", BOY, GIRL, "@1 saw @2 as #.", "{vi.d}"),
    pronoun("gender", MAN, GIRL, "@1 asked whether @2 was there, but #.", "was {adjp}"),
    pronoun("number", BOY, PERSONS, "@1 {vt.d} @2 because #.", "knew the way"),
    pronoun("number", ANIMALS, WOMAN, "@1 followed @2 until #.", "fell asleep"),
    pronoun("number", GIRL, ANIMALS, "@1 fed @2 before #.", "went home"),
    pronoun("number", PERSONS, MAN, "@1 called @2 when #.", "{vi.d}"),
    schema(
        "fit",
        "The {fit}",
        "The {fit.c}",
        ("@ was too big.", "@ was too small."),
        (
            "The {fit} did not fit into the {fit.c} because it was too big.",
            "The {fit} did not fit into the {fit.c} because it was too small.",
        ),
    ),
    schema(
        "fit",
        "The {fit}",
        "The {fit.c}",
        ("@ was too large.", "@ was not large enough."),
        (
            "We could not get the {fit} into the {fit.c} because it was too large.",
            "We could not get the {fit} into the {fit.c} because it was not large enough.",
        ),
    ),
    schema(
        "ask",
        "{woman}",
        "{woman2}",
        ("@ was curious.", "@ knew the answer."),
        ("{woman} asked {woman2} because she was curious.", "{woman} asked {woman2} because she knew the answer."),
    ),
    schema(
        "ask",
        "{man}",
        "{man2}",
        ("@ needed money.", "@ had money."),
        (
            "{man} asked {man2} for a loan because he needed money.",
            "{man} asked {man2} for a loan because he had money.",
        ),
    ),
    schema(
        "win",
        "{man}",
        "{man2}",
        ("@ was faster.", "@ was slower."),
        (
            "{man} beat {man2} in the race because he was faster.",
            "{man} beat {man2} in the race because he was slower.",
        ),
    ),
    schema(
        "win",
        "{woman}",
        "{woman2}",
        ("@ played well.", "@ played badly."),
        ("{woman} defeated {woman2} because she played well.", "{woman} defeated {woman2} because she played badly."),
    ),
)
DEV = (
    schema(
        "sense",
        "The {animal}",
        "The {thing}",
        ("@ was {feels}.", "@ was {made}."),
        (
            "The {animal} ran past the {thing} while it was {feels}.",
            "The {animal} ran past the {thing} while it was {made}.",
        ),
    ),
    schema(
        "sense",
        "The {person.p}",
        "The {thing.p}",
        ("@ were {adjp}.", "@ were {made}."),
        (
            "The {person.p} came with the {thing.p}, and they were {adjp}.",
            "The {person.p} came with the {thing.p}, and they were {made}.",
        ),
    ),
    pronoun("thing", MAN, THING, "@1 put @2 on the floor, for #.", "was {both}"),
    pronoun("thing", THING, BOY, "@1 fell on @2 while #.", "was in the {room}"),
    pronoun("thing", WOMAN, THING, "@1 noticed @2 when #.", "was {both}"),
    pronoun("gender", WOMAN, BOY, "@1 stood near @2, and #.", "was {adjp}"),
    pronoun("gender", GIRL, MAN, "@1 spoke to @2 before #.", "{vi.d}"),
    pronoun("gender", MAN, WOMAN, "@1 waited for @2 while #.", "{vi.d}"),
    pronoun("number", GIRL, PERSONS, "@1 shouted at @2 until #.", "{vi.d}"),
    pronoun("number", ANIMALS, BOY, "@1 ran past @2, and #.", "made a noise"),
    schema(
        "fit",
        "The {fit}",
        "The {fit.c}",
        ("@ was too wide.", "@ was too narrow."),
        (
            "The {fit} would not go into the {fit.c} since it was too wide.",
            "The {fit} would not go into the {fit.c} since it was too narrow.",
        ),
    ),
    schema(
        "ask",
        "{woman}",
        "{woman2}",
        ("@ was lost.", "@ knew the town."),
        (
            "{woman} asked {woman2} for the way since she was lost.",
            "{woman} asked {woman2} for the way since she knew the town.",
        ),
    ),
    schema(
        "win",
        "{man}",
        "{man2}",
        ("@ was the better player.", "@ was the weaker player."),
        (
            "{man} won the game against {man2} since he was the better player.",
            "{man} won the game against {man2} since he was the weaker player.",
        ),
    ),
)


def templates(split: Split) -> list[Template]:
    matrices = TRAIN if split == "train" else DEV
    return [
        matrix.template(split, LEXICON, LETTERS, FIELDS, [m for m in matrices if m.kind != matrix.kind], far=0.25)
        for matrix in matrices
    ]
