"""Methods that edit hidden states, or read them beside the model: their formulas again in float64, at the right tokens."""

import dataclasses

import pytest
import torch
from tuned import attached, base, close, config_of, inputs, logits, part, shaken, shape_of, teach

import methods
from harness.meter.account import Tracker
from harness.train import summed_loss
from harness.trial import batch_of
from methods.layers import trainable

BLOCKS = {
    "encoder": "bert.encoder.layer.",
    "decoder": "model.layers.",
    "gpt2": "transformer.h.",
    "vision": "vit.layers.",
}


def passed(model, kind, given=None):
    """(what each block takes in, what it gives out, what the next one or the head is handed) in one forward pass."""
    blocks = [m for n, m in model.named_modules() if n.startswith(BLOCKS[kind]) and n[len(BLOCKS[kind]) :].isdigit()]
    taken, own, handles = [], [], []
    for block in blocks:
        handles.append(block.register_forward_pre_hook(lambda m, a, k: taken.append(first(a, k)), with_kwargs=True))
        # Before the method's own hook, which stands there already.
        handles.append(block.register_forward_hook(lambda m, a, o: own.append(plain(o)), prepend=True))
    handed = []
    handles.append(blocks[-1].register_forward_hook(lambda m, a, o: handed.append(plain(o))))
    with torch.no_grad():
        model.eval()(**(given or inputs(kind=kind)))
    for handle in handles:
        handle.remove()
    return taken, own, [*taken[1:], *handed]


def first(args, kwargs):
    return (args[0] if args else kwargs["hidden_states"]).detach().double()


def plain(output):
    return (output[0] if isinstance(output, tuple) else output).detach().double()


def orthonormal(free):
    """The rows of `free` (r, d) made orthonormal one after the other, each with what is left of it."""
    rows = []
    for row in free:
        for earlier in rows:
            row = row - (row @ earlier) * earlier
        rows.append(row / row.norm())
    return torch.stack(rows)


@pytest.mark.parametrize("kind", ["encoder", "decoder", "gpt2"])
def test_loreft_sets_the_directions_of_r_at_the_first_and_last_tokens(kind):
    _, _, model = shaken("loreft", kind, r=3, first=2, last=1)
    given = dict(inputs(kind=kind))
    given["attention_mask"] = torch.ones_like(given["attention_mask"])
    given["attention_mask"][0, 9:] = 0
    _, own, handed = passed(model, kind, given)
    for at, (before, after) in enumerate(zip(own, handed, strict=True)):
        name = f"edits.edits.{at}"
        rotation = orthonormal(part(model, f"{name}.free"))
        w, b = part(model, f"{name}.W.weight"), part(model, f"{name}.W.bias")
        expected = before.clone()
        for row in range(len(before)):
            for token in (0, 1, 8 if row == 0 else 11):
                h = before[row, token]
                expected[row, token] = h + rotation.T @ (w @ h + b - rotation @ h)
        close(after, expected)
        # In the directions of R nothing of the old h is left.
        close(after[1, 0] @ rotation.T, w @ before[1, 0] + b)


def test_direft_adds_a_product_of_free_factors():
    _, _, model = shaken("direft", "vision", r=2)
    _, own, handed = passed(model, "vision")
    for at, (before, after) in enumerate(zip(own, handed, strict=True)):
        w1, b = part(model, f"edits.edits.{at}.W1.weight"), part(model, f"edits.edits.{at}.W1.bias")
        w2 = part(model, f"edits.edits.{at}.W2.weight")
        expected = before.clone()
        expected[:, 0] += (before[:, 0] @ w1.T + b) @ w2
        close(after, expected)


def test_reft_edits_the_last_token_of_decoders_unless_told_otherwise():
    for kind, last in (("encoder", 0), ("vision", 0), ("decoder", 2), ("gpt2", 2)):
        _, _, _, model = attached("loreft", kind, config=dataclasses.replace(config_of("loreft"), first=2))
        assert model.edits.last == last


def test_reft_places_follow_the_mask():
    from methods.representation._reft import places

    hidden = torch.zeros(4, 6, 2)
    mask = torch.tensor([[1, 1, 1, 1, 1, 0], [0, 0, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0]])
    where, counts = places(mask, hidden, 2, 2)
    found = [sorted(where[row][counts[row]].tolist()) for row in range(4)]
    assert found == [[0, 1, 3, 4], [2, 3, 4, 5], [0, 1], [3]]
    assert where.min() >= 0 and where.max() < 6
    where, counts = places(None, hidden, 1, 0)
    assert where.tolist() == [[0]] * 4 and counts.all()


