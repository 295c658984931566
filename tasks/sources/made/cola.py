"""Acceptability: each frame is a minimal pair, `[acceptable|unacceptable]`, so that only the grammar tells them apart.

Frames stand by phenomenon, mirrored where a single word would give the label away. The phenomena are
those of the syntax textbooks that CoLA was collected from; no frame is taken from there.
"""

from __future__ import annotations

from tasks.sources.made.frames import Split, Template
from tasks.sources.made.lexicon import LEXICON
from tasks.sources.made.simple import single

ACCEPTABLE = 1

FRAMES: dict[str, dict[Split, tuple[str, ...]]] = {
    "agreement": {
        "train": (
            "The {thing.p} [are|is] {adjt}.",
            "The {thing} [is|are] {adjt}.",
            "The {thing.p} on the {thing2} [are|is] {adjt}.",
            "The {thing} near the {thing2.p} [is|are] {adjt}.",
            "The {person} [has|have] {vt.n} the {person2.p}.",
            "The {person.p} [have|has] {vt.n} the {person2}.",
            "The {person.p} [were|was] {adjp} {time}.",
            "The {person} [was|were] {adjp} {time}.",
            "The {person} who the {person2.p} {vt.d} [was|were] {adjp}.",
            "The {person.p} who the {person2} {vt.d} [were|was] {adjp}.",
            "Every {person} [{vt.s}|{vt}] {name}.",
            "Most {person.p} [{vt}|{vt.s}] {name}.",
        ),
        "dev": (
            "The {thing.p} in the {room} [were|was] {adjt}.",
            "The {thing} behind the {thing2.p} [was|were] {adjt}.",
            "The {person} from the {place} [{vt.s}|{vt}] the {person2.p}.",
            "The {person.p} from the {place} [{vt}|{vt.s}] the {person2}.",
            "The {animal.p} that the {person} {vo.d} [are|is] {adjt}.",
        ),
    },
    "determiner": {
        "train": (
            "[These|This] {thing.p} <look|seem> {adjt}.",
            "[This|These] {thing} <looks|seems> {adjt}.",
            "{name} {vo.d} [that|those] {thing} {time}.",
            "{name} {vo.d} [those|that] {thing.p} {time}.",
            "{name} {vo.d} [many|much] {thing.p} {time}.",
            "There was too [much|many] {mass} in the {room}.",
            "Each [{thing}|{thing.p}] in the {room} was {adjt}.",
        ),
        "dev": (
            "The {person} {vt.d} [these|this] {person2.p} at the {place}.",
            "The {person} {vt.d} [this|these] {person2} at the {place}.",
            "How [much|many] {mass} did {name} bring to the {place}?",
            "How [many|much] {thing.p} did {name} bring to the {place}?",
        ),
    },
    "binding": {
        "train": (
            "{name} {vt.d} [{name.self}|{name.oself}] {time}.",
            "{woman} said that {man} had {vt.n} [himself|herself].",
            "{man} said that {woman} had {vt.n} [herself|himself].",
            "{name}'s {person} likes [{name.him}|{name.self}].",
            "The {person.p} blamed [themselves|themself's] for the {thing}.",
            "{name} bought [{name.self}|{name.oself}] a {adjt} {thing}.",
        ),
        "dev": (
            "{name} looked at [{name.self}|{name.oself}] in the {thing}.",
            "{woman} thinks that {man} should trust [himself|herself].",
            "{man} thinks that {woman} should trust [herself|himself].",
        ),
    },
    "island": {
        "train": (
            "What did {name} say [that {name2} {vo.d}|the story that {name2} {vo.d}]?",
            "Who did {name} think [{name2} {vt.d}|the claim that {name2} {vt.d}]?",
            "What did {name} {vo} [with the {thing}|and the {thing}]?",
            "What did {name} leave [in order to {vo}|because {name.he} {vo.d}]?",
            "Which {thing} did {name} hope [that {name2} would {vo}|the {person} who would {vo}]?",
        ),
        "dev": (
            "Which {thing} did {name} believe [that the {person} {vo.d}|the rumor that the {person} {vo.d}]?",
            "What did the {person} {vo} [before the {thing}|or the {thing}]?",
            "Who did {name} say [{name2} would {vt}|the {person} that would {vt}]?",
        ),
    },
    "order": {
        "train": (
            "The [{adjp} {person}|{person} {adjp}] {vi.d} in the {room}.",
            "{name} [{adv} {vo.d}|{vo.d} {adv}] the {thing}.",
            "{name} wonders what [{name2} {vo.d}|did {name2} {vo}].",
            "[Did {name}|{name} did] {vo} the {thing} {time}?",
            "{name} {vo.d} [the {adjt} {thing}|{adjt} the {thing}].",
            "The {person} [did not|not did] {vt} {name}.",
            "The {person} {vo.d} [all the {thing.p}|the all {thing.p}].",
        ),
        "dev": (
            "Nobody knows which {thing} [{name} {vo.d}|did {name} {vo}].",
            "In the {room} stood [a {adjt} {thing}|{adjt} a {thing}].",
            "{name} [has never|never has not] {vt.n} [the {person}|{person} the].",
            "The {person} [will not|not will] {vo} the {thing}.",
        ),
    },
    "arguments": {
        "train": (
            "{name} [put the {thing} in|put in] the {room}.",
            "The {person} [{vi.d} in|{vi.d}] the {room}.",
            "{name} [relied on|relied] the {person}.",
            "{name} [told {name2}|told to {name2}] that the {thing} was {adjt}.",
            "{name} explained [to {name2}|{name2}] that the {thing} was {adjt}.",
            "The {person} devoured [the {mass}|at the {mass}] {time}.",
            "The {thing} belongs [to {name}|{name}].",
        ),
        "dev": (
            "{name} [waited for|waited] the {person} at the {place}.",
            "{name} [placed the {thing} on|placed on] the {thing2}.",
            "The {person} described [to {name}|{name}] what the {thing} looked like.",
            "The {person} [discussed|discussed about] the {thing} with {name}.",
        ),
    },
    "verb form": {
        "train": (
            "{name} has [{vo.n}|{vo}] the {thing}.",
            "{name} did not [{vo}|{vo.d}] the {thing}.",
            "The {person} can [{vo}|{vo.s}] the {thing}.",
            "The {person} is [{vo.g}|{vo}] the {thing}.",
            "The {thing} was [{vo.n}|{vo.g}] by {name}.",
            "{name} wants [to {vo}|{vo}] the {thing}.",
            "{name} enjoys [{vo.g}|{vo}] {thing.p}.",
        ),
        "dev": (
            "The {person.p} will [{vo}|{vo.d}] the {thing} {time}.",
            "The {thing.p} have been [{vo.n}|{vo.g}] by the {person}.",
            "The {person} made {name} [{vo}|{vo.g}] the {thing}.",
            "The {person} decided [to {vo}|{vo.g}] the {thing}.",
        ),
    },
    "polarity": {
        "train": (
            "[Nobody|Somebody] has ever {vt.n} the {person}.",
            "[No|The] {person} has ever {vo.n} the {thing}.",
            "{name} [did not {vo}|{vo.d}] any {thing.p}.",
            "{name} [has not|has] {vo.n} the {thing} yet.",
        ),
        "dev": (
            "[Nobody|Everybody] at the {place} {vo.d} any {thing.p}.",
            "[No|Some] {person} from the {place} has ever {vt.n} {name}.",
        ),
    },
    "gap": {
        "train": (
            "The {thing} that {name} {vo.d} [was|it was] {adjt}.",
            "{name} {vt.d} the {person} who [{vo.d}|she {vo.d}] the {thing}.",
            "What did {name} {vo} [{time}|the {thing} {time}]?",
            "Who [{vt.d}|did {vt.d}] the {person} {time}?",
            "The {person} who [{vi.d}|the {person2} {vi.d}] was {adjp}.",
        ),
        "dev": (
            "This is the {thing} that the {person} {vo.d} [{time}|it {time}].",
            "Which {thing} did the {person} {vo} [at the {place}|the {thing2} at the {place}]?",
        ),
    },
    "case": {
        "train": (
            "[He|Him] {vt.d} the {person} {time}.",
            "The {person} {vt.d} [him|he] {time}.",
            "[They|Them] {vo.d} the {thing} {time}.",
            "The {person} gave [them|they] a {thing}.",
            "[His|Him] {thing} was {adjt}.",
        ),
        "dev": (
            "{name} thinks that [she|her] {vo.d} the {thing}.",
            "The {person} from the {place} {vt.s} [us|we].",
            "[We|Us] {vo.d} the {thing} in the {room}.",
        ),
    },
    "comparison": {
        "train": (
            "The {person} is [more|most] {adjp} than {name}.",
            "The {person} is as {adjp} [as|than] {name}.",
            "The {thing} is [heavier|more heavier] than the {thing2}.",
            "{name} is the [oldest|older] of all the {person.p}.",
        ),
        "dev": (
            "No {person} is [more|as] {adjp} than {name}.",
            "The {thing} was [older|more older] than the {thing2}.",
            "The {person.p} were as {adjp} [as|than] the {person2.p}.",
        ),
    },
}


def templates(split: Split) -> list[Template]:
    return [single(kind, frame, split, LEXICON, flip=True) for kind, frames in FRAMES.items() for frame in frames[split]]
