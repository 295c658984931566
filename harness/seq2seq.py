"""Text tasks on an encoder-decoder: the encoder reads the prompt, the decoder is asked for what follows it.

Each text has its own special tokens, as the tokenizer puts them (T5: an end of text behind both), the pads of both
stand on the right, and the decoder begins with the model's start token. As T5 was trained, Raffel et al. 2019,
https://arxiv.org/abs/1910.10683.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from harness.data import IGNORED, Batch, Targets, parts_of
from harness.text import Choices, Questions, Texts, before_option
from methods.spec import Unsupported
from tasks.spec import Recipe, Rows, Task

TRIED = {"t5", "mt5"}
"""Types of encoder-decoders that the tests hold generation, likelihoods and methods on: T5 and T5 v1.1 (FLAN-T5, mT5)"""


@dataclass(frozen=True)
class Pairs(Texts):
    """What an encoder-decoder trains on. The loss is over targets alone: a prompt is never predicted."""

    start: int = 0
    """the decoder's first token"""

    def collate(self, index: list[int]) -> Batch:
        """The decoder is given the start token and the target up to its last token but one."""
        prompts, targets = [self.prompts[i] for i in index], [self.targets[i] for i in index]
        ids, mask = _padded(prompts, self.pad)
        labels, _ = _padded(targets, IGNORED)
        given, _ = _padded([[self.start, *target[:-1]] for target in targets], self.pad)
        inputs = {"input_ids": ids, "attention_mask": mask, "decoder_input_ids": given}
        return Batch(inputs, labels, sum(map(len, (*prompts, *targets))), index, Targets.at_their_place(labels))


def _padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(ids, mask), each (rows, longest), longest at least 1."""
    longest = max(1, *map(len, rows))
    ids = np.full((len(rows), longest), pad, dtype=np.int64)
    mask = np.zeros((len(rows), longest), dtype=np.int64)
    for at, row in enumerate(rows):
        ids[at, : len(row)], mask[at, : len(row)] = row, 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def decoder_start(model: nn.Module) -> int | None:
    """The token that the decoder begins with, as the model's config says; None if it does not."""
    for config in (model.config, getattr(model, "generation_config", None)):
        start = getattr(config, "decoder_start_token_id", None)
        if start is not None:
            return start
    return None


def start_of(model: nn.Module, recipe: Recipe) -> int | None:
    """The decoder's first token; None for a causal language model.

    Raises Unsupported for an encoder-decoder that was not tried, or for a loss that it cannot have.
    """
    config = model.config
    if not getattr(config, "is_encoder_decoder", False):
        return None
    if config.model_type not in TRIED:
        raise Unsupported(
            f"encoder-decoders of the type {config.model_type} were not tried; those tried are {', '.join(sorted(TRIED))}"
        )
    if not recipe.mask_prompt:
        raise Unsupported(
            "the recipe's loss covers the prompt too, which an encoder-decoder reads and never predicts; "
            "--mask-prompt asks for the answer alone"
        )
    start = decoder_start(model)
    if start is None:
        raise Unsupported("the model's config.json names no decoder_start_token_id, which the answer begins with")
    return start


def _targets(tokenizer: Any, texts: Sequence[str], limit: int) -> tuple[list[list[int]], list[bool]]:
    """Token ids with an end of text, cut on the right to `limit` tokens; whether each was cut."""
    found = [list(ids) for ids in tokenizer(text_target=list(texts))["input_ids"]]
    end = tokenizer.eos_token_id
    found = [ids if ids[-1:] == [end] else [*ids, end] for ids in found]
    return [ids[:limit] for ids in found], [len(ids) > limit for ids in found]


def _prompts(tokenizer: Any, texts: Sequence[str], limit: int, left: bool) -> tuple[list[list[int]], list[bool]]:
    """Token ids cut to `limit` tokens, on the left or by the tokenizer, which keeps the end of text; whether each was
    cut."""
    whole = [list(ids) for ids in tokenizer(list(texts))["input_ids"]]
    cut = [len(ids) > limit for ids in whole]
    if left:
        return [ids[-limit:] for ids in whole], cut
    if any(cut):
        whole = [list(ids) for ids in tokenizer(list(texts), truncation=True, max_length=limit)["input_ids"]]
    return whole, cut


def encode_training(task: Task, rows: Rows, tokenizer: Any, limit: int, start: int) -> Pairs:
    """Prompt and target of each row, at most `limit` tokens each. A prompt is cut on the right, that of a choice, whose
    question comes last, on the left, as `encode_choices` does."""
    if task.kind == "choice":
        given = [before_option(task, row, row["label"]) for row in rows]
    else:
        given = [(task.prompt.format_map(row), task.target.format_map(row).lstrip()) for row in rows]
    texts, answers = zip(*given, strict=True)
    prompts, short = _prompts(tokenizer, texts, limit, task.kind == "choice")
    targets, cut = _targets(tokenizer, answers, limit)
    truncated = sum(a or b for a, b in zip(short, cut, strict=True))
    return Pairs(prompts, targets, tokenizer.pad_token_id, True, truncated, start)


def encode_questions(task: Task, rows: Rows, tokenizer: Any, limit: int) -> Questions:
    """Prompts cut on the right to `limit` tokens, as in training: the answer takes none of their room."""
    template = task.eval_prompt or task.prompt
    prompts, cut = _prompts(tokenizer, [template.format_map(row) for row in rows], limit, False)
    return Questions(prompts, [str(row["answer"]) for row in rows], parts_of(rows), sum(cut))


def encode_choices(task: Task, rows: Rows, tokenizer: Any, limit: int, start: int) -> Choices:
    """Each row's context for the encoder, cut on the left to `limit` tokens, and each option for the decoder, without
    an end of text: as lm-evaluation-harness scores encoder-decoders,
    https://github.com/EleutherAI/lm-evaluation-harness."""
    owner = [at for at, row in enumerate(rows) for _ in row["options"]]
    given = [before_option(task, row, option) for row in rows for option in range(len(row["options"]))]
    contexts, answers = zip(*given, strict=True)
    prompts, cut = _prompts(tokenizer, contexts, limit, True)
    options = [list(ids)[:limit] for ids in tokenizer(list(answers), add_special_tokens=False)["input_ids"]]
    truncated = len({at for at, short in zip(owner, cut, strict=True) if short})
    texts = Pairs(prompts, options, tokenizer.pad_token_id, True, truncated, start)
    characters = np.array([len(option) for row in rows for option in row["options"]])
    labels = np.array([row["label"] for row in rows])
    return Choices(texts, np.array(owner), characters, labels, parts_of(rows))