def test_reft_of_short_rows_edits_each_token_once():
    """A row of one token has its first and its last at one place; the edit must not fall on it twice, nor its gradient."""
    _, _, model = shaken("loreft", r=2, first=1, last=1, dropout=0.0)
    given = {name: value[:, :1] for name, value in inputs().items()}
    _, own, handed = passed(model, "encoder", given)
    rotation = orthonormal(part(model, "edits.edits.0.free"))
    w, b = part(model, "edits.edits.0.W.weight"), part(model, "edits.edits.0.W.bias")
    close(handed[0], own[0] + (own[0] @ w.T + b - own[0] @ rotation.T) @ rotation)


def test_loreft_keeps_its_rows_orthonormal_through_training():
    method, config, _, model = attached("loreft", "encoder", config=dataclasses.replace(config_of("loreft"), r=4))
    edit = model.edits.edits["1"]
    start = edit.R().detach().double()
    teach(method, config, model, "encoder", 12, 0.03)
    end = edit.R().detach().double()
    eye = torch.eye(4, dtype=torch.float64)
    close(start @ start.T, eye)
    close(end @ end.T, eye)
    assert (end - start).abs().max() > 0.05
    free = edit.free.detach().double()
    assert (free @ free.T - eye).abs().max() > 0.05, "the free matrix itself need not stay orthonormal"


def test_loreft_refuses_layers_and_ranks_that_are_not_there():
    for change, said in (({"layers": (0, 2)}, "blocks 0 to 1"), ({"r": 33}, "lower r")):
        config = dataclasses.replace(config_of("loreft"), **change)
        with pytest.raises(ValueError, match=said):
            attached("loreft", "encoder", config=config)
    config = dataclasses.replace(config_of("loreft"), layers=(1,))
    _, _, shape, model = attached("loreft", "encoder", config=config)
    assert set(model.edits.edits) == {"1"} and methods.get("loreft").count(shape, config) == 2 * 32 + 1


def test_pasta_adds_its_vectors_where_the_special_tokens_stand():
    _, _, model = shaken("pasta", tokens=3)
    ids = torch.tensor([[2, 9, 3, 8, 7, 3, 0, 0], [2, 9, 8, 7, 6, 5, 4, 3], [2, 3, 3, 3, 3, 0, 0, 0]])
    mask = (ids != 0).long()
    taken, _, _ = passed(model, "encoder", {"input_ids": ids, "attention_mask": mask})
    own, _, _ = passed(base("encoder"), "encoder", {"input_ids": ids, "attention_mask": mask})
    v = part(model, "special.v")
    expected = torch.zeros_like(own[0])
    for row, places in enumerate(((0, 2, 5), (0, 7), (0, 1, 2))):
        for rank, place in enumerate(places):
            expected[row, place] = v[0, rank]
    # The hook of `passed` came after the method's, so it sees what the block gets.
    close(taken[0] - own[0], expected)


def test_pasta_starts_small_and_counts_a_vector_a_special_token():
    _, config, _, model = attached("pasta", "encoder")
    v = model.special.v.detach()
    assert v.shape == (2, config.tokens, 32) and 0.01 < float(v.std()) < 0.03
    assert methods.get("pasta").count(shape_of("encoder"), config) == 2 * 4 * 32
    assert methods.get("pasta").supports("decoder", "classify") and methods.get("pasta").supports("vision", "image")


def gru(z, state, w):
    """One step of a gated recurrent unit (Cho et al. 2014, as torch orders its gates: reset, update, new)."""
    i, h = z @ w["ih"].T + w["bi"], state @ w["hh"].T + w["bh"]
    n = state.shape[-1]
    reset, update = torch.sigmoid(i[..., :n] + h[..., :n]), torch.sigmoid(i[..., n : 2 * n] + h[..., n : 2 * n])
    new = torch.tanh(i[..., 2 * n :] + reset * h[..., 2 * n :])
    return (1 - update) * new + update * state


