"""Gated and reversible adapters, prompts and mixtures: their papers' formulas computed again by hand."""

import dataclasses
import math

import pytest
import tiny
import torch
from test_answer import answers, language_model, prompts, slow_greedy
from test_methods_prompt import padded
from test_native_lowrank import SITES, dense, made, pieces
from torch.nn import functional
from tuned import base, batch_of, close, inputs, logits, part, seen, shaken

import methods
from harness.attach import attach
from harness.shape import describe, head_names
from harness.train import summed_loss
from methods.layers import trainable
from methods.linear import adapted


def tokens(width, rows=6):
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(1))


def with_the_head_of(model, kind):
    """The base, its head as in the model."""
    plain = base(kind)
    heads = {name: value for name, value in model.state_dict().items() if name.startswith(head_names(plain))}
    plain.load_state_dict(heads, strict=False)
    return plain


def tuned_language_model(name, kind="llama", **change):
    model, method = language_model(kind), methods.get(name)
    config = dataclasses.replace(method.config(), **change)
    model = attach(model, method, config, describe(model), head_names(model), 0).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in trainable(model).values():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return model


@pytest.mark.parametrize(("alias", "name"), [("p-tuning-v2", "prefix-tuning"), ("ln-tune-mllm", "ln-tuning")])
def test_two_papers_are_found_under_what_does_the_same(alias, name):
    assert methods.get(alias) is methods.get(name)


# AdaLink


def linked(model, e, at):
    down, up = (part(model, f"{at}.link.{name}").requires_grad_() for name in ("down", "up"))
    return e.double() + e.double() @ down.T @ up.T, (down, up)


@pytest.mark.parametrize(
    ("kind", "at"), [("encoder", "bert.embeddings.word_embeddings"), ("decoder", "model.embed_tokens")]
)
def test_adalink_changes_the_words_alone(kind, at):
    _, _, model = shaken("adalink", kind, r=4)
    plain = with_the_head_of(model, kind).double()
    table = plain.get_submodule(at)
    words, leaves = linked(model, table(inputs()["input_ids"]).detach(), at)
    expected = plain(inputs_embeds=words, attention_mask=inputs()["attention_mask"]).logits
    close(logits(model).double(), expected.detach())
    expected.square().sum().backward()
    model(**inputs()).logits.square().sum().backward()
    for name, leaf in zip(("down", "up"), leaves, strict=True):
        found = model.get_parameter(f"{at}.link.{name}").grad.double()
        torch.testing.assert_close(found, leaf.grad, atol=1e-2, rtol=1e-3)


def test_adalink_changes_patches_before_positions_are_added():
    _, _, model = shaken("adalink", "vision", r=4)
    name = next(name for name, module in model.named_modules() if isinstance(module, torch.nn.Conv2d))
    _, y = seen_output(model, name, "vision")
    plain = base("vision").get_submodule(name).double()
    patches = plain(inputs(kind="vision")["pixel_values"].double()).movedim(1, -1)
    close(y.double(), linked(model, patches, name)[0].movedim(-1, 1).detach())


def seen_output(model, name, kind):
    """(input, output) of a module the last time that it is called in a forward pass"""
    kept = []
    handle = model.get_submodule(name).register_forward_hook(lambda m, a, y: kept.append((a[0], y)))
    logits(model, kind)
    handle.remove()
    return kept[-1]


def test_adalink_is_not_folded_into_a_table_that_is_the_head_too():
    with pytest.raises(ValueError, match="head"):
        methods.get("adalink").merge(tuned_language_model("adalink", "gpt2", r=4))


# LoPT


def test_lopt_puts_a_thresholded_product_before_the_text():
    _, config, model = shaken("lopt", "decoder", tokens=5, r=2)
    plain = base("decoder")
    plain.load_state_dict({k.removeprefix("base_model."): v for k, v in model.state_dict().items()}, strict=False)
    at = "prompt_encoder.default.embedding"
    u, v = (part(model, f"{at}.{name}").float().requires_grad_() for name in "UV")
    x = model.get_submodule(at).X
    table = plain.model.embed_tokens.weight
    assert x.shape == (5, 32) and all(bool((table == row).all(1).any()) for row in x)
    words = plain.model.embed_tokens(inputs()["input_ids"])
    prompt = (x @ u).clamp(min=0) @ v
    hidden = plain.model(inputs_embeds=torch.cat([prompt.expand(16, 5, 32), words], dim=1)).last_hidden_state
    expected = plain.score(hidden[:, -1])
    torch.testing.assert_close(logits(model), expected.detach(), atol=1e-4, rtol=1e-4)
    expected.square().sum().backward()
    model(**inputs()).logits.square().sum().backward()
    for name, leaf in zip("UV", (u, v), strict=True):
        torch.testing.assert_close(model.get_submodule(at).get_parameter(name).grad, leaf.grad, atol=1e-3, rtol=1e-3)


