"""Methods that choose what trains among the model's own values: their choice and their layers, computed again by hand."""

import copy
import dataclasses

import pytest
import tiny
import torch
from test_native_lowrank import SITES, dense, made, pieces
from test_native_more import tokens
from torch.nn import functional
from tuned import attached, base, calibrate, close

import methods
from harness.shape import describe
from methods.layers import trainable
from methods.linear import adapted, transposed


def whole(layer):
    return (layer.weight.T if transposed(layer) else layer.weight).detach().double()


def calibration(kind):
    given, labels = tiny.task(kind)
    return [{**{k: v[at : at + 4] for k, v in given.items()}, "labels": labels[at : at + 4]} for at in (0, 4, 8, 12)]


# PERP


@pytest.mark.parametrize("kind", SITES)
def test_perp_changes_only_what_was_not_pruned(kind):
    config, model = made("perp", kind, r=4, alpha=8, sparsity=0.75)
    layer, (w, b) = model.get_submodule(SITES[kind]), dense(kind)
    own, x = pieces(layer), tokens(w.shape[1])
    left = w.abs() > w.abs().flatten().sort().values[int(0.75 * w.numel()) - 1]
    assert int(left.sum()) == w.numel() // 4
    w = w * left
    expected = x.double() @ (w + 2 * left * (own["B"] @ own["A"])).T
    if b is not None:
        expected = expected + own["base.bias"]
    found = layer(x)
    torch.testing.assert_close(found.double(), expected, atol=1e-4, rtol=1e-4)
    found.square().sum().backward()
    expected.square().sum().backward()
    for name in ("A", "B"):
        torch.testing.assert_close(layer.get_parameter(name).grad.double(), own[name].grad, atol=1e-2, rtol=1e-3)
    merged = methods.get("perp").merge(model).get_submodule(SITES[kind])
    assert bool((whole(merged)[~left] == 0).all()) and bool((whole(merged)[left] != 0).all())


@pytest.mark.parametrize(
    ("subset", "trains"),
    [
        ({"lora": False, "norms": False}, lambda name: name.endswith("bias")),
        ({"lora": False, "biases": False}, lambda name: "LayerNorm" in name),
        ({"biases": False, "norms": False}, lambda name: name.endswith((".A", ".B"))),
    ],
)
def test_perp_retrains_the_subset_that_is_asked_for(subset, trains):
    config = dataclasses.replace(methods.get("perp").config(), **subset)
    _, _, _, model = attached("perp", "encoder", config=config)
    free = [name for name in trainable(model) if not name.startswith("classifier")]
    everything = [name for name, _ in model.named_parameters() if not name.startswith("classifier")]
    assert free == [name for name in everything if trains(name)] != []


def test_perp_with_nothing_to_train_says_so():
    with pytest.raises(ValueError, match="at least one"):
        methods.get("perp").config(lora=False, biases=False, norms=False)


# APET


@pytest.mark.parametrize("kind", SITES)
def test_apet_spends_each_half_of_its_budget_on_what_was_drawn(kind):
    config = methods.get("apet").config(budget=4000, r=2, bottleneck=3)
    _, _, _, model = attached("apet", kind, config=config)
    free = {name: p for name, p in trainable(model).items() if not name.startswith(("classifier", "score"))}
    added = {name for name in free if ".adapter." in name or name.endswith((".A", ".B"))}
    for kept in (added, set(free) - added):
        used = sum(free[name].numel() for name in kept)
        assert 0 < used <= 2000
    # Nothing that was passed over would have fitted: the smallest of a kind is no larger than what is left.
    assert sum(free[name].numel() for name in set(free) - added) > 2000 - 32 or len(set(free) - added) > 5


def test_apet_draws_other_tensors_with_another_seed():
    names = []
    for draw in (0, 1):
        config = methods.get("apet").config(budget=4000, draw=draw)
        names.append(set(trainable(attached("apet", "encoder", config=config)[3])))
    assert names[0] != names[1]


# NeFT


