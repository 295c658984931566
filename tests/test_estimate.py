"""Predicted costs against a real step of the same model: the same bytes by category, the same operations."""

import contextlib
from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import methods
from harness.attach import attach, set_precision
from harness.commands.estimate import choice_range
from harness.data import Batch, Targets
from harness.estimate import USUAL_TASK, Estimate, Load, estimate, largest_batch, traced
from harness.match import match, size_field
from harness.meter import Account, FirstSteps
from harness.meter.kernels import lstm_workspace
from harness.models import BaseModel
from harness.models.build import HEADS, OWN
from harness.shape import describe, head_names
from harness.tiny import IGNORED, MARK, NARROW
from harness.train import autocast, make_optimizer, one_step
from methods.layers import trainable
from methods.linear import adapted
from methods.spec import Unsupported
from methods.vision import conv_lora
from methods.vision.conv_lora import even
from tasks.spec import Recipe

BERT = {
    "model_type": "bert", "vocab_size": 80, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 64, "max_position_embeddings": 64,
}  # fmt: skip
LLAMA = {
    "model_type": "llama", "vocab_size": 80, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "intermediate_size": 64, "max_position_embeddings": 64, "tie_word_embeddings": False,
}  # fmt: skip
VIT = {
    "model_type": "vit", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
    "image_size": 16, "patch_size": 4,
}  # fmt: skip
T5 = {
    "model_type": "t5", "vocab_size": 80, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_decoder_layers": 2,
    "num_heads": 4, "decoder_start_token_id": 0,
}  # fmt: skip
BASES = {
    kind: BaseModel(f"tiny-{kind}", kind, "", 0, "", "", config=config)
    for kind, config in (("encoder", BERT), ("decoder", LLAMA), ("vision", VIT))
}
NAMES = [
    "lora", "dora", "full-ft", "last-layer", "bitfit", "adapter-houlsby", "ia3", "lora-fa", "paca", "lst", "prompt-tuning", "shira",
    "osf",
]  # fmt: skip


def real(base, method, config, load):
    """What was found following two steps on real tensors, put together without `harness.estimate`; the model."""
    import transformers

    kind = USUAL_TASK[base.kind]
    head = {"classify": "classify", "image": "image"}.get(kind)
    built = transformers.AutoConfig.for_model(**base.config, **({"num_labels": 2} if head else {}))
    model = getattr(transformers, HEADS[head] if head else OWN[base.kind]).from_config(built)
    model.config.use_cache = False
    if load.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    shape, heads = describe(model), head_names(model)
    model = attach(model, method, config, shape, heads, 0)
    set_precision(model, load.precision)
    rows, length = load.batch, load.length
    labels, targets = torch.zeros(rows, dtype=torch.long), None
    inputs = {"input_ids": torch.randint(2, 80, (rows, length))}
    inputs["input_ids"][:, -2] = MARK
    if kind == "image":
        inputs = {"pixel_values": torch.randn(rows, 3, 16, 16)}
    elif base.kind == "seq2seq":
        labels = inputs["input_ids"].clone()
        inputs |= {"attention_mask": torch.ones_like(labels), "decoder_input_ids": labels}
        targets = Targets.at_their_place(labels)
    elif kind == "generate":
        labels = inputs["input_ids"].clone()
        targets = Targets.of(labels)
    batch = Batch(inputs, labels, rows * length, list(range(rows)), targets)
    recipe = Recipe(batch_size=rows, precision=load.precision)
    seen = inputs | {"labels": labels.clone()}
    if kind != "image":
        seen["attention_mask"] = torch.ones_like(inputs["input_ids"])
    if kind == "generate":
        # Of a training text the answer is asked for alone.
        seen["labels"][:, :-1] = IGNORED
    with autocast(torch.device("cpu"), load.precision):
        method.calibrate(model, iter([seen] * 8), config)
    model.train()
    optimizer = make_optimizer(model, method, config, 1e-4, recipe.weight_decay)
    first = FirstSteps(model, inputs.values())
    for step in range(2):
        with first:
            one_step(
                model, method, config, recipe, batch, optimizer, list(trainable(model).values()), step, 1000, first
            )
    return first, model


