"""Builders of templates: a single frame, a matrix of premises and hypotheses, and phrasings that may be twisted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from tasks.sources.made.frames import Lexicon, Split, Template, Values, allowed, bind, pick, render


def single(
    kind: str, frame: str, split: Split, lexicon: Lexicon, field: str = "sentence", flip: bool = False
) -> Template:
    """One sentence whose alternatives follow the label; with `flip` the first alternative is label 1's."""

    def make(rng: Random, label: int) -> Mapping[str, str]:
        values = bind([frame], lexicon, rng, split)
        return {field: render(frame, values, rng, 1 - label if flip else label)}

    return Template(f"{kind}: {frame}", kind, make, (0, 1))


@dataclass(frozen=True)
class Matrix:
    """Premises x hypotheses with one letter a cell: `table[i][j]` says what premise i does to hypothesis j.

    A hypothesis that stands under different premises with different labels gives nothing away alone.
    """

    kind: str
    premises: Sequence[str]
    hypotheses: Sequence[str]
    table: Sequence[str]
    """One string a premise; the letters are those of the task, "." marks a cell that is not used."""

    def template(
        self,
        split: Split,
        lexicon: Lexicon,
        letters: str,
        fields: tuple[str, str],
        others: Sequence[Matrix] = (),
        far: float = 0.0,
    ) -> Template:
        """`letters[label]` is the letter of a label. A share `far` of the n cells takes a hypothesis of `others`."""
        cells = {
            label: [
                (premise, hypothesis)
                for premise, row in zip(self.premises, self.table, strict=True)
                for hypothesis, mark in zip(self.hypotheses, row, strict=True)
                if mark == letter
            ]
            for label, letter in enumerate(letters)
        }
        if any(mark not in letters + "." for row in self.table for mark in row):
            raise ValueError(f"{self.kind}: the table knows only the letters {letters} and .")

        def make(rng: Random, label: int) -> Mapping[str, str]:
            premise, hypothesis = pick(rng, cells[label])
            if letters[label] == "n" and rng.random() < far:
                hypothesis = pick(rng, pick(rng, others).hypotheses)
            values = bind([premise, hypothesis], lexicon, rng, split)
            return {fields[0]: render(premise, values, rng), fields[1]: render(hypothesis, values, rng)}

        labels = tuple(label for label, found in cells.items() if found)
        return Template(f"{self.kind}: {' | '.join(self.premises)}", self.kind, make, labels)


@dataclass(frozen=True)
class Phrasings:
    """Meanings with several phrasings each, over the same slots; what turns a restatement into a near miss."""

    kind: str
    meanings: Sequence[Sequence[str]]
    """Phrasings of one meaning stand together. Each meaning is restated and confused, so none gives a label away."""
    swaps: Sequence[tuple[str, str]] = ()
    """Pairs of slots whose exchange changes the meaning."""
    changes: Sequence[str] = ()
    """Slots whose redrawing changes the meaning."""

    def template(
        self, split: Split, lexicon: Lexicon, fields: tuple[str, str], others: Sequence[Phrasings] = ()
    ) -> Template:
        """Label 1: two phrasings of one meaning; label 0: the second's meaning is another, or one of `others`."""

        def make(rng: Random, label: int) -> Mapping[str, str] | None:
            meaning = pick(rng, self.meanings)
            first = pick(rng, meaning)
            values = bind([s for m in self.meanings for s in m], lexicon, rng, split)
            if label == 1:
                second, other = pick(rng, [s for s in meaning if s != first]), values
            elif others and pick(rng, (True, False, False)):
                second = pick(rng, pick(rng, pick(rng, others).meanings))
                other = {**bind([second], lexicon, rng, split), **values}
            else:
                second, other = self._confuse(rng, meaning, first, values, lexicon, split)
            texts = render(first, values, rng), render(second, other, rng)
            return None if texts[0] == texts[1] else dict(zip(fields, texts, strict=True))

        return Template(f"{self.kind}: {self.meanings[0][0]}", self.kind, make, (0, 1))

    def _confuse(
        self, rng: Random, meaning: Sequence[str], first: str, values: Values, lexicon: Lexicon, split: Split
    ) -> tuple[str, Values]:
        """A frame and values that do not mean the same."""
        ways: list[str | tuple[str, str]] = [*self.swaps, *self.changes]
        if len(self.meanings) > 1:
            ways += ["meaning"] * max(1, len(ways))
        way = pick(rng, ways)
        if way == "meaning":
            return pick(rng, pick(rng, [m for m in self.meanings if m is not meaning])), values
        frame, other = pick(rng, [s for s in meaning if s != first]), dict(values)
        if isinstance(way, tuple):
            other[way[0]], other[way[1]] = values[way[1]], values[way[0]]
            return frame, other
        for slot in self.changes if pick(rng, (True, False)) else (way,):
            options = allowed(lexicon[slot.rstrip("0123456789")], split)
            other[slot] = pick(rng, [item for item in options if item not in values.values()])
        return frame, other
