"""Optimizers and schedules against their formulas, written out anew in float64: what is projected, split, taken in
turns, restarted, exchanged, rescaled, perturbed or sampled."""

import copy
import dataclasses
import math

import pytest
import torch
from tuned import attached, batch_of, close, config_of, logits, shaken, shape_of, teach
from tuned import base as untouched

import methods
from harness.train import make_optimizer, one_step, summed_loss
from methods.layers import blocks_of, trainable
from methods.spec import Site
from tasks.spec import Recipe

UP, DOWN = "bert.encoder.layer.0.intermediate.dense", "bert.encoder.layer.0.output.dense"  # (48, 32) and (32, 48)
QUERY = "bert.encoder.layer.0.attention.self.query"


def made(name, kind="encoder", rate=0.01, decay=0.0, **change):
    """(method, config, model, optimizer)"""
    method, config = methods.get(name), dataclasses.replace(config_of(name), **change)
    _, _, _, model = attached(name, kind, config=config)
    model.train()
    return method, config, model, make_optimizer(model, method, config, rate, decay)


def gradients(shape, steps, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) * (1 + at % 3) for at in range(steps)]


def adam(mean, square, g, step, eps, inside=False):
    """(mean, square, Adam's step) after g; eps on the corrected root, or on the uncorrected one if `inside`."""
    mean, square = 0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g**2
    root = 1 - 0.999**step
    if inside:
        return mean, square, math.sqrt(root) / (1 - 0.9**step) * mean / (square.sqrt() + eps)
    return mean, square, mean / (1 - 0.9**step) / ((square / root).sqrt() + eps)


def whole_step(method, config, model, optimizer, step, total):
    recipe = Recipe(batch_size=16, weight_decay=0.0, max_grad_norm=None)
    return one_step(
        model, method, config, recipe, batch_of("encoder"), optimizer, list(trainable(model).values()), step, total
    )


def on_grid(x, bits, block):
    """The nearest values of a uniform grid that holds 0, block by block of a row of numbers; one at a time."""
    found = []
    for at in range(0, len(x), block):
        values = x[at : at + block].tolist()
        low, high = min(0.0, *values), max(0.0, *values)
        size = max(high - low, 1e-5) / (2**bits - 1)
        zero = round(-low / size)
        found += [(min(max(round(v / size) + zero, 0), 2**bits - 1) - zero) * size for v in values]
    return torch.tensor(found, dtype=torch.float64)


@pytest.mark.parametrize(("name", "shape"), [(UP, (48, 32)), (DOWN, (32, 48))])
def test_q_galore_is_galore_with_projectors_on_a_four_bit_grid(name, shape):
    _, _, model, optimizer = made("q-galore", decay=0.1, r=3, gap=2, scale=0.5, weight_bits=0)
    weight = model.get_parameter(f"{name}.weight")
    w, mean, square = weight.detach().double(), 0.0, 0.0
    for step, gradient in enumerate(gradients(shape, 5), 1):
        weight.grad = gradient.clone()
        optimizer.step()
        g = gradient.double() if shape[0] < shape[1] else gradient.double().T
        if step % 2 == 1:
            factors = torch.linalg.svd(gradient, full_matrices=False)
            rows = factors.U[:, :3].T if shape[0] < shape[1] else factors.Vh[:3]
            p = on_grid(rows.flatten(), 4, 256).view(3, 32).T
            assert 1e-3 < (p - rows.T).abs().max() < 0.1, "the grid is coarse"
        mean, square, move = adam(mean, square, p.T @ g, step, 1e-6, inside=True)
        move = 0.5 * p @ move
        w = (w - 0.01 * (move if shape[0] < shape[1] else move.T)) * (1 - 0.01 * 0.1)
        close(weight.detach().double(), w)


def test_q_galore_stores_half_a_byte_a_value_of_its_projectors():
    kept = {}
    for name in ("galore", "q-galore"):
        _, _, model, optimizer = made(name, r=16)
        weight = model.get_parameter(f"{UP}.weight")
        weight.grad = gradients((48, 32), 1)[0]
        optimizer.step()
        state = optimizer.state[weight]
        tensors = [t for value in state.values() for t in (value if isinstance(value, tuple) else [value])]
        kept[name] = sum(t.numel() * t.element_size() for t in tensors if torch.is_tensor(t))
    moments = 2 * 4 * 48 * 16
    assert kept["galore"] == moments + 4 * 16 * 32
    assert kept["q-galore"] == moments + 16 * 32 // 2 + 2 * (4 + 1), "and a size and a zero for each 256 values"


