"""Methods that train the model's own weights by turns, in halves or by projected gradients; and LoRA's partial kin."""

import dataclasses

import pytest
import torch
from tuned import attached, batch_of, close, config_of, logits, own, part, seen, shaken, shape_of, weights

import methods
from harness.train import make_optimizer, summed_loss
from methods.layers import trainable


def test_fira_adds_the_scaled_rest_of_the_gradient_and_limits_its_growth():
    method = methods.get("fira")
    for shape, name in (((48, 32), "intermediate.dense"), ((32, 48), "output.dense")):
        config = dataclasses.replace(method.config(), r=3, gap=2, scale=0.5)
        _, _, _, model = attached("fira", "encoder", config=config)
        weight = model.get_parameter(f"bert.encoder.layer.0.{name}.weight")
        optimizer = method.optimizer(method.param_groups(model, config, 0.01, 0.1), config)
        generator = torch.Generator().manual_seed(3)
        w, mean, square, last, shrunk = weight.detach().double(), 0.0, 0.0, None, 0
        for step in range(1, 7):
            gradient = torch.randn(shape, generator=generator) * (3.0 if step % 2 else 1.0)
            weight.grad = gradient.clone()
            optimizer.step()
            g = gradient.double() if shape[0] < shape[1] else gradient.double().T  # always the shorter side first
            if step % 2 == 1:
                # As the gradient lies: moments of an earlier projector are kept, so that signs matter.
                whole = torch.linalg.svd(gradient.double(), full_matrices=False)
                p = whole.U[:, :3] if shape[0] < shape[1] else whole.Vh[:3].T
            low = p.T @ g
            mean, square = 0.9 * mean + 0.1 * low, 0.999 * square + 0.001 * low**2
            adam = mean / (square.sqrt() + 1e-6)
            rest = adam.norm(dim=0) / low.norm(dim=0) * (g - 0.5 * p @ low)
            if last is not None and rest.norm() > 1.01 * last:
                rest, shrunk = rest * 1.01 * last / rest.norm(), shrunk + 1
            last = rest.norm()
            rate = 0.01 * (1 - 0.999**step) ** 0.5 / (1 - 0.9**step)
            update = 0.5 * p @ adam + rest
            w = (w - rate * (update if shape[0] < shape[1] else update.T)) * (1 - 0.01 * 0.1)
            torch.testing.assert_close(weight.detach().double(), w, atol=1e-4, rtol=1e-3)
        assert shrunk, "the limiter must have been met"
        stored = sum(value.numel() for value in optimizer.state[weight].values() if torch.is_tensor(value))
        assert stored == 2 * 48 * 3 + 32 * 3 + 1, "GaLore's memory and one norm"


def test_fira_moves_what_galore_leaves():
    """Across the directions of P GaLore's weight stays and Fira's moves."""
    for name, still in (("galore", True), ("fira", False)):
        method = methods.get(name)
        config = dataclasses.replace(method.config(), r=2)
        _, _, _, model = attached(name, "encoder", config=config)
        weight = model.get_parameter("bert.encoder.layer.0.output.dense.weight")
        start = weight.detach().clone().double()
        weight.grad = torch.randn(32, 48, generator=torch.Generator().manual_seed(1))
        p = torch.linalg.svd(weight.grad.double()).U[:, :2]
        optimizer = method.optimizer(method.param_groups(model, config, 0.01, 0.0), config)
        optimizer.step()
        moved = weight.detach().double() - start
        across = (moved - p @ (p.T @ moved)).norm() / moved.norm()
        assert bool(across < 1e-3) is still


def lisa(kind="encoder", **change):
    config = dataclasses.replace(config_of("lisa"), **change)
    method, config, shape, model = attached("lisa", kind, config=config)
    return method, config, shape, model, make_optimizer(model, method, config, 0.01, 0.0)


def blocks_with(model, what):
    """Numbers of the blocks of whose parameters some are so."""
    names = [name for name, parameter in model.named_parameters() if what(parameter)]
    return {int(name.split("layer.")[1].split(".")[0]) for name in names if "encoder.layer." in name}