@pytest.mark.parametrize("kind", BASES)
@pytest.mark.parametrize("name", NAMES)
def test_the_prediction_is_what_a_real_step_holds(name, kind):
    method, load = methods.get(name), Load(4, 24, "fp32")
    config = method.config()
    try:
        found = estimate(BASES[kind], method, config, load)
    except Unsupported as reason:
        pytest.skip(str(reason))
    first, *_ = real(BASES[kind], method, config, load)
    account = first.tracker.account()
    assert first.flops.step == found.flops > 0
    assert found.memory.total == pytest.approx(account.total, rel=0.01)
    for category, size in account.parts.items():
        assert found.memory.parts[category] == pytest.approx(size, rel=0.01, abs=0.01 * account.total), category


@pytest.mark.parametrize("load", [Load(4, 24, "bf16"), Load(8, 12, "fp32", gradient_checkpointing=True)], ids=str)
def test_precision_and_checkpointing_are_predicted_too(load):
    method = methods.get("lora")
    account = real(BASES["decoder"], method, method.config(), load)[0].tracker.account()
    found = estimate(BASES["decoder"], method, method.config(), load)
    assert found.memory.total == pytest.approx(account.total, rel=0.01)


def test_checkpointing_saves_memory_and_costs_operations():
    method = methods.get("lora")
    plain, saving = (
        estimate(BASES["decoder"], method, method.config(), Load(16, 48, "fp32", checkpointing))
        for checkpointing in (False, True)
    )
    assert saving.memory.total < 0.8 * plain.memory.total and saving.flops > 1.2 * plain.flops


def test_operations_are_those_of_the_matrix_products():
    """Full fine-tuning of a decoder: 6 operations a weight of a product and token; attention has two products forward
    and five backward, where the kernel computes the scores again."""
    method = methods.get("full-ft")
    load = Load(4, 24, "fp32")
    found = estimate(BASES["decoder"], method, method.config(), load)
    width, ffn, vocabulary, tokens = 32, 64, 80, 4 * 24
    weights = 2 * (2 * width * width + 2 * width * 16 + 3 * width * ffn) + width * vocabulary
    product = 2 * 4 * 24 * 24 * width
    assert found.flops == 6 * weights * tokens + 2 * (2 + 5) * product


def test_the_largest_batch_fits_and_one_more_row_does_not():
    method = methods.get("lora")
    load, room = Load(1, 24, "fp32"), 2_000_000
    batch, found = largest_batch(BASES["decoder"], method, method.config(), load, room)
    assert batch > 1 and found.memory.total <= room
    assert estimate(BASES["decoder"], method, method.config(), Load(batch + 2, 24, "fp32")).memory.total > room
    assert largest_batch(BASES["decoder"], method, method.config(), load, 1000) == (0, None)


@pytest.mark.parametrize("name", ["lora", "adapter-houlsby", "prompt-tuning", "series-adapter"])
def test_a_method_is_sized_to_a_budget(name):
    from harness.models.build import build

    method, shape = methods.get(name), describe(build(BASES["decoder"]))
    found = match(method, shape, 4000, method.config())
    field = size_field(method)
    assert found.count == method.count(shape, found.config)
    tried = [method.count(shape, type(found.config)(**{field: value})) for value in range(1, 200)]
    assert abs(found.count - 4000) == min(abs(count - 4000) for count in tried)


def test_a_method_without_a_size_is_not_sized():
    from harness.models.build import build

    assert (
        match(methods.get("full-ft"), describe(build(BASES["decoder"])), 4000, methods.get("full-ft").config()) is None
    )


def test_what_a_trace_takes_for_granted_is_said():
    found = estimate(BASES["decoder"], methods.get("neft"), methods.get("neft").config(), Load(2, 8, "fp32"))
    assert "chosen by the data" in found.assumes
    assert "between 1.00 and 2.50 GB" in choice_range(replace(found, between=(10**9, 25 * 10**8)))
    plain = estimate(BASES["decoder"], methods.get("lora"), methods.get("lora").config(), Load(2, 8, "fp32"))
    assert not plain.assumes and not choice_range(plain) and plain.most == plain.memory.total