def test_q_galore_looks_less_often_where_the_direction_stays():
    _, config, model, optimizer = made("q-galore", gap=2, weight_bits=0)
    steady, restless = (model.get_parameter(f"{name}.weight") for name in (UP, DOWN))
    column = torch.randn(48, 1, generator=torch.Generator().manual_seed(0))
    row = torch.randn(1, 32, generator=torch.Generator().manual_seed(1))
    renewed = []
    for at, gradient in enumerate(gradients((32, 48), 24)):
        steady.grad, restless.grad = (1 + at % 2) * column @ row, gradient
        optimizer.step()
        renewed.append(optimizer.state[steady]["gap"])
    # The first renewal has nothing to be compared with; the sixth, at step 10, has seen five.
    assert renewed[:10] == [2] * 10 and renewed[10] == 4, renewed
    assert optimizer.state[restless]["gap"] == 2, "random gradients have no direction that stays"
    assert config.renewals == 5


def test_q_galore_rounds_matrices_to_eight_bits_without_bias():
    _, _, model, optimizer = made("q-galore", rate=0.0)
    weight = model.get_parameter(f"{UP}.weight")
    start, total = weight.detach().clone(), torch.zeros(48, 32)
    for _ in range(200):
        with torch.no_grad():
            weight.copy_(start)
        weight.grad = torch.ones(48, 32)
        optimizer.step()
        total += weight.detach()
    block = start.flatten()[:256]
    size = float(block.max() - block.min()) / 255
    codes = weight.detach().flatten()[:256] / size
    close(codes, codes.round())
    assert not torch.equal(weight, start)
    # The zero point is rounded as well, so that the two ends of a block may not be met.
    inside = (block != block.max()) & (block != block.min())
    far = (total / 200 - start).flatten()[:256][inside].abs().max() / size
    assert far < 5 * 0.5 / math.sqrt(200), "the mean of many roundings is the value"


def test_cosines_are_the_orthogonal_dct_of_the_third_kind():
    from methods.optimizer.svdfree_dct import cosines

    found = cosines(6)
    for i in range(6):
        for j in range(6):
            scale = math.sqrt(1 / 6) if i == 0 else math.sqrt(2 / 6)
            assert float(found[i, j]) == pytest.approx(scale * math.cos(i * (2 * j + 1) * math.pi / 12), abs=1e-12)
    close(found @ found.T, torch.eye(6, dtype=torch.float64))


@pytest.mark.parametrize(("name", "shape"), [(UP, (48, 32)), (DOWN, (32, 48))])
def test_dct_adamw_takes_the_columns_that_the_gradient_meets_best_and_turns_its_moments(name, shape):
    from methods.optimizer.svdfree_dct import cosines

    _, _, model, optimizer = made("svdfree-dct", r=5, gap=2)
    weight = model.get_parameter(f"{name}.weight")
    d, w, mean, square, old, changed = cosines(32), weight.detach().double(), 0.0, 0.0, None, 0
    for step, gradient in enumerate(gradients(shape, 6), 1):
        weight.grad = gradient.clone()
        optimizer.step()
        g = gradient.double() if shape[0] >= shape[1] else gradient.double().T
        if step % 2 == 1:
            lengths = [float((g @ d[:, j]).abs().sum()) for j in range(32)]
            p = d[:, sorted(sorted(range(32), key=lengths.__getitem__)[-5:])]
            if old is not None:
                turn = old.T @ p
                changed += not torch.allclose(turn, torch.eye(5, dtype=torch.float64), atol=1e-6)
                mean, square = mean @ turn, (square @ turn).abs()
            old = p
        mean, square, move = adam(mean, square, g @ p, step, 1e-8, inside=True)
        move = move @ p.T
        w = w - 0.01 * (move if shape[0] >= shape[1] else move.T)
        torch.testing.assert_close(weight.detach().double(), w, atol=1e-4, rtol=1e-3)
    assert changed, "the columns must have changed"