def step(model, optimizer):
    batch = batch_of("encoder")
    optimizer.zero_grad(set_to_none=True)
    summed_loss(model(**batch.inputs).logits, batch).backward()
    graded = blocks_with(model, lambda p: p.grad is not None)
    optimizer.step()
    return graded


def test_lisa_makes_no_gradients_for_blocks_that_rest_and_keeps_no_moments_of_them():
    _, config, _, model, optimizer = lisa(layers=1, period=2)
    turns, outside = [], set()
    for at in range(16):
        graded = step(model, optimizer)
        turns.append(graded)
        assert len(graded) == 1 and blocks_with(model, lambda p: p.requires_grad) == graded
        assert blocks_with(model, lambda p: p in optimizer.state) == graded, "a resting block's moments are gone"
        if at % 2:
            assert turns[-1] == turns[-2], "a turn lasts two steps"
        outside |= {n for n, p in model.named_parameters() if p.grad is not None and "encoder.layer." not in n}
    assert set.union(*turns) == {0, 1}, "every block gets its turn"
    free = {n for n, _ in model.named_parameters() if "encoder.layer." not in n}
    assert outside == free, "embeddings, pooler and head always train"


def test_lisa_counts_the_gradients_of_one_block_not_of_all():
    _, _, shape, model, optimizer = lisa(layers=1, period=100)
    step(model, optimizer)
    graded = sum(p.numel() for p in model.parameters() if p.grad is not None)
    block = sum(p.numel() for n, p in model.named_parameters() if "encoder.layer.0." in n)
    every = sum(p.numel() for p in model.parameters())
    assert graded == every - block
    assert sum(s.d_in * s.d_out for s in shape.sites if s.block == 0) < block


def test_lisa_moves_resting_blocks_by_nothing():
    _, _, _, model, optimizer = lisa(layers=1, period=3)
    start = {n: p.detach().clone() for n, p in model.named_parameters()}
    (active,) = step(model, optimizer)
    rested = f"encoder.layer.{1 - active}."
    for name, parameter in model.named_parameters():
        if "encoder.layer." in name:
            moved = not torch.equal(parameter, start[name])
            assert moved is (rested not in name)


def test_lisa_draws_evenly_and_from_its_own_generator():
    from methods.optimizer.lisa import Config, LisaAdamW

    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(5)]
    groups = [{"params": [p], "lr": 0.1, "block": at, "seed": 7} for at, p in enumerate(parameters)]
    optimizer, counts = LisaAdamW(groups, Config(layers=2, period=1)), torch.zeros(5)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    for _ in range(3000):
        optimizer.draw()
        chosen = torch.tensor([float(p.requires_grad) for p in parameters])
        assert chosen.sum() == 2
        counts += chosen
    assert torch.equal(before, torch.get_rng_state())
    # gamma / N_L = 0.4; five standard deviations of 3000 draws are 0.045.
    assert (counts / 3000 - 0.4).abs().max() < 0.045


def test_lisa_refuses_more_layers_than_there_are():
    with pytest.raises(ValueError, match="from 1 to 2"):
        lisa(layers=3)
    with pytest.raises(ValueError, match="at least 1"):
        lisa(layers=0)


