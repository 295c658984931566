"""Does the second sentence follow (e) from the first or not (n)? News-like relations, places, times and dealings."""

from __future__ import annotations

from tasks.sources.made.frames import Lexicon, Split, Template
from tasks.sources.made.grammar import columns
from tasks.sources.made.mrpc import LEXICON as NEWS
from tasks.sources.made.simple import Matrix

LETTERS = "en"
FIELDS = ("sentence1", "sentence2")
LEXICON: Lexicon = {
    **NEWS,
    # a town and its country, each country once
    "town": columns(
        "-/c",
        """
        Lyon/France
        Madrid/Spain
        Naples/Italy
        Munich/Germany
        Osaka/Japan
        Mumbai/India
        Toronto/Canada
        Chicago/the United States
        Shanghai/China
        Moscow/Russia
        Manchester/England
        Warsaw/Poland
        Cairo/Egypt
        Lisbon/Portugal
        Athens/Greece
        Sydney/Australia
    """,
    ),
    # a profession and what it does
    "work": columns(
        "-/d",
        """
        novelist/writes books
        baker/makes bread
        tailor/makes clothes
        farmer/grows crops
        teacher/gives lessons
        pilot/flies planes
        composer/writes music
        surgeon/operates on patients
        waiter/serves meals
        miner/digs for coal
        judge/decides cases in court
        dentist/treats teeth
        gardener/looks after plants
        detective/solves crimes
    """,
    ),
}

