"""Paraphrase of news sentences: events with several tellings; near misses swap roles or change one fact."""

from __future__ import annotations

from tasks.sources.made.frames import Lexicon, Split, Template
from tasks.sources.made.grammar import plain
from tasks.sources.made.lexicon import LEXICON as COMMON
from tasks.sources.made.simple import Phrasings

LEXICON: Lexicon = {
    "firm": plain(
        "Norwell, Haldane, Brixton, Orvana, Kestrel, Tamworth, Lindgren, Castello, Redmont, Belmar, Sunvale, Arcadia, Pinecrest, Delmore, Graystone"
    ),
    "city": plain(
        "Boston, Lyon, Osaka, Dublin, Madrid, Oslo, Toronto, Naples, Denver, Lima, Prague, Cairo, Geneva, Perth, Vienna, Lisbon, Seattle, Athens, Bergen, Turin"
    ),
    "day": plain("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday"),
    "month": plain("January, February, March, April, May, June, July, August, September, October, November, December"),
    "pct": plain("2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 14, 15, 18, 20, 25"),
    "num": plain("12, 15, 18, 20, 24, 30, 35, 40, 45, 50, 60, 70, 80, 90, 120, 150, 200, 250, 300, 400"),
    "money": plain("2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50"),
    "name": COMMON["name"],
    "role": plain(
        "chief executive, chairman, finance director, head coach, spokesman, mayor, lead engineer, chief scientist, editor, treasurer"
    ),
    "good": plain("oil, wheat, coffee, steel, copper, sugar, cotton, gold, rice, milk"),
    "team": plain(
        "the Eagles, the Rovers, the Hawks, the Wolves, the Giants, the Pirates, the Comets, the Falcons, the Sharks, the Lions"
    ),
    "goods": plain("phones, cars, toasters, bicycles, heaters, toys, cameras, strollers, laptops, helmets"),
    "site": plain(
        "the airport, the bridge, the stadium, the museum, the tunnel, the library, the harbor, the theater, the hospital, the station"
    ),
    "crime": plain("fraud, theft, arson, bribery, perjury, smuggling, forgery, robbery"),
    "illness": plain("asthma, diabetes, migraine, measles, malaria, influenza, arthritis, hepatitis"),
    "drink": plain("coffee, tea, red wine, orange juice, milk, cocoa, beer, mineral water"),
}
FIELDS = ("sentence1", "sentence2")