@pytest.mark.parametrize(
    ("kind", "prefix", "attention", "ffn"),
    [
        (
            "encoder",
            "bert.encoder.layer.",
            ("query", "key", "value", "attention.output.dense"),
            ("intermediate", "output.dense"),
        ),
        ("decoder", "model.layers.", ("q_proj", "k_proj", "v_proj", "o_proj"), ("gate_proj", "up_proj", "down_proj")),
    ],
)
def test_hft_trains_half_of_every_kind(kind, prefix, attention, ffn):
    _, _, shape, model = attached("hft", kind)
    for draw in range(4):
        config = dataclasses.replace(config_of("hft"), draw=draw)
        _, _, _, model = attached("hft", kind, config=config)
        free = {n for n, p in model.named_parameters() if p.requires_grad and n.endswith("weight")}
        thirds = []
        for block in range(2):
            inside = [n for n in free if n.startswith(f"{prefix}{block}.")]
            sites = [s for s in shape.sites if s.block == block and f"{s.name}.weight" in inside]
            assert sum(s.part == "attention" for s in sites) == 2
            thirds.append(sum(s.part == "ffn" for s in sites))
            assert sum("norm" in n.lower() for n in inside) == 1
        assert sorted(thirds) == ([1, 2] if len(ffn) == 3 else [1, 1])
        outside = [p for n, p in model.named_parameters() if not n.startswith(prefix)]
        assert all(p.requires_grad for p in outside)
        assert methods.get("hft").count(shape, config) == sum(p.numel() for p in own(kind, model).values())


def test_hft_draws_differ_and_a_bias_goes_with_its_matrix():
    chosen = set()
    for draw in range(6):
        config = dataclasses.replace(config_of("hft"), draw=draw)
        _, _, shape, model = attached("hft", "encoder", config=config)
        chosen.add(frozenset(trainable(model)))
        for site in shape.sites:
            layer = model.get_submodule(site.name)
            assert layer.weight.requires_grad is layer.bias.requires_grad
    assert len(chosen) > 3


def test_plora_adapts_the_patches_and_leaves_the_class_token():
    name = "vit.layers.0.mlp.fc1"
    _, config, model = shaken("plora", "vision", r=3, alpha=5, targets=("up",))
    kept = []
    model.get_submodule(name).register_forward_hook(lambda m, a, o: kept.append((a[0].double(), o.double())))
    logits(model, "vision")
    ((x, y),) = kept
    w, b = weights(name, "vision")
    plain = x @ w.T + b
    change = 5 / 3 * part(model, f"{name}.B") @ part(model, f"{name}.A")
    close(y[:, 0], plain[:, 0])
    close(y[:, 1:], plain[:, 1:] + x[:, 1:] @ change.T)
    assert (y[:, 1:] - plain[:, 1:]).abs().max() > 0.1
    assert methods.get("plora").supports("encoder", "classify")
    # Nothing that the last block does with patches reaches the head but through its keys and values.
    _, _, _, whole = attached("plora", "vision")
    adapted = {name.split("layers.1.")[1] for name in own("vision", whole) if "layers.1." in name}
    assert adapted == {f"attention.{role}_proj.{factor}" for role in "kv" for factor in "AB"}


def test_tied_lora_shares_its_factors_across_blocks_and_its_input_across_roles():
    _, config, model = shaken("tied-lora", r=3)
    prefix = "bert.encoder.layer."
    for block in (0, 1):
        for role in ("query", "key", "value"):
            name = f"{prefix}{block}.attention.self.{role}"
            x, y = seen(model, name)
            w, b = weights(name)
            layer = model.get_submodule(name)
            a, up = layer.A.detach().double(), layer.B.detach().double()
            u, v = layer.u.detach().double(), layer.v.detach().double()
            close(y, x @ w.T + b + ((x @ a.T) * u @ up.T) * v)
            other = model.get_submodule(f"{prefix}{1 - block}.attention.self.{role}")
            assert layer.A is other.A and layer.B is other.B and layer.u is not other.u and layer.v is not other.v
    query, key = (model.get_submodule(f"{prefix}0.attention.self.{role}") for role in ("query", "key"))
    assert query.A is key.A and query.u is key.u and query.B is not key.B
    # The paper's count for the fused map: r (d + 3 d) once, r + 3 d a block.
    assert methods.get("tied-lora").count(shape_of("encoder"), config) == 3 * (32 + 96) + 2 * (3 + 96)


def test_tied_lora_counts_grouped_query_attention_by_its_own_sizes():
    config = dataclasses.replace(config_of("tied-lora"), r=4)
    # Queries are 32 wide, keys and values 16.
    assert methods.get("tied-lora").count(shape_of("decoder"), config) == 4 * (32 + 64) + 2 * (4 + 64)