def test_a_batch_fits_whatever_the_data_choose(monkeypatch):
    def growing(base, method, config, load):
        memory = Account(100 * load.batch)
        return Estimate("m", "b", load, 0, 0, memory, 0, 0, between=(50 * load.batch, 200 * load.batch))

    monkeypatch.setattr("harness.estimate.estimate", growing)
    batch, found = largest_batch(BASES["encoder"], methods.get("lora"), None, Load(1, 24), 1000)
    assert batch == 5 and found.most == 1000


@pytest.mark.parametrize("rows", [*range(1, 9), 16, 24])
def test_traced_pictures_are_dealt_over_all_grids(rows):
    dealt = even(rows, 8)
    assert len(dealt) == rows and dealt == sorted(dealt) and set(dealt) <= set(range(8))
    # A grid i times as fine costs i^2; training draws each of the eight with the same probability.
    cost = sum((expert + 1) ** 2 for expert in dealt) / rows
    assert cost == pytest.approx(sum(i**2 for i in range(1, 9)) / 8, rel=0.3)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("kind", ["encoder", "decoder"])
@pytest.mark.parametrize("name", ["p-tuning", "lopt", "prompt-tuning"])
def test_prompts_and_the_networks_that_make_them_are_predicted(name, kind, precision):
    """The mask over prompt and text covers nothing; norms of half precision keep float32 statistics; an LSTM keeps a
    workspace."""
    method, load = methods.get(name), Load(4, 24, precision)
    account = real(BASES[kind], method, method.config(), load)[0].tracker.account()
    found = estimate(BASES[kind], method, method.config(), load)
    assert found.memory.total == pytest.approx(account.total, rel=0.002)
    for category, size in account.parts.items():
        assert found.memory.parts[category] == pytest.approx(size, rel=0.002, abs=0.001 * account.total), category


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")
@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
@pytest.mark.parametrize(
    "steps, rows, width, hidden", [(20, 4, 32, 16), (20, 1, 64, 32), (7, 3, 48, 24), (9, 2, 16, 48), (5, 2, 40, 20), (5, 2, 512, 256)]
)  # fmt: skip
def test_the_workspace_of_an_lstm_is_what_its_kernel_keeps(steps, rows, width, hidden, bf16):
    if bf16 and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("this processor's LSTM takes no bfloat16")
    kept = []

    class Seen(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            if func is torch.ops.aten.mkldnn_rnn_layer.default:
                kept.append((out[3].numel(), args[0].element_size()))
            return out

    network = torch.nn.LSTM(width, hidden, batch_first=True, bidirectional=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16), Seen():
        network(torch.randn(rows, steps, width))
    assert kept == [(lstm_workspace(steps, rows, width, hidden, 2 if bf16 else 4), 2 if bf16 else 4)] * 2


def turned(at):
    """The kinds of models, each first in its turn."""
    kinds = list(BASES)
    return kinds[at % len(kinds) :] + kinds[: at % len(kinds)]


@pytest.mark.parametrize("at, name", [(at, n) for at, n in enumerate(methods.names()) if not methods.get(n).layouts])
def test_every_method_is_predicted(at, name):
    """Each on one kind of model that it takes, kinds and precisions by turns."""
    method, load = methods.get(name), Load(4, 24, "bf16" if at % 2 else "fp32")
    config = method.config(**NARROW.get(name, {}))
    for kind in turned(at):
        with contextlib.suppress(Unsupported):
            found = estimate(BASES[kind], method, config, load)
            break
    else:
        pytest.skip("no kind of model takes it here")
    account = real(BASES[kind], method, config, load)[0].tracker.account()
    assert found.memory.total == pytest.approx(account.total, rel=0.01)


CHOOSERS = [(name, kind) for name in ("neft", "spt", "smt") for kind in BASES] + [("conv-lora", "vision")]


def told(method, model, dealt):
    """A layout that repeats what the data chose for `model`; dealt: Conv-LoRA's experts, of each layer and step."""

    def lay(shapes, config):
        if method.name == "spt":
            shapes.spt.lay(model.spt.loras, [part.stop - part.start for part in model.spt.parts])
        for (_, mine), (_, theirs) in zip(adapted(shapes), adapted(model), strict=True):
            if method.name == "neft":
                mine.mine = theirs.mine
            elif method.name == "smt":
                mine.corners, mine.mine = theirs.corners, [int(at) for at in theirs.mine]
            elif method.name == "conv-lora":
                steps = iter(dealt[id(theirs)])
                mine.deal = lambda rows, experts, steps=steps: next(steps)

    return lay


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name, kind", CHOOSERS)
def test_what_the_data_choose_costs_what_is_said_of_it(name, kind, precision, monkeypatch):
    """The account lies between the cheapest and the dearest choice, and is that of the traced step if that is told what
    was chosen."""
    dealt, gate = {}, conv_lora.Gate.forward

    def watched(self, x, own=conv_lora.Layer.update):
        def noted(mean):
            chosen = gate(self.gate, mean)
            dealt.setdefault(id(self), []).append(chosen.tolist())
            return chosen

        monkeypatch.setattr(self.gate, "forward", noted)
        return own(self, x)

    method, load = methods.get(name), Load(4, 24, precision)
    config = method.config(**NARROW.get(name, {}))
    with monkeypatch.context() as patch, torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        patch.setattr(conv_lora.Layer, "update", watched)
        first, model = real(BASES[kind], method, config, load)
    account, found = first.tracker.account(), estimate(BASES[kind], method, config, load)
    low, high = found.between
    assert low < high and 0.99 * low <= account.total <= 1.01 * high
    assert low <= found.memory.total <= high == found.most
    same = traced(BASES[kind], method, config, load, told(method, model, dealt))
    assert same.memory.total == pytest.approx(account.total, rel=0.002)
    for category, size in account.parts.items():
        assert same.memory.parts[category] == pytest.approx(size, rel=0.01, abs=0.01 * account.total), category
    assert same.flops == first.flops.step


@pytest.mark.parametrize(
    "load", [Load(4, 24, "fp32"), Load(4, 24, "bf16"), Load(4, 24, "fp32", gradient_checkpointing=True)], ids=str
)
@pytest.mark.parametrize("name", ["lora", "full-ft", "adapter-houlsby", "prompt-tuning"])
def test_an_encoder_decoder_is_predicted_with_both_of_its_texts(name, load):
    method, base = methods.get(name), BaseModel("tiny-t5", "seq2seq", "", 0, "", "", config=T5)
    found = estimate(base, method, method.config(), load)
    first, _ = real(base, method, method.config(), load)
    account = first.tracker.account()
    assert first.flops.step == found.flops > 0
    assert found.memory.total == pytest.approx(account.total, rel=0.01)
    for category, size in account.parts.items():
        assert found.memory.parts[category] == pytest.approx(size, rel=0.01, abs=0.01 * account.total), category


def test_dropout_in_attention_costs_a_gpu_nothing_and_a_processor_the_scores():
    method = methods.get("lora")
    base = replace(BASES["encoder"], config=BERT | {"attention_probs_dropout_prob": 0.1})
    without = replace(base, config=BERT | {"attention_probs_dropout_prob": 0.0})
    for gpu, scores in ((True, 0), (False, 4 * 4 * 24 * 24 * 4)):
        load = Load(4, 24, "fp32", gpu=gpu)
        dropping, plain = (estimate(one, method, method.config(), load).memory.total for one in (base, without))
        assert dropping == plain if gpu else dropping > plain + scores


def test_an_encoder_decoder_of_a_type_that_was_not_tried_is_refused():
    bart = BaseModel("bart", "seq2seq", "", 0, "", "", config={"model_type": "bart"})
    with pytest.raises(Unsupported, match="bart were not tried"):
        estimate(bart, methods.get("lora"), methods.get("lora").config(), Load(2, 8))
