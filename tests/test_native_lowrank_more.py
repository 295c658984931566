"""LoRA-Mini, LoRA-SP, S2-LoRA, Lingo, TriAdaptLoRA, Flexora, SaLoRA and SST: W', gradients and rules by hand in float64."""

import dataclasses
import json
import math

import pytest
import tiny
import torch
from test_native_lowrank import SITES, dense, made, pieces
from tuned import base, calibrate, config_of

import methods
from harness.attach import attach
from harness.shape import describe, head_names
from methods.linear import adapted
from methods.peft_backend import tuner_of
from methods.spec import Unsupported

QUERY = SITES["encoder"]


def fresh(name, kind="encoder", **change):
    """(method, config, model) with the method in it, nothing moved"""
    method, model = methods.get(name), base(kind)
    config = dataclasses.replace(config_of(name), **change)
    return method, config, attach(model, method, config, describe(model), head_names(model), 0)


def lora_mini(w, p, c):
    return w + c.alpha / c.r * p["B_aux"] @ p["B_train"] @ p["A_train"] @ p["A_aux"]


def lora_sp(w, p, c):
    a, b = p["drawn"].clone(), torch.zeros(w.shape[0], c.r, dtype=torch.float64)
    for factor, at, values in ((a, p["at_a"], p["a"]), (b, p["at_b"], p["b"])):
        columns = factor.shape[1]
        factor[at // columns, at % columns] = values
    return w + c.alpha / c.r * b @ a


def s2_lora(w, p, c):
    return w + p["B"] @ torch.diag(p["coefficients"]) @ p["A"]


def triadaptlora(w, p, c):
    """The start: one rank, whose L and U are one number each."""
    return w + c.alpha * p["B.0"] @ (p["L.0"] + p["U.0"]) @ p["A.0"]


def flexora(w, p, c):
    blocks = len(p["logits"])
    return w + blocks * p["logits"].softmax(0)[-1] * c.alpha / c.r * p["B"] @ p["A"]


def salora(w, p, c):
    return w + (torch.eye(len(w), dtype=torch.float64) - p["V"] @ p["V"].T) @ p["factor"] @ p["A"]


FORMULAS = {
    "lora-mini": ({"a": 12, "b": 9, "r": 3}, lora_mini),
    "lora-sp": ({"r": 3}, lora_sp),
    "s2-lora": ({"r": 5}, s2_lora),
    "triadaptlora": ({"most": 1, "target": 1}, triadaptlora),
    "flexora": ({"r": 3}, flexora),
    "salora": ({"r": 3, "safe": 2}, salora),
}


@pytest.mark.parametrize("kind", SITES)
@pytest.mark.parametrize("name", FORMULAS)
def test_a_layer_is_the_map_that_its_formula_gives(name, kind):
    change, formula = FORMULAS[name]
    config, model = made(name, kind, **change)
    layer = model.get_submodule(SITES[kind]).train()
    w, b = dense(kind)
    generator = torch.Generator().manual_seed(1)
    if name == "salora":
        layer.V.copy_(torch.linalg.qr(torch.randn(layer.V.shape, generator=generator)).Q)
    x = torch.randn(2, 5, w.shape[1], generator=generator)
    way = torch.randn(2, 5, w.shape[0], generator=generator)
    ours, theirs = x.clone().requires_grad_(), x.double().requires_grad_()
    own = pieces(layer)
    whole = formula(w, own, config)
    expected = torch.nn.functional.linear(theirs, whole, b)
    found = layer(ours)
    torch.testing.assert_close(found.double(), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(w + layer.delta().double(), whole, atol=1e-4, rtol=1e-4)
    (found * way).sum().backward()
    (expected * way.double()).sum().backward()
    torch.testing.assert_close(ours.grad.double(), theirs.grad, atol=1e-3, rtol=1e-3)
    free = {n: p for n, p in layer.named_parameters() if p.requires_grad}
    assert free
    for n, parameter in free.items():
        torch.testing.assert_close(
            parameter.grad.double(), own[n].grad, atol=1e-3, rtol=1e-3, msg=lambda m, n=n: f"{n}: {m}"
        )


def test_lora_sp_leaves_half_of_each_factor_as_it_was():
    _, _, model = fresh("lora-sp", r=4)
    layer = model.get_submodule(QUERY)
    a, b = layer.A.detach().clone(), layer.B.detach().clone()
    with torch.no_grad():
        layer.a.add_(1.0)
        layer.b.add_(1.0)
    assert int((a != layer.A).sum()) == 4 * 32 // 2 == int((b != layer.B).sum())
    other = model.get_submodule(QUERY.replace("layer.1", "layer.0"))
    assert not torch.equal(layer.at_a, other.at_a)


def test_s2_lora_shares_by_width_and_asks_for_sparse_coefficients():
    method, config, model = fresh("s2-lora", "decoder", r=5, eta=0.5, targets=("query", "key", "up"))
    found = dict(adapted(model))
    assert len({id(layer.A) for layer in found.values()}) == 1  # all read the 32 wide stream
    assert len({id(layer.B) for layer in found.values()}) == 3  # 32, 16 and 48 wide
    total = 0.0
    with torch.no_grad():
        for number, layer in enumerate(found.values()):
            layer.coefficients.copy_(torch.tensor([1.0, -2.0, 0.0, 0.5, -number]))
            total += 3.5 + number
    assert float(method.loss_term(model, config).detach()) == pytest.approx(0.5 * total / len(found))


def cut_by(name, **change):
    """(E before, E after, kept) of one cut to half the triplets, in a model whose scores are the same for every method"""
    _, _, model = fresh(name, r=4, r_start=8, targets=("query", "value"), **change)
    allocator = tuner_of(model).rankallocator
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if ".lora_" in parameter_name:
                parameter.copy_(torch.randn(parameter.shape, generator=generator))
                parameter.grad = torch.randn(parameter.shape, generator=generator)
    before = {n: p.detach().clone() for n, p in model.named_parameters() if ".lora_E." in n}
    for _ in range(3):
        allocator.update_ipt(model)
    kept = allocator.mask_to_budget(model, 4 * len(before))
    return before, {n: p.detach() for n, p in model.named_parameters() if n in before}, kept


def test_lingo_goes_against_the_score_with_a_chance():
    before, plain, kept = cut_by("adalora", gamma=0.5)
    for chance in (0.0, 1.0, 0.4):
        _, after, found = cut_by("lingo", chance=chance)
        flips = 0
        for name, values in before.items():
            mask = torch.tensor(found[name])
            flips += int((mask != torch.tensor(kept[name])).sum())
            torch.testing.assert_close(after[name], values * mask[:, None])
        if chance in (0.0, 1.0):
            assert flips == chance * 8 * len(before)
        else:
            assert 0 < flips < 8 * len(before)
    assert all((plain[n] == 0).sum() == kept[n].count(False) for n in before)


def grown():
    """A TriAdaptLoRA layer of three pieces, ranks 1, 3 and 5, moved from its start"""
    config, model = made("triadaptlora", grow=2, most=5, target=4, alpha=3)
    layer = model.get_submodule(QUERY).train()
    layer.grow()
    layer.grow()
    with torch.no_grad():
        for part in (layer.L, layer.U):
            for n, parameter in enumerate(part):
                parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(n)))
    return config, model, layer


