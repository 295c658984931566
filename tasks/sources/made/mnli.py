"""Entailment (e), neutral (n), contradiction (c): matrices of premises and hypotheses by kind of inference.

Each hypothesis stands under premises that decide it differently, so that it tells nothing alone.
"""

from __future__ import annotations

from tasks.sources.made.frames import Lexicon, Split, Template
from tasks.sources.made.grammar import columns
from tasks.sources.made.lexicon import LEXICON as COMMON
from tasks.sources.made.simple import Matrix

LETTERS = "enc"
FIELDS = ("premise", "hypothesis")

LEXICON: Lexicon = {
    **COMMON,
    # a member, its plural, what it is, that plural, another member, its plural
    "kind": columns(
        "-/p/h/hp/o/op",
        """
        dog/dogs/animal/animals/cat/cats
        rose/roses/flower/flowers/tulip/tulips
        violin/violins/instrument/instruments/drum/drums
        hammer/hammers/tool/tools/saw/saws
        apple/apples/fruit/fruits/pear/pears
        truck/trucks/vehicle/vehicles/bus/buses
        sofa/sofas/piece of furniture/pieces of furniture/desk/desks
        robin/robins/bird/birds/owl/owls
        shirt/shirts/garment/garments/scarf/scarves
        novel/novels/book/books/dictionary/dictionaries
        ring/rings/piece of jewelry/pieces of jewelry/necklace/necklaces
        oak/oaks/tree/trees/pine/pines
        trout/trout/fish/fish/eel/eels
        rifle/rifles/weapon/weapons/sword/swords
        carrot/carrots/vegetable/vegetables/onion/onions
    """,
    ),
    # adjective, its opposite, a synonym, comparative, opposite comparative
    "pole": columns(
        "-/a/s/c/ac",
        """
        old/new/aged/older/newer
        big/small/large/bigger/smaller
        cheap/expensive/inexpensive/cheaper/more expensive
        clean/dirty/spotless/cleaner/dirtier
        heavy/light/weighty/heavier/lighter
        wet/dry/soaked/wetter/drier
        ugly/beautiful/unsightly/uglier/more beautiful
        rare/common/uncommon/rarer/more common
        useful/useless/handy/more useful/more useless
        simple/complicated/plain/simpler/more complicated
    """,
    ),
    # past, base, participle, opposite past, opposite participle
    "act": columns(
        "-/b/n/a/an",
        """
        bought/buy/bought/sold/sold
        accepted/accept/accepted/refused/refused
        found/find/found/lost/lost
        broke/break/broken/repaired/repaired
        lifted/lift/lifted/dropped/dropped
        kept/keep/kept/threw away/thrown away
        praised/praise/praised/criticized/criticized
        hid/hide/hidden/showed/shown
        cleaned/clean/cleaned/soiled/soiled
        built/build/built/destroyed/destroyed
    """,
    ),
    # how a person may be, and its opposite
    "state": columns(
        "-/a",
        """
        happy/sad
        rich/poor
        asleep/awake
        early/late
        sick/healthy
        guilty/innocent
        married/single
        calm/nervous
        lazy/hardworking
        sober/drunk
        famous/unknown
        friendly/hostile
    """,
    ),
    "num": columns("-", "two\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\ntwelve"),
}

