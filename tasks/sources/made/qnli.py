"""Question and sentence: does the sentence answer the question? All facts are invented.

A subject has several facts. A sentence that does not answer tells another fact of the same subject,
or the wanted fact of another subject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from tasks.sources.made.frames import Lexicon, Split, Template, allowed, bind, pick, render
from tasks.sources.made.grammar import plain
from tasks.sources.made.lexicon import LEXICON as COMMON

LEXICON: Lexicon = {
    "proper": plain(
        "Harlow, Medina, Ashford, Kirov, Bellamy, Tanaka, Osborne, Navarro, Winslow, Petrov, Calder, Moreau, Lindholm, Rossi, Thornton, Ellery, Varga, Stanton, Okafor, Brandt"
    ),
    "name": COMMON["name"],
    "last": plain(
        "Keller, Marsh, Donovan, Ito, Fischer, Reyes, Abbott, Novak, Hughes, Larsen, Bianchi, Cole, Dubois, Shaw, Weber"
    ),
    "year": plain(
        "1782, 1805, 1823, 1847, 1861, 1878, 1890, 1903, 1912, 1926, 1934, 1951, 1967, 1973, 1988, 1996, 2004, 2011"
    ),
    "city": plain(
        "Boston, Lyon, Osaka, Dublin, Madrid, Oslo, Toronto, Naples, Denver, Lima, Prague, Cairo, Geneva, Perth, Vienna"
    ),
    "num": plain("40, 60, 85, 90, 120, 150, 180, 200, 240, 300, 350, 420, 500, 640, 800, 900"),
    "stuff": plain("brick, glass, marble, timber, steel, granite, concrete, limestone, copper, clay"),
    "topic": plain("war, love, jazz, whales, bees, chess, trains, farming, ghosts, medicine, sailing, volcanoes"),
    "prize": plain("gold medal, book prize, film award, state prize, silver cup, music award, critics' prize"),
    "food": plain("fish, insects, berries, seeds, grass, snails, leaves, roots, fruit, worms"),
    "product": plain("shoes, pianos, tractors, clocks, engines, tents, bicycles, lamps, boats, furniture"),
}


@dataclass(frozen=True)
class Fact:
    """What sentences tell it and what questions it answers."""

    tells: Sequence[str]
    asks: Sequence[str]


@dataclass(frozen=True)
class Subject:
    """A kind of thing, named by the slot `key`, and its facts. A sentence may join a fact to another by a clause."""

    kind: str
    key: str
    facts: Sequence[Fact]
    ANSWERS = 0

    def template(self, index: int, split: Split) -> Template:
        fact, others = self.facts[index], [f for f in self.facts if f is not self.facts[index]]

        def make(rng: Random, label: int) -> Mapping[str, str]:
            question = pick(rng, fact.asks)
            told = pick(rng, fact.tells)
            values = bind([question, *(t for f in self.facts for t in f.tells)], LEXICON, rng, split)
            asked = values
            if label != self.ANSWERS:
                if pick(rng, (0, 0, 1)):
                    names = allowed(LEXICON[self.key.rstrip("0123456789")], split)
                    asked = {**values, self.key: pick(rng, [n for n in names if n not in values.values()])}
                else:
                    told = pick(rng, pick(rng, others).tells)
            return {"question": render(question, asked, rng), "sentence": render(told, values, rng)}

        return Template(f"{self.kind}: {fact.asks[0]}", self.kind, make, (0, 1))


TRAIN = (
    Subject(
        "building",
        "proper",
        (
            Fact(
                (
                    "The {proper} Hall was designed by {name} {last}.",
                    "{name} {last} drew the plans of the {proper} Hall.",
                ),
                ("Who designed the {proper} Hall?", "Which architect planned the {proper} Hall?"),
            ),
            Fact(
                ("The {proper} Hall was finished in {year}.", "Work on the {proper} Hall ended in {year}."),
                ("When was the {proper} Hall completed?", "In what year was the {proper} Hall finished?"),
            ),
            Fact(
                ("The {proper} Hall stands in the center of {city}.", "The {proper} Hall is a landmark of {city}."),
                ("In which city is the {proper} Hall?", "Where can one see the {proper} Hall?"),
            ),
            Fact(
                ("The {proper} Hall seats {num} people.", "There is room for {num} people in the {proper} Hall."),
                ("How many people fit into the {proper} Hall?", "How many seats does the {proper} Hall have?"),
            ),
            Fact(
                ("The {proper} Hall is built of {stuff}.", "The walls of the {proper} Hall are made of {stuff}."),
                ("What is the {proper} Hall made of?", "Which material was used for the {proper} Hall?"),
            ),
        ),
    ),
    Subject(
        "writer",
        "last",
        (
            Fact(
                ("{name} {last} was born in {year}.", "{name} {last} came into the world in {year}."),
                ("When was {name} {last} born?", "What is the birth year of {name} {last}?"),
            ),
            Fact(
                ("{name} {last} grew up in {city}.", "{name} {last} spent a happy childhood in {city}."),
                ("Where did {name} {last} grow up?", "In which city was {name} {last} raised?"),
            ),
            Fact(
                ("{name} {last} wrote books about {topic}.", "The novels of {name} {last} deal with {topic}."),
                ("What did {name} {last} write about?", "What is the subject of {name} {last}'s books?"),
            ),
            Fact(
                ("{name} {last} won the {prize} twice.", "The {prize} was given to {name} {last}."),
                ("Which award did {name} {last} receive?", "What did {name} {last} win?"),
            ),
            Fact(
                ("{name} {last} was married to {name2}, a dentist.", "The spouse of {name} {last} was called {name2}."),
                ("Who was {name} {last} married to?", "What was the name of {name} {last}'s spouse?"),
            ),
        ),
    ),
    Subject(
        "company",
        "proper",
        (
            Fact(
                ("The {proper} Company was founded by {name} {last}.", "{name} {last} set up the {proper} Company."),
                ("Who founded the {proper} Company?", "Who started the {proper} Company?"),
            ),
            Fact(
                ("The {proper} Company makes {product}.", "The {proper} Company is known for its {product}."),
                ("What does the {proper} Company produce?", "Which goods come from the {proper} Company?"),
            ),
            Fact(
                ("The {proper} Company has its main office in {city}.", "The {proper} Company is based in {city}."),
                ("Where are the headquarters of the {proper} Company?", "From which city is the {proper} Company run?"),
            ),
            Fact(
                ("The {proper} Company employs {num} people.", "{num} people work for the {proper} Company."),
                ("How many workers does the {proper} Company have?", "How large is the staff of the {proper} Company?"),
            ),
            Fact(
                ("The {proper} Company went bankrupt in {year}.", "The {proper} Company closed down in {year}."),
                ("When did the {proper} Company fail?", "In what year did the {proper} Company shut?"),
            ),
        ),
    ),
    Subject(
        "bird",
        "proper",
        (
            Fact(
                ("The {proper} finch feeds on {food}.", "The diet of the {proper} finch is mainly {food}."),
                ("What does the {proper} finch eat?", "What is the main food of the {proper} finch?"),
            ),
            Fact(
                (
                    "The {proper} finch was first described in {year}.",
                    "Science has known the {proper} finch since {year}.",
                ),
                ("When was the {proper} finch discovered?", "In what year was the {proper} finch first described?"),
            ),
            Fact(
                ("The {proper} finch weighs {num} grams.", "An adult {proper} finch reaches {num} grams."),
                ("How heavy is the {proper} finch?", "What is the weight of the {proper} finch?"),
            ),
            Fact(
                ("The {proper} finch nests in old trees.", "The {proper} finch builds its nest under roofs."),
                ("Where does the {proper} finch nest?", "In what place does the {proper} finch raise its young?"),
            ),
        ),
    ),
    Subject(
        "bridge",
        "proper",
        (
            Fact(
                (
                    "The {proper} Bridge is {num} meters long.",
                    "From end to end the {proper} Bridge measures {num} meters.",
                ),
                ("How long is the {proper} Bridge?", "What is the length of the {proper} Bridge?"),
            ),
            Fact(
                (
                    "The {proper} Bridge was opened by {name} {last}.",
                    "{name} {last} opened the {proper} Bridge to traffic.",
                ),
                ("Who opened the {proper} Bridge?", "Which person opened the {proper} Bridge?"),
            ),
            Fact(
                ("The {proper} Bridge collapsed in {year}.", "A flood destroyed the {proper} Bridge in {year}."),
                ("When did the {proper} Bridge collapse?", "In what year was the {proper} Bridge destroyed?"),
            ),
            Fact(
                ("The {proper} Bridge links {city} with the coast.", "Drivers reach {city} over the {proper} Bridge."),
                ("Which city does the {proper} Bridge lead to?", "Where does the {proper} Bridge go?"),
            ),
        ),
    ),
)
DEV = (
    Subject(
        "ship",
        "proper",
        (
            Fact(
                ("The steamer {proper} sank in {year}.", "In {year} the steamer {proper} went down in a storm."),
                ("When did the steamer {proper} sink?", "In what year was the steamer {proper} lost?"),
            ),
            Fact(
                ("The steamer {proper} was built in {city}.", "A shipyard in {city} built the steamer {proper}."),
                ("Where was the steamer {proper} built?", "In which city was the steamer {proper} made?"),
            ),
            Fact(
                (
                    "The captain of the steamer {proper} was {name} {last}.",
                    "{name} {last} commanded the steamer {proper}.",
                ),
                ("Who commanded the steamer {proper}?", "What was the name of the {proper}'s captain?"),
            ),
            Fact(
                (
                    "The steamer {proper} could carry {num} passengers.",
                    "The steamer {proper} had beds for {num} travelers.",
                ),
                (
                    "How many passengers did the steamer {proper} hold?",
                    "How many people could travel on the steamer {proper}?",
                ),
            ),
        ),
    ),
    Subject(
        "film",
        "topic",
        (
            Fact(
                (
                    "The film about {topic} was directed by {name} {last}.",
                    "{name} {last} was the director of the film about {topic}.",
                ),
                ("Who directed the film about {topic}?", "Who made the film about {topic}?"),
            ),
            Fact(
                ("The film about {topic} came out in {year}.", "The film about {topic} reached theaters in {year}."),
                ("When was the film about {topic} released?", "In what year did the film about {topic} come out?"),
            ),
            Fact(
                (
                    "The film about {topic} was shot in {city}.",
                    "The scenes of the film about {topic} were filmed in {city}.",
                ),
                ("Where was the film about {topic} shot?", "In which city was the film about {topic} made?"),
            ),
            Fact(
                ("The film about {topic} won the {prize}.", "A jury gave the film about {topic} the {prize}."),
                ("Which award did the film about {topic} get?", "What did the film about {topic} win?"),
            ),
        ),
    ),
    Subject(
        "statue",
        "proper",
        (
            Fact(
                ("The {proper} Statue was carved by {name} {last}.", "{name} {last} made the {proper} Statue."),
                ("Who carved the {proper} Statue?", "Which artist created the {proper} Statue?"),
            ),
            Fact(
                ("The {proper} Statue is made of {stuff}.", "The {proper} Statue was cut from a block of {stuff}."),
                ("What is the {proper} Statue made of?", "Of which material is the {proper} Statue?"),
            ),
            Fact(
                ("The {proper} Statue was stolen in {year}.", "Thieves took the {proper} Statue in {year}."),
                ("When was the {proper} Statue stolen?", "In what year did the {proper} Statue vanish?"),
            ),
            Fact(
                (
                    "The {proper} Statue weighs {num} kilograms.",
                    "The weight of the {proper} Statue is {num} kilograms.",
                ),
                ("How heavy is the {proper} Statue?", "How much does the {proper} Statue weigh?"),
            ),
        ),
    ),
)


def templates(split: Split) -> list[Template]:
    subjects = TRAIN if split == "train" else DEV
    return [subject.template(index, split) for subject in subjects for index in range(len(subject.facts))]