def test_triadaptlora_joins_its_pieces_to_triangles():
    _, _, layer = grown()
    own = pieces(layer)
    w, b = dense("encoder")
    c = torch.zeros(5, 5, dtype=torch.float64)
    for piece, (start, end) in enumerate(((0, 1), (1, 3), (3, 5))):
        for i in range(start, end):
            for j in range(end):
                c[i, j] += own[f"L.{piece}"][i - start, j].detach()
                c[j, i] += own[f"U.{piece}"][j, i - start].detach()
    a = torch.cat([own[f"A.{i}"] for i in range(3)])
    up = torch.cat([own[f"B.{i}"] for i in range(3)], dim=1)
    x = torch.randn(4, 32, generator=torch.Generator().manual_seed(1))
    expected = torch.nn.functional.linear(x.double(), w + 3 / 5 * up @ c @ a, b)
    torch.testing.assert_close(layer(x).double(), expected, atol=1e-3, rtol=1e-3)
    assert layer.importance() == pytest.approx(float(c.norm()) / 3, rel=1e-4)
    assert layer.importance() == pytest.approx(0.0, abs=1e-6)


def test_triadaptlora_keeps_its_factors_near_orthogonal():
    config, model, layer = grown()
    gaps = []
    for _, each in adapted(model):
        n = each.rank
        a = torch.cat([p.double() for p in each.A[: each.used]])
        b = torch.cat([p.double() for p in each.B[: each.used]], dim=1)
        eye = torch.eye(n, dtype=torch.float64)
        gaps += [(a @ a.T - eye).square().sum().sqrt(), (b.T @ b - eye).square().sum().sqrt()]
    expected = config.gamma * sum(gaps) / len(gaps)
    found = methods.get("triadaptlora").loss_term(model, config).detach()
    assert float(found) == pytest.approx(float(expected.detach()), rel=1e-4)


