"""Probes of a tuned model against known answers, and over every registered method: they leave it as they found it."""

import dataclasses
import hashlib

import numpy as np
import pytest
import tiny
import torch
from torch.nn import functional
from tuned import CPU, attached, base, inputs, logits, own, shaken, shape_of

import methods
from harness import adapter, probe
from harness.probe import Context, forgetting, serving, weights
from harness.record import UserError
from harness.shape import head_names
from methods.layers import unchanged
from methods.spec import Unsupported

WORDS = sorted({word for text in forgetting.sentences() for word in text.split()})[: tiny.VOCAB - 8]
ALL = tuple(probe.PROBES)


def context(method, config, model, kind, precision="fp32", **change):
    given = {
        "base": lambda: base(kind),
        "tokenizer": None if kind == "vision" else tiny.tokenizer(WORDS),
        "device": CPU,
        "batch": inputs(kind=kind),
        "seed": 0,
        "rounds": 1,
    }
    return Context(model, method, config, shape_of(kind), head_names(base(kind)), precision=precision, **given | change)


def moved(name, kind="encoder", **change):
    """A context around a model whose trainable values were moved from their start."""
    method, config, model = shaken(name, kind)
    return context(method, config, model, kind, **change)


def untouched(name, kind):
    method, config, _, model = attached(name, kind)
    return context(method, config, model, kind)