TRAIN = (
    Phrasings(
        "takeover",
        (
            (
                "{firm} bought {firm2} for {money} billion dollars.",
                "{firm2} was bought by {firm} for {money} billion dollars.",
                "{firm} paid {money} billion dollars to take over {firm2}.",
                "{firm2} was sold to {firm} for {money} billion dollars.",
            ),
        ),
        swaps=(("firm", "firm2"),),
        changes=("money",),
    ),
    Phrasings(
        "shares",
        (
            (
                "Shares of {firm} rose {pct} percent on {day}.",
                "On {day}, {firm} stock climbed {pct} percent.",
                "{firm} shares gained {pct} percent on {day}.",
            ),
            (
                "Shares of {firm} fell {pct} percent on {day}.",
                "On {day}, {firm} stock dropped {pct} percent.",
                "{firm} shares lost {pct} percent on {day}.",
            ),
        ),
        changes=("pct", "day"),
    ),
    Phrasings(
        "post",
        (
            (
                "{firm} named {name} its new {role}.",
                "{name} was appointed {role} of {firm}.",
                "{firm} chose {name} as {role}.",
            ),
            (
                "{firm} dismissed its {role}, {name}.",
                "{name} was removed as {role} of {firm}.",
                "{firm} fired {role} {name}.",
            ),
        ),
        changes=("role", "name"),
    ),
    Phrasings(
        "lawsuit",
        (
            (
                "{firm} sued {firm2} over a patent.",
                "{firm2} was taken to court by {firm} over a patent.",
                "A patent suit against {firm2} was filed by {firm}.",
            ),
        ),
        swaps=(("firm", "firm2"),),
        changes=("firm",),
    ),
    Phrasings(
        "match",
        (
            (
                "{team} beat {team2} in {city} on {day}.",
                "On {day}, {team2} lost to {team} in {city}.",
                "{team2} were defeated by {team} in {city} on {day}.",
            ),
        ),
        swaps=(("team", "team2"),),
        changes=("city", "day"),
    ),
    Phrasings(
        "price",
        (
            (
                "The price of {good} went up {pct} percent in {month}.",
                "In {month}, {good} became {pct} percent more expensive.",
                "{good} prices rose by {pct} percent in {month}.",
            ),
            (
                "The price of {good} went down {pct} percent in {month}.",
                "In {month}, {good} became {pct} percent cheaper.",
                "{good} prices fell by {pct} percent in {month}.",
            ),
        ),
        changes=("pct", "good"),
    ),
    Phrasings(
        "arrest",
        (
            (
                "Police arrested {num} people in {city} on {day}.",
                "In {city}, {num} people were arrested on {day}.",
                "{num} people were taken into custody in {city} on {day}.",
            ),
            (
                "Police released {num} people in {city} on {day}.",
                "In {city}, {num} people were set free on {day}.",
                "{num} people were let go in {city} on {day}.",
            ),
        ),
        changes=("num", "city"),
    ),
    Phrasings(
        "verdict",
        (
            (
                "{name} was found guilty of {crime} in {city}.",
                "A court in {city} convicted {name} of {crime}.",
                "A {city} jury found that {name} had committed {crime}.",
            ),
            (
                "{name} was cleared of {crime} in {city}.",
                "A court in {city} acquitted {name} of {crime}.",
                "A {city} jury found that {name} had not committed {crime}.",
            ),
        ),
        changes=("crime",),
    ),
    Phrasings(
        "recall",
        (
            (
                "{firm} recalled {num} thousand {goods} in {month}.",
                "In {month}, {firm} took back {num} thousand {goods}.",
                "{num} thousand {goods} were recalled by {firm} in {month}.",
            ),
        ),
        changes=("num", "goods", "month"),
    ),
    Phrasings(
        "opening",
        (
            (
                "{site} in {city} will open in {month}.",
                "In {month}, {city} will open {site}.",
                "The opening of {site} in {city} is planned for {month}.",
            ),
            (
                "{site} in {city} will close in {month}.",
                "In {month}, {city} will shut {site}.",
                "The closure of {site} in {city} is planned for {month}.",
            ),
        ),
        changes=("month", "city"),
    ),
    Phrasings(
        "strike",
        (
            (
                "{num} workers went on strike at {firm}.",
                "At {firm}, {num} employees stopped work.",
                "A strike at {firm} was joined by {num} workers.",
            ),
            (
                "{num} workers ended a strike at {firm}.",
                "At {firm}, {num} employees went back to work.",
                "A strike at {firm} was given up by {num} workers.",
            ),
        ),
        changes=("num",),
    ),
    Phrasings(
        "praise",
        (
            (
                "{name} praised {name2} at a meeting in {city}.",
                "{name2} was praised by {name} at a meeting in {city}.",
                "At a {city} meeting, {name} spoke well of {name2}.",
            ),
            (
                "{name} criticized {name2} at a meeting in {city}.",
                "{name2} was criticized by {name} at a meeting in {city}.",
                "At a {city} meeting, {name} attacked {name2}.",
            ),
        ),
        swaps=(("name", "name2"),),
    ),
    Phrasings(
        "supply",
        (
            (
                "{firm} will supply {firm2} with {goods}.",
                "{firm2} will get its {goods} from {firm}.",
                "{firm} is to deliver {goods} to {firm2}.",
            ),
        ),
        swaps=(("firm", "firm2"),),
        changes=("goods",),
    ),
)
DEV = (
    Phrasings(
        "loan",
        (
            (
                "{firm} lent {firm2} {money} million dollars.",
                "{firm2} borrowed {money} million dollars from {firm}.",
                "A loan of {money} million dollars was given to {firm2} by {firm}.",
            ),
        ),
        swaps=(("firm", "firm2"),),
        changes=("money",),
    ),
    Phrasings(
        "jobs",
        (
            (
                "{firm} will create {num} jobs in {city}.",
                "In {city}, {firm} will hire {num} people.",
                "{num} new jobs will come to {city} thanks to {firm}.",
            ),
            (
                "{firm} will cut {num} jobs in {city}.",
                "In {city}, {firm} will lay off {num} people.",
                "{num} jobs will be lost at {firm} in {city}.",
            ),
        ),
        changes=("num", "city"),
    ),
    Phrasings(
        "debate",
        (
            (
                "{name} won the debate against {name2} on {day}.",
                "On {day}, {name2} lost the debate to {name}.",
                "{name2} was beaten by {name} in the debate on {day}.",
            ),
        ),
        swaps=(("name", "name2"),),
        changes=("day",),
    ),
    Phrasings(
        "study",
        (
            (
                "A study says {drink} lowers the risk of {illness}.",
                "{drink} makes {illness} less likely, a study found.",
                "According to a study, {drink} protects against {illness}.",
            ),
            (
                "A study says {drink} raises the risk of {illness}.",
                "{drink} makes {illness} more likely, a study found.",
                "According to a study, {drink} may cause {illness}.",
            ),
        ),
        changes=("drink", "illness"),
    ),
    Phrasings(
        "storm",
        (
            (
                "A storm left {num} thousand homes in {city} without power.",
                "In {city}, {num} thousand homes lost power in a storm.",
                "Power was cut to {num} thousand {city} homes by a storm.",
            ),
        ),
        changes=("num", "city"),
    ),
    Phrasings(
        "exports",
        (
            (
                "Exports of {good} grew by {pct} percent in {month}.",
                "In {month}, {pct} percent more {good} was sold abroad.",
                "{good} exports were up {pct} percent in {month}.",
            ),
            (
                "Exports of {good} shrank by {pct} percent in {month}.",
                "In {month}, {pct} percent less {good} was sold abroad.",
                "{good} exports were down {pct} percent in {month}.",
            ),
        ),
        changes=("good", "month"),
    ),
)


def templates(split: Split) -> list[Template]:
    events = TRAIN if split == "train" else DEV
    return [event.template(split, LEXICON, FIELDS, [o for o in events if o is not event]) for event in events]