def test_dct_adamw_keeps_indices_and_one_matrix_for_all():
    _, config, model, optimizer = made("svdfree-dct")
    optimizer.zero_grad()
    summed_loss(model(**batch_of("encoder").inputs).logits, batch_of("encoder")).backward()
    optimizer.step()
    states = [optimizer.state[model.get_parameter(f"{name}.weight")] for name in (UP, DOWN, QUERY)]
    assert len({id(state["whole"]) for state in states}) == 1
    assert [state["columns"].numel() for state in states] == [config.r] * 3
    assert states[0]["mean"].shape == (48, config.r) and states[1]["mean"].shape == (config.r, 48)


@pytest.mark.parametrize(("kind", "name"), [("encoder", QUERY), ("gpt2", "transformer.h.0.attn.c_attn")])
def test_frugal_moves_some_columns_by_adam_and_the_rest_by_the_sign(kind, name):
    _, config, model, optimizer = made("frugal", kind, decay=0.1, r=4, gap=3)
    weight = model.get_parameter(f"{name}.weight")
    stored_as_maps = kind == "gpt2"
    w, drawn = weight.detach().double(), []
    w = w.T if stored_as_maps else w
    for at, gradient in enumerate(gradients(weight.shape, 7)):
        weight.grad = gradient.clone()
        optimizer.step()
        g = gradient.double().T if stored_as_maps else gradient.double()
        columns = optimizer.state[weight]["columns"].tolist()
        if at % 3 == 0:
            drawn.append(columns)
            mean = square = 0.0
        assert columns == drawn[-1], "a draw lasts for three steps"
        mean, square, move = adam(mean, square, g[:, columns], at % 3 + 1, 1e-8)
        step = config.rest * g.sign()
        step[:, columns] = move
        w = w * (1 - 0.01 * 0.1) - 0.01 * step
        found = weight.detach().double()
        close(found.T if stored_as_maps else found, w)
    assert len({tuple(columns) for columns in drawn}) > 1 and all(len(set(columns)) == 4 for columns in drawn)
    assert sum(t.numel() for t in optimizer.state[weight].values() if torch.is_tensor(t)) == 2 * 4 * w.shape[0] + 4


def test_frugal_keeps_no_state_of_the_blocks_other_matrices_and_adam_moves_what_lies_outside():
    _, config, model, optimizer = made("frugal")
    norm = model.get_parameter("bert.encoder.layer.0.output.LayerNorm.weight")
    up = model.get_parameter(f"{UP}.weight")
    start, before = norm.detach().double(), up.detach().clone()
    norm.grad, up.grad = torch.full_like(norm, 0.3), gradients((48, 32), 1)[0]
    optimizer.step()
    assert up not in optimizer.state
    close(up.detach(), before - 0.01 * config.rest * up.grad.sign())
    close(norm.detach().double(), start - 0.01)


def blocks_with(model, what):
    names = [name for name, parameter in model.named_parameters() if "encoder.layer." in name and what(parameter)]
    return {int(name.split("layer.")[1].split(".")[0]) for name in names}


def test_badam_goes_through_the_blocks_and_starts_each_from_zero_moments():
    method, config, model, optimizer = made("badam", period=2)
    start = {name: p.detach().clone() for name, p in model.named_parameters()}
    turns = []
    for step in range(12):
        whole_step(method, config, model, optimizer, step, 12)
        graded = blocks_with(model, lambda p: p.grad is not None)
        assert blocks_with(model, lambda p: p in optimizer.state) == graded and len(graded) == 1
        weight = model.get_parameter(f"bert.encoder.layer.{max(graded)}.output.dense.weight")
        assert int(optimizer.state[weight]["step"]) == step % 2 + 1, "moments start anew with each turn"
        turns.append(max(graded))
    assert all(turns[at] == turns[at + 1] for at in range(0, 12, 2)), "a turn lasts two steps"
    assert all({turns[at], turns[at + 2]} == {0, 1} for at in range(0, 12, 4)), "a round takes every block once"
    moved = {name for name, p in model.named_parameters() if not torch.equal(p, start[name])}
    assert moved == {name for name in start if "encoder.layer." in name or name.startswith("classifier")}