@pytest.mark.parametrize("kind", ["encoder", "gpt2"])
def test_neft_trains_the_rows_whose_direction_a_full_fine_tuning_turns_most(kind):
    config = methods.get("neft").config(share=0.1, probe_rate=1e-3)
    method, config, _, model = attached("neft", kind, config=config)
    calibrate(method, config, model, kind)
    plain = base(kind)
    before, optimizer = copy.deepcopy(plain), torch.optim.AdamW(plain.parameters(), lr=1e-3)
    for part_of in calibration(kind):
        optimizer.zero_grad()
        plain(**part_of).loss.backward()
        optimizer.step()
    names = [name for name, _ in sorted(adapted(model), key=lambda item: item[1].at)]
    cosines = {32: [], 48: []}
    for i, name in enumerate(names):
        old, new = whole(before.get_submodule(name)), whole(plain.get_submodule(name))
        cosines[old.shape[1]] += [
            (float(c), i, row) for row, c in enumerate(functional.cosine_similarity(new, old, dim=1))
        ]
    for width, found in cosines.items():
        pool = model.neft[str(width)]
        wanted = sorted((i, row) for _, i, row in sorted(found)[: len(pool.places)])
        assert len(pool.places) == round(0.1 * len(found))
        assert [tuple(place) for place in pool.places.tolist()] == wanted
    for name, parameter in base(kind).named_parameters():
        found = dict(model.named_parameters())
        assert torch.equal(
            found.get(name, found.get(name.replace(".weight", ".base.weight").replace(".bias", ".base.bias"))),
            parameter,
        ), name


@pytest.mark.parametrize("kind", ["encoder", "gpt2"])
def test_neft_computes_with_the_trained_rows_in_place(kind):
    config = methods.get("neft").config(share=0.1)
    method, config, _, model = attached("neft", kind, config=config)
    calibrate(method, config, model, kind)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for pool in model.neft.values():
            pool.values.add_(torch.randn(pool.values.shape, generator=generator))
    name, layer = next((n, found) for n, found in adapted(model) if len(found.own()[1]))
    w, x = whole(base(kind).get_submodule(name)), tokens(layer.d_in)
    rows = model.neft[str(layer.d_in)].places
    mine = (rows[:, 0] == layer.at).nonzero()[:, 0]
    leaf = model.neft[str(layer.d_in)].values.detach().double().requires_grad_()
    w = w.index_copy(0, rows[mine, 1], leaf[mine])
    expected, found = x.double() @ w.T + layer.base.bias.detach().double(), layer(x)
    torch.testing.assert_close(found.double(), expected, atol=1e-4, rtol=1e-4)
    found.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(model.neft[str(layer.d_in)].values.grad.double(), leaf.grad, atol=1e-2, rtol=1e-3)


# SPT


@pytest.mark.parametrize("kind", ["encoder", "gpt2", "decoder", "vision"])
def test_spt_sums_the_squared_gradients_of_each_batch(kind):
    from methods.selective.spt import sensitivity

    _, config, _, model = attached("spt", kind)
    found = sensitivity(model, calibration(kind), 512)
    plain = base(kind)
    totals = {name: torch.zeros_like(p) for name, p in plain.named_parameters()}
    for part_of in calibration(kind):
        plain.zero_grad()
        plain(**part_of).loss.backward()
        for name, p in plain.named_parameters():
            totals[name] += p.grad**2
    sites = [site.name for site in describe(plain).sites]
    flat = [totals[f"{n}.weight"].T if transposed(plain.get_submodule(n)) else totals[f"{n}.weight"] for n in sites]
    flat += [totals[f"{n}.bias"] for n in sites if f"{n}.bias" in totals]
    norms = [norm.name for norm in describe(plain).norms]
    flat += [totals[f"{n}.{end}"] for n in norms for end in ("weight", "bias") if f"{n}.{end}" in totals]
    torch.testing.assert_close(found, torch.cat([t.flatten() for t in flat]), atol=1e-6, rtol=1e-4)


