"""Training rows of a language model as questions and answers, and what all questions have in common: their template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from methods.spec import Unsupported

if TYPE_CHECKING:
    import torch

Pair = tuple[list[int], list[int]]
ALL_ASKED = "the recipe trains on whole texts, so that no question can be told from its answer; run with --mask-prompt"


def pairs(batches: Iterable[Mapping[str, torch.Tensor]]) -> list[Pair]:
    """(tokens before the first that the loss asks for, tokens from there on) of each row that asks for any, padding
    left out. Raises Unsupported if every token is asked for."""
    found: list[Pair] = []
    for batch in batches:
        columns = (batch[name].tolist() for name in ("input_ids", "attention_mask", "labels"))
        for ids, mask, labels in zip(*columns, strict=True):
            real = [(token, label) for token, kept, label in zip(ids, mask, labels, strict=True) if kept]
            start = next((at for at, (_, label) in enumerate(real) if label >= 0), len(real))
            row = [token for token, _ in real]
            if start < len(row):
                found.append((row[:start], row[start:]))
    if not any(question for question, _ in found):
        raise Unsupported(ALL_ASKED)
    return found


def template(questions: Sequence[Sequence[int]]) -> tuple[int, int]:
    """How many tokens all questions begin with, and how many they end in; no token counts as both."""
    shortest = min(map(len, questions))

    def common(lists: Sequence[Sequence[int]], most: int) -> int:
        same = takewhile(lambda tokens: len(set(tokens)) == 1, zip(*lists, strict=False))
        return min(most, sum(1 for _ in same))

    front = common(questions, shortest)
    return front, common([list(reversed(question)) for question in questions], shortest - front)