@pytest.mark.parametrize("order", ["ascending", "descending", "random"])
def test_badam_keeps_to_its_order(order):
    from methods.optimizer.badam import BlockAdamW, Config

    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 0.1, "block": at, "seed": 3} for at in range(6)]
    optimizer = BlockAdamW(groups, Config(period=1, order=order))
    turns = [optimizer.chosen()[0] for _ in range(24)]
    rounds = [turns[at : at + 6] for at in range(0, 24, 6)]
    assert all(sorted(each) == list(range(6)) for each in rounds)
    if order == "random":
        assert len({tuple(each) for each in rounds}) > 1
    else:
        assert rounds == [sorted(range(6), reverse=order == "descending")] * 4


def test_badam_moves_its_block_as_adam_would():
    method, config, model, optimizer = made("badam", period=100)
    optimizer.zero_grad(set_to_none=True)
    (active,) = blocks_with(model, lambda p: p.requires_grad)
    weight = model.get_parameter(f"bert.encoder.layer.{active}.output.dense.weight")
    w, mean, square = weight.detach().double(), 0.0, 0.0
    for step in range(1, 4):
        whole_step(method, config, model, optimizer, step - 1, 100)
        mean, square, move = adam(mean, square, weight.grad.double(), step, 1e-8)
        w = w - 0.01 * move
        close(weight.detach().double(), w)


@pytest.mark.parametrize("kind", ["encoder", "decoder", "gpt2", "vision", "causal"])
def test_badam_counts_what_lies_in_the_blocks(kind):
    _, _, _, model = attached("badam", kind)
    inside = sum(p.numel() for name in model.turns for p in model.get_submodule(name).parameters())
    assert methods.get("badam").count(shape_of(kind), config_of("badam")) == inside


def test_blocks_of_two_stacks_are_all_named():
    names = [f"{stack}.block.{at}.layer.0.q" for stack in ("encoder", "decoder") for at in (0, 1, 10, 2)]
    sites = [Site(name, "query", "attention", int(name.split(".")[2]), 4, 4, False) for name in names]
    assert blocks_of(sites) == [f"{stack}.block.{at}" for stack in ("encoder", "decoder") for at in (0, 1, 2, 10)]


def test_relora_merges_starts_anew_and_climbs():
    method, config, model, optimizer = made("relora", cycles=2, climb=0.5, prune=0.9, rate=0.03)
    layer, start = model.get_submodule(UP), untouched("encoder").get_parameter(f"{UP}.weight").detach().double()
    for step in range(7):
        whole_step(method, config, model, optimizer, step, 16)
    close(layer.base.weight.detach().double(), start)
    a, b = layer.A.detach().clone(), layer.B.detach().double()
    outputs = logits(model)
    method.after_step(model, config, 7, 16)
    close(layer.base.weight.detach().double(), start + config.alpha / config.r * b @ a.double())
    assert not layer.B.any() and not torch.equal(layer.A, a)
    close(logits(model), outputs)
    model.train()
    # The rate climbs from 0 in half of the second cycle's 8 steps.
    head = model.classifier.weight
    before = [p.detach().clone() for p in (layer.A, layer.B, head)]
    whole_step(method, config, model, optimizer, 8, 16)
    assert all(torch.equal(p, old) for p, old in zip((layer.A, layer.B, head), before, strict=True)), "a rate of 0"
    state = optimizer.state[layer.A]
    kept = (state["exp_avg"].abs() > 1e-12).sum()
    assert kept <= math.ceil(0.1 * layer.A.numel()), "B is 0, so that A has no gradient and only what was kept is left"
    assert int(((state["exp_avg_sq"] > 0) & (state["exp_avg"] == 0)).sum()) == 0
    frozen = copy.deepcopy(optimizer.state[layer.B])
    old = layer.B.detach().double()
    whole_step(method, config, model, optimizer, 9, 16)
    step = int(frozen["step"]) + 1
    *_, move = adam(frozen["exp_avg"].double(), frozen["exp_avg_sq"].double(), layer.B.grad.double(), step, 1e-8)
    close(layer.B.detach().double(), old - 0.03 * 0.25 * move)
    assert optimizer.param_groups[0]["lr"] == 0.03, "the schedule's own rate is not touched"