TRAIN = (
    Matrix(
        "place",
        ("{name} was born in {town} and now works as a {work}.", "{name}, a {work}, was born in {town}."),
        (
            "{name} was born in {town.c}.",
            "{name} {work.d}.",
            "{name} was born in {town2.c}.",
            "{name} {work2.d}.",
            "{name2} was born in {town.c}.",
        ),
        ("eennn", "eennn"),
    ),
    Matrix(
        "place",
        (
            "{firm} has moved its head office from {town} to {town2}.",
            "{firm} has moved its head office from {town2} to {town}.",
        ),
        (
            "{firm} is now based in {town.c}.",
            "{firm} is now based in {town2.c}.",
            "{firm} is now based in {town3.c}.",
            "{firm} has left {town}.",
            "{firm} has left {town2}.",
        ),
        ("nenen", "enn.e"),
    ),
    Matrix(
        "deal",
        ("{firm}, a maker of {goods}, was bought by {firm2}.", "{firm2} has bought {firm}, a maker of {goods}."),
        (
            "{firm} belongs to {firm2}.",
            "{firm} makes {goods}.",
            "{firm} belongs to {firm3}.",
            "{firm} makes {goods2}.",
            "{firm3} makes {goods}.",
        ),
        ("eennn", "eennn"),
    ),
    Matrix(
        "deal",
        ("{firm} sold its factory for {goods} to {firm2}.", "{firm2} bought the factory for {goods} from {firm}."),
        (
            "{firm2} bought a factory for {goods}.",
            "{firm2} bought a factory for {goods2}.",
            "{firm} bought a factory for {goods}.",
            "{firm} sold a factory for {goods}.",
            "{firm} sold a factory for {goods2}.",
        ),
        ("ennen", "ennen"),
    ),
    Matrix(
        "event",
        ("{team} beat {team2} in the final in {town}.", "{team2} lost the final in {town} to {team}."),
        (
            "{team} won a match in {town.c}.",
            "{team} won a match in {town2.c}.",
            "{team3} won a match in {town.c}.",
            "{team} played {team2}.",
            "{team} played {team3}.",
        ),
        ("ennen", "ennen"),
    ),
    Matrix(
        "event",
        ("A fire destroyed {site} in {town}.", "A fire near {site} in {town} did no harm."),
        (
            "A fire in {town.c} did damage.",
            "{site} was lost.",
            "There was a fire near {site2}.",
            "There was a fire in {town.c}.",
        ),
        ("eene", "nnne"),
    ),
    Matrix(
        "plan",
        ("{firm} has opened a plant in {town}.", "{firm} has given up its hopes for a plant in {town}."),
        (
            "{firm} opened a plant in {town.c}.",
            "{firm} opened a plant in {town2.c}.",
            "There will be no {firm} plant in {town.c}.",
        ),
        ("enn", "nne"),
    ),
    Matrix(
        "plan",
        ("{name} resigned as {role} of {firm} on {day}.", "{name} refused to resign as {role} of {firm} on {day}."),
        (
            "{name} has left {firm}.",
            "{name} is still {role} of {firm}.",
            "{name} worked for {firm}.",
            "{name} worked for {firm2}.",
        ),
        ("enen", "neen"),
    ),
    Matrix(
        "amount",
        ("Sales of {goods} at {firm} went up in {month}.", "Sales of {goods} at {firm} went down in {month}."),
        ("{firm} sold more {goods}.", "{firm} sold fewer {goods}.", "{firm} sells {goods}.", "{firm} sells {goods2}."),
        ("enen", "neen"),
    ),
    Matrix(
        "amount",
        (
            "{num} passengers were hurt when a train crashed in {town}.",
            "Nobody was hurt when a train crashed in {town}.",
        ),
        (
            "A train crash in {town.c} injured people.",
            "All passengers were unhurt.",
            "A train crashed in {town.c}.",
            "A train crashed in {town2.c}.",
        ),
        ("enen", "neen"),
    ),
    Matrix(
        "speech",
        ("{name} told {name2} that {firm} was bankrupt.", "{name2} heard from {name} that {firm} was bankrupt."),
        (
            "{name} spoke about {firm}.",
            "{name} spoke about {firm2}.",
            "{name3} spoke about {firm}.",
            "{name} talked to {name2}.",
            "{name} talked to {name3}.",
        ),
        ("ennen", "ennen"),
    ),
    Matrix(
        "speech",
        (
            "{name} was convicted of {crime} by a court in {town}.",
            "{name} was acquitted of {crime} by a court in {town}.",
        ),
        (
            "{name} was found guilty.",
            "{name} was found innocent.",
            "{name} stood in court in {town.c}.",
            "{name} stood in court in {town2.c}.",
            "{name} was accused of {crime}.",
            "{name} was accused of {crime2}.",
        ),
        ("enenen", "neenen"),
    ),
)
DEV = (
    Matrix(
        "place",
        ("{name}, who lives in {town}, is a {work} by trade.", "The {work} {name} has a house in {town}."),
        (
            "{name}'s home is in {town.c}.",
            "{name}'s home is in {town2.c}.",
            "{name} {work.d}.",
            "{name} {work2.d}.",
            "{name2} {work.d}.",
        ),
        ("enenn", "enenn"),
    ),
    Matrix(
        "deal",
        ("{firm} lent {firm2} {money} million dollars.", "{firm2} got a loan of {money} million dollars from {firm}."),
        (
            "{firm2} owes money to {firm}.",
            "{firm2} owes money to {firm3}.",
            "{firm} owes money to {firm2}.",
            "{firm} gave {firm2} a loan.",
        ),
        ("enne", "enne"),
    ),
    Matrix(
        "event",
        (
            "{name} won the race in {town}, ahead of {name2}.",
            "{name2} came second in the race in {town}, behind {name}.",
        ),
        (
            "{name} won a race in {town.c}.",
            "{name} won a race in {town2.c}.",
            "{name3} won a race in {town.c}.",
            "{name2} won a race in {town.c}.",
            "{name} was faster than {name2}.",
        ),
        ("ennne", "ennne"),
    ),
    Matrix(
        "plan",
        ("{site} in {town} was opened to visitors on {day}.", "{site} in {town} was closed to visitors on {day}."),
        (
            "Visitors may enter {site} in {town.c}.",
            "Visitors must stay out of {site} in {town.c}.",
            "There is work at {site2} in {town2.c}.",
            "Visitors may enter {site} in {town2.c}.",
        ),
        ("en.n", "ne.n"),
    ),
    Matrix(
        "amount",
        ("The price of {good} in {town} rose in {month}.", "The price of {good} in {town} fell in {month}."),
        (
            "People in {town.c} paid more for {good}.",
            "People in {town.c} paid less for {good}.",
            "{good} is sold in {town.c}.",
            "{good2} is sold in {town.c}.",
            "{good} is sold in {town2.c}.",
        ),
        ("enenn", "neenn"),
    ),
    Matrix(
        "speech",
        ("{name} accused {name2} of {crime} on {day}.", "On {day}, {name2} was accused of {crime} by {name}."),
        (
            "{name2} was accused of {crime}.",
            "{name2} was accused of {crime2}.",
            "{name3} was accused of {crime}.",
            "{name} accused somebody.",
            "{name3} accused somebody.",
        ),
        ("ennen", "ennen"),
    ),
)


def templates(split: Split) -> list[Template]:
    matrices = TRAIN if split == "train" else DEV
    return [
        matrix.template(split, LEXICON, LETTERS, FIELDS, [m for m in matrices if m.kind != matrix.kind], far=0.35)
        for matrix in matrices
    ]