@pytest.mark.parametrize("kind", ["encoder", "decoder", "gpt2", "vision"])
def test_read_corrects_the_last_state_by_what_its_cell_read(kind):
    _, _, model = shaken("read", kind, inner=5)
    _, own, handed = passed(model, kind)
    names = {"ih": "weight_ih", "hh": "weight_hh", "bi": "bias_ih", "bh": "bias_hh"}
    w = {short: part(model, f"reader.cell.{name}") for short, name in names.items()}
    state = torch.zeros(*own[0].shape[:-1], 5, dtype=torch.float64)
    for z in own:
        normed = z / (z.square().mean(-1, keepdim=True) + 1e-6).sqrt() * part(model, "reader.scale")
        state = gru(normed, state, w)
    expected = own[-1] + state @ part(model, "reader.up.weight").T + part(model, "reader.up.bias")
    close(handed[0], own[0])
    close(handed[1], expected)


def saved_for_backward(name, kind="encoder"):
    """(bytes of activations kept for the backward pass, whether any block's output needs a gradient)"""
    _, _, _, model = attached(name, kind, config=config_of(name))
    batch, needed = batch_of(kind), []
    for at in range(2):
        block = model.get_submodule(f"{BLOCKS[kind]}{at}")
        block.register_forward_hook(lambda m, a, o: needed.append(_tensor(o).requires_grad), prepend=True)
    model.train()
    tracker = Tracker(model, batch.inputs.values())
    with tracker:
        tracker.step_begins(1)
        loss = summed_loss(model(**batch.inputs).logits, batch)
        tracker.forward_done()
        kept = sum(life.size for life in tracker._alive.values() if life.category == "activations")
        loss.backward()
    return kept, any(needed)


def _tensor(output):
    return output[0] if isinstance(output, tuple) else output


@pytest.mark.parametrize("kind", ["encoder", "decoder"])
def test_read_does_not_back_propagate_through_the_backbone(kind):
    _, needed = saved_for_backward("read", kind)
    assert not needed
    _, lora = saved_for_backward("lora", kind)
    assert lora, "the check must see what LoRA does"


@pytest.mark.parametrize("name", ["read", "loreft", "pasta", "qlora"])
def test_gradient_checkpointing_changes_no_gradient(name):
    """Blocks are computed twice then; what hooks add to them must not be."""
    found = []
    for checkpointed in (False, True):
        _, _, model = shaken(name, dropout=0.0) if name != "read" else shaken(name)
        if checkpointed:
            model.gradient_checkpointing_enable({"use_reentrant": False})
        batch = batch_of("encoder")
        summed_loss(model.train()(**batch.inputs).logits, batch).backward()
        found.append({n: p.grad for n, p in trainable(model).items()})
    for parameter, gradient in found[0].items():
        torch.testing.assert_close(found[1][parameter], gradient, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["read", "qlora"])
def test_generation_says_the_same_with_a_cache(name):
    _, _, model = shaken(name, "causal")
    ids = torch.randint(4, 60, (2, 6), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[0, :2] = 0
    options = {"attention_mask": mask, "max_new_tokens": 6, "do_sample": False, "eos_token_id": None, "pad_token_id": 0}
    with_cache, without = (model.eval().generate(ids, use_cache=use, **options) for use in (True, False))
    assert torch.equal(with_cache, without)


def test_read_keeps_its_width_whatever_the_depth():
    method, shape = methods.get("read"), shape_of("encoder")
    config = method.config()
    deeper = dataclasses.replace(shape, blocks=7 * shape.blocks)
    assert method.count(deeper, config) == method.count(shape, config)


def test_neftune_disturbs_only_real_tokens_and_only_in_training():
    from methods.full.neftune import noise

    _, _, _, model = attached("neftune", "encoder")
    close(logits(model).double(), logits(base("encoder")).double())
    torch.manual_seed(3)
    embedded, mask = torch.zeros(400, 6, 32), torch.ones(400, 6)
    mask[0, 2:] = 0
    found = noise(embedded, mask, 5.0)
    assert not found[0, 2:].any()
    short, long = 5 / (2 * 32) ** 0.5, 5 / (6 * 32) ** 0.5
    assert found[0, :2].abs().max() <= short and found[1:].abs().max() <= long
    # A uniform law within +-c has a variance of c^2 / 3.
    assert abs(float(found[1:].var()) / (long**2 / 3) - 1) < 0.05 and abs(float(found[1:].mean())) < 0.01 * long
    seen = []
    model.bert.embeddings.word_embeddings.register_forward_hook(lambda m, a, o: seen.append(o.detach()))
    for train in (True, True, False, False):
        with torch.no_grad():
            model.train(train)(**inputs())
    assert not torch.equal(seen[0], seen[1]) and torch.equal(seen[2], seen[3])
    assert len(trainable(model)) == len(list(model.parameters()))
