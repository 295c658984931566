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
    "town": columns("-/c", """
        Paris/France
        Lyon/France
        Madrid/Spain
        Rome/Italy
        Naples/Italy
        Berlin/Germany
        Munich/Germany
        Tokyo/Japan
        Osaka/Japan
        Cairo/Egypt
        Lima/Peru
        Mumbai/India
        Delhi/India
        Toronto/Canada
        Chicago/the United States
        Boston/the United States
        Beijing/China
        Sydney/Australia
        Lisbon/Portugal
        Athens/Greece
    """),
    # a profession and what it does
    "work": columns("-/d", """
        novelist/writes books
        baker/makes bread
        tailor/makes clothes
        farmer/grows crops
        teacher/gives lessons
        painter/makes pictures
        pilot/flies planes
        composer/writes music
        reporter/writes news stories
        surgeon/operates on patients
        dentist/treats teeth
        judge/decides cases in court
    """),
}

TRAIN = (
    Matrix("place", ("{name} was born in {town} and now works in {town2}.", "{name} was born in {town2} and now works in {town}."),
           ("{name} was born in {town.c}.", "{name} works in {town.c}."), ("en", "ne")),
    Matrix("place", ("{firm} has its head office in {town}.", "{firm} has left its head office in {town}."),
           ("{firm} is based in {town.c}.", "{firm} is no longer based in {town}."), ("en", "ne")),
    Matrix("deal", ("{firm}, a rival of {firm2}, bought {firm3}.", "{firm2}, a rival of {firm}, bought {firm3}."),
           ("{firm3} belongs to {firm}.", "{firm3} belongs to {firm2}."), ("en", "ne")),
    Matrix("deal", ("{firm} sold its {goods} unit to {firm2}.", "{firm2} sold its {goods} unit to {firm}."),
           ("{firm2} bought a {goods} unit.", "{firm} bought a {goods} unit."), ("en", "ne")),
    Matrix("event", ("{team} beat {team2} in the final in {city}.", "{team2} beat {team} in the final in {city}."),
           ("{team} won the final.", "{team2} won the final."), ("en", "ne")),
    Matrix("event", ("The fire in {city} killed {num} people.", "The fire in {city} injured {num} people, but all survived."),
           ("People died in a fire in {city}.", "Nobody died in the fire in {city}."), ("en", "ne")),
    Matrix("work", ("{name}, a {work} from {city}, married {name2}, a {work2}.", "{name2}, a {work} from {city}, married {name}, a {work2}."),
           ("{name} is a {work}.", "{name2} is a {work}.", "{name2} {work.d}."), ("enn", "nee")),
    Matrix("plan", ("{firm} has opened a plant in {city}.", "{firm} had hoped to open a plant in {city}."),
           ("There is a {firm} plant in {city}.", "{firm} wanted to open a plant in {city}, but did not."), ("en", "ne")),
    Matrix("plan", ("{name} resigned as {role} of {firm} on {day}.", "{name} denied reports of resigning as {role} of {firm}."),
           ("{name} has left {firm}.", "{name} stays at {firm}."), ("en", "ne")),
    Matrix("amount", ("{firm} sold more {goods} this year than last year.", "{firm} sold fewer {goods} this year than last year."),
           ("Sales of {goods} at {firm} went up.", "Sales of {goods} at {firm} went down."), ("en", "ne")),
    Matrix("amount", ("{num} of the {num2} passengers on the flight from {city} were hurt.", "All passengers on the flight from {city} were unhurt."),
           ("Some passengers of the flight were hurt.", "No passenger of the flight was hurt."), ("en", "ne")),
    Matrix("speech", ("{name} told {name2} that {firm} was bankrupt.", "{name2} told {name} that {firm} was bankrupt."),
           ("{name} said that {firm} was bankrupt.", "{name2} said that {firm} was bankrupt."), ("en", "ne")),
)
DEV = (
    Matrix("place", ("{name} moved from {town} to {town2} in {month}.", "{name} moved from {town2} to {town} in {month}."),
           ("{name} now lives in {town2.c}.", "{name} has left {town2}."), ("en", "ne")),
    Matrix("deal", ("{firm} borrowed {money} million dollars from {firm2}.", "{firm2} borrowed {money} million dollars from {firm}."),
           ("{firm} owes money to {firm2}.", "{firm2} owes money to {firm}."), ("en", "ne")),
    Matrix("event", ("{name} came first in the race, ahead of {name2}.", "{name2} came first in the race, ahead of {name}."),
           ("{name} won the race.", "{name2} won the race."), ("en", "ne")),
    Matrix("work", ("{name}, who is a {work}, visited {name2}, who is a {work2}.", "{name2}, who is a {work}, visited {name}, who is a {work2}."),
           ("{name} {work.d}.", "{name2} {work.d}."), ("en", "ne")),
    Matrix("plan", ("The mayor opened {site} in {city} on {day}.", "The mayor refused to open {site} in {city} on {day}."),
           ("{site} in {city} was opened.", "{site} in {city} was not opened."), ("en", "ne")),
    Matrix("amount", ("In {month} more {good} was sold in {city} than in {city2}.", "In {month} less {good} was sold in {city} than in {city2}."),
           ("{city} bought more {good} than {city2}.", "{city2} bought more {good} than {city}."), ("en", "ne")),
    Matrix("speech", ("{name} accused {name2} of {crime}.", "{name2} accused {name} of {crime}."),
           ("{name2} was accused of {crime}.", "{name} was accused of {crime}."), ("en", "ne")),
)


def templates(split: Split) -> list[Template]:
    return [matrix.template(split, LEXICON, LETTERS, FIELDS) for matrix in (TRAIN if split == "train" else DEV)]
