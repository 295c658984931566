"""LoftQ, aLoRA, trainable tokens and context-aware prompt tuning: against Hugging Face PEFT's own computation, and by hand."""

import pytest
import tiny
import torch
from peft import CPTConfig, LoraConfig, TrainableTokensConfig, get_peft_model
from test_quantised_methods import by_hand
from torch.nn.functional import cross_entropy
from tuned import attached, base, close, fit, logits, part, shaken

import methods
from harness import adapter
from harness.attach import attach, parameters
from harness.shape import describe, head_names
from harness.tiny import SHAPES
from harness.train import summed_loss
from harness.trial import batch_of, teach
from methods.answers import pairs, template
from methods.layers import trainable
from methods.linear import matrix
from methods.prompt.cpt import laid_out
from methods.spec import Unsupported

MATRICES = {
    "encoder": "bert.encoder.layer.1.intermediate.dense",
    "decoder": "model.layers.1.self_attn.k_proj",
    "gpt2": "transformer.h.1.attn.c_attn",
    "vision": "vit.layers.1.mlp.fc1",
}


def put(name, model, **change):
    """(config, the method with such a config in a given model)"""
    method = methods.get(name)
    config = method.config(**change)
    return config, attach(model, method, config, describe(model), head_names(model), 0)


def rows(questions, answers):
    """A batch of texts whose answers are asked for, padded on the right."""
    longest = max(len(q) + len(a) for q, a in zip(questions, answers, strict=True))
    ids, labels = torch.zeros(len(questions), longest, dtype=torch.long), torch.full((len(questions), longest), -100)
    mask = torch.zeros_like(ids)
    for at, (question, answer) in enumerate(zip(questions, answers, strict=True)):
        end = len(question) + len(answer)
        ids[at, :end], mask[at, :end] = torch.tensor([*question, *answer]), 1
        labels[at, len(question) : end] = torch.tensor(answer)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def generated(model, prompt, **options):
    """(rows, tokens) what the model adds to prompts without padding."""
    from transformers import GenerationConfig

    settings = GenerationConfig(max_new_tokens=6, do_sample=False, pad_token_id=0, **options)
    mask = torch.ones_like(prompt)
    with torch.no_grad():
        found = model.eval().generate(input_ids=prompt, attention_mask=mask, generation_config=settings)
    return found[:, prompt.shape[1] :]


def nearest_of_rank(rest, r):
    """The r largest singular components of a matrix."""
    u, s, vh = torch.linalg.svd(rest, full_matrices=False)
    return (u[:, :r] * s[:r]) @ vh[:r]


@pytest.mark.parametrize("kind", sorted(MATRICES))
def test_loftq_with_one_step_is_nf4_and_the_largest_components_of_what_it_leaves(kind):
    weight = matrix(base(kind).get_submodule(MATRICES[kind])).double()
    _, _, _, model = attached("loftq", kind, config=methods.get("loftq").config(r=4, steps=1))
    layer = model.get_submodule(MATRICES[kind])
    quantised = by_hand(weight.float())
    close(layer.base.weight.double(), quantised)
    close(layer.delta().detach().double(), nearest_of_rank(weight - quantised, 4))
    # Both factors carry the root of each singular value.
    close(layer.A.norm(dim=1), layer.B.norm(dim=0))


@pytest.mark.parametrize("kind", sorted(MATRICES))
def test_loftq_starts_closer_to_the_pretrained_weight_than_qlora_after_any_number_of_steps(kind):
    weight = matrix(base(kind).get_submodule(MATRICES[kind])).double()
    quantised = by_hand(weight.float())
    change = torch.zeros_like(weight)
    for steps in (1, 2, 3, 5):
        _, _, _, model = attached("loftq", kind, config=methods.get("loftq").config(r=4, steps=steps))
        layer = model.get_submodule(MATRICES[kind])
        left = (weight - layer.base.weight.double() - layer.delta().detach().double()).norm()
        assert left < 0.95 * (weight - quantised).norm()
        if steps < 4:
            own = by_hand((weight - change).float())
            change = nearest_of_rank(weight - own, 4)
            # A value midway between two levels may fall to either.
            torch.testing.assert_close(left, (weight - own - change).norm(), rtol=1e-3, atol=0)


