"""Duplicate questions: one need in several wordings; near misses ask another thing about the same matter."""

from __future__ import annotations

from tasks.sources.made.frames import Lexicon, Split, Template
from tasks.sources.made.grammar import columns, plain
from tasks.sources.made.simple import Phrasings

LEXICON: Lexicon = {
    "city": plain(
        "Paris, Rome, Tokyo, Berlin, London, Chicago, Mumbai, Sydney, Dublin, Toronto, Madrid, Seoul, Cairo, Boston, Vienna"
    ),
    "lang": plain("French, German, Spanish, Japanese, Italian, Russian, Arabic, Korean, Hindi, Dutch"),
    "skill": plain("piano, guitar, chess, tennis, drums, poker, violin, golf, flute, cricket"),
    "food": plain("eggs, lentils, beans, potatoes, noodles, mushrooms, chickpeas, sausages, carrots, dumplings"),
    "device": plain("phone, laptop, tablet, camera, printer, router, television, headset, watch, monitor"),
    "pet": plain("cat, dog, rabbit, hamster, parrot, turtle, horse, goldfish, ferret, lizard"),
    "job": plain("nurse, pilot, lawyer, teacher, plumber, chef, architect, dentist, journalist, carpenter"),
    "unit": columns(
        "-/to",
        """
        miles/kilometers
        pounds/kilograms
        inches/centimeters
        gallons/liters
        acres/hectares
        ounces/grams
        feet/meters
        dollars/euros
        yards/meters
        cups/milliliters
    """,
    ),
    "plant": plain("tomatoes, roses, orchids, carrots, tulips, strawberries, ferns, peppers, lilies, herbs"),
    "body": plain("back, knee, shoulder, neck, ankle, wrist, hip, elbow, foot, jaw"),
    "app": plain("Gmail, Facebook, Netflix, Instagram, Skype, Spotify, Twitter, YouTube, Amazon, WhatsApp"),
    "stain": plain("wine, coffee, ink, grass, blood, oil, mustard, paint, chocolate, rust"),
    "cloth": plain("carpet, sofa, shirt, tablecloth, jacket, mattress, rug, curtain, dress, sheet"),
    "sport": plain("running, swimming, cycling, rowing, boxing, skiing, climbing, yoga, hiking, surfing"),
    "drug": columns("-", "aspirin\nibuprofen\nvitamin D\niron\nmelatonin\nzinc\nmagnesium\nfish oil"),
}
FIELDS = ("question1", "question2")

