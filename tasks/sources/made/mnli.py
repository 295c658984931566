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
    "kind": columns("-/p/h/hp/o/op", """
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
    """),
    # adjective, its opposite, a synonym, comparative, opposite comparative
    "pole": columns("-/a/s/c/ac", """
        old/new/aged/older/newer
        big/small/large/bigger/smaller
        cheap/expensive/inexpensive/cheaper/more expensive
        clean/dirty/spotless/cleaner/dirtier
        heavy/light/weighty/heavier/lighter
        empty/full/vacant/emptier/fuller
        wet/dry/soaked/wetter/drier
        strong/weak/sturdy/stronger/weaker
        loud/quiet/noisy/louder/quieter
        ugly/beautiful/unsightly/uglier/more beautiful
    """),
    # past, base, opposite past, opposite base, more general past, passive
    "act": columns("-/b/a/ab", """
        bought/buy/sold/sell
        opened/open/closed/close
        found/find/lost/lose
        broke/break/repaired/repair
        lifted/lift/dropped/drop
        kept/keep/threw away/throw away
        praised/praise/criticized/criticize
        hid/hide/showed/show
        packed/pack/unpacked/unpack
        built/build/destroyed/destroy
    """),
    "num": columns("-", "two\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\ntwelve"),
}

TRAIN = (
    Matrix("quantifier", ("All of the {person.p} {vi.d} {time}.", "None of the {person.p} {vi.d} {time}.", "Some of the {person.p} {vi.d} {time}."),
           ("Some of the {person.p} {vi.d}.", "Not one of the {person.p} {vi.d}.", "Every one of the {person.p} {vi.d}."),
           ("ec.", "cec", ".cn")),
    Matrix("quantifier", ("Every {thing} in the {room} is {pole}.", "No {thing} in the {room} is {pole}.", "Most {thing.p} in the {room} are {pole}."),
           ("Many {thing.p} in the {room} are {pole}.", "All {thing.p} in the {room} are {pole}.", "There are no {pole} {thing.p} in the {room}."),
           ("eec", "cce", "enc")),
    Matrix("kind", ("{name} {act} a {kind} {time}.", "{name} {act} a {kind.h} {time}.", "{name} never {act} a {kind.h}."),
           ("{name} {act} a {kind.h}.", "{name} {act} a {kind}.", "{name} did not {act.b} any {kind}."),
           ("eec", "enn", "cce")),
    Matrix("kind", ("There are only {kind.p} in the {room}.", "There are {kind.hp} in the {room}.", "There are no {kind.hp} in the {room}."),
           ("There are {kind.hp} in the {room}.", "There are {kind.p} in the {room}.", "There are {kind.op} in the {room}."),
           ("eec", ".nn", "ccc")),
    Matrix("opposite", ("The {thing} in the {room} is {pole}.", "The {thing} in the {room} is {pole.a}.", "The {thing2} in the {room} is {pole}."),
           ("The {thing} is {pole.s}.", "The {thing} is not {pole}."),
           ("ec", "ce", "nn")),
    Matrix("opposite", ("{name} {act} the {thing} {time}.", "{name} {act.a} the {thing} {time}.", "{name} wanted to {act.b} the {thing}."),
           ("{name} {act} the {thing}.", "{name} did not {act.b} the {thing}."),
           ("ec", "c.", "nn")),
    Matrix("detail", ("{name} {vo.d} a {adjt} {thing} in the {room}.", "{name} {vo.d} a {thing}.", "{name} {vo.d} nothing in the {room}."),
           ("{name} {vo.d} a {thing} in the {room}.", "{name} {vo.d} a {adjt} {thing}.", "{name} {vo.d} something."),
           ("eee", "nne", "c..")),
    Matrix("detail", ("The {person} {vi.d} and {vi2.d}.", "The {person} {vi.d} but did not {vi2}.", "The {person} {vi.d} or {vi2.d}."),
           ("The {person} {vi2.d}.", "The {person} {vi.d}.", "The {person} did not {vi2}."),
           ("eec", "cee", "nnn")),
    Matrix("roles", ("The {person} {vt.d} {name}.", "{name} {vt.d} the {person}.", "Nobody {vt.d} {name}."),
           ("{name} was {vt.n} by the {person}.", "The {person} was {vt.n} by {name}."),
           ("en", "ne", "c.")),
    Matrix("comparison", ("The {thing} is {pole.c} than the {thing2}.", "The {thing2} is {pole.c} than the {thing}.", "The {thing} stands beside the {thing2}."),
           ("The {thing2} is {pole.ac} than the {thing}.", "The {thing} is {pole.ac} than the {thing2}."),
           ("ec", "ce", "nn")),
    Matrix("number", ("{name} has {num} {thing.p}.", "{name} has {num2} {thing.p}.", "{name} has lost {num} {thing.p}."),
           ("{name} owns exactly {num} {thing.p}.", "{name} owns exactly {num2} {thing.p}."),
           ("ec", "ce", "nn")),
    Matrix("belief", ("{name} knows that {name2} {act} the {thing}.", "{name} thinks that {name2} {act} the {thing}.", "{name} only pretended that {name2} {act} the {thing}."),
           ("{name2} {act} the {thing}.", "{name2} did not {act.b} the {thing}."),
           ("ec", "nn", "ce")),
)
DEV = (
    Matrix("quantifier", ("Both {person.p} {vt.d} {name}.", "Neither of the two {person.p} {vt.d} {name}.", "One of the two {person.p} {vt.d} {name}."),
           ("At least one of the {person.p} {vt.d} {name}.", "Each of the two {person.p} {vt.d} {name}."),
           ("ee", "cc", "en")),
    Matrix("quantifier", ("All {animal.p} on the farm are {adjp}.", "No {animal} on the farm is {adjp}.", "Some {animal.p} on the farm are {adjp}."),
           ("There are {adjp} {animal.p} on the farm.", "Every {animal} on the farm is {adjp}."),
           ("ee", "cc", "en")),
    Matrix("kind", ("The {person} carried a {kind} to the {place}.", "The {person} carried a {kind.h} to the {place}.", "The {person} carried no {kind.h} to the {place}."),
           ("The {person} carried a {kind.h}.", "The {person} carried a {kind}."),
           ("ee", ".n", "cc")),
    Matrix("opposite", ("The {person}'s {thing} was {pole}.", "The {person}'s {thing} was {pole.a}.", "The {person} talked about a {pole} {thing}."),
           ("The {thing} of the {person} was {pole.a}.", "The {thing} of the {person} was not {pole.a}."),
           ("ce", "ec", "nn")),
    Matrix("detail", ("The {adjp} {person} {vo.d} the {thing} {time}.", "The {person} {vo.d} the {thing}.", "The {person} did not {vo} the {thing}."),
           ("The {person} {vo.d} the {thing} {time}.", "A {adjp} {person} {vo.d} the {thing}."),
           ("ee", "nn", "cc")),
    Matrix("roles", ("{name} gave {name2} a {thing}.", "{name2} gave {name} a {thing}.", "{name} never gave {name2} anything."),
           ("{name2} got a {thing} from {name}.", "{name} got a {thing} from {name2}."),
           ("en", "ne", "cn")),
    Matrix("comparison", ("{name}'s {thing} is much {pole.c} than {name2}'s.", "{name2}'s {thing} is much {pole.c} than {name}'s.", "{name} and {name2} each have a {thing}."),
           ("{name}'s {thing} is {pole.c} than that of {name2}.", "{name2}'s {thing} is {pole.c} than that of {name}."),
           ("ec", "ce", "nn")),
    Matrix("number", ("The {person} saw {num} {animal.p} at the {place}.", "The {person} saw no {animal.p} at the {place}.", "The {person} went to the {place}."),
           ("There were {animal.p} at the {place}.", "The {person} saw {num} {animal.p}."),
           ("ee", ".c", "nn")),
    Matrix("belief", ("The {person} is glad that {name} {vi.d}.", "The {person} doubts that {name} {vi.d}.", "The {person} made up the story that {name} {vi.d}."),
           ("{name} {vi.d}.", "{name} did not {vi}."),
           ("ec", "nn", "ce")),
)


def templates(split: Split) -> list[Template]:
    return [matrix.template(split, LEXICON, LETTERS, FIELDS) for matrix in (TRAIN if split == "train" else DEV)]