def test_triadaptlora_grows_what_became_important_until_its_budget():
    method, config, model = fresh("triadaptlora", target=3, grow=2, most=7, interval=0.1, warmup=0.2)
    optimizer = method.optimizer([{"params": [p for p in model.parameters() if p.requires_grad], "lr": 0.1}], config)
    layers = [layer for _, layer in adapted(model)]
    number, before = len(layers), len(optimizer.param_groups[0]["params"])
    with torch.no_grad():
        for place, layer in enumerate(layers):
            layer.L[0].fill_(place + 1.0)
    start = layers[-1].delta().detach().clone()
    method.after_step(model, config, 1, 20)  # warm-up takes 4 of 20 steps, a look comes every 2
    method.after_step(model, config, 6, 20)
    assert [layer.rank for layer in layers] == [1] * number
    method.after_step(model, config, 7, 20)
    # K = (3 - 1) number * (8 - 4) / (20 - 4)
    k = int(2 * number * 4 / 16)
    assert [layer.rank for layer in layers] == [1] * (number - k) + [3] * k
    # New L and U are 0: only alpha / n has changed.
    torch.testing.assert_close(layers[-1].delta() * 3, start)
    handed = {id(p) for p in optimizer.param_groups[0]["params"]}
    assert len(handed) == before + 4 * k and {id(p) for p in model.parameters() if p.requires_grad} <= handed
    for step in range(8, 20):
        with torch.no_grad():
            for place, layer in enumerate(layers):
                layer.L[0].add_(place + 1.0)
        method.after_step(model, config, step, 20)
    total = sum(layer.rank for layer in layers)
    assert total >= 3 * number and max(layer.rank for layer in layers) <= 7
    method.after_step(model, config, 19, 20)
    assert total == sum(layer.rank for layer in layers)


def test_flexora_moves_adapters_and_weights_of_blocks_by_turns():
    method, config, model = fresh("flexora", selection=0.5)
    logits = next(layer.logits for _, layer in adapted(model))
    for step in range(10):
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter) if parameter.requires_grad else None
        method.before_step(model, config, step, 20)
        with_gradient = {n for n, p in model.named_parameters() if p.grad is not None}
        if step % 2:
            assert logits.grad is not None and len(with_gradient) == 1
        else:
            assert logits.grad is None and any("classifier" in n for n in with_gradient)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter) if parameter.requires_grad else None
    method.before_step(model, config, 10, 20)
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
    groups = method.param_groups(model, config, 3e-4, 0.1)
    assert [g["lr"] for g in groups if any(p is logits for p in g["params"])] == [config.rate]