def test_lopt_has_a_fifth_of_the_prompts_values_on_the_papers_model():
    from tuned import shape_of

    method = methods.get("lopt")
    large = dataclasses.replace(shape_of("decoder"), hidden=1280)
    assert method.count(large, method.config(tokens=20, r=2)) == 20 * 1280 // 5


# SiRA and MoELoRA


def by_hand(x, w, b, own, scale, gates):
    """Each token's output with the experts' weights `gates` (tokens, E), expert by expert in float64"""
    moved = [w + scale * sum(g * own["B"][e] @ own["A"][e] for e, g in enumerate(row)) for row in gates]
    return torch.stack([m @ token + (0 if b is None else b) for m, token in zip(moved, x.double(), strict=True)])


def same_gradients(layer, own, found, expected, names):
    found.square().sum().backward()
    expected.square().sum().backward()
    for name in names:
        found = layer.get_parameter(name).grad.double()
        torch.testing.assert_close(found, own[name].grad, atol=1e-2, rtol=1e-3, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("kind", SITES)
@pytest.mark.parametrize("name", ["sira", "moelora"])
def test_the_best_experts_of_each_token_are_weighed(name, kind):
    config, model = made(name, kind, experts=5, r=2, k=2, alpha=6)
    layer, (w, b) = model.get_submodule(SITES[kind]).eval(), dense(kind)
    own, x = pieces(layer), tokens(w.shape[1])
    router = "router.weight" if name == "sira" else "router"
    gates = []
    for token in x.double():
        scores = own[router] @ token
        best = scores.detach().topk(2).indices.tolist()
        share = torch.softmax(scores if name == "sira" else torch.stack([scores[e] for e in best]), dim=0)
        place = {e: share[e] if name == "sira" else share[i] for i, e in enumerate(best)}
        gates.append([place.get(e, torch.zeros((), dtype=torch.float64)) for e in range(5)])
    expected, found = by_hand(x, w, b, own, 3.0, gates), layer(x)
    torch.testing.assert_close(found.double(), expected, atol=1e-4, rtol=1e-4)
    same_gradients(layer, own, found, expected, ("A", "B", router))


def test_an_expert_of_sira_takes_the_tokens_that_want_it_most_in_training_only():
    config, model = made("sira", "encoder", experts=4, k=1, capacity=0.5, gate_dropout=0.0)
    layer, x = model.get_submodule(SITES["encoder"]), tokens(32, rows=64)
    free, limited = layer.eval().gates(x), layer.train().gates(x)
    most = math.ceil(0.5 * 1 / 4 * 64)
    assert free.ne(0).sum(0).max() > most and torch.equal(free.ne(0).sum(1), torch.ones(64, dtype=torch.long))
    for of_one, kept in zip(free.T, limited.T, strict=True):
        want = set(of_one.topk(most).indices[of_one.topk(most).values > 0].tolist())
        assert set(kept.nonzero()[:, 0].tolist()) == want
        assert torch.equal(kept[kept.ne(0)], of_one[kept.ne(0)])


def test_sira_drops_experts_from_the_gate_in_training():
    config, model = made("sira", "encoder", experts=8, k=2, capacity=100.0, gate_dropout=0.5)
    layer, x = model.get_submodule(SITES["encoder"]), tokens(32, rows=64)
    taken = layer.eval().gates(x).ne(0)
    torch.manual_seed(0)
    assert not torch.equal(layer.train().gates(x).ne(0), taken)
    assert torch.equal(layer.eval().gates(x).ne(0), taken)


def test_the_balance_is_one_for_even_use_and_as_large_as_the_experts_for_one_alone():
    from methods.mixture._router import balance

    even, one = torch.full((12, 4), 0.25), functional.one_hot(torch.zeros(12, dtype=torch.long), 4).float()
    assert float(balance(even, functional.one_hot(torch.arange(12) % 4, 4))) == pytest.approx(1)
    assert float(balance(one, one)) == pytest.approx(4)


def test_the_contrast_counts_each_positive_among_all_others():
    from methods.mixture.moelora import contrast

    outputs, experts = tokens(8, rows=7), torch.tensor([0, 1, 0, 2, 1, 0, 3])
    terms = []
    for i in range(7):
        others = [j for j in range(7) if j != i]
        alike = {j: math.exp(float(functional.cosine_similarity(outputs[i], outputs[j], dim=0)) / 0.5) for j in others}
        positives = [j for j in others if experts[j] == experts[i]]
        if positives:
            terms.append(-sum(math.log(alike[j] / sum(alike.values())) for j in positives) / len(positives))
    assert len(terms) == 5
    assert float(contrast(outputs, experts, 0.5)) == pytest.approx(sum(terms) / 5, rel=1e-4)


@pytest.mark.parametrize("name", ["sira", "moelora"])
def test_the_experts_losses_are_of_the_last_training_pass_and_taken_once(name):
    method, config, model = shaken(name, "encoder")
    model.eval()(**inputs())
    assert method.loss_term(model, config) is None
    model.train()(**inputs())
    term = method.loss_term(model, config)
    assert term.isfinite() and term > 0
    term.backward()
    routers = [p.grad for n, p in model.named_parameters() if "router" in n]
    assert routers and all(grad is not None and grad.abs().sum() > 0 for grad in routers)
    assert method.loss_term(model, config) is None


def test_the_contrast_of_moelora_trains_the_experts():
    method, config, model = shaken("moelora", "encoder", even=0.0)
    model.train()(**inputs())
    method.loss_term(model, config).backward()
    assert all(p.grad.abs().sum() > 0 for n, p in model.named_parameters() if n.endswith((".A", ".B")))


# X-LoRA


@pytest.mark.parametrize("layerwise", [True, False])
@pytest.mark.parametrize(
    ("kind", "name"), [("encoder", SITES["encoder"]), ("decoder", "model.layers.1.self_attn.v_proj")]
)
def test_x_lora_weighs_its_experts_by_a_first_pass_of_the_base(kind, name, layerwise):
    _, config, model = shaken("x-lora", kind, experts=3, r=2, alpha=6, depth=2, inner=16, layerwise=layerwise)
    layer = model.eval().get_submodule(name)
    x, y = seen_output(model, name, kind)
    with torch.no_grad():
        hidden = base(kind).base_model(**inputs()).last_hidden_state.double()
    first, last = (part(model, f"xlora.net.{i}.weight") for i in (0, 3))
    inner = (hidden @ first.T + part(model, "xlora.net.0.bias")).clamp(min=0)
    scores = (inner @ last.T + part(model, "xlora.net.3.bias")).unflatten(-1, (-1, 3))
    at = [n for n, _ in adapted(model)].index(name) if layerwise else 0
    share = scores.softmax(-1)[..., at, :]
    a, b = layer.A.detach().double(), layer.B.detach().double()
    change = sum(share[..., e, None] * (x.double() @ a[e].T @ b[e].T) for e in range(3))
    expected = layer.base(x).double() + 3 * change
    assert change.abs().max() > 0.1 and scores.shape[-2] == (4 if layerwise else 1)
    close(y.double(), expected)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")
def test_x_lora_is_pefts_with_the_same_experts_and_gate(tmp_path):
    from peft import LoraConfig, XLoraConfig, get_peft_model

    ours = tuned_language_model("x-lora", experts=2, r=2, alpha=4)
    for e in range(2):
        one = get_peft_model(
            language_model("llama"), LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "v_proj"])
        )
        for name, layer in adapted(ours):
            theirs = one.base_model.model.get_submodule(name)
            theirs.lora_A["default"].weight.data.copy_(layer.A[e])
            theirs.lora_B["default"].weight.data.copy_(layer.B[e])
        one.save_pretrained(tmp_path / str(e))
    plain = language_model("llama")
    plain.config.use_cache = False
    saved = {str(e): str(tmp_path / str(e)) for e in range(2)}
    settings = XLoraConfig(task_type="CAUSAL_LM", hidden_size=32, adapters=saved, layerwise_scalings=True)
    theirs = get_peft_model(plain, settings).eval()
    gate = theirs.base_model.internal_xlora_classifier.layers[0]
    gate.weight.data.copy_(ours.xlora.net[0].weight)
    gate.bias.data.copy_(ours.xlora.net[0].bias)
    ids = inputs(kind="causal")["input_ids"]
    with torch.no_grad():
        found, expected = ours(input_ids=ids).logits, theirs(input_ids=ids).logits
        assert (found - language_model("llama")(input_ids=ids).logits).abs().max() > 0.1
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_x_lora_generates_with_a_cache_for_each_pass(kind):
    model, asked = tuned_language_model("x-lora", kind), prompts(6)
    assert answers(model, asked, 4) == [slow_greedy(model, prompt, 8) for prompt in asked]
    assert answers(model, asked, 3, beams=3) == answers(model, asked, 1, beams=3)


