"""Text tasks on a tiny T5: what the encoder reads and the decoder is asked, answers in batches and one by one."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import tiny
import torch
from transformers import BartConfig, BartForConditionalGeneration, T5Config, T5ForConditionalGeneration
from tuned import attached, batch_of, config_of

import methods
from harness.answer import generate, log_likelihoods
from harness.attach import attach, set_precision
from harness.data import IGNORED
from harness.seq2seq import Pairs, encode_choices, encode_questions, encode_training, start_of
from harness.shape import describe, head_names
from harness.train import one_step, summed_loss, train
from methods.spec import Unsupported
from tasks.spec import Generation, Recipe, Task

CPU = torch.device("cpu")
END, PAD, START = 1, 0, 0
WORDS = "sentence : what is two and the it four five six because".split()
GENERATE = Task(
    "t", "s", "generate", "", "", ("question",), ("accuracy",), {}, "p", "1", {},
    prompt="sentence : {question}", target=" {solution}",
)  # fmt: skip
CHOICE = replace(GENERATE, kind="choice", metrics=("acc",), target="")
ROWS = [
    {
        "question": "what is two and two",
        "solution": "it is four",
        "answer": "four",
        "options": ["four", "five six"],
        "label": 0,
    },
    {"question": "what", "solution": "six", "answer": "six", "options": ["five", "six", "the six"], "label": 1},
]


@pytest.fixture(scope="module")
def tokenizer():
    return tiny.t5_tokenizer(WORDS)


def words(tokenizer, ids):
    return " ".join(tokenizer.convert_ids_to_tokens([int(i) for i in ids]))


def test_the_encoder_reads_the_prompt_and_the_decoder_is_asked_for_the_target(tokenizer):
    data = encode_training(GENERATE, ROWS, tokenizer, 64, START)
    batch = data.collate([0, 1])
    assert words(tokenizer, batch.inputs["input_ids"][0]) == "sentence : what is two and two </s>"
    assert words(tokenizer, batch.inputs["input_ids"][1]) == "sentence : what </s> <pad> <pad> <pad> <pad>"
    assert batch.inputs["attention_mask"].sum(1).tolist() == [8, 4]
    assert words(tokenizer, batch.inputs["decoder_input_ids"][0]) == "<pad> it is four"
    assert words(tokenizer, batch.labels[0]) == "it is four </s>"
    assert words(tokenizer, batch.labels[1][:2]) == "six </s>" and (batch.labels[1, 2:] == IGNORED).all()
    assert batch.tokens == 8 + 4 + 4 + 2 and batch.padded_tokens == 2 * 8 + 2 * 4 and batch.counted == 6


def test_the_loss_is_the_models_own(tokenizer):
    """transformers shifts the labels to the decoder's inputs itself and takes the mean over what is asked."""
    model, batch = language_model(), encode_training(GENERATE, ROWS, tokenizer, 64, START).collate([0, 1])
    with torch.inference_mode():
        ours = summed_loss(model(**batch.inputs).logits, batch) / batch.counted
        own = model(
            input_ids=batch.inputs["input_ids"], attention_mask=batch.inputs["attention_mask"], labels=batch.labels
        ).loss
    assert float(ours) == pytest.approx(float(own), rel=1e-5)


def test_a_batch_in_parts_gives_the_gradient_of_the_whole(tokenizer):
    batch = encode_training(GENERATE, [*ROWS, *ROWS[:1]], tokenizer, 64, START).collate([0, 1, 2])
    method = methods.get("full-ft")
    found = []
    for parts in (1, 2, 3):
        model = language_model()
        held = torch.optim.SGD(model.parameters(), lr=0.0)
        recipe = Recipe(gradient_accumulation=parts, max_grad_norm=None)
        one_step(model, method, method.config(), recipe, batch, held, list(model.parameters()), 0, 1)
        found.append(model.encoder.block[0].layer[0].SelfAttention.q.weight.grad.clone())
    largest = float(found[0].abs().max())
    assert largest > 0
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=1e-3, atol=1e-3 * largest)


def test_what_is_too_long_is_cut_behind_and_counted_and_the_end_of_text_stays_with_the_prompt(tokenizer):
    data = encode_training(GENERATE, ROWS, tokenizer, 4, START)
    assert data.truncated == 1
    assert words(tokenizer, data.prompts[0]) == "sentence : what </s>" == words(tokenizer, data.prompts[1])
    asked = encode_questions(GENERATE, ROWS, tokenizer, 4)
    assert asked.prompts == data.prompts and asked.truncated == 1 and asked.gold == ["four", "six"]