TRAIN = (
    Matrix(
        "quantifier",
        (
            "All of the {person.p} {vi.d} {time}.",
            "None of the {person.p} {vi.d} {time}.",
            "Some of the {person.p} {vi.d} {time}.",
        ),
        (
            "Some of the {person.p} {vi.d}.",
            "None of the {person.p} {vi.d}.",
            "Every {person} {vi.d}.",
            "Some {person2.p} {vi.d}.",
        ),
        ("ec.n", "cecn", ".cnn"),
    ),
    Matrix(
        "quantifier",
        (
            "Every {thing} in the {room} is {adjt}.",
            "No {thing} in the {room} is {adjt}.",
            "A few {thing.p} in the {room} are {adjt}.",
        ),
        (
            "There are {adjt} {thing.p} in the {room}.",
            "All {thing.p} in the {room} are {adjt}.",
            "There are no {adjt} {thing.p} in the {room}.",
            "The {thing2.p} are {adjt}.",
        ),
        ("eecn", "ccen", "encn"),
    ),
    Matrix(
        "quantifier",
        (
            "Nobody at the {place} {vt.d} {name}.",
            "Somebody at the {place} {vt.d} {name}.",
            "Everybody at the {place} {vt.d} {name}.",
        ),
        (
            "Some people {vt.d} {name}.",
            "No one at the {place} {vt.d} {name}.",
            "All people at the {place} {vt.d} {name}.",
            "{name2} {vt.d} {name}.",
        ),
        (".ec.", "ecnn", "ece."),
    ),
    Matrix(
        "kind",
        ("{name} {act} a {kind} {time}.", "{name} {act} a {kind.h} {time}.", "{name} never {act} a {kind.h}."),
        (
            "{name} {act} a {kind.h}.",
            "{name} {act} a {kind}.",
            "{name} did not {act.b} any {kind}.",
            "{name2} {act} a {kind.h}.",
        ),
        ("eecn", "ennn", "ccen"),
    ),
    Matrix(
        "kind",
        (
            "There are only {kind.p} in the {room}.",
            "There are {kind.hp} in the {room}.",
            "There are no {kind.hp} in the {room}.",
        ),
        (
            "There are {kind.hp} in the {room}.",
            "There are {kind.p} in the {room}.",
            "There are {kind.op} in the {room}.",
            "There are no {kind.p} in the {room}.",
        ),
        ("eecc", "ennn", "ccce"),
    ),
    Matrix(
        "kind",
        (
            "The {person} gave {name} a {kind}.",
            "The {person} gave {name} a {kind.h}.",
            "The {person} gave {name} nothing.",
        ),
        (
            "{name} got a {kind.h} from the {person}.",
            "{name} got a {kind} from the {person}.",
            "{name} got nothing from the {person}.",
            "{name} got a {kind.h} from {name2}.",
        ),
        ("eecn", "encn", "ccen"),
    ),
    Matrix(
        "opposite",
        ("The {thing} in the {room} is {pole}.", "The {thing} in the {room} is {pole.a}."),
        (
            "The {thing} is {pole.s}.",
            "The {thing} is {pole.a}.",
            "The {thing} is not {pole}.",
            "The {thing2} is {pole}.",
        ),
        ("eccn", "ceen"),
    ),
    Matrix(
        "opposite",
        ("The {person} was {state} {time}.", "The {person} was {state.a} {time}."),
        (
            "The {person} was {state}.",
            "The {person} was {state.a}.",
            "The {person} was not {state}.",
            "{name} was {state}.",
        ),
        ("eccn", "ceen"),
    ),
    Matrix(
        "opposite",
        ("{name} {act} the {thing} {time}.", "{name} {act.a} the {thing} {time}."),
        (
            "The {thing} was {act.n} by {name}.",
            "The {thing} was {act.an} by {name}.",
            "{name} did not {act.b} the {thing}.",
            "{name} {act} the {thing2}.",
        ),
        ("eccn", "ce.n"),
    ),
    Matrix(
        "opposite",
        ("The {thing} is {pole.c} than the {thing2}.", "The {thing2} is {pole.c} than the {thing}."),
        (
            "The {thing2} is {pole.ac} than the {thing}.",
            "The {thing} is {pole.ac} than the {thing2}.",
            "The {thing} is {pole.c} than the {thing3}.",
        ),
        ("ecn", "cen"),
    ),
    Matrix(
        "detail",
        ("{name} {vo.d} a {adjt} {thing} in the {room}.", "{name} {vo.d} nothing in the {room}."),
        (
            "{name} {vo.d} a {thing} in the {room}.",
            "{name} {vo.d} something.",
            "{name} {vo.d} nothing in the {room}.",
            "{name} {vo.d} a {thing} with {name2}.",
        ),
        ("eecn", "c.en"),
    ),
    Matrix(
        "detail",
        (
            "The {person} {vi.d} and {vi2.d}.",
            "The {person} {vi.d} but did not {vi2}.",
            "The {person} {vi.d} or {vi2.d}.",
        ),
        (
            "The {person} {vi2.d}.",
            "The {person} {vi.d}.",
            "The {person} did not {vi2}.",
            "The {person} {vi.d} with {name}.",
        ),
        ("eecn", "ceen", "nnn."),
    ),
    Matrix(
        "detail",
        ("{name} met a {adjp} {person} at the {place}.", "{name} met no one at the {place}."),
        (
            "{name} met a {person}.",
            "{name} was alone at the {place}.",
            "{name} went to the {place}.",
            "{name} liked the {place}.",
        ),
        ("ecen", "ceen"),
    ),
    Matrix(
        "roles",
        ("The {person} {vt.d} {name} {time}.", "The {person} did not {vt} {name} {time}."),
        (
            "{name} was {vt.n} by the {person}.",
            "{name} was not {vt.n} by the {person}.",
            "The {person} was {vt.n} by {name}.",
            "{name} was {vt.n} by the {person2}.",
        ),
        ("ecnn", "cenn"),
    ),
    Matrix(
        "number",
        ("{name} has {num} {thing.p}.", "{name} has no {thing.p}."),
        (
            "{name} owns some {thing.p}.",
            "{name} does not own {thing.p}.",
            "{name} owns only {num2} {thing.p}.",
            "{name} owns {num} {thing2.p}.",
        ),
        ("eccn", "cecn"),
    ),
    Matrix(
        "number",
        ("The {person} saw {num} {animal.p} at the {place}.", "The {person} saw no {animal.p} at the {place}."),
        (
            "There were {num} {animal.p} at the {place}.",
            "The {person} saw {animal.p}.",
            "The {person} did not see any {animal.p}.",
            "The {person} saw {num} {animal2.p}.",
        ),
        ("eecn", ".cen"),
    ),
    Matrix(
        "attempt",
        (
            "{name} managed to {vo} the {thing}.",
            "{name} failed to {vo} the {thing}.",
            "{name} hopes to {vo} the {thing}.",
        ),
        ("{name} {vo.d} the {thing}.", "{name} did not {vo} the {thing}.", "{name2} {vo.d} the {thing2}."),
        ("ecn", "cen", "nnn"),
    ),
    Matrix(
        "attempt",
        (
            "The {person} was forced to {vo} the {thing}.",
            "The {person} refused to {vo} the {thing}.",
            "The {person} planned to {vo} the {thing}.",
        ),
        ("The {person} {vo.d} the {thing}.", "The {person} did not {vo} the {thing}."),
        ("ec", "ce", "nn"),
    ),
)
DEV = (
    Matrix(
        "quantifier",
        (
            "Both {person.p} {vt.d} {name}.",
            "Neither of the two {person.p} {vt.d} {name}.",
            "One of the two {person.p} {vt.d} {name}.",
        ),
        (
            "At least one of the {person.p} {vt.d} {name}.",
            "None of the {person.p} {vt.d} {name}.",
            "Both {person.p} {vt.d} {name2}.",
        ),
        ("ecn", "cen", "ecn"),
    ),
    Matrix(
        "quantifier",
        (
            "All {animal.p} on the farm are {adjp}.",
            "No {animal} on the farm is {adjp}.",
            "Several {animal.p} on the farm are {adjp}.",
        ),
        (
            "There are {adjp} {animal.p} on the farm.",
            "Every {animal} on the farm is {adjp}.",
            "None of the {animal.p} on the farm are {adjp}.",
        ),
        ("eec", "cce", "enc"),
    ),
    Matrix(
        "kind",
        (
            "The {person} carried a {kind} to the {place}.",
            "The {person} carried a {kind.h} to the {place}.",
            "The {person} carried nothing to the {place}.",
        ),
        (
            "The {person} carried a {kind.h}.",
            "The {person} carried a {kind}.",
            "The {person} did not carry a {kind}.",
            "{name} carried a {kind.h}.",
        ),
        ("eecn", "ennn", "ccen"),
    ),
    Matrix(
        "opposite",
        ("{name} has a {pole} {thing}.", "{name} has a {pole.a} {thing}."),
        (
            "{name}'s {thing} is {pole}.",
            "{name}'s {thing} is {pole.a}.",
            "{name}'s {thing} is not {pole}.",
            "{name2}'s {thing} is {pole}.",
        ),
        ("eccn", "ceen"),
    ),
    Matrix(
        "opposite",
        ("{name} came to the {place} and was {state}.", "{name} came to the {place} and was {state.a}."),
        ("{name} was {state}.", "{name} was {state.a}.", "{name} was not {state}.", "{name2} was {state}."),
        ("eccn", "ceen"),
    ),
    Matrix(
        "detail",
        (
            "The {adjp} {person} {vo.d} the {thing} in the {room}.",
            "The {person} in the {room} did not {vo} the {thing}.",
        ),
        (
            "The {person} {vo.d} the {thing}.",
            "The {person} left the {thing} alone.",
            "The {person} was in the {room}.",
            "The {person} wanted the {thing}.",
        ),
        ("e.en", "c.en"),
    ),
    Matrix(
        "roles",
        ("{name} {vt.d} the {person} at the {place}.", "{name} never {vt.d} the {person} at the {place}."),
        (
            "The {person} was {vt.n} by {name}.",
            "The {person} was not {vt.n} by {name}.",
            "{name} was {vt.n} by the {person}.",
            "The {person} was {vt.n} by {name2}.",
        ),
        ("ecnn", "c.nn"),
    ),
    Matrix(
        "number",
        ("There are {num} {thing.p} on the table.", "There are no {thing.p} on the table."),
        (
            "Some {thing.p} are on the table.",
            "No {thing.p} are on the table.",
            "Only {num2} {thing.p} are on the table.",
            "Some {thing2.p} are on the table.",
        ),
        ("eccn", "cecn"),
    ),
    Matrix(
        "attempt",
        (
            "The {person} remembered to {vo} the {thing}.",
            "The {person} forgot to {vo} the {thing}.",
            "The {person} wants to {vo} the {thing}.",
        ),
        ("The {person} {vo.d} the {thing}.", "The {person} did not {vo} the {thing}."),
        ("ec", "ce", "nn"),
    ),
)


def templates(split: Split) -> list[Template]:
    matrices = TRAIN if split == "train" else DEV
    return [
        matrix.template(split, LEXICON, LETTERS, FIELDS, [m for m in matrices if m.kind != matrix.kind], far=0.3)
        for matrix in matrices
    ]