# MEFT


def in_two_streams(model, plain, config, hidden):
    """hidden (rows, tokens, d) through the blocks of the encoder `plain`, with adapters read from `model`"""

    def adapter(at, x):
        inner = functional.gelu(x @ part(model, at + ".down.weight").T + part(model, at + ".down.bias"))
        return inner @ part(model, at + ".up.weight").T + part(model, at + ".up.bias")

    x1 = x2 = hidden
    for i, block in enumerate(plain.bert.encoder.layer):
        at = f"bert.encoder.layer.{i}"
        middle = block.attention(x2)[0]
        ended = block.output.dense(block.intermediate(middle)) + adapter(f"{at}.block.output.dropout.beside", middle)
        y1 = config.first * x1 + block.output.LayerNorm(ended + middle)
        x1, x2 = config.second * x2 + adapter(f"{at}.adapter", y1), y1
    return (x1 + x2) / 2


def test_meft_sends_two_streams_through_the_blocks():
    _, config, model = shaken("meft", "encoder", bottleneck=3, first=0.3, second=0.7)
    plain = with_the_head_of(model, "encoder").double()
    ids = inputs()["input_ids"]
    hidden = in_two_streams(model, plain, config, plain.bert.embeddings(ids))
    close(logits(model).double(), plain.classifier(plain.bert.pooler(hidden)).detach())