def test_relora_adds_up_to_more_than_its_rank():
    method, config, _, model = attached("relora", "encoder", config=dataclasses.replace(config_of("relora"), r=2))
    teach(method, config, model, "encoder", 24, 0.01)
    layer, start = model.get_submodule(UP), untouched("encoder").get_parameter(f"{UP}.weight").detach()
    change = layer.base.weight.detach() + layer.delta().detach() - start
    values = torch.linalg.svdvals(change)
    assert int((values > 1e-3 * values[0]).sum()) > 2


def test_switchlora_exchanges_vectors_without_a_change_at_the_output():
    method, config, model, _ = made("switchlora")
    expected = logits(untouched("encoder"))
    close(logits(model.eval()), expected)
    layer = model.get_submodule(UP)
    a, b = layer.A.detach().clone(), layer.B.detach().clone()
    for name in (UP, DOWN, QUERY):
        model.get_submodule(name).switch(2, config.rest)
    close(logits(model.eval()), expected)
    rows = [at for at in range(config.r) if not torch.equal(layer.A[at], a[at])]
    columns = [at for at in range(config.r) if not torch.equal(layer.B[:, at], b[:, at])]
    assert rows == [0, 1] and columns == [4, 5], "B half a round behind A"
    assert layer.rows.resting[4:6] == [config.rest] * 2 == layer.columns.resting[:2], "the counterparts rest"
    assert sum(layer.rows.resting) == sum(layer.columns.resting) == 2 * config.rest
    base = untouched("encoder").get_parameter(f"{UP}.weight").detach().double()
    close(layer.base.weight.detach().double(), base - (layer.B.double() @ layer.A.double()).detach() / config.r)


def test_switchlora_gives_vectors_back_to_their_place_in_the_pool():
    _, config, model, _ = made("switchlora", r=2)
    layer = model.get_submodule(QUERY)  # 32 x 32: 32 vectors on either side, of which 2 are in use
    first = layer.A.detach().clone()
    for _ in range(30):
        layer.rows.exchange(layer.A)
    assert not any(torch.equal(layer.A[i], first[j]) for i in range(2) for j in range(2))
    for _ in range(2):
        layer.rows.exchange(layer.A)
    assert torch.equal(layer.A, first), "after 30 others the first two come back"
    assert len(layer.rows.pool) == 30


def test_switchlora_draws_with_the_papers_deviations():
    from methods.optimizer.switchlora import bounds

    for d_in, d_out, r in ((32, 48, 8), (768, 768, 8), (768, 3072, 16)):
        of_a, of_b = (bound / math.sqrt(3) for bound in bounds(d_in, d_out, r))
        # The product has Kaiming's variance, gain^2 / d_in with gain^2 = 1/3.
        assert r * (of_a * of_b / r) ** 2 == pytest.approx(1 / 3 / d_in)
        assert of_a / of_b == pytest.approx((d_out / d_in) ** 0.25)


def test_switchlora_lets_a_counterpart_rest_and_start_from_zero_moments():
    method, config, model, optimizer = made("switchlora", r=4, interval=10, decline=1e-9)
    layer = model.get_submodule(QUERY)
    for step in range(3):
        whole_step(method, config, model, optimizer, step, 100)
    layer.switch(1, config.rest)  # row 0 of A and column 2 of B: column 0 of B and row 2 of A rest
    b = layer.B.detach().clone()
    for step in range(3, 3 + config.rest):
        whole_step(method, config, model, optimizer, step, 100)
        assert torch.equal(layer.B[:, 0], b[:, 0]) and not torch.equal(layer.B[:, 1], b[:, 1])
    whole_step(method, config, model, optimizer, 8, 100)
    state, g = optimizer.state[layer.B], layer.B.grad.double()[:, 0]
    assert state["steps"].flatten().tolist() == [6.0, 9.0, 9.0, 9.0], "counted for each vector"
    *_, move = adam(0.0, 0.0, g, 6, 1e-8)
    close(layer.B.detach().double()[:, 0], b.double()[:, 0] - 0.01 * move)