def test_flexora_starts_anew_in_the_blocks_that_were_chosen():
    method, config, model = fresh("flexora", selection=0.5)
    optimizer = method.optimizer(method.param_groups(model, config, 0.01, 0.0), config)
    model.train()
    for _ in range(3):
        batch = tiny.batch()
        model(**batch).loss.backward()
        optimizer.step()
    first, last = (model.get_submodule(QUERY.replace("layer.1", f"layer.{n}")) for n in (0, 1))
    moved = last.A.detach().clone()
    with torch.no_grad():
        first.logits.copy_(torch.tensor([0.3, -0.3]))
    method.after_step(model, config, 8, 20)
    assert first.logits.requires_grad
    method.after_step(model, config, 9, 20)
    assert not first.logits.requires_grad and not last.A.requires_grad and torch.equal(last.A, moved)
    assert (first.B == 0).all() and first.A.abs().max() <= 32**-0.5 and first.A not in optimizer.state
    x = torch.randn(3, 32, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(last(x), last.base(x))
    with torch.no_grad():
        first.B.fill_(0.1)
    w, b = first.base.weight.double(), first.base.bias.double()
    expected = torch.nn.functional.linear(
        x.double(), w + config.alpha / config.r * first.B.double() @ first.A.double(), b
    )
    torch.testing.assert_close(first(x).double(), expected, atol=1e-4, rtol=1e-4)


def outputs_of(model, name, inputs, chosen):
    """The layer's outputs without its bias at the chosen tokens, in float64"""
    layer, kept = model.get_submodule(name), []
    handle = layer.register_forward_pre_hook(lambda module, given: kept.append(given[0]))
    with torch.no_grad():
        model(**inputs)
    handle.remove()
    return kept[0][chosen].double() @ layer.weight.double().T


def test_salora_projects_off_what_harmful_prompts_make():
    pairs = json.loads(config_of("salora").prompts)
    _, config, model = fresh("salora", r=3, safe=4, task=6)
    calibrate(methods.get("salora"), config, model, "encoder")
    plain = base("encoder").eval()
    harmful = []
    for prompt, answer in pairs:
        ids = torch.tensor([prompt + answer])
        harmful.append(outputs_of(plain, QUERY, {"input_ids": ids}, torch.arange(ids.shape[1])[None] >= len(prompt)))
    safe = torch.linalg.svd(torch.cat(harmful)).Vh[:4].T
    data = tiny.batch()
    every = torch.ones_like(data["input_ids"]).bool()
    given = {name: value for name, value in data.items() if name != "labels"}
    task = torch.linalg.svd(outputs_of(plain, QUERY, given, every)).Vh[:6].T
    w = plain.get_submodule(QUERY).weight.detach().double()
    u, s, vh = torch.linalg.svd(w)

    own = pieces(model.get_submodule(QUERY))
    projection = torch.eye(32, dtype=torch.float64) - safe @ safe.T
    torch.testing.assert_close(own["V"] @ own["V"].T, safe @ safe.T, atol=1e-3, rtol=1e-3)
    start = task @ task.T @ u[:, :3] @ torch.diag(s[:3]) @ vh[:3]
    torch.testing.assert_close((own["factor"] @ own["A"]).detach(), start, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(own["base.weight"], w - projection @ start, atol=2e-3, rtol=2e-3)
    with torch.no_grad():
        model.get_submodule(QUERY).factor.add_(1.0)
    moved = model.get_submodule(QUERY).delta().double()
    torch.testing.assert_close(safe.T @ moved, torch.zeros(4, 32, dtype=torch.float64), atol=1e-2, rtol=0.0)


@pytest.mark.parametrize(
    ("prompts", "sentence"),
    [
        ("[[[1, 2]]]", "not a JSON list of"),
        ("nowhere.json", "not a JSON list of"),
        ("[]", "holds no pair"),
        ("[[[1, 2], []]]", "give each prompt its refusal"),
        ("[[[1, 99], [2, 3]]]", "token id 99, and the model has 64"),
        ("[[[1, 2], [3]]]", "1 tokens of answers do not span safe=2"),
    ],
)
def test_salora_says_what_is_wrong_with_its_prompts(prompts, sentence):
    method, config, model = fresh("salora", prompts=prompts)
    with pytest.raises(ValueError, match=sentence):
        calibrate(method, config, model, "encoder")


def test_salora_without_prompts_is_refused_with_what_to_do():
    method, config, model = fresh("salora", prompts="")
    with pytest.raises(Unsupported, match="set salora.prompts=FILE"):
        calibrate(method, config, model, "encoder")


def test_salora_reads_its_prompts_from_a_file(tmp_path):
    file = tmp_path / "refusals.json"
    file.write_text(config_of("salora").prompts)
    found = []
    for prompts in (config_of("salora").prompts, str(file)):
        method, config, model = fresh("salora", prompts=prompts)
        calibrate(method, config, model, "encoder")
        found.append(model.get_submodule(QUERY).V.clone())
    assert torch.equal(*found)


@pytest.mark.parametrize("kind", SITES)
def test_sst_is_a_map_by_its_parts_with_gradients_without_sigma(kind):
    _, _, model = fresh("sst", kind, r=3)
    layer = model.get_submodule(SITES[kind]).train()
    w, b = dense(kind)
    own = pieces(layer)
    u, v = torch.cat([own["U_1"], own["U_2"]], dim=1).detach(), torch.cat([own["V_1"], own["V_2"]]).detach()
    torch.testing.assert_close(u @ torch.diag(own["S"].detach()) @ v, w, atol=1e-4, rtol=1e-4)
    eye = torch.eye(min(w.shape), dtype=torch.float64)
    torch.testing.assert_close(u.T @ u, eye, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(v @ v.T, eye, atol=1e-4, rtol=1e-4)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2, 5, w.shape[1], generator=generator, requires_grad=True)
    way = torch.randn(2, 5, w.shape[0], generator=generator)
    found = layer(x)
    torch.testing.assert_close(
        found.double(), torch.nn.functional.linear(x.detach().double(), w, b), atol=1e-3, rtol=1e-3
    )
    (found * way).sum().backward()
    g = way.double().flatten(0, 1).T @ x.detach().double().flatten(0, 1)  # dL / dW
    close = {"atol": 1e-3, "rtol": 1e-3}
    torch.testing.assert_close(layer.U_1.grad.double(), g @ own["V_1"].detach().T, **close)
    torch.testing.assert_close(layer.V_1.grad.double(), own["U_1"].detach().T @ g, **close)
    torch.testing.assert_close(layer.S.grad.double(), torch.diag(u.T @ g @ v.T), **close)
    torch.testing.assert_close(x.grad.double(), way.double() @ w, **close)


def test_sst_draws_by_size_and_evenly_by_halves():
    _, _, model = fresh("sst", r=1)
    layer = model.get_submodule(QUERY)
    s = torch.zeros(32)
    s[:2] = torch.tensor([3.0, 1.0])
    u, vh = torch.eye(32), torch.eye(32)
    seen = torch.zeros(32)
    for _ in range(4000):
        layer.arrange(u, s, vh)
        seen[layer.U_1[:, 0].argmax()] += 1
    expected = (1 / 32 + s / s.sum()) / 2
    torch.testing.assert_close(seen / 4000, expected, atol=0.02, rtol=0.0)


def test_sst_redraws_without_moving_the_map_and_decomposes_once_a_round():
    method, config, model = fresh("sst", r=12, steps=4)
    optimizer = method.optimizer([{"params": [p for p in model.parameters() if p.requires_grad], "lr": 1e-2}], config)
    layer = model.get_submodule(QUERY)
    generator = torch.Generator().manual_seed(2)
    for step in range(12):
        for _, each in adapted(model):
            for parameter in (each.S, each.U_1, each.V_1):
                parameter.grad = torch.randn(parameter.shape, generator=generator)
        active = layer.U_1.detach().clone()
        optimizer.step()
        moved = layer.U_1.detach().double()
        unit = moved / moved.norm(dim=0)
        other = (layer.V_1.detach().double().T / layer.V_1.detach().double().norm(dim=1)).T
        left, right = torch.cat([unit, layer.U_2.double()], 1), torch.cat([other, layer.V_2.double()])
        expected = left @ torch.diag(layer.S.detach().double().clamp(min=0)) @ right
        method.after_step(model, config, step, 100)
        torch.testing.assert_close(layer.whole().detach().double(), expected, atol=1e-3, rtol=1e-3)
        gap = (torch.cat([layer.U_1, layer.U_2], 1).double().T @ torch.cat([layer.U_1, layer.U_2], 1).double()).detach()
        gap = float((gap - torch.eye(32, dtype=torch.float64)).abs().max())
        redrawn = step in (3, 7, 11)
        assert (layer.U_1 in optimizer.state) != redrawn
        assert torch.allclose(layer.U_1, active, atol=0.1) or redrawn
        # Three draws of 12 are a round of 32: the third brings orthogonal vectors back.
        assert gap < 1e-4 if step == 11 else gap > 1e-3


def test_counts_on_a_square_model_are_the_closed_forms():
    shape = describe(base("encoder"))
    sites = {"query": 32 * 2, "value": 32 * 2}
    two = len(sites) * shape.blocks
    assert methods.get("lora-mini").count(shape, methods.get("lora-mini").config(r=4, a=10, b=6)) == 4 * 16 * two
    assert methods.get("lora-sp").count(shape, methods.get("lora-sp").config(r=4)) == 4 * 32 * two
    assert methods.get("s2-lora").count(shape, methods.get("s2-lora").config(r=5)) == 5 * (64 + 4 * shape.blocks)
    flexora = methods.get("flexora")
    assert flexora.count(shape, flexora.config(r=4)) == 4 * 64 * two + shape.blocks
    sst = methods.get("sst")
    assert sst.count(shape, sst.config(r=4, targets=("query", "value"))) == (4 * 64 + 32) * two
    with pytest.raises(ValueError, match="32 singular values"):
        sst.count(shape, sst.config(r=33))
    assert math.isclose(sst.count(shape, sst.config(r=4, targets=("up",))), (4 * (32 + 48) + 32) * shape.blocks)