def test_loftq_computes_with_the_packed_weight_and_unscaled_factors():
    _, _, model = shaken("loftq", "encoder", r=4)
    name = MATRICES["encoder"]
    layer, original = model.get_submodule(name).eval(), base("encoder").get_submodule(name)
    whole = layer.base.weight.double() + part(model, f"{name}.B") @ part(model, f"{name}.A")
    x = torch.randn(3, 5, layer.d_in, generator=torch.Generator().manual_seed(1))
    close(layer(x).double(), x.double() @ whole.T + original.bias.detach().double())


def test_loftq_reloads_its_packed_weight_from_the_file(tmp_path):
    method, config, _, model = attached("loftq", "encoder")
    adapter.save(model, method, tmp_path / "a.safetensors")
    expected = logits(model)
    _, _, _, other = attached("loftq", "encoder")
    other.get_submodule(MATRICES["encoder"]).base.codes.zero_()
    assert not torch.allclose(logits(other), expected, atol=1e-3)
    adapter.load(other, tmp_path / "a.safetensors")
    close(logits(other), expected)


def test_loftq_counts_its_packed_weight_as_the_base_that_it_stands_for():
    method, config, shape, model = attached("loftq", "encoder")
    found = parameters(model, method, config, shape, head_names(base("encoder")))
    assert found["added"] == found["trainable"] == method.count(shape, config)
    codes = sum(site.d_in * site.d_out for site in shape.sites) // 2
    assert found["stored"] > found["trainable"] + codes, "a reload needs the packed weight"


def test_loftq_refuses_what_cannot_be():
    loftq = methods.get("loftq")
    with pytest.raises(ValueError, match=r"loftq.steps=0.*QLoRA"):
        loftq.config(steps=0)
    with pytest.raises(ValueError, match="rank 40 is larger"):
        attached("loftq", "encoder", config=loftq.config(r=40))


def twins(invocation, **change):
    """(ours, PEFT's) with the same weights, which are not those of the start"""
    _, ours = put("alora", base("causal"), r=4, alpha=6, dropout=0.0, invocation=invocation, **change)
    settings = LoraConfig(
        r=4,
        lora_alpha=6,
        target_modules=["q_proj", "k_proj", "v_proj"],
        task_type="CAUSAL_LM",
        alora_invocation_tokens=list(invocation),
    )
    theirs = get_peft_model(base("causal"), settings)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, layer in ours.named_modules():
            if hasattr(layer, "A"):
                layer.B.normal_(std=0.3, generator=generator)
                other = theirs.get_submodule(f"base_model.model.{name}")
                other.lora_A["default"].weight.copy_(layer.A)
                other.lora_B["default"].weight.copy_(layer.B)
    return ours, theirs


TEXTS = torch.tensor(
    [
        [9, 5, 6, 11, 12, 13, 14, 15, 16, 17],
        [5, 6, 11, 12, 5, 6, 15, 16, 17, 18],
        [5, 11, 6, 5, 12, 13, 6, 14, 15, 16],
        [20, 21, 22, 23, 24, 25, 26, 27, 5, 6],
    ]
)
"""The invocation 5 6 once, twice, not at all (its tokens alone) and at the end."""


@pytest.mark.parametrize("invocation", [(5, 6), (5,), (16, 17, 18)])
def test_alora_computes_as_peft_does(invocation):
    ours, theirs = twins(invocation)
    mask = torch.ones_like(TEXTS)
    found, expected = ours(input_ids=TEXTS, attention_mask=mask), theirs(input_ids=TEXTS, attention_mask=mask)
    close(found.logits, expected.logits)
    goal = torch.randn(found.logits.shape, generator=torch.Generator().manual_seed(1))
    (found.logits * goal).sum().backward()
    (expected.logits * goal).sum().backward()
    name = "model.layers.0.self_attn.k_proj"
    other = theirs.get_submodule(f"base_model.model.{name}")
    close(ours.get_parameter(f"{name}.A").grad, other.lora_A["default"].weight.grad)
    close(ours.get_parameter(f"{name}.B").grad, other.lora_B["default"].weight.grad)