def test_switchlora_exchanges_as_often_as_it_says():
    method, config, model, _ = made("switchlora")
    total, layers = 400, [m for m in model.modules() if hasattr(m, "columns") and hasattr(m, "rows")]
    for factor in (f for layer in layers for f in (layer.A, layer.B)):
        factor.grad = torch.zeros_like(factor)
    done = [[] for _ in layers]
    for step in range(total):
        before = [layer.rows.next for layer in layers]
        method.before_step(model, config, step, total)
        for counts, layer, old in zip(done, layers, before, strict=True):
            counts.append((layer.rows.next - old) % layer.rows.size)
    expected = sum(config.r / config.interval * 0.3 ** ((step + 1) / (0.1 * total)) for step in range(total))
    found = sum(map(sum, done)) / len(layers)
    assert found == pytest.approx(expected, rel=0.2), (found, expected)


def test_allora_rescales_the_factors_gradients_row_by_row_and_no_others():
    _, config, model = shaken("allora", r=3, eta=1.5)
    layer = model.get_submodule(QUERY)
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(2, 5, 32, generator=generator, requires_grad=True)
    weight = torch.randn(2, 5, 32, generator=generator)
    (layer(x) * weight).sum().backward()
    a, b = (factor.detach().double().requires_grad_() for factor in (layer.A, layer.B))
    rows = (b @ a).norm(dim=1).detach()
    scale = 1 / (rows + 1 / 1.5**2).sqrt()
    # The same loss with each output's weight rescaled gives the factors' gradients.
    flat, seen_by_factors = x.detach().double().flatten(0, 1), (weight.double() * scale).flatten(0, 1)
    ((flat @ a.T @ b.T) * seen_by_factors).sum().backward()
    close(layer.A.grad.double(), a.grad)
    close(layer.B.grad.double(), b.grad)
    w = layer.base.weight.detach().double() + (b @ a).detach()
    close(x.grad.double(), weight.double() @ w)
    assert scale.max() / scale.min() > 1.05, "rows must differ"


def test_allora_starts_eta_times_as_fast():
    _, _, model, _ = made("allora", eta=2.0)
    layer = model.get_submodule(QUERY)
    x = torch.randn(4, 32, generator=torch.Generator().manual_seed(1))
    layer(x).sum().backward()
    close(layer.B.grad, 2.0 * (torch.ones(4, 32).T @ (x @ layer.A.detach().T)))


def test_lora_mgpo_moves_the_weight_against_the_momentum_while_it_trains():
    _, config, model = shaken("lora-mgpo", rho=0.4)
    layer, s = model.get_submodule(QUERY), config.alpha / config.r
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(5, 32, generator=generator)
    a, b = (factor.detach().double().requires_grad_() for factor in (layer.A, layer.B))
    w, bias = layer.base.weight.detach().double(), layer.base.bias.detach().double()
    plain = (x.double() @ (w + s * b @ a).T + bias).detach()
    close(layer.train()(x).detach().double(), plain)
    layer.A.momentum, layer.B.momentum = (torch.randn(f.shape, generator=generator) for f in (layer.A, layer.B))
    v = s * (layer.B.momentum.double() @ a + b @ layer.A.momentum.double()).detach()
    for smooth, inverse in ((2.0, 0.5), (0.01, 10.0)):
        layer.smooth = torch.tensor(smooth)
        e = -0.4 * v / v.norm() * inverse
        found = layer(x)
        expected = x.double() @ (w + s * b @ a + e).T + bias
        close(found.detach().double(), expected.detach())
        layer.A.grad = layer.B.grad = a.grad = b.grad = None
        found.square().sum().backward()
        expected.square().sum().backward()
        close(layer.A.grad.double(), a.grad)
        close(layer.B.grad.double(), b.grad)
    close(layer.eval()(x).detach().double(), plain)


def test_lora_mgpo_smooths_the_norm_of_the_weights_gradient():
    method, config, model = shaken("lora-mgpo", beta=0.7)
    layer, s, expected = model.get_submodule(QUERY), config.alpha / config.r, None
    for seed in range(3):
        layer.A.grad, layer.B.grad = gradients(layer.A.shape, 1, seed)[0], gradients(layer.B.shape, 1, seed)[0]
        a, b = layer.A.detach().double(), layer.B.detach().double()
        norm = (s * (layer.B.grad.double() @ a + b @ layer.A.grad.double())).norm()
        expected = norm if expected is None else 0.7 * expected + 0.3 * norm
        method.before_step(model, config, seed, 10)
        close(layer.smooth.double(), expected)