@pytest.mark.parametrize("kind", [k for k, on in tiny.KINDS.items() if not methods.get("meft").supports(*on)])
def test_the_gradients_of_meft_are_those_of_keeping_every_activation(kind):
    found = []
    for reversible in (True, False):
        _, config, model = shaken("meft", kind, reversible=reversible, first=0.5)
        batch = batch_of(kind)
        torch.manual_seed(3)  # the same dropout
        summed_loss(model.train()(**batch.inputs).logits, batch).backward()
        found.append({name: p.grad for name, p in trainable(model).items()})
    assert found[0].keys() == found[1].keys() and all(grad is not None for grad in found[1].values())
    for name, grad in found[1].items():
        far = float((found[0][name] - grad).norm() / grad.norm())
        assert far < 1e-3, f"{name}: {far}"


def test_meft_keeps_no_activations_of_its_blocks():
    kept = {}
    for reversible in (True, False):
        _, _, model = shaken("meft", "encoder", reversible=reversible)
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t, s=sizes: s.append(t.numel()) or t, lambda t: t):
            model.train()(**inputs())
        kept[reversible] = sum(sizes)
    assert kept[True] < 0.1 * kept[False]


def test_meft_generates_what_its_own_forward_pass_says():
    model, asked = tuned_language_model("meft"), prompts(6)
    assert answers(model, asked, 4) == [slow_greedy(model, prompt, 8) for prompt in asked]


# UniPELT


def gate(model, at, z):
    """(rows, 1, 1)"""
    w, c = part(model, at + ".weight"), part(model, at + ".bias")
    return torch.sigmoid(z.double() @ w.T + c).mean(1, keepdim=True)


def test_unipelt_scales_each_part_by_its_gate():
    _, config, model = shaken("unipelt", "encoder", tokens=3, r=2)
    block = "base_model.bert.encoder.layer.0"
    at = f"{block}.attention.self"
    x, (y, _) = seen_output(model, at, "encoder")
    attention, x = model.get_submodule(at), x.double()

    def heads(name):
        layer = attention.get_submodule(name)
        plain = getattr(layer, "base", layer)
        made = x @ plain.weight.detach().double().T + plain.bias.detach().double()
        if plain is not layer:
            change = x @ part(model, f"{at}.{name}.A").T @ part(model, f"{at}.{name}.B").T
            made = made + gate(model, f"{at}.{name}.gate", x) * change
        return made.view(16, 12, 4, 8).transpose(1, 2)

    prefix = part(model, "prompt_encoder.default.embedding.weight").view(3, 4, 4, 8)
    open_by = gate(model, f"{at}.prefix_gate", x)[..., None]
    given = [open_by * prefix[:, i].transpose(0, 1) for i in (0, 1)]
    k, v = torch.cat([given[0], heads("key")], 2), torch.cat([given[1], heads("value")], 2)
    share = torch.softmax(heads("query") @ k.transpose(2, 3) / math.sqrt(8), dim=-1)
    close(y.double(), (share @ v).transpose(1, 2).reshape(16, 12, 32))

    norm = model.get_submodule(f"{block}.output.LayerNorm")
    s, y = seen(model, f"{block}.output.LayerNorm")
    z = norm.forward(s.float()).detach().double()
    net = f"{block}.output.LayerNorm.adapter"
    inner = (z @ part(model, net + ".down.weight").T + part(model, net + ".down.bias")).clamp(min=0)
    added = gate(model, net + ".gate", z) * (inner @ part(model, net + ".up.weight").T + part(model, net + ".up.bias"))
    close(y, norm.forward((s + added).float()).detach().double())


@pytest.mark.parametrize(("kind", "side"), [("encoder", "right"), ("decoder", "right"), ("decoder", "left")])
def test_padding_does_not_open_or_close_a_gate(kind, side):
    _, _, model = shaken("unipelt", kind, tokens=3)
    with torch.no_grad():
        found = model(**padded(inputs()["input_ids"], side)).logits
    torch.testing.assert_close(found, logits(model), atol=1e-4, rtol=1e-4)