def test_options_go_to_the_decoder_without_an_end_and_long_contexts_lose_their_beginning(tokenizer):
    choices = encode_choices(CHOICE, ROWS, tokenizer, 64, START)
    assert choices.owner.tolist() == [0, 0, 1, 1, 1] and choices.characters.tolist() == [4, 8, 4, 3, 7]
    assert [words(tokenizer, t) for t in choices.texts.targets] == ["four", "five six", "five", "six", "the six"]
    assert words(tokenizer, choices.texts.prompts[3]) == "sentence : what </s>" and choices.truncated == 0
    cut = encode_choices(CHOICE, ROWS, tokenizer, 5, START)
    assert words(tokenizer, cut.texts.prompts[0]) == "is two and two </s>" and cut.truncated == 1
    trained = encode_training(CHOICE, ROWS, tokenizer, 5, START)
    assert trained.prompts[0] == cut.texts.prompts[0]
    assert [words(tokenizer, t) for t in trained.targets] == ["four </s>", "six </s>"]


def language_model(gated=False):
    """Random weights of a large spread, so that answers differ from prompt to prompt; gated: as T5 v1.1."""
    # What that flag changes in T5 is whether the decoder's outputs are scaled; transformers ties the embeddings anyway.
    form = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False} if gated else {}
    config = T5Config(
        vocab_size=tiny.VOCAB, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, decoder_start_token_id=START,
        initializer_factor=4.0, dropout_rate=0.0, **form,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = T5ForConditionalGeneration(config).eval()
    model.config.use_cache = False
    return model


def prompts(rows=11, seed=0):
    draw = np.random.default_rng(seed)
    return [[*draw.integers(2, tiny.VOCAB, 3 + i % 7).tolist(), END] for i in range(rows)]


def answers(model, asked, batch, beams=1, equal=False):
    return generate(model, asked, Generation(8, beams), END, PAD, CPU, "fp32", batch, equal)


def slow_greedy(model, prompt, most=8):
    """Without cache, mask or padding."""
    given = [START]
    for _ in range(most):
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([prompt]), decoder_input_ids=torch.tensor([given])).logits
        new = int(logits[0, -1].argmax())
        if new == END:
            break
        given.append(new)
    return given[1:]


@pytest.mark.parametrize("gated", [False, True], ids=["t5", "v1.1"])
def test_batches_give_token_for_token_what_single_prompts_and_a_plain_loop_give(gated):
    model, asked = language_model(gated), prompts()
    together = answers(model, asked, 4)
    assert together == answers(model, asked, 1) == [slow_greedy(model, prompt) for prompt in asked]
    assert len({tuple(answer) for answer in together}) > 5


def test_beams_do_not_depend_on_the_batch():
    model, asked = language_model(), prompts(6)
    assert answers(model, asked, 3, beams=3) == answers(model, asked, 1, beams=3)


def test_an_answer_stops_at_the_end_of_text():
    model, asked = language_model(), prompts()
    free = generate(model, asked, Generation(8), tiny.VOCAB - 1, PAD, CPU, "fp32", 4)
    end = next(token for answer in free for token in answer[1:])
    cut = generate(model, asked, Generation(8), end, PAD, CPU, "fp32", 4)
    assert any(end in answer for answer in free) and not any(end in answer for answer in cut)
    assert all(long[: len(short)] == short for long, short in zip(free, cut, strict=True) if end in long)


def tuned(name):
    model, method = language_model(), methods.get(name)
    config = method.config()
    model = attach(model, method, config, describe(model), head_names(model), 0)
    for parameter in model.parameters():
        if parameter.requires_grad:
            with torch.no_grad():
                parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)) * 0.3)
    return model


@pytest.mark.parametrize("name", ["lora", "adapter-houlsby", "ia3", "prompt-tuning"])
def test_a_tuned_model_generates_what_its_own_forward_pass_says(name):
    model, asked = tuned(name), prompts(6)
    plain = [slow_greedy(model, prompt) for prompt in asked]
    positions = methods.get(name).positions(methods.get(name).config())
    assert (
        answers(model, asked, 4, equal=positions > 0)
        == plain
        != [slow_greedy(language_model(), prompt) for prompt in asked]
    )