def test_lora_mgpo_reads_adams_own_momentum():
    method, config, model, optimizer = made("lora-mgpo")
    whole_step(method, config, model, optimizer, 0, 10)
    layer = model.get_submodule(QUERY)
    assert layer.B.momentum is optimizer.state[layer.B]["exp_avg"]
    close(layer.B.momentum, 0.1 * layer.B.grad)


def test_ba_lora_adds_its_three_terms():
    method, config, model, _ = made("ba-lora", l1=0.3, l2=0.5, l3=0.7, k=1)
    batch = batch_of("encoder")
    first = logits(model).double()
    model.train()
    model(**batch.inputs)
    with torch.no_grad():
        for parameter in trainable(model).values():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(4)))
    z = model(**batch.inputs).logits
    term = method.loss_term(model, config)
    expected = 0.0
    with torch.no_grad():
        values, rows = z.double(), len(z)
        unit, unit0 = (each / each.norm(dim=1, keepdim=True) for each in (values, first))
        kept = float(((unit - unit0) ** 2).sum()) / values.numel()
        means = values.mean(0)
        alike = sum(
            float(((values[:, i] - means[i]) * (values[:, j] - means[j])).sum() / (rows - 1)) ** 2
            for i in range(2)
            for j in range(2)
            if i != j
        )
        sizes = torch.linalg.eigvalsh(values.T @ values).sqrt()
        expected = 0.3 * kept + 0.5 * alike / 2 - 0.7 * float(sizes.max() / sizes.sum())
        assert kept > 1e-3, "the outputs have moved"
    assert float(term.detach()) == pytest.approx(expected, rel=1e-4)
    assert method.loss_term(model, config) is None, "each pass counts once"


def test_ba_lora_compares_with_the_model_before_training_all_along():
    method, config, model, optimizer = made("ba-lora")
    expected = logits(untouched("encoder"))
    model.train()
    for step in range(3):
        whole_step(method, config, model, optimizer, step, 10)
    model(**batch_of("encoder").inputs)
    tuned, before = model.__dict__["_outputs"]
    close(before, expected)
    assert not torch.allclose(tuned, expected, atol=1e-3)
    model.eval()(**batch_of("encoder").inputs)
    method.loss_term(model, config)
    model(**batch_of("encoder").inputs)
    assert method.loss_term(model, config) is None, "nothing is compared outside training"


def by_hand(sizes, k, drawn):
    """The estimator's shares for tokens of those sizes: (indices of C, {token outside C: (chance, share)})."""
    total = sum(sizes)
    p = [size / total for size in sizes]
    order = sorted(range(len(p)), key=lambda at: -p[at])
    scores = [(1 - sum(p[at] for at in order[:c])) / (k - c) for c in range(k)]
    c = scores.index(min(scores))
    rest = 1 - sum(p[at] for at in order[:c])
    return order[:c], {at: (p[at] / rest, rest / ((k - c) * p[at])) for at in order[c:]}


def test_wta_crs_takes_the_winners_and_draws_the_rest_without_bias():
    from methods.optimizer.wta_crs import winners

    sizes, k = [9.0, 0.5, 6.0, 0.7, 0.3, 0.9, 0.4, 0.6], 4
    winning, others = by_hand(sizes, k, None)
    assert sorted(winning) == [0, 2], "the two large ones win"
    generator, seen_shares, total = torch.Generator().manual_seed(0), {}, torch.zeros(8)
    for _ in range(4000):
        index, share = winners(torch.tensor(sizes), k, generator)
        assert index[:2].tolist() == winning and share[:2].tolist() == [1.0, 1.0]
        for at, value in zip(index[2:].tolist(), share[2:].tolist(), strict=True):
            seen_shares[at] = value
            total[at] += value
        total[winning] += 1
    assert {at: pytest.approx(share, rel=1e-4) for at, (_, share) in others.items()} == seen_shares
    assert (total / 4000 - 1).abs().max() < 0.12, "each token counts once on average"
    index, share = winners(torch.tensor(sizes), 8, None)
    assert sorted(index.tolist()) == list(range(8)) and share.tolist() == [1.0] * 8, "all tokens: the exact gradient"


