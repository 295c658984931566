"""GSM8K's and the commonsense questions' tasks on a tiny T5, from rows to scores."""

from dataclasses import replace

import pytest
import tiny
import torch

import tasks
from harness.kinds import reader
from harness.model import resolve
from harness.score import score_choices, score_texts
from methods.spec import Unsupported
from tasks.sources import open_rows

CPU = torch.device("cpu")
ROWS = 5


def rows_of(task):
    source = open_rows(task, None)
    return source.rows("train")[:ROWS], source.rows("eval")[:ROWS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    texts = []
    for name in ("gsm8k-mini", "piqa-mini", "piqa-mini-likelihood"):
        task = tasks.get(name)
        for row in (row for rows in rows_of(task) for row in rows):
            options = row["options"] if task.kind == "choice" else [task.target.format_map(row)]
            texts += [task.prompt.format_map(row) if task.kind == "generate" else row["context"], *options]
    words = sorted({word for text in texts for word in text.replace("\n", " ").split()})[: tiny.VOCAB - 10]
    return tiny.saved_model(tmp_path_factory.mktemp("t5"), words, "seq2seq")


def read(folder, task, tmp_path, **change):
    """The task's reader, its model's weights spread, so that answers differ from prompt to prompt."""
    recipe = replace(task.recipes["mini"], **change)
    found = reader(task, recipe, resolve(str(folder)), 0, 0, {}, tmp_path)
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in found.model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=draw))
    return found


def plain(found, prompt, given):
    """Logits (tokens, vocabulary) of one pair alone."""
    with torch.inference_mode():
        return found.model(input_ids=torch.tensor([prompt]), decoder_input_ids=torch.tensor([given])).logits[0]


@pytest.mark.parametrize("name", ["gsm8k-mini", "piqa-mini"])
def test_what_is_generated_is_scored_by_the_tasks_own_rules(folder, tmp_path, name):
    task = replace(tasks.get(name), generation=replace(tasks.get(name).generation, max_new_tokens=6, beams=1))
    _, rows = rows_of(task)
    found = read(folder, task, tmp_path, precision="fp32")
    asked = found.asked(rows, "eval")
    scored = found.answer(found.model.eval(), asked, CPU, False)
    texts = []
    for prompt in asked.prompts:
        given = [found.start]
        while len(given) <= 6 and found.tokenizer.eos_token_id not in given:
            given.append(int(plain(found, prompt, given)[-1].argmax()))
        texts.append(found.tokenizer.decode(given, skip_special_tokens=True))
    assert scored.more["text"] == texts and len(set(texts)) > 1
    assert scored.scores == score_texts(task, texts, asked.gold, asked.parts).scores


def test_options_are_compared_by_their_likelihood_behind_the_prompt(folder, tmp_path):
    task = tasks.get("piqa-mini-likelihood")
    train, rows = rows_of(task)
    found = read(folder, task, tmp_path, precision="fp32")
    asked = found.asked(rows, "eval")
    scored = found.answer(found.model.eval(), asked, CPU, False)
    values = []
    for prompt, target in zip(asked.texts.prompts, asked.texts.targets, strict=True):
        logits = plain(found, prompt, [found.start, *target[:-1]]).double().log_softmax(-1)
        values.append(float(logits[torch.arange(len(target)), target].sum()))
    expected = score_choices(
        task, torch.tensor(values).numpy(), asked.characters, asked.owner, asked.labels, asked.parts
    )
    assert scored.predictions == expected.predictions and scored.scores == expected.scores
    batch = found.training(train).collate([0, 1])
    assert set(batch.inputs) == {"input_ids", "attention_mask", "decoder_input_ids"}


def test_a_recipe_whose_loss_covers_the_prompt_is_refused(folder, tmp_path):
    with pytest.raises(Unsupported, match="--mask-prompt"):
        read(folder, tasks.get("piqa-mini"), tmp_path, mask_prompt=False)
