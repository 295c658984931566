"""Words that several tasks share. In each class the last fifth appears in dev only (see frames.allowed)."""

from __future__ import annotations

from tasks.sources.made.frames import Lexicon
from tasks.sources.made.grammar import nouns, people, plain, verbs

WOMEN = "Anna, Maria, Susan, Emma, Laura, Julia, Alice, Clara, Helen, Nina, Ruth, Sarah, Karen, Diana, Rosa, Mary, Lucy, Jane"
MEN = "Tom, David, Peter, James, Paul, Robert, George, Henry, Daniel, Mark, Frank, Simon, Oscar, Victor, Adam, John, Bill, Kevin"

LEXICON: Lexicon = {
    "name": people(WOMEN, MEN),
    "woman": people(WOMEN, MEN)[::2],
    "man": people(WOMEN, MEN)[1::2],
    "person": nouns(
        "teacher, doctor, neighbor, lawyer, student, nurse, farmer, driver, singer, painter, child/children, guest, "
        "tourist, baker, manager, reporter, dancer, sailor, plumber, cook, soldier, banker, writer, guard, clerk"
    ),
    "thing": nouns(
        "key, lamp, chair, picture, letter, box, basket, bottle, mirror, clock, blanket, ladder, candle, cup, bag, "
        "book, coat, hammer, knife/knives, phone, plate, radio, ticket, vase, wallet"
    ),
    "room": nouns(
        "kitchen, garden, garage, hallway, attic, cellar, office, library, studio, workshop, bedroom, barn, lobby, "
        "balcony, cabin"
    ),
    "animal": nouns(
        "dog, cat, horse, goat, rabbit, parrot, pony, donkey, duck, hen, fox, wolf/wolves, mouse/mice, sheep/sheep, turtle"
    ),
    "place": nouns(
        "park, market, station, harbor, museum, school, church, theater, airport, hospital, beach, stadium, bakery, "
        "castle, farm"
    ),
    "mass": plain(
        "water, rice, milk, sand, flour, furniture, luggage, music, coffee, advice, bread, sugar, money, paint, soup"
    ),
    "vi": verbs(
        "laugh, smile, wait, sleep/slept, cry, sing/sang/sung, shout, rest, leave/left, work, dance, listen, arrive, "
        "complain, swim/swam/swum, run+/ran/run, sneeze, whisper, hesitate, fall/fell/fallen"
    ),
    "vt": verbs(
        "admire, help, follow, visit, thank, invite, call, trust, ignore, meet/met, interview, blame, support, avoid, "
        "hire, watch, teach/taught, greet, recognize, remember"
    ),
    "vo": verbs(
        "buy/bought, sell/sold, carry, clean, repair, hide/hid/hidden, drop+, paint, find/found, steal/stole/stolen, "
        "move, take/took/taken, borrow, throw/threw/thrown, choose/chose/chosen, break/broke/broken, forget+/forgot/forgotten, "
        "wash, return, bring/brought"
    ),
    "adjp": plain(
        "tired, happy, angry, nervous, polite, hungry, famous, lazy, honest, lonely, careful, cheerful, busy, proud, "
        "clever, shy, rude, calm, generous, sleepy"
    ),
    "adjt": plain(
        "old, broken, dirty, expensive, heavy, cheap, small, missing, rare, useful, ugly, dusty, wet, strange, "
        "beautiful, plain, rusty, new, huge, clean"
    ),
    "adv": plain(
        "quickly, quietly, carefully, suddenly, slowly, secretly, happily, rarely, politely, calmly, eagerly, gently"
    ),
    "time": plain(
        "yesterday, last week, on Monday, this morning, last night, on Friday, two days ago, in May, last year, at noon"
    ),
}
