"""Sentiment: `[negative|positive]` frames in which praise and blame stand under both labels.

Negation, contrast, expectation and wishes turn words round, so that counting them is not enough.
"""

from __future__ import annotations

from tasks.sources.made.frames import Lexicon, Split, Template
from tasks.sources.made.grammar import plain
from tasks.sources.made.simple import single

LEXICON: Lexicon = {
    "work": plain(
        "film, movie, novel, album, show, series, play, concert, comedy, thriller, book, documentary, musical, drama, sequel"
    ),
    "aspect": plain(
        "plot, acting, dialogue, pacing, script, ending, music, cast, camera work, story, direction, humor, opening, "
        "second half, editing, lead role, sound, premise, style, finale"
    ),
    "good": plain(
        "brilliant, funny, moving, clever, charming, gripping, fresh, delightful, witty, elegant, exciting, thoughtful, "
        "original, graceful, superb, touching, inspired, enjoyable, stunning, smart, lively, warm, wonderful, tender, impressive"
    ),
    "bad": plain(
        "dull, boring, clumsy, silly, stale, tedious, lifeless, awful, predictable, shallow, messy, weak, bland, "
        "annoying, lazy, pointless, sloppy, forced, painful, terrible, dreary, flat, ridiculous, hollow, tiresome"
    ),
    "praise": plain("masterpiece, delight, triumph, gem, joy, treat, success, pleasure, winner, marvel"),
    "blame": plain("mess, disaster, failure, bore, disappointment, chore, flop, mistake, letdown, insult"),
}

FRAMES: dict[str, dict[Split, tuple[str, ...]]] = {
    "plain": {
        "train": (
            "A [{bad}|{good}] {work} with a [{bad2}|{good2}] {aspect}.",
            "The {aspect} is [{bad}|{good}] and so is the {aspect2}.",
            "This {work} is a [{bad} {blame}|{good} {praise}].",
        ),
        "dev": (
            "From its [{bad}|{good}] {aspect} to its {aspect2}, the {work} is a [{blame}|{praise}].",
            "I found the {aspect} of this {work} [{bad}|{good}].",
        ),
    },
    "negation": {
        "train": (
            "The {aspect} is not [{good}|{bad}].",
            "There is nothing [{good}|{bad}] about the {aspect}.",
            "The {aspect} is anything but [{good}|{bad}].",
            "The {work} is never [{good}|{bad}], not even for a minute.",
            "Nobody could call this {work} [{good}|{bad}].",
            "The {work} is far from a [{praise}|{blame}].",
            "It is hardly a [{good}|{bad}] {work}.",
        ),
        "dev": (
            "The {work} does not have one [{good}|{bad}] scene.",
            "Not once does the {aspect} feel [{good}|{bad}].",
            "I would not call the {aspect} [{good}|{bad}] at all.",
            "The {work} is by no means a [{praise}|{blame}].",
        ),
    },
    "contrast": {
        "train": (
            "The {aspect} is [{good}|{bad}], but the {work} as a whole is [{bad}|{good}].",
            "Although the {aspect} is [{good}|{bad}], the {work} is [{bad}|{good}].",
            "The {work} is [{bad}|{good}], even though the {aspect} is [{good}|{bad}].",
            "Despite a [{good}|{bad}] {aspect}, it is a [{bad}|{good}] {work}.",
            "Even a [{good}|{bad}] {aspect} cannot [save|spoil] this [{bad}|{good}] {work}.",
        ),
        "dev": (
            "For all its [{good}|{bad}] {aspect}, the {work} is in the end [{bad}|{good}].",
            "The {aspect} may be [{good}|{bad}]; the {work} is [{bad}|{good}] all the same.",
            "While the {aspect} is [{good}|{bad}], the {work} remains a [{blame}|{praise}].",
        ),
    },
    "expectation": {
        "train": (
            "I expected a [{good}|{bad}] {work} and got a [{bad}|{good}] one.",
            "Friends called it [{good}|{bad}], yet I thought it was [{bad}|{good}].",
            "The trailer looked [{good}|{bad}]; the {work} itself is [{bad}|{good}].",
            "What begins as a [{praise}|{blame}] ends as a [{blame}|{praise}].",
        ),
        "dev": (
            "We had hoped for a [{praise}|{blame}], and it was a [{blame}|{praise}].",
            "Critics said the {aspect} was [{good}|{bad}], but they were wrong.",
            "After a [{good}|{bad}] first hour the {work} turns [{bad}|{good}].",
        ),
    },
    "wish": {
        "train": (
            "I wish [the|every] {aspect} had been [|this ]{good}.",
            "The {aspect} could [have been|not have been more] {good}.",
            "The {aspect} could [not have been more|easily have been] {bad}[|, but it was not].",
            "The {aspect} is [less|more] {good} than I had hoped.",
            "The {aspect} is [more|less] {bad} than I had feared.",
            "If only the {aspect} were [{good}|always so {good}]!",
        ),
        "dev": (
            "The {aspect} [should have been|is a lot] less {bad}[| than I thought].",
            "The {work} was [not half as|twice as] {good} as people say.",
            "The {work} was [twice as|not half as] {bad} as people say.",
        ),
    },
}


def templates(split: Split) -> list[Template]:
    return [single(kind, frame, split, LEXICON) for kind, frames in FRAMES.items() for frame in frames[split]]