TRAIN = (
    Phrasings(
        "language",
        (
            (
                "How can I learn {lang} quickly?",
                "What is the fastest way to learn {lang}?",
                "How do I pick up {lang} in a short time?",
            ),
            (
                "How long does it take to learn {lang}?",
                "In what time can one learn {lang}?",
                "How many months do you need to learn {lang}?",
            ),
            (
                "Why should I learn {lang}?",
                "What are good reasons to learn {lang}?",
                "Is it worth it to learn {lang}, and why?",
            ),
        ),
        changes=("lang",),
    ),
    Phrasings(
        "skill",
        (
            (
                "What is the best age to start {skill}?",
                "How old should a child be to begin with {skill}?",
                "At what age should one take up {skill}?",
            ),
            (
                "What is the best way to get better at {skill}?",
                "How can I improve at {skill}?",
                "How do I become good at {skill}?",
            ),
        ),
        changes=("skill",),
    ),
    Phrasings(
        "cooking",
        (
            (
                "How long should I cook {food}?",
                "What is the right cooking time for {food}?",
                "How many minutes do {food} need to cook?",
            ),
            (
                "How long can I keep cooked {food}?",
                "For how many days are cooked {food} safe to eat?",
                "When do cooked {food} go bad?",
            ),
        ),
        changes=("food",),
    ),
    Phrasings(
        "flight",
        (
            (
                "What is the cheapest way to get from {city} to {city2}?",
                "How can I travel from {city} to {city2} for little money?",
                "How do I get to {city2} from {city} on a small budget?",
            ),
            (
                "What is the fastest way to get from {city} to {city2}?",
                "How can I travel from {city} to {city2} in little time?",
                "How do I get to {city2} from {city} in a hurry?",
            ),
        ),
        swaps=(("city", "city2"),),
        changes=("city2",),
    ),
    Phrasings(
        "battery",
        (
            (
                "Why does my {device} battery drain so fast?",
                "Why does the battery of my {device} run out quickly?",
                "What makes my {device} lose charge so soon?",
            ),
            (
                "Why does my {device} battery charge so slowly?",
                "Why does the battery of my {device} take hours to fill?",
                "What makes my {device} charge at a slow rate?",
            ),
        ),
        changes=("device",),
    ),
    Phrasings(
        "pet",
        (
            (
                "How do I stop my {pet} from biting?",
                "My {pet} bites. What can I do?",
                "What helps against a {pet} that bites?",
            ),
            (
                "Why does my {pet} bite?",
                "What makes a {pet} bite people?",
                "What is the reason that my {pet} bites me?",
            ),
            (
                "How often should I feed my {pet}?",
                "How many meals a day does a {pet} need?",
                "How many times a day do I give food to a {pet}?",
            ),
        ),
        changes=("pet",),
    ),
    Phrasings(
        "career",
        (
            ("How do I become a {job}?", "What does it take to be a {job}?", "What steps lead to a career as a {job}?"),
            ("How much does a {job} earn?", "What is the salary of a {job}?", "What pay can a {job} expect?"),
            ("Is it hard to be a {job}?", "How stressful is the work of a {job}?", "How tough is life as a {job}?"),
        ),
        changes=("job",),
    ),
    Phrasings(
        "units",
        (
            (
                "How do I convert {unit} to {unit.to}?",
                "What is the formula to turn {unit} into {unit.to}?",
                "I have {unit}. How do I get {unit.to}?",
            ),
            (
                "How do I convert {unit.to} to {unit}?",
                "What is the formula to turn {unit.to} into {unit}?",
                "I have {unit.to}. How do I get {unit}?",
            ),
        ),
        changes=("unit",),
    ),
    Phrasings(
        "plant",
        (
            (
                "How often should I water {plant}?",
                "How many times a week do {plant} need water?",
                "How frequently must {plant} be watered?",
            ),
            (
                "How much sun do {plant} need?",
                "How many hours of light are best for {plant}?",
                "Do {plant} need a lot of sunlight?",
            ),
        ),
        changes=("plant",),
    ),
    Phrasings(
        "pain",
        (
            ("What causes pain in the {body}?", "Why does my {body} hurt?", "What is the reason for {body} pain?"),
            (
                "What helps against pain in the {body}?",
                "How can I treat a sore {body}?",
                "What is a good cure for {body} pain?",
            ),
        ),
        changes=("body",),
    ),
    Phrasings(
        "account",
        (
            (
                "How do I delete my {app} account?",
                "How can I close my account on {app}?",
                "What is the way to remove my {app} account for good?",
            ),
            (
                "How do I recover my {app} account?",
                "How can I get back my account on {app}?",
                "What is the way to restore a lost {app} account?",
            ),
            (
                "How do I open a {app} account?",
                "How can I sign up for {app}?",
                "What is the way to create an account on {app}?",
            ),
        ),
        changes=("app",),
    ),
    Phrasings(
        "exchange",
        (
            (
                "Is {city} cheaper to live in than {city2}?",
                "Are living costs lower in {city} than in {city2}?",
                "Is {city2} more expensive to live in than {city}?",
            ),
        ),
        swaps=(("city", "city2"),),
    ),
)
DEV = (
    Phrasings(
        "stain",
        (
            (
                "How do I get {stain} out of a {cloth}?",
                "What removes {stain} stains from a {cloth}?",
                "How can I clean a {cloth} with {stain} on it?",
            ),
        ),
        changes=("stain", "cloth"),
    ),
    Phrasings(
        "sport",
        (
            (
                "Is {sport} better for losing weight than {sport2}?",
                "Does {sport} burn more fat than {sport2}?",
                "Does {sport2} burn less fat than {sport}?",
            ),
        ),
        swaps=(("sport", "sport2"),),
        changes=("sport",),
    ),
    Phrasings(
        "dose",
        (
            (
                "How much {drug} should I take a day?",
                "What is the right daily dose of {drug}?",
                "What amount of {drug} is good each day?",
            ),
            ("What are the side effects of {drug}?", "Can {drug} do any harm?", "What bad effects may {drug} have?"),
        ),
        changes=("drug",),
    ),
    Phrasings(
        "moving",
        (
            (
                "How much does it cost to move from {city} to {city2}?",
                "What is the price of a move from {city} to {city2}?",
                "What will I pay to move to {city2} from {city}?",
            ),
        ),
        swaps=(("city", "city2"),),
        changes=("city",),
    ),
    Phrasings(
        "repair",
        (
            (
                "How do I fix a {device} that does not turn on?",
                "My {device} will not start. How can I repair it?",
                "What can I do when my {device} does not switch on?",
            ),
            (
                "How do I fix a {device} that does not turn off?",
                "My {device} will not shut down. How can I repair it?",
                "What can I do when my {device} does not switch off?",
            ),
        ),
        changes=("device",),
    ),
    Phrasings(
        "visit",
        (
            (
                "What is the best month to visit {city}?",
                "When should I travel to {city}?",
                "At what time of year is {city} nicest?",
            ),
            (
                "What is the best place to stay in {city}?",
                "Where should I sleep in {city}?",
                "Which part of {city} is nicest for a stay?",
            ),
        ),
        changes=("city",),
    ),
    Phrasings(
        "interview",
        (
            (
                "What questions are asked in an interview for a {job}?",
                "What will they ask me when I apply as a {job}?",
                "Which questions should a {job} expect in an interview?",
            ),
            (
                "What clothes should I wear to an interview for a {job}?",
                "How do I dress when I apply as a {job}?",
                "Which outfit suits an interview as a {job}?",
            ),
        ),
        changes=("job",),
    ),
)


def templates(split: Split) -> list[Template]:
    needs = TRAIN if split == "train" else DEV
    return [need.template(split, LEXICON, FIELDS, [o for o in needs if o is not need]) for need in needs]
