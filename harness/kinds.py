"""What differs between kinds of tasks: which model is loaded, how rows become data, how the model answers.

classify, regress, image: a fresh head on the model, scored by its outputs. generate, choice: a causal language model
or an encoder-decoder with its own head, trained on text and scored by what it generates or by the likelihood of each
option.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Union

import torch
from torch import nn

from harness import score, seq2seq
from harness.answer import generate, log_likelihoods
from harness.data import Data, Encoded, encode, evaluation_batches
from harness.model import (
    ModelSource,
    load_classifier,
    load_image_classifier,
    load_language_model,
    load_tokenizer,
    longest_input,
    patches,
)
from harness.text import Choices, Questions, encode_choices, encode_questions, encode_training
from harness.tokens import CachedTokenizer
from harness.train import predict
from methods.spec import Unsupported
from tasks.spec import Recipe, Rows, Task

if TYPE_CHECKING:
    from harness.images import Pictures

TEXT_KINDS = {"generate", "choice"}
EVAL_BATCH, GENERATE_BATCH = 64, 32

Asked = Union[Encoded, "Pictures", Questions, Choices]


@dataclass
class Reader:
    """A loaded model with what turns a task's rows into its inputs and its outputs into answers."""

    task: Task
    recipe: Recipe
    model: nn.Module
    tokenizer: Any
    """None for images"""
    limit: int
    """tokens an input may have, the method's own positions taken off"""
    identity: Mapping[str, Any]
    """what the data's source says of itself: under it decoded images are kept"""
    cache: Path
    centre: float = 0.0
    """taken off a regression's training labels and added to its outputs"""
    start: int | None = None
    """the token that an encoder-decoder's answers start from; None for other models"""

    def training(self, rows: Rows) -> Data:
        if self.recipe.centre_labels and self.task.kind == "regress":
            self.centre = fmean(row["label"] for row in rows)
            rows = [{**row, "label": row["label"] - self.centre} for row in rows]
        if self.task.kind in TEXT_KINDS:
            limit = min(self.recipe.max_length, self.limit)
            if self.start is not None:
                return seq2seq.encode_training(self.task, rows, self.tokenizer, limit, self.start)
            return encode_training(self.task, rows, self.tokenizer, limit, self.recipe.mask_prompt)
        return self._labelled(rows, "train")

    def asked(self, rows: Rows, name: str) -> Asked:
        """Rows to answer: of the validation part or of the reported split, as `name` says."""
        if self.task.kind == "generate":
            assert self.task.generation is not None
            if self.start is not None:
                return seq2seq.encode_questions(
                    self.task, rows, self.tokenizer, min(self.recipe.max_length, self.limit)
                )
            return encode_questions(self.task, rows, self.tokenizer, self.limit - self.task.generation.max_new_tokens)
        if self.task.kind == "choice":
            if self.start is not None:
                return seq2seq.encode_choices(self.task, rows, self.tokenizer, self.limit, self.start)
            return encode_choices(self.task, rows, self.tokenizer, self.limit)
        return self._labelled(rows, name)

    def _labelled(self, rows: Rows, name: str) -> Encoded | Pictures:
        if self.task.kind == "image":
            from harness.images import open_pictures

            assert self.recipe.image_size is not None and self.recipe.normalise is not None
            recipe = self.recipe
            sampled = {"rows": name, "select": recipe.select, "most": [recipe.max_train, recipe.max_eval]}
            tokens = patches(self.model, recipe.image_size)
            return open_pictures(
                rows,
                recipe.image_size,
                recipe.normalise,
                tokens,
                self.cache,
                {**self.identity, **sampled},
                hold=name == "train",
            )
        return encode(self.task, rows, self.tokenizer, min(self.recipe.max_length, self.limit))

    def answer(self, model: nn.Module, asked: Asked, device: torch.device, equal: bool) -> score.Scored:
        """The tuned model's answers, scored. `equal`: see `generate`."""
        precision = self.recipe.precision
        if isinstance(asked, Questions):
            assert self.task.generation is not None
            ids = generate(
                model,
                asked.prompts,
                self.task.generation,
                self.tokenizer.eos_token_id,
                self.tokenizer.pad_token_id,
                device,
                precision,
                GENERATE_BATCH,
                equal,
            )
            texts = self.tokenizer.batch_decode(ids, skip_special_tokens=True)
            if self.task.number is not None:
                return score.score_numbers(self.task, texts, asked.gold, asked.parts)
            return score.score_texts(self.task, texts, asked.gold, asked.parts)
        if isinstance(asked, Choices):
            found = log_likelihoods(model, asked.texts, device, precision, EVAL_BATCH)
            return score.score_choices(self.task, found, asked.characters, asked.owner, asked.labels, asked.parts)
        logits = predict(model, evaluation_batches(asked, EVAL_BATCH), len(asked), device, precision)
        return score.score(self.task, logits.numpy() + self.centre, asked.labels, asked.parts)


def reader(
    task: Task, recipe: Recipe, source: ModelSource, seed: int, positions: int, identity: Mapping[str, Any], cache: Path
) -> Reader:
    """Loads the model, float32, its head drawn from `seed`. `positions`: how many the method takes for itself.

    Raises Unsupported if the model cannot be used for this kind of task or at this size of image.
    """
    tokenizer, limit, start = None, 0, None
    if task.kind == "image":
        assert recipe.image_size is not None
        model = load_image_classifier(source, len(task.labels), seed, recipe.image_size, recipe.dropout)
    else:
        tokenizer = load_tokenizer(source)
        if task.kind in TEXT_KINDS:
            model = load_language_model(source, recipe.dropout)
            start = seq2seq.start_of(model, recipe)
        else:
            model = load_classifier(source, len(task.labels) or 1, seed, tokenizer.pad_token_id, recipe.dropout)
        limit = longest_input(model, tokenizer) - positions
        if limit < 2:
            raise Unsupported(f"the method takes {positions} positions, and the model has hardly more")
    if recipe.gradient_checkpointing:
        if not getattr(model, "supports_gradient_checkpointing", False):
            raise Unsupported(f"{type(model).__name__} has no gradient checkpointing")
        model.gradient_checkpointing_enable({"use_reentrant": False})
    reads = None if tokenizer is None else CachedTokenizer(tokenizer, source.path, cache)
    return Reader(task, recipe, model, reads, limit, identity, cache, start=start)