def test_alora_leaves_the_base_alone_before_the_last_invocation():
    ours, _ = twins((5, 6))
    with torch.no_grad():
        changed = (ours(input_ids=TEXTS).logits - base("causal")(input_ids=TEXTS).logits).abs().amax(-1) > 1e-4
    starts = [1, 4, 10, 8]
    for row, start in zip(changed, starts, strict=True):
        assert not row[:start].any() and row[start:].all()


@pytest.mark.parametrize("options", [{}, {"num_beams": 3}])
def test_alora_generates_with_a_cache_as_without_and_as_peft_does(options):
    ours, theirs = twins((5, 6))
    cached, plain = (generated(ours, TEXTS, use_cache=use, **options) for use in (True, False))
    assert torch.equal(cached, plain)
    assert not torch.equal(cached, generated(base("causal"), TEXTS, use_cache=True, **options))
    # Without a cache PEFT counts its offset from an end that moves; beams have more rows than it has offsets for.
    if not options:
        assert torch.equal(cached, generated(theirs, TEXTS, use_cache=True))


def test_alora_takes_what_all_questions_end_in_but_for_its_first_token():
    ends = [[30, 31, 7, 8, 9], [41, 7, 8, 9], [50, 51, 52, 53, 7, 8, 9]]
    batch = rows(ends, [[2], [3, 4], [2]])
    alora = methods.get("alora")
    config, model = put("alora", base("causal"))
    alora.calibrate(model, iter([batch]), config)
    assert [i for i in model.alora.invocation.tolist() if i >= 0] == [8, 9]
    assert model.alora.starts(batch["input_ids"]).flatten().tolist() == [3, 2, 5]
    # One that was found comes back in a model that has not looked.
    _, other = put("alora", base("causal"))
    other.load_state_dict(alora.extra_state(model), strict=False)
    assert torch.equal(other.alora.invocation, model.alora.invocation)


def test_alora_says_what_it_cannot_find():
    alora = methods.get("alora")
    config, model = put("alora", base("causal"))
    different = rows([[30, 7, 8], [41, 8, 7]], [[2], [3]])
    with pytest.raises(Unsupported, match="end in no common tokens; set alora.invocation"):
        alora.calibrate(model, iter([different]), config)
    whole = {**different, "labels": different["input_ids"]}
    with pytest.raises(Unsupported, match="--mask-prompt"):
        alora.calibrate(model, iter([whole]), config)
    config, model = put("alora", base("causal"), invocation=("60", "61"))
    with pytest.raises(Unsupported, match=r"\(60, 61\) stands in none"):
        alora.calibrate(model, iter([different]), config)
    with pytest.raises(ValueError, match="64 tokens; choose lower ids"):
        put("alora", base("causal"), invocation=(64,))
    with pytest.raises(ValueError, match="list of token ids such as"):
        alora.config(invocation=("a",))
    for kind in ("encoder", "decoder", "vision"):
        assert alora.supports(*tiny.KINDS[kind])


