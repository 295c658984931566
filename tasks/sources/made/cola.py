"""Acceptability: each frame is a minimal pair, `[acceptable|unacceptable]`, so that only the grammar tells them apart.

Frames stand by phenomenon, mirrored where a single word would give the label away. The phenomena are
those of the syntax textbooks that CoLA was collected from; no frame is taken from there.
"""

from __future__ import annotations

from tasks.sources.made.frames import Lexicon, Split, Template
from tasks.sources.made.grammar import columns, verbs
from tasks.sources.made.lexicon import LEXICON as COMMON
from tasks.sources.made.simple import single

LEXICON: Lexicon = {
    **COMMON,
    # verbs that need a preposition
    "vprep": columns(
        "-/d/prep",
        """
        wait/waited/for
        rely/relied/on
        look/looked/at
        listen/listened/to
        laugh/laughed/at
        talk/talked/to
        depend/depended/on
        stare/stared/at
        smile/smiled/at
        glance/glanced/at
        point/pointed/at
        shout/shouted/at
        whisper/whispered/to
        nod/nodded/at
        dream/dreamed/of
    """,
    ),
    "vput": verbs("put/put, place, set/set, lay/laid, deposit"),
    "vneed": verbs(
        "devour, destroy, admire, describe, mention, contain, repair, avoid, praise, need, keep/kept, own, inspect, obtain, greet"
    ),
}