@pytest.mark.parametrize(("kind", "name"), [("encoder", UP), ("gpt2", "transformer.h.0.mlp.c_fc")])
def test_wta_crs_estimates_the_weights_gradient_alone(kind, name):
    _, _, model, _ = made("wta-crs", kind)
    plain, sampled = untouched(kind).get_submodule(name), model.get_submodule(name)
    generator = torch.Generator().manual_seed(1)
    x, outer = (
        torch.randn(4, 20, 32, generator=generator),
        torch.randn(4, 20, plain(torch.zeros(32)).shape[0], generator=generator),
    )
    x[0, :5] *= 6
    theirs, ours, total = x.clone().requires_grad_(), x.clone().requires_grad_(), 0.0
    (plain(theirs) * outer).sum().backward()
    for _ in range(400):
        sampled.zero_grad()
        ours.grad = None
        y = sampled(ours)
        (y * outer).sum().backward()
        total = total + sampled.base.weight.grad
        assert len({tuple(row) for row in sampled.base.weight.grad.tolist()}) > 1
    close(y.detach(), plain(x).detach())
    close(ours.grad, theirs.grad)
    close(sampled.base.bias.grad, plain.bias.grad)
    far = (total / 400 - plain.weight.grad).norm() / plain.weight.grad.norm()
    once = (sampled.base.weight.grad - plain.weight.grad).norm() / plain.weight.grad.norm()
    assert once > 0.1 and far < 4 * once / 20, (float(once), float(far))


def test_wta_crs_remembers_the_norms_of_each_row_through_other_orders_and_paddings():
    _, _, model, _ = made("wta-crs")
    rows = model.get_submodule(UP).rows
    ids = torch.randint(4, 64, (3, 6), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    ids[1, 4:], mask[1, 4:] = 0, 0
    model(input_ids=ids, attention_mask=mask).logits.square().sum().backward()
    at = model.get_submodule(UP).at
    norms = rows.norms[at].bfloat16().float()
    new = torch.randint(4, 64, (1, 6), generator=torch.Generator().manual_seed(9))
    order = [1, 0]
    wide = torch.cat([torch.cat([ids[order], new]), torch.zeros(3, 2, dtype=torch.long)], dim=1)
    real = torch.cat([torch.cat([mask[order], torch.ones_like(new)]), torch.zeros(3, 2, dtype=torch.long)], dim=1)
    rows.begin({"input_ids": wide, "attention_mask": real})
    found = rows.of(at, 3, 8, torch.device("cpu")).view(3, 8)
    close(found[0, :4], norms[1, :4])
    close(found[1, :6], norms[0])
    mean = torch.cat([norms[1, :4], norms[0]]).mean()
    close(found[2], mean.expand(8))


def kept_for_backward(name):
    """Bytes of the storages that one forward pass of a batch keeps, parameters apart."""
    _, _, model, _ = made(name)
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        outputs = model(**batch_of("encoder").inputs).logits
    assert outputs.requires_grad
    return sum(kept.values())


def test_wta_crs_keeps_fewer_activations_than_full_fine_tuning():
    tokens = 16 * 12
    k = int(0.3 * tokens)
    # In each of two blocks the inputs of up (32 wide) and of down (48) are cut to k tokens; the attention's output
    # (32), which its kernel keeps, stays, and k tokens of it come on top. Each of three maps keeps k indices as well.
    saved = 2 * (4 * ((tokens - k) * (32 + 48) - k * 32) - 3 * 8 * k)
    assert kept_for_backward("full-ft") - kept_for_backward("wta-crs") == pytest.approx(saved, rel=0.05)


@pytest.mark.parametrize("name", ["galore", "q-galore", "svdfree-dct", "frugal", "badam"])
def test_optimizer_states_take_less_than_full_fine_tuning(name):
    found = {}
    for each in ("full-ft", name):
        method, config, model, optimizer = made(each)
        whole_step(method, config, model, optimizer, 0, 10)
        tensors = {}
        for state in optimizer.state.values():
            for value in state.values():
                for t in value if isinstance(value, tuple) else [value]:
                    if torch.is_tensor(t):
                        tensors[t.untyped_storage().data_ptr()] = t.untyped_storage().nbytes()
        found[each] = sum(tensors.values())
    assert found[name] < 0.7 * found["full-ft"]