def language_model(tied):
    """The tiny language model, whose output layer is or is not its embeddings."""
    import transformers

    _, _, settings = SHAPES["causal"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        config = transformers.LlamaConfig(**{**settings, "tie_word_embeddings": tied})
        return transformers.LlamaForCausalLM(config).eval()


IDS = (3, 17, 5)


@pytest.mark.parametrize("tied", [True, False])
def test_trainable_tokens_compute_as_pefts_do(tied):
    _, ours = put("trainable-tokens", language_model(tied), tokens=IDS)
    theirs = get_peft_model(language_model(tied), TrainableTokensConfig(token_indices=list(IDS)))
    delta = theirs.get_input_embeddings().trainable_tokens_delta["default"]
    assert sum(p.numel() for p in trainable(ours).values()) == 3 * tiny.WIDTH == delta.numel()
    with torch.no_grad():
        delta.normal_(generator=torch.Generator().manual_seed(4))
        ours.model.embed_tokens.tokens.vectors.copy_(delta)
    ids = torch.tensor([[3, 9, 17, 17, 30], [5, 6, 7, 8, 9]])
    found, expected = ours(input_ids=ids).logits, theirs(input_ids=ids).logits
    close(found, expected)
    assert not torch.allclose(found, language_model(tied)(input_ids=ids).logits, atol=1e-2)
    goal = torch.randn(found.shape, generator=torch.Generator().manual_seed(1))
    (found * goal).sum().backward()
    (expected * goal).sum().backward()
    close(ours.model.embed_tokens.tokens.vectors.grad, delta.grad)
    merged = methods.get("trainable-tokens").merge(ours)
    close(merged(input_ids=ids).logits, expected)
    assert set(merged.state_dict()) == set(language_model(tied).state_dict())
    assert (merged.lm_head.weight is merged.model.embed_tokens.weight) == tied


def test_trainable_tokens_finds_those_of_most_rows_the_first_of_a_row_before():
    ids = torch.tensor([[2, 20, 21, 3, 0], [2, 22, 3, 0, 0], [2, 20, 23, 24, 3], [2, 20, 25, 26, 3]])
    batch = {"input_ids": ids, "attention_mask": (ids > 0).long(), "labels": torch.zeros(4, dtype=torch.long)}
    method = methods.get("trainable-tokens")
    config, model = put("trainable-tokens", base("encoder"), number=3)
    method.calibrate(model, iter([batch]), config)
    words = model.bert.embeddings.word_embeddings
    assert words.tokens.ids.tolist() == [2, 3, 20]
    assert torch.equal(words.tokens.vectors, base("encoder").get_input_embeddings().weight[[2, 3, 20]])
    config, model = put("trainable-tokens", base("encoder"), number=10)
    with pytest.raises(Unsupported, match="have 9 tokens, and 10 are to be found"):
        method.calibrate(model, iter([batch]), config)


def test_trainable_tokens_refuses_ids_that_are_none():
    config = methods.get("trainable-tokens").config
    assert config(tokens=("5", "7")).tokens == (5, 7)
    for bad, told in (("x", "list of ids such as"), (-1, "not negative"), (5, "each once")):
        with pytest.raises(ValueError, match=told):
            config(tokens=(5, bad))
    with pytest.raises(ValueError, match="at least 1"):
        config(number=0)
    with pytest.raises(ValueError, match="the model has 64 tokens"):
        put("trainable-tokens", base("encoder"), tokens=(64,))


def test_rows_are_parted_where_the_answer_begins_and_share_a_template():
    batch = rows([[1, 30, 7, 8], [1, 31, 32, 7, 8], [1, 7, 8]], [[40, 2], [41, 2], [42]])
    found = pairs([batch])
    assert found == [([1, 30, 7, 8], [40, 2]), ([1, 31, 32, 7, 8], [41, 2]), ([1, 7, 8], [42])]
    assert template([question for question, _ in found]) == (1, 2)
    assert template([[1, 2], [1, 2]]) == (2, 0) and template([[1], [2]]) == (0, 0)


def test_cpt_lays_examples_out_as_peft_numbers_them():
    found = [([1, 30, 7], [40, 2]), ([1, 31, 32, 7], [41, 2])]
    # The first row stands last; of the one before it the end is kept.
    ids, types = laid_out(found, 9)
    assert ids == [32, 7, 41, 2, 1, 30, 7, 40, 2]
    assert types == [2, 3, 4, 4, 5, 6, 7, 8, 8]
    with pytest.raises(ValueError, match="fewer than the 12 tokens of cpt.tokens"):
        laid_out(found, 12)


CONTEXT = {"tokens": 30, "epsilon": 1.0, "template_epsilon": 0.5}
EXAMPLES = rows([[4, *range(first, first + 6), 5, 6] for first in (10, 20, 30)], [[2], [3], [2]])
"""Ten tokens each: of the template one before and two after the text"""


def contexts(decay):
    """(config, ours, PEFT's): with one context and one change of it, some of it beyond its distance"""
    config, ours = put("cpt", base("causal"), **CONTEXT, decay=decay)
    methods.get("cpt").calibrate(ours, iter([EXAMPLES]), config)
    context = ours.prompt_encoder.default
    settings = CPTConfig(
        task_type="CAUSAL_LM",
        cpt_token_ids=context.ids.tolist(),
        cpt_tokens_type_mask=context.types.tolist(),
        opt_weighted_loss_type="decay",
        opt_loss_decay_factor=decay,
        opt_projection_epsilon=1.0,
        opt_projection_format_epsilon=0.5,
    )
    theirs = get_peft_model(base("causal"), settings)
    moved = torch.randn(30, tiny.WIDTH, generator=torch.Generator().manual_seed(6))
    moved *= (context.types % 4 != 0)[:, None]
    with torch.no_grad():
        for model in (ours, theirs):
            model.prompt_encoder.default.delta_embedding.weight.copy_(moved)
    # PEFT holds it back at its next pass.
    methods.get("cpt").after_step(ours, config, 1, 2)
    return config, ours, theirs


@pytest.mark.parametrize("decay", [1.0, 0.5])
def test_cpt_learns_from_the_same_loss_as_peft_up_to_a_factor(decay):
    config, ours, theirs = contexts(decay)
    batch = batch_of("causal")
    ours.train(), theirs.train()
    output = ours(**batch.inputs).logits
    own = summed_loss(output, batch) / batch.counted
    loss = own + methods.get("cpt").loss_term(ours, config)
    other = theirs(**batch.inputs, labels=batch.labels)
    close(output, other.logits)
    # Every text and every example has one answer token; PEFT's mean is over all of a row's.
    answers = int((ours.prompt_encoder.default.types % 4 == 0).sum())
    assert answers == 3
    close(loss / (1 + answers), other.loss)
    loss.backward()
    other.loss.backward()
    found, expected = (model.prompt_encoder.default.delta_embedding.weight for model in (ours, theirs))
    close(found, expected)
    close(found.grad / (1 + answers), expected.grad)
    norms = found.detach().norm(dim=1) / (tiny.WIDTH / 2048) ** 0.5
    kinds = ours.prompt_encoder.default.types % 4
    # All were moved by more than is allowed.
    for kind, allowed in ((1, 0.5), (2, 1.0), (3, 0.5), (0, 0.0)):
        close(norms[kinds == kind], torch.full_like(norms[kinds == kind], allowed))
    assert not found.grad[kinds == 0].any()


def test_cpt_asks_the_answers_of_the_context_from_a_text_of_its_own():
    """The term by hand: the context alone through the base, each answer's cross entropy weighed by its example."""
    config, ours, _ = contexts(0.5)
    ours.train()
    ours(**batch_of("causal").inputs)
    context = ours.prompt_encoder.default
    vectors = context(torch.arange(30))[None]
    own = base("causal")(inputs_embeds=vectors).logits[0].detach().double()
    places = [at for at, kind in enumerate(context.types.tolist()) if kind % 4 == 0]
    examples = [int(context.types[at]) // 4 for at in places]
    by_place = [float(cross_entropy(own[at - 1 : at], context.ids[at : at + 1])) for at in places]
    assert examples == [1, 2, 3]
    expected = sum(0.5 ** (4 - example) * value for example, value in zip(examples, by_place, strict=True))
    assert methods.get("cpt").loss_term(ours, config).item() == pytest.approx(expected, rel=1e-4)
    ours.eval()(**batch_of("causal").inputs)
    assert methods.get("cpt").loss_term(ours, config) is None


def test_cpt_never_moves_its_answers_and_reads_its_context_back(tmp_path):
    method, model, losses = fit("cpt", "causal", 4, rate=0.1)
    context = model.prompt_encoder.default
    fixed = context.types % 4 == 0
    moved = context.delta_embedding.weight.norm(dim=1) > 0
    assert torch.equal(moved, ~fixed) and losses[-1] < losses[0]
    adapter.save(model, method, tmp_path / "a.safetensors")
    _, _, _, other = attached("cpt", "causal")
    adapter.load(other, tmp_path / "a.safetensors")
    close(logits(other, "causal"), logits(model, "causal"))
    prompt = batch_of("causal").inputs["input_ids"][:3, :-1]
    assert torch.equal(generated(other, prompt, use_cache=True), generated(model, prompt, use_cache=False))


def test_cpt_wants_answers_that_it_can_tell():
    cpt = methods.get("cpt")
    config, model = put("cpt", base("causal"), **CONTEXT)
    batch = batch_of("causal")
    with pytest.raises(Unsupported, match="--mask-prompt"):
        cpt.calibrate(model, iter([{**batch.inputs, "labels": batch.inputs["input_ids"]}]), config)
    for kind in ("encoder", "decoder", "vision"):
        assert "answers as text" in cpt.supports(*tiny.KINDS[kind])


def test_the_toy_of_language_models_is_learned_by_the_adapted_tokens_alone():
    """aLoRA's tokens stand after the mark only; before it the base has to have read all."""
    method, config, _, model = attached("alora", "causal")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("self_attn" in name and parameter.requires_grad)
    losses, _ = teach(method, config, model, "causal", 24, 1e-2)
    assert sum(losses[-4:]) / 4 < 0.8 * losses[0]


def test_bd_lora_computes_as_peft_does():
    from peft.tuners.lora.config import BdLoraConfig

    roles = ["q_proj", "k_proj", "v_proj", "up_proj", "gate_proj"], ["o_proj", "down_proj"]
    _, ours = put("bd-lora", base("causal"), r=8, blocks=4)
    settings = LoraConfig(
        r=8,
        lora_alpha=16,
        target_modules=roles[0] + roles[1],
        use_bdlora=BdLoraConfig(target_modules_bd_a=roles[1], target_modules_bd_b=roles[0], nblocks=4),
    )
    theirs = get_peft_model(base("causal"), settings)
    start = base("causal")(input_ids=TEXTS).logits
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        close(ours(input_ids=TEXTS).logits, start)
        for name, layer in ours.named_modules():
            if hasattr(layer, "A"):
                layer.B.normal_(std=0.3, generator=generator)
                other = theirs.get_submodule(f"base_model.model.{name}")
                # Their blocks lie one above the other.
                other.lora_A["default"].weight.copy_(layer.A.reshape(8, -1))
                other.lora_B["default"].weight.copy_(layer.B.reshape(layer.d_out, -1))
    found, expected = ours(input_ids=TEXTS).logits, theirs(input_ids=TEXTS).logits
    close(found, expected)
    assert not torch.allclose(found, start, atol=1e-2)
    assert sum(p.numel() for p in trainable(ours).values()) == sum(p.numel() for p in trainable(theirs).values())


def test_bd_lora_draws_a_block_diagonal_factor_as_wide_as_peft_does():
    _, model = put("bd-lora", base("encoder"), r=16, blocks=4)
    cut = model.get_submodule("bert.encoder.layer.0.attention.output.dense").A
    assert cut.shape == (4, 4, tiny.WIDTH // 4)
    # Uniform within sqrt(6 / inputs of a block).
    bound = (6 / (tiny.WIDTH // 4)) ** 0.5
    assert 0.9 * bound < cut.abs().max() <= bound
    with pytest.raises(ValueError, match="blocks=3 must divide r=16"):
        put("bd-lora", base("encoder"), blocks=3)