def test_spt_gives_a_lora_to_matrices_with_many_sensitive_values_and_meets_its_budget():
    from methods.selective._single import Tensor
    from methods.selective.spt import chosen

    tensors = [Tensor(0, 100, 20), Tensor(100, 100, 20), Tensor(200, 10, 0)]
    scores = torch.zeros(210)
    scores[:6] = torch.arange(60.0, 54.0, -1)  # the six most sensitive lie in the first matrix
    scores[100:103] = torch.tensor([50.0, 49.0, 48.0])
    scores[200:203] = torch.tensor([47.0, 46.0, 1.0])
    scores[110:120] = torch.arange(40.0, 30.0, -1)
    # Five of the first matrix earn it a LoRA of 20; the next six are single.
    has, single = chosen(scores, tensors, 26, ease=4.0)
    assert has == [True, False, False] and single.tolist() == [100, 101, 102, 110, 200, 201]
    # A budget below a LoRA leaves every value single.
    has, single = chosen(scores, tensors, 8, ease=4.0)
    assert has == [False] * 3 and single.tolist() == [0, 1, 2, 3, 4, 5, 100, 101]
    # The second matrix earns its own with its fifth value, once both fit.
    has, single = chosen(scores, tensors, 43, ease=4.0)
    assert has == [True, True, False] and single.tolist() == [200, 201, 202]


@pytest.mark.parametrize("kind", ["encoder", "gpt2"])
def test_spt_changes_what_was_chosen_and_nothing_else(kind):
    method, config, _, model = attached("spt", kind)
    calibrate(method, config, model, kind)
    pool, sizes = model.spt, {True: 0, False: 0}
    with torch.no_grad():
        pool.values.copy_(torch.randn(len(pool.values), generator=torch.Generator().manual_seed(5)))
    plain, places, start = base(kind), pool.places[pool.places >= 0], 0
    first_single = int((pool.places < 0).sum())
    changes = []
    for tensor, has in zip(pool.tensors, pool.has_lora.tolist(), strict=True):
        sizes[has] += 1
        change = torch.zeros(tensor.size, dtype=torch.float64)
        if has:
            row = pool.values[start : start + tensor.lora].detach().double()
            start += tensor.lora
            changes.append(row)
            continue
        mine = (places >= tensor.before) & (places < tensor.before + tensor.size)
        change[places[mine] - tensor.before] = pool.values[first_single:][mine].detach().double()
        changes.append(change)
    assert all(sizes.values()) and start == first_single
    layers = sorted(adapted(model), key=lambda item: item[1].numbers[0])
    for name, layer in layers:
        own, change = plain.get_submodule(name), changes[layer.numbers[0]]
        w = whole(own)
        if pool.has_lora[layer.numbers[0]]:
            a, b = change.split([8 * layer.d_in, 8 * layer.d_out])
            w = w + b.view(-1, 8) @ a.view(8, -1)
        else:
            w = w + change.view(w.shape)
        x = tokens(layer.d_in)
        expected = x.double() @ w.T + own.bias.detach().double() + changes[layer.numbers[1]]
        torch.testing.assert_close(layer(x).double(), expected, atol=1e-3, rtol=1e-3)
        assert torch.equal(whole(layer.base), whole(own))
    number = sum(1 + (layer.numbers[1] is not None) for _, layer in layers)
    for norm in describe(plain).norms:
        for end in ("weight", "bias"):
            expected = plain.get_submodule(norm.name).get_parameter(end).detach().double() + changes[number]
            close(getattr(model.get_submodule(norm.name), end).detach().double(), expected)
            number += 1
    assert number == len(changes)


def test_the_single_values_of_spt_get_the_gradient_of_their_places():
    method, config, _, model = attached("spt", "encoder")
    calibrate(method, config, model, "encoder")
    name, layer = next(
        (n, found)
        for n, found in adapted(model)
        if not model.spt.has_lora[found.numbers[0]] and len(found.pool.single(found.numbers[0])[1])
    )
    x = tokens(layer.d_in)
    layer(x).square().sum().backward()
    plain = base("encoder").get_submodule(name)
    plain(x).square().sum().backward()
    for number, grad in ((layer.numbers[0], plain.weight.grad.flatten()), (layer.numbers[1], plain.bias.grad)):
        _, places = model.spt.single(number)
        torch.testing.assert_close(model.spt.values.grad[model.spt.parts[number]], grad[places], atol=1e-3, rtol=1e-4)


def test_spt_refuses_a_budget_that_nothing_could_spend():
    with pytest.raises(ValueError, match="lower share"):
        attached("spt", "encoder", config=methods.get("spt").config(share=0.9), device="meta")
