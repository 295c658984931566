"""Coreference: who or what does the pronoun stand for? One word decides; each schema comes with both answers."""

from __future__ import annotations

from tasks.sources.made.frames import Lexicon, Split, Template
from tasks.sources.made.grammar import columns
from tasks.sources.made.lexicon import LEXICON as COMMON
from tasks.sources.made.simple import Matrix

LETTERS = "ne"
FIELDS = ("sentence1", "sentence2")
LEXICON: Lexicon = {
    **COMMON,
    # what goes in, what it goes into
    "fit": columns("-/c", """
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
    """),
}


def schema(kind: str, one: str, two: str, says: tuple[str, str], frames: tuple[str, str]) -> Matrix:
    """Both readings: `frames[i]` is a premise whose pronoun means `one` (i = 0) or `two`; `says[i]` what is said then."""
    first, second = (frame for frame in frames)
    return Matrix(
        kind, (first, second),
        tuple(said.replace("@", who) for said in says for who in (one, two)),
        ("en..", "..ne"),
    )


SHE, HE = "{woman}", "{woman2}"
TRAIN = (
    schema("fit", "The {fit}", "The {fit.c}", ("@ was too big.", "@ was too small."),
           ("The {fit} did not fit into the {fit.c} because it was too big.", "The {fit} did not fit into the {fit.c} because it was too small.")),
    schema("fit", "The {fit}", "The {fit.c}", ("@ was too large.", "@ was not large enough."),
           ("We could not get the {fit} into the {fit.c} because it was too large.", "We could not get the {fit} into the {fit.c} because it was not large enough.")),
    schema("help", "{woman}", "{woman2}", ("@ was grateful.", "@ was kind."),
           ("{woman} thanked {woman2} because she was grateful.", "{woman} thanked {woman2} because she was kind.")),
    schema("help", "{man}", "{man2}", ("@ was strong.", "@ was weak."),
           ("{man} carried {man2}'s bags because he was strong.", "{man} carried {man2}'s bags because he was weak.")),
    schema("ask", "{woman}", "{woman2}", ("@ was curious.", "@ knew the answer."),
           ("{woman} asked {woman2} because she was curious.", "{woman} asked {woman2} because she knew the answer.")),
    schema("ask", "{man}", "{man2}", ("@ had no money.", "@ had plenty of money."),
           ("{man} asked {man2} for a loan because he had no money.", "{man} asked {man2} for a loan because he had plenty of money.")),
    schema("win", "{man}", "{man2}", ("@ was faster.", "@ was slower."),
           ("{man} beat {man2} in the race because he was faster.", "{man} beat {man2} in the race because he was slower.")),
    schema("win", "{woman}", "{woman2}", ("@ played well.", "@ played badly."),
           ("{woman} defeated {woman2} because she played well.", "{woman} defeated {woman2} because she played badly.")),
    schema("feel", "{woman}", "{woman2}", ("@ was jealous.", "@ was successful."),
           ("{woman} envied {woman2} because she was jealous.", "{woman} envied {woman2} because she was successful.")),
    schema("feel", "{man}", "{man2}", ("@ was afraid.", "@ was frightening."),
           ("{man} ran away from {man2} because he was afraid.", "{man} ran away from {man2} because he was frightening.")),
    schema("judge", "The {person}", "{man}", ("@ was angry.", "@ was lazy."),
           ("The {person} shouted at {man} because he was angry.", "The {person} shouted at {man} because he was lazy.")),
    schema("gender", "{woman}", "{man}", ("@ was {adjp}.", "@ was {adjp}."),
           ("{woman} {vt.d} {man} because she was {adjp}.", "{woman} {vt.d} {man} because he was {adjp}.")),
    schema("gender", "{man}", "{woman}", ("@ had {vo.n} the {thing}.", "@ had {vo.n} the {thing}."),
           ("{man} {vt.d} {woman} after he had {vo.n} the {thing}.", "{man} {vt.d} {woman} after she had {vo.n} the {thing}.")),
    schema("number", "The {person}", "The {person2.p}", ("@ knew the way.", "@ knew the way."),
           ("The {person} {vt.d} the {person2.p} because he knew the way.", "The {person} {vt.d} the {person2.p} because they knew the way.")),
)
DEV = (
    schema("fit", "The {fit}", "The {fit.c}", ("@ was too wide.", "@ was too narrow."),
           ("The {fit} would not go into the {fit.c} since it was too wide.", "The {fit} would not go into the {fit.c} since it was too narrow.")),
    schema("help", "{man}", "{man2}", ("@ was generous.", "@ was poor."),
           ("{man} gave {man2} some money because he was generous.", "{man} gave {man2} some money because he was poor.")),
    schema("ask", "{woman}", "{woman2}", ("@ was lost.", "@ knew the town."),
           ("{woman} asked {woman2} for the way since she was lost.", "{woman} asked {woman2} for the way since she knew the town.")),
    schema("win", "{man}", "{man2}", ("@ was the better player.", "@ was the weaker player."),
           ("{man} won the game against {man2} since he was the better player.", "{man} won the game against {man2} since he was the weaker player.")),
    schema("feel", "{woman}", "{woman2}", ("@ was impressed.", "@ was impressive."),
           ("{woman} admired {woman2} since she was impressed.", "{woman} admired {woman2} since she was impressive.")),
    schema("gender", "{woman}", "{man}", ("@ was {adjp}.", "@ was {adjp}."),
           ("{man} met {woman} at the {place} when she was {adjp}.", "{man} met {woman} at the {place} when he was {adjp}.")),
    schema("gender", "{man}", "{woman}", ("@ {vi.d}.", "@ {vi.d}."),
           ("{woman} looked at {man}, and he {vi.d}.", "{man} looked at {woman}, and she {vi.d}.")),
    schema("number", "The {person}", "The {person2.p}", ("@ {vi.d}.", "@ {vi.d}."),
           ("The {person} waited for the {person2.p}, and then she {vi.d}.", "The {person} waited for the {person2.p}, and then they {vi.d}.")),
)


def templates(split: Split) -> list[Template]:
    return [matrix.template(split, LEXICON, LETTERS, FIELDS) for matrix in (TRAIN if split == "train" else DEV)]