def digest(model):
    found = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        found.update(name.encode() + value.detach().reshape(-1).contiguous().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def first_kind(name):
    """A context on the first kind of tiny model on which the method works."""
    for kind, (model_kind, task_kind) in tiny.KINDS.items():
        if methods.get(name).supports(model_kind, task_kind) is None:
            try:
                return kind, moved(name, kind)
            except Unsupported:
                continue
    raise AssertionError(f"{name} works on none of {list(tiny.KINDS)}")


@pytest.mark.parametrize("name", methods.names())
def test_every_method_can_be_probed_and_stays_as_it_was(name, monkeypatch):
    few = forgetting.sentences()[:8]
    monkeypatch.setattr(forgetting, "sentences", lambda: few)
    kind, given = first_kind(name)
    model, state, outputs = given.model, digest(given.model), logits(given.model, kind)
    free = set(own(kind, model))
    model.train()
    drawn = torch.get_rng_state()
    found = probe.run(ALL, given)
    assert torch.equal(drawn, torch.get_rng_state())
    assert model.training and set(own(kind, model)) == free
    assert digest(model) == state and torch.equal(logits(model, kind), outputs)
    fields = [field for one in probe.PROBES.values() for field in one.fields(given)]
    assert set(found.costs) == {*fields, *(f"probe_{one}_seconds" for one in ALL)}
    assert not [note for note in found.notes if "failed" in note]
    merged = {key for key in found.costs if key.startswith(("merge_", "change_", "intruder_")) or "_merged_" in key}
    missing = {key for key, value in found.costs.items() if value is None}
    if given.method.merge is None:
        assert missing == merged
        assert [note for note in found.notes if note.startswith("serving") and "no merge" in note]
        assert [note for note in found.notes if note.startswith("weights") and "no merge" in note]
        return
    if given.method.merge is unchanged:
        missing = {key for key in missing if not (key.startswith("merge_") or "_merged_" in key)}
        assert [note for note in found.notes if note.startswith("serving") and "nothing to merge" in note]
    else:
        assert found.costs["merge_error_relative"] < 1e-3
    assert missing == set() or not found.costs["change_matrices_changed"]


def test_a_language_model_is_probed_by_prompt_and_token():
    given = moved("lora", "causal")
    found = probe.run(["serving"], given)
    assert None not in found.costs.values() and not found.notes
    # 40 positions, of which 16 tokens and the first one are generated.
    assert found.costs["serving_input_tokens"] == 23 and found.costs["serving_decode_tokens"] == 16


def test_ratios_are_of_the_same_round():
    """A machine that slows down to a tenth half-way: the seconds feel it, the ratios do not."""
    base_seconds = [1.0, 1.0, 10.0, 10.0, 10.0]
    found = serving.summary({"base": base_seconds, "merged": [2 * one for one in base_seconds]}, "c_{}_batch1")
    assert found["c_base_batch1_seconds"] == 10 and found["c_merged_batch1_seconds"] == 20
    assert {found[f"c_merged_batch1_{ratio}"] for ratio in serving.RATIOS} == {2}
    found = serving.summary({"base": [1.0] * 11, "merged": [float(n) for n in range(11)]}, "c_{}_batch1")
    assert [found[f"c_merged_batch1_{ratio}"] for ratio in ("ratio_p10", "ratio", "ratio_p90")] == [1, 5, 9]
    assert "c_base_batch1_ratio" not in found


def test_decoding_is_what_further_tokens_take(monkeypatch):
    """On a clock that ticks at each forward pass by as many seconds as tokens go in: 23 at first, then one by one from
    the cache."""
    given, now = moved("lora", "causal"), [0.0]

    def tick(module, args, kwargs):
        now[0] += kwargs["input_ids"].shape[1]

    monkeypatch.setattr(serving, "clock", lambda device: now[0])
    handle = given.model.register_forward_pre_hook(tick, with_kwargs=True)
    found = serving.latencies(given, {"unmerged": given.model}, 2)
    handle.remove()
    assert found == {"prefill": {"unmerged": [23]}, "decode": {"unmerged": [1]}}


def test_a_method_that_takes_positions_leaves_less_to_the_prompt():
    given = moved("prefix-tuning", "causal")
    tokens = given.method.positions(given.config)
    assert tokens > 0
    assert serving.prompt_tokens(given) == 23 - tokens


def test_a_prompt_runs_through_the_batch_without_its_padding():
    batch = {"input_ids": torch.tensor([[0, 5, 6], [7, 8, 9]]), "attention_mask": torch.tensor([[0, 1, 1], [1, 1, 1]])}
    given = dataclasses.replace(moved("lora", "causal"), batch=batch)
    assert serving.prompt(given, 2, 4).tolist() == [[5, 6, 7, 8], [9, 5, 6, 7]]
    assert given.inputs(3)["input_ids"].tolist() == [[0, 5, 6], [7, 8, 9], [0, 5, 6]]


def test_models_take_turns_and_each_begins_as_often():
    order = []
    calls = {name: (lambda name=name: order.append(name) or (float(len(order)),)) for name in "abc"}
    seconds = serving.take_turns(calls, 4)
    rounds = ["".join(order[at : at + 3]) for at in range(0, len(order), 3)]
    assert rounds == ["abc", "bca", "cab"] * 2
    # The first two rounds are for warming up.
    assert seconds == {"a": [(8.0,), (10.0,), (15.0,), (17.0,)], **{name: seconds[name] for name in "bc"}}


def test_slow_calls_get_fewer_rounds(monkeypatch):
    monkeypatch.setattr(serving, "BUDGET_SECONDS", 0.0)
    made = []
    assert len(serving.take_turns({"a": lambda: made.append(1) or (1.0,)}, 20)["a"]) == serving.LEAST_ROUNDS
    assert 1 <= len(made) - serving.LEAST_ROUNDS <= serving.WARMUP


def test_file_sizes_are_those_of_the_files(tmp_path):
    given, file = moved("lora", "causal"), tmp_path / "adapter.safetensors"
    adapter.save(given.model, given.method, file)
    costs = probe.run(["serving"], given).costs
    assert costs["adapter_file_bytes"] == costs["adapter_with_head_file_bytes"] == file.stat().st_size
    given = moved("lora", "encoder")
    adapter.save(given.model, given.method, file)
    costs = probe.run(["serving"], given).costs
    assert costs["adapter_with_head_file_bytes"] == file.stat().st_size
    head = 4 * sum(p.numel() for p in given.model.classifier.parameters())
    values = 4 * sum(p.numel() for p in own("encoder", given.model).values())
    assert values < costs["adapter_file_bytes"] <= file.stat().st_size - head


def test_a_swap_ends_with_the_tuned_adapter(tmp_path):
    given = moved("dora")
    twin, tuned, other = given.attached("fp32"), tmp_path / "tuned.safetensors", tmp_path / "other.safetensors"
    adapter.save(given.model, given.method, tuned)
    adapter.save(twin, given.method, other)
    assert not torch.allclose(logits(twin), logits(given.model), atol=1e-2)
    assert serving._swap(given, twin, tuned, other) > 0
    assert torch.equal(logits(twin), logits(given.model))


@pytest.mark.parametrize("kind", ["encoder", "gpt2", "causal"])
def test_merging_lora_errs_by_rounding_only(kind):
    costs = probe.run(["serving"], moved("lora", kind)).costs
    assert 0 < costs["merge_error_relative"] < 1e-5
    assert 0 < costs["merge_error_absolute"] < 1e-3


def numpy_change(layer):
    """(alpha / r) B A in float64"""
    a, b = (part["default"].weight.detach().double().numpy() for part in (layer.lora_A, layer.lora_B))
    return layer.scaling["default"] * b @ a


@pytest.mark.parametrize("kind", ["encoder", "gpt2"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_norms_and_ranks_of_lora_are_those_of_its_product(kind, precision):
    given = moved("lora", kind, precision=precision)
    found = probe.run(["weights"], given)
    adapted = {site.name for site in given.shape.select(given.config.targets)}
    frobenius, wide = [], 0
    for row in found.tables["weights"]:
        if row["site"] not in adapted:
            assert not row["changed"] and row["frobenius"] == row["spectral"] == row["intruder_dimensions"] == 0
            assert row["effective_rank"] is row["stable_rank"] is None
            continue
        layer = given.model.get_submodule(row["site"])
        change = numpy_change(layer)
        values = np.linalg.svd(change, compute_uv=False)
        shares = values[values > 1e-9] / values.sum()
        original = base(kind).get_submodule(row["site"]).weight.detach().double().numpy()
        expected = {
            "frobenius": np.linalg.norm(change),
            "frobenius_relative": np.linalg.norm(change) / np.linalg.norm(original),
            "spectral": values[0],
            "spectral_relative": values[0] / np.linalg.norm(original, 2),
            "effective_rank": np.exp(-(shares * np.log(shares)).sum()),
            "stable_rank": (np.linalg.norm(change) / values[0]) ** 2,
        }
        assert {key: row[key] for key in expected} == pytest.approx(expected, rel=1e-4)
        assert row["effective_rank"] <= given.config.r
        frobenius.append(np.linalg.norm(change))
        wide = max(wide, expected["effective_rank"])
    assert found.costs["change_matrices"] == len(given.shape.sites)
    assert found.costs["change_matrices_changed"] == len(adapted) == len(frobenius)
    assert found.costs["change_frobenius"] == pytest.approx(np.linalg.norm(frobenius), rel=1e-4)
    assert found.costs["change_effective_rank_max"] == pytest.approx(wide, rel=1e-4)


@pytest.mark.parametrize("size", [1e-4, 1e-2, 1.0])
def test_a_small_change_keeps_its_rank_beside_rounding(size):
    """Rounding errors of the sum W + Delta W have full rank and must not count."""
    generator = torch.Generator().manual_seed(0)
    original = torch.randn((300, 200), generator=generator)
    change = torch.randn((300, 2), generator=generator) @ torch.randn((2, 200), generator=generator)
    found = weights.compare(original, original + size * change)
    values = np.linalg.svd(change.double().numpy(), compute_uv=False)[:2]
    shares = values / values.sum()
    assert found.effective_rank == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-3)
    assert found.frobenius == pytest.approx(size * np.linalg.norm(values), rel=1e-3)


def test_ranks_of_spectra_that_are_known():
    flat = torch.tensor([2.0, 2.0, 2.0, 0.0])
    assert weights.effective_rank(flat) == pytest.approx(3) and weights.stable_rank(flat) == pytest.approx(3)
    assert weights.effective_rank(torch.tensor([5.0, 0.0])) == pytest.approx(1)
    assert weights.stable_rank(torch.tensor([2.0, 1.0])) == pytest.approx(1.25)


def diagonal(d_out, d_in):
    """Singular values d_in, ..., 1 on the unit vectors."""
    matrix = torch.zeros(d_out, d_in)
    matrix[range(d_in), range(d_in)] = torch.arange(float(d_in), 0, -1)
    return matrix


def test_a_planted_singular_vector_is_an_intruder_and_a_known_one_is_none():
    original = diagonal(30, 12)
    planted = original.clone()
    planted[25, 11] += 50  # the last right vector now leads to a direction that no left vector had
    assert weights.intruder_dimensions(original, planted) == 1
    known = original.clone()
    known[4, 4] += 50
    assert weights.intruder_dimensions(original, known) == 0
    assert weights.intruder_dimensions(original, -original) == 0
    assert weights.compare(original, original).intruder_dimensions == 0
    small = original.clone()
    small[25, 11] += 1.9  # new (cosine 0.47), but the eleventh by its singular value
    assert weights.intruder_dimensions(original, small) == 0
    assert weights.intruder_dimensions(original, small, k=12) == 1


@pytest.mark.parametrize(("mixed", "expected"), [(1, 0), (2, 0), (8, 8)])
def test_an_intruder_is_far_from_every_vector_of_the_base(mixed, expected):
    """Leading left vectors that mix m of the base's evenly have cosine 1 / sqrt(m) with each: 0.71 for 2, 0.35 for 8."""
    hadamard = torch.ones(1, 1)
    while len(hadamard) < mixed:
        hadamard = torch.kron(hadamard, torch.tensor([[1.0, 1.0], [1.0, -1.0]]))
    original = diagonal(12, 12)
    turned = original.clone()
    turned[:mixed] = hadamard @ original[:mixed] / mixed**0.5
    assert weights.intruder_dimensions(original, turned) == expected
    assert weights.intruder_dimensions(original, turned, epsilon=1 / mixed**0.5 - 0.01) == 0
    assert weights.intruder_dimensions(original, turned, k=3) == min(3, expected)


def test_full_fine_tuning_is_compared_as_it_is():
    given = untouched("full", "encoder")
    found = probe.run(["weights"], given)
    assert found.costs["change_frobenius"] == 0 and found.costs["change_effective_rank_mean"] is None
    assert found.costs["intruder_dimensions"] == 0 and "no adaptable matrix changed" in found.notes[0]
    site = given.shape.sites[3]
    with torch.no_grad():
        given.model.get_submodule(site.name).weight[0, 0] += 3.0
    found = probe.run(["weights"], given)
    assert found.costs["change_matrices_changed"] == 1
    for key, value in {"frobenius": 3, "effective_rank_mean": 1, "stable_rank_max": 1, "spectral_max": 3}.items():
        assert found.costs[f"change_{key}"] == pytest.approx(value, rel=1e-4)
    assert [row["site"] for row in found.tables["weights"] if row["changed"]] == [site.name]


def test_prompts_change_no_weights_and_say_so():
    found = probe.run(["weights"], moved("prompt-tuning", "causal"))
    assert {value for key, value in found.costs.items() if not key.startswith("probe_")} == {None}
    assert "prompt-tuning" in found.notes[0] and "no change of the model's matrices" in found.notes[0]


def test_an_untouched_adapter_forgets_nothing():
    costs = probe.run(["forgetting"], untouched("lora", "causal")).costs
    assert costs["forgetting_loss_increase"] == 0
    assert costs["forgetting_loss_before"] == costs["forgetting_loss_after"]
    for kind in ("encoder", "vision", "decoder"):
        assert probe.run(["forgetting"], untouched("lora", kind)).costs["forgetting_drift_max"] < 1e-12
        assert probe.run(["forgetting"], moved("lora", kind)).costs["forgetting_drift_mean"] > 1e-6


def test_the_loss_is_the_cross_entropy_of_each_token_after_the_first():
    given = moved("lora", "causal")
    found, total, tokens = {}, {}, 0
    costs = probe.run(["forgetting"], given).costs
    for text in forgetting.sentences():
        ids = torch.tensor([given.tokenizer(text)["input_ids"]])
        tokens += ids.shape[1] - 1
        for name, model in (("before", base("causal")), ("after", given.model)):
            with torch.no_grad():
                scores = model.eval()(input_ids=ids).logits[0, :-1]
            total[name] = total.get(name, 0.0) + float(functional.cross_entropy(scores, ids[0, 1:], reduction="sum"))
    found = {name: value / tokens for name, value in total.items()}
    assert costs["forgetting_tokens"] == tokens
    assert costs["forgetting_loss_before"] == pytest.approx(found["before"], rel=1e-5)
    assert costs["forgetting_loss_after"] == pytest.approx(found["after"], rel=1e-5)
    assert costs["forgetting_loss_increase"] == pytest.approx(found["after"] - found["before"], abs=1e-4)


def test_prompts_before_the_text_do_not_shift_the_loss():
    """A soft prompt stands before the text; the text's own tokens are what is predicted."""
    given = moved("prompt-tuning", "causal")
    text = forgetting.sentences()[0]
    ids = torch.tensor([given.tokenizer(text)["input_ids"]])
    with torch.no_grad():
        scores = given.model.eval()(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    expected = functional.cross_entropy(scores[0, -ids.shape[1] :][:-1], ids[0, 1:])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forgetting, "sentences", lambda: [text])
        costs = probe.run(["forgetting"], given).costs
    assert costs["forgetting_loss_after"] == pytest.approx(float(expected), rel=1e-5)


def test_drift_is_two_where_a_representation_turns_round():
    given = untouched("full", "encoder")
    with torch.no_grad():
        for parameter in given.model.bert.pooler.dense.parameters():
            parameter.neg_()  # tanh is odd
    found = probe.run(["forgetting"], given)
    assert found.costs["forgetting_drift_mean"] == pytest.approx(2)
    assert found.costs["forgetting_items"] == len(forgetting.sentences())
    assert "representation drift" in found.notes[0]


@pytest.mark.parametrize("kind", ["roberta", "decoder"])
def test_drift_is_of_the_vector_from_which_the_logits_are_made(kind):
    """RoBERTa's head and Llama's are handed every position; the wrapper of a prompt hands Llama's the last one alone."""
    model, ids = base(kind).eval(), torch.tensor([[5, 6, 7, 9]])
    method, config, _, tuned = attached("prompt-tuning", kind)
    given = Context(
        tuned, method, config, shape_of(kind), head_names(model), lambda: base(kind), None, CPU, "fp32", {}, 0
    )
    head = model.get_submodule(given.heads[0])
    for one in (model, tuned.eval()):
        read = forgetting.represented(given, one, {"input_ids": ids})
        with torch.no_grad():
            again = head(read.float()[:, None])[:, 0] if kind == "decoder" else head(read.float()[:, None])
        torch.testing.assert_close(again, given.logits(one, {"input_ids": ids}))


def test_drawn_images_are_the_same_each_time_and_differ_from_each_other():
    images = forgetting.drawn(16, 3, 24, torch.Generator().manual_seed(1))
    assert torch.equal(images, forgetting.drawn(16, 3, 24, torch.Generator().manual_seed(1)))
    assert images.shape == (16, 3, 24, 24) and images.abs().max() <= 1
    flat = images.flatten(1)
    assert torch.cdist(flat, flat).fill_diagonal_(9.0).min() > 1


def test_general_sentences_are_many_and_varied():
    found = forgetting.sentences()
    words = [word.strip(",.").lower() for text in found for word in text.split()]
    assert len(found) == len(set(found)) >= 150 and len(words) > 1500
    assert len(set(words)) > 0.4 * len(words)
    assert all(text.isascii() and text.endswith(".") and text == text.strip() for text in found)


def test_without_a_tokenizer_text_is_not_judged():
    found = probe.run(["forgetting"], dataclasses.replace(moved("lora"), tokenizer=None))
    assert found.costs["forgetting_drift_mean"] is None and "tokenizer" in found.notes[0]


def test_a_probe_that_breaks_costs_its_figures_and_no_more(monkeypatch):
    def broken(context):
        raise MemoryError("all gone\nfor good")

    monkeypatch.setitem(probe.PROBES, "weights", dataclasses.replace(weights.PROBE, measure=broken))
    given = moved("lora")
    given.model.train()
    found = probe.run(["weights", "forgetting"], given)
    assert {found.costs[field] for field in weights.FIELDS} == {None}
    assert found.notes[0] == "weights: the probe failed: MemoryError: all gone"
    assert found.costs["forgetting_drift_mean"] > 0 and given.model.training


def test_a_merge_that_fails_leaves_the_other_figures():
    def broken(model):
        raise RuntimeError("float != bfloat16")

    given = moved("lora")
    given = dataclasses.replace(given, method=dataclasses.replace(given.method, merge=broken))
    found = probe.run(["serving"], given)
    assert found.notes == ["serving: merging failed: RuntimeError: float != bfloat16"]
    lost = {key for key, value in found.costs.items() if value is None}
    assert lost == {key for key in found.costs if key.startswith("merge_") or "_merged_" in key}


def test_a_figure_that_is_no_number_is_none():
    given = moved("lora", "causal")
    with torch.no_grad():
        own("causal", given.model).popitem()[1].fill_(float("nan"))
    found = probe.run(["forgetting"], given)
    assert found.costs["forgetting_loss_after"] is None and found.costs["forgetting_loss_before"] > 0
    assert "forgetting: forgetting_loss_after is not finite" in found.notes


def test_an_unknown_probe_is_refused_by_name():
    with pytest.raises(UserError, match=r"no probe 'speed'.*serving, weights, forgetting"):
        probe.check(["serving", "speed"])