FRAMES: dict[str, dict[Split, tuple[str, ...]]] = {
    "agreement": {
        "train": (
            "The {thing.p} [are|is] {adjt}.",
            "The {thing} [is|are] {adjt}.",
            "The {thing.p} on the {thing2} [are|is] {adjt}.",
            "[These|This] {thing.p} looked {adjt}.",
            "[This|These] {thing} looked {adjt}.",
            "{name} has [{vo.n}|{vo.g}] the {thing}.",
            "{name} did not [{vo}|{vo.g}] the {thing}.",
            "The {person} can [{vo}|{vo.g}] the {thing}.",
            "The {person} is [{vo.g}|{vo}] the {thing}.",
            "The {thing} was [{vo.n}|{vo.g}] by {name}.",
            "{name} wants [to {vo}|{vo}] the {thing}.",
            "Did {name} [{vo}|{vo.g}] the {thing}?",
        ),
        "dev": (
            "The {thing.p} in the {room} [were|was] {adjt}.",
            "The {person} {vt.d} [these|this] {person2.p} at the {place}.",
            "The {person.p} will [{vo}|{vo.g}] the {thing} {time}.",
            "The {thing.p} have been [{vo.n}|{vo.g}] by the {person}.",
            "The {person} decided [to {vo}|{vo}] the {thing}.",
            "The {person.p} are [{vo.g}|{vo}] the {thing.p}.",
        ),
    },
    "scramble": {
        "train": (
            "[The {person} {vo.d} the {thing}|The {vo.d} {person} the {thing}] {time}.",
            "[{name} put the {thing} in the {room}|{name} the put {thing} in {room} the].",
            "[There was a {thing} in the {room}|There a was {thing} the in {room}].",
            "[The {adjp} {person} met {name}|The {adjp} met {person} {name}] {time}.",
            "[{name} wants to {vo} the {thing}|{name} to wants {vo} the {thing}].",
            "[{name} and {name2} {vi.d}|{name} {name2} and {vi.d}] in the {room}.",
            "[Some of the {person.p} {vi.d}|Some the of {person.p} {vi.d}] {time}.",
            "[The {thing} was {vo.n} by {name}|The {thing} {vo.n} was {name} by] {time}.",
        ),
        "dev": (
            "[The {person} must {vo} the {thing}|The must {person} {vo} {thing} the] {time}.",
            "[One of the {thing.p} is {adjt}|One the of {thing.p} {adjt} is].",
            "[{name} tried to {vt} the {person}|{name} to tried {vt} {person} the].",
            "[The {animal} sat under the {thing}|The sat {animal} under {thing} the].",
        ),
    },
    "binding": {
        "train": (
            "{name} {vt.d} [{name.self}|{name.oself}] {time}.",
            "{name} bought [{name.self}|{name.oself}] a {adjt} {thing}.",
            "[{name} {vt.d} {name.self}|{name.self} {vt.d} {name}] at the {place}.",
            "[{name} was|{name.self} was] {adjp} {time}.",
            "[The {person.p}|The {person}] {vt.d} each other {time}.",
            "[{name} and {name2}|{name}] often {vt} each other.",
            "[The {person.p} {vt.d} each other|Each other {vt.d} the {person.p}] at the {place}.",
        ),
        "dev": (
            "{name} looked at [{name.self}|{name.oself}] in the mirror.",
            "[{name} talks to {name.self}|{name.self} talks to {name}] in the {room}.",
            "[{name} and the {person}|The {person}] talked to each other {time}.",
            "[The {person.p} know each other|Each other know the {person.p}] very well.",
        ),
    },
    "island": {
        "train": (
            "What did {name} say [that {name2} {vo.d}|the story that {name2} {vo.d}]?",
            "Which {thing} did {name} deny [that {name2} {vo.d}|the report that {name2} {vo.d}]?",
            "Who did {name} think [{name2} {vt.d}|the claim that {name2} {vt.d}]?",
            "What did {name} {vo} [with the {thing}|and the {thing}]?",
            "What did {name} leave because {name.he} [was {adjp}|{vo.d}]?",
            "Which {thing} did {name} hope [that {name2} would {vo}|the {person} who would {vo}]?",
            "Who did the {person} meet [at the {place}|and {name}]?",
            "Who did {name} want [to {vt}|the plan to {vt}]?",
        ),
        "dev": (
            "Which {thing} did {name} believe [that the {person} {vo.d}|the rumor that the {person} {vo.d}]?",
            "What did the {person} {vo} [at the {place}|or the {thing}]?",
            "Who did {name} say [{name2} would {vt}|the {person} that would {vt}]?",
            "Who did {name} visit [with the {person}|and the {person}]?",
        ),
    },
    "phrase order": {
        "train": (
            "The [{adjp} {person}|{person} {adjp}] {vi.d} in the {room}.",
            "{name} found [a {adjt} {thing}|a {thing} {adjt}] in the {room}.",
            "{name} {vo.d} [the {adjt} {thing}|{adjt} the {thing}].",
            "The {person} {vo.d} [all the {thing.p}|the all {thing.p}].",
            "[The {thing}|{thing} the] was very {adjt}.",
            "The {thing} stood [near the {thing2}|the near {thing2}].",
            "That was [a {adjt} {thing}|a {thing} {adjt}].",
            "The {person} {vi.d} [in the {room}|the in {room}].",
            "{name} gave [the {thing} to {name2}|to the {thing} {name2}].",
            "The {person} was [very {adjp}|{adjp} very] {time}.",
        ),
        "dev": (
            "In the {room} stood [a {adjt} {thing}|{adjt} a {thing}].",
            "The {thing} lay [on the {thing2}|the on {thing2}].",
            "My {person} keeps [a {adjt} {thing}|{adjt} a {thing}] in the {room}.",
            "[The {person}|{person} the] seemed too {adjp}.",
            "This is [a {adjt} {thing}|a {thing} {adjt}] from the {place}.",
        ),
    },
    "clause order": {
        "train": (
            "What [did {name}|{name} did] {vo} {time}?",
            "{name} asked which {thing} [{name2} {vo.d}|did {name2} {vo}].",
            "Why [did the {person}|the {person} did] {vo} the {thing}?",
            "When [was the {thing}|the {thing} was] {vo.n}?",
            "{name} wonders what [{name2} {vo.d}|did {name2} {vo}].",
            "The {person} [did not|not did] {vt} {name}.",
            "{name} [will not|not will] {vo} the {thing}.",
            "The {person} [is {vo.g}|{vo.g} is] the {thing}.",
            "{name} [{adv} {vo.d}|{vo.d} {adv}] the {thing}.",
            "{name} [has {vt.n}|{vt.n} has] the {person}.",
        ),
        "dev": (
            "Nobody knows which {thing} [{name} {vo.d}|did {name} {vo}].",
            "Where [did the {person}|the {person} did] {vo} the {thing}?",
            "The {person} [has not|not has] {vo.n} the {thing}.",
            "The {person.p} [were {vo.g}|{vo.g} were] the {thing.p}.",
            "When [has {name}|{name} has] {vo.n} the {thing}?",
        ),
    },
    "missing word": {
        "train": (
            "{name} put the [{thing}|] in the {room}.",
            "A very {adjp} [{person}|] {vi.d} {time}.",
            "{name} [{vo.d}|] the {thing} {time}.",
            "The {person} [{vt.d}|] {name} at the {place}.",
            "{name} sat on [the|] {thing} {time}.",
            "The {thing} [is|] {adjt}.",
            "{name} {vo.d} the {thing} of the [{person}|].",
            "The {person} was in the [{room}|] {time}.",
            "{name} {vprep.d} [{vprep.prep}|] the {person}.",
            "{name} {vneed.d} [the {thing}|] {time}.",
        ),
        "dev": (
            "The {person} found the [{thing}|] in the {room}.",
            "A {adjt} [{thing}|] fell on the {thing2}.",
            "The {person} [{vo.d}|] the {thing} at the {place}.",
            "{name} met [the|] {person} at the {place}.",
            "The {person} {vprep.d} [{vprep.prep}|] {name} at the {place}.",
        ),
    },
    "polarity": {
        "train": (
            "[Nobody|Somebody] has ever {vt.n} the {person}.",
            "[Nobody|Everybody] {vo.d} any {thing.p} {time}.",
            "[No|The] {person} has ever {vo.n} the {thing}.",
            "{name} [did not {vo}|{vo.d}] any {thing.p}.",
            "{name} [has not|has] {vo.n} the {thing} yet.",
            "[Somebody|Nobody] has already {vt.n} the {person}.",
            "{name} is [not|] {adjp} at all.",
        ),
        "dev": (
            "[Nobody|Everybody] at the {place} {vo.d} any {thing.p}.",
            "[No|Some] {person} from the {place} has ever {vt.n} {name}.",
            "The {person} [did not {vt}|{vt.d}] {name} at all.",
        ),
    },
    "gap": {
        "train": (
            "The {thing} that {name} {vo.d} [was|it was] {adjt}.",
            "The {person} that {name} {vt.d} [was|he was] {adjp}.",
            "The {person} who [{vi.d}|she {vi.d}] was {adjp}.",
            "{name} {vt.d} the {person} who [{vo.d}|she {vo.d}] the {thing}.",
            "What did {name} {vo} [{time}|the {thing} {time}]?",
            "Which {thing} did {name} {vo} [{time}|the {thing2} {time}]?",
            "Who did {name} {vt} [at the {place}|the {person} at the {place}]?",
            "Who [{vt.d}|did {vt.d}] the {person} {time}?",
        ),
        "dev": (
            "This is the {thing} that the {person} {vo.d} [{time}|it {time}].",
            "Which {thing} did the {person} {vo} [at the {place}|the {thing2} at the {place}]?",
            "The {person} who [{vo.d}|he {vo.d}] the {thing} was {adjp}.",
        ),
    },
    "comparison": {
        "train": (
            "The {person} is [more|most] {adjp} than {name}.",
            "The {person} is as {adjp} [as|than] {name}.",
            "The {thing} is [heavier|more heavier] than the {thing2}.",
            "{name} is the [oldest|older] of all the {person.p}.",
            "The {person} is more {adjp} [than|as] {name}.",
            "{name} is the [most|more] {adjp} of all the {person.p}.",
            "The {thing} is [larger|more larger] than the {thing2}.",
        ),
        "dev": (
            "No {person} is more {adjp} [than|as] {name}.",
            "The {thing} was [older|more older] than the {thing2}.",
            "The {person.p} were as {adjp} [as|than] the {person2.p}.",
            "{name} was the [most|more] {adjp} {person} in the {place}.",
        ),
    },
}


def templates(split: Split) -> list[Template]:
    return [
        single(kind, frame, split, LEXICON, flip=True) for kind, frames in FRAMES.items() for frame in frames[split]
    ]