@pytest.mark.parametrize("name", ["full-ft", "lora", "prompt-tuning"])
def test_likelihoods_are_those_of_one_pair_alone(name):
    model, draw = tuned(name), np.random.default_rng(0)
    targets = [draw.integers(2, tiny.VOCAB, 1 + i % 3).tolist() for i in range(9)]
    data = Pairs(prompts(9), targets, PAD, True, 0, START)
    found = log_likelihoods(model, data, CPU, "fp32", 4)
    for value, prompt, target in zip(found, data.prompts, targets, strict=True):
        with torch.inference_mode():
            given = torch.tensor([[START, *target[:-1]]])
            logits = model(input_ids=torch.tensor([prompt]), decoder_input_ids=given).logits[0]
        expected = logits.double().log_softmax(-1)[torch.arange(len(target)), target].sum()
        assert value == pytest.approx(float(expected), abs=1e-4)


def test_a_loss_over_the_prompt_and_an_untried_architecture_are_refused():
    with pytest.raises(Unsupported, match="--mask-prompt"):
        start_of(language_model(), Recipe(mask_prompt=False))
    bart = BartForConditionalGeneration(
        BartConfig(vocab_size=64, d_model=16, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=16, decoder_ffn_dim=16,
                   encoder_attention_heads=2, decoder_attention_heads=2)
    )  # fmt: skip
    with pytest.raises(Unsupported, match="type bart were not tried; those tried are mt5, t5"):
        start_of(bart, Recipe())
    without = language_model()
    without.config.decoder_start_token_id = without.generation_config.decoder_start_token_id = None
    with pytest.raises(Unsupported, match="decoder_start_token_id"):
        start_of(without, Recipe())
    assert start_of(language_model(), Recipe()) == START and start_of(tiny.model("causal"), Recipe()) is None


@pytest.mark.parametrize("name", ["lora", "adapter-houlsby", "qlora"])
def test_bf16_trains_and_answers(name):
    model, method = tiny.model("seq2seq"), methods.get(name)
    model = attach(model, method, method.config(), describe(model), head_names(model), 0)
    set_precision(model, "bf16")
    batch = batch_of("seq2seq")
    recipe = Recipe(batch_size=16, max_steps=3, precision="bf16")
    losses = train(model, method, method.config(), recipe, 1e-2, itertools.repeat(batch), 16, CPU).losses
    assert losses[-1] < losses[0]
    found = generate(model, prompts(3), Generation(4), END, PAD, CPU, "bf16", 2)
    assert len(found) == 3 and all(len(answer) <= 4 for answer in found)


@pytest.mark.parametrize("name", [n for n in methods.names() if methods.get(n).encoder_decoders])
def test_a_method_that_is_claimed_takes_every_role_of_both_stacks_and_of_cross_attention(name):
    """T5's feed-forward asks its last layer for a weight; whatever stands there must have one."""
    config = config_of(name)
    roles = ("query", "key", "value", "output", "up", "down")
    if not hasattr(config, "targets"):
        pytest.skip("it chooses no layers")
    method, config, shape, model = attached(name, "seq2seq", config=replace(config, targets=roles))
    assert {(s.name.split(".")[0], s.part) for s in shape.select(roles)} == {
        ("encoder", "attention"), ("encoder", "ffn"), ("decoder", "attention"), ("decoder", "cross"), ("decoder", "ffn"),
    }  # fmt: skip
    batch = batch_of("seq2seq")
    summed_loss(model(**batch.inputs).logits, batch).backward()
    places = ("encoder.", "decoder.", "EncDecAttention", "DenseReluDense")
    graded = [
        n for n, p in model.named_parameters() if p.requires_grad and p.grad is not None and p.grad.abs().max() > 0
    ]
    assert all(any(place in n for n in graded) for place in places)


def test_a_prompt_stands_before_the_encoders_text_alone():
    model = attached("prompt-tuning", "seq2seq")[3]
    ids, begun = torch.tensor([[5, 9, 1]]), torch.tensor([[START, 7]])
    base, prompt = model.base_model, model.get_prompt(batch_size=1)
    with torch.inference_mode():
        found = model(input_ids=ids, decoder_input_ids=begun).logits
        expected = base(
            inputs_embeds=torch.cat([prompt, base.get_input_embeddings()(ids)], dim=1), decoder_input_ids=begun
        ).logits
    assert prompt.shape == (1, 20, tiny.WIDTH) and found.shape[1] == 2
    torch.testing.assert_close(found, expected)
