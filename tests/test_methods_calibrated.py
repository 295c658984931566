"""Initialisations that start from data, against decompositions of what the plain model sees."""

import pytest
import tiny
import torch
from tuned import attached, base, calibrate, close, weights

from harness.train import forwards_in
from methods.peft_backend import NAME

QUERY = "bert.encoder.layer.1.attention.self.query"
PARTS = (0, 4, 8, 12)


def calibrated(name, kind="encoder"):
    method, config, _, model = attached(name, kind)
    calibrate(method, config, model, kind)
    return config, model


def factors(model):
    layer = model.get_submodule(QUERY)
    return layer.lora_A[NAME].weight.detach().double(), layer.lora_B[NAME].weight.detach().double(), layer


def batches():
    given, labels = tiny.task("encoder")
    return [({k: v[at : at + 4] for k, v in given.items()}, labels[at : at + 4]) for at in PARTS]


def inputs_of_query():
    """[(tokens, 32)] of each calibration batch, from the plain model"""
    kept, model = [], base("encoder")
    model.get_submodule(QUERY).register_forward_pre_hook(lambda module, args: kept.append(args[0].flatten(0, 1)))
    with torch.no_grad():
        for given, _ in batches():
            model(**given)
    return [x.double() for x in kept]


def projector(rows):
    q = torch.linalg.qr(rows.T)[0]
    return q @ q.T


def test_eva_points_a_at_what_the_inputs_vary_in():
    config, model = calibrated("eva")
    a, b, _ = factors(model)
    vectors = torch.linalg.svd(torch.cat(inputs_of_query()))[2][: config.r]
    close(a @ a.T, torch.eye(config.r, dtype=torch.float64))
    torch.testing.assert_close(projector(a), projector(vectors), atol=1e-3, rtol=1e-3)
    assert not b.any()


def test_eva_sees_no_padding():
    method, config, _, model = attached("eva", "encoder")
    given, labels = tiny.task("encoder")
    calibrate(method, config, model, "encoder")
    expected = factors(model)[0]
    given = {k: torch.cat([v, torch.zeros_like(v[:, :5])], dim=1) for k, v in given.items()}
    again = attached("eva", "encoder")[3]
    method.calibrate(again, [{k: v[at : at + 4] for k, v in given.items()} for at in PARTS], config)
    torch.testing.assert_close(projector(factors(again)[0]), projector(expected), atol=1e-3, rtol=1e-3)


def test_corda_takes_out_the_largest_components_of_the_weight_as_the_inputs_weigh_it():
    config, model = calibrated("corda")
    a, b, layer = factors(model)
    w, _ = weights(QUERY)
    scaled = [x / x.max().abs() for x in inputs_of_query()]
    c = sum(x.T @ x for x in scaled) / len(scaled)
    c = c + 0.01 * c.diagonal().mean() * torch.eye(32, dtype=torch.float64)
    u, s, vh = torch.linalg.svd(w @ c)
    best = u[:, : config.r] @ torch.diag(s[: config.r]) @ vh[: config.r]
    torch.testing.assert_close(b @ a @ c, best, atol=1e-2, rtol=1e-2)
    close(layer.base_layer.weight.detach().double(), w - b @ a)


def test_lora_ga_takes_its_factors_from_the_gradient_of_the_weight():
    config, model = calibrated("lora-ga")
    a, b, layer = factors(model)
    plain = base("encoder")
    for given, labels in batches():
        torch.nn.functional.cross_entropy(plain(**given).logits, labels).backward()
    u, _, vh = torch.linalg.svd(plain.get_submodule(QUERY).weight.grad.double())
    r = config.r
    close(a @ a.T, 32**0.5 / config.gamma * torch.eye(r, dtype=torch.float64))
    torch.testing.assert_close(projector(a), projector(vh[:r]), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(projector(b.T), projector(u[:, r : 2 * r].T), atol=1e-3, rtol=1e-3)
    w, _ = weights(QUERY)
    close(layer.base_layer.weight.detach().double(), w - config.alpha / r * b @ a)


@pytest.mark.parametrize("name", ["corda", "lora-ga", "eva"])
def test_only_the_factors_stay_free(name):
    _, model = calibrated(name)
    free = {n for n, p in model.named_parameters() if p.requires_grad}
    assert all(".lora_" in n or "classifier" in n for n in free)
    assert all(p.grad is None for p in model.parameters())


def test_olora_starts_at_the_qr_decomposition():
    _, config, _, model = attached("olora", "encoder")
    a, b, layer = factors(model)
    w, _ = weights(QUERY)
    q, r = torch.linalg.qr(w)
    torch.testing.assert_close(b @ a, q[:, : config.r] @ r[: config.r], atol=1e-3, rtol=1e-3)
    close(layer.base_layer.weight.detach().double(), w - config.alpha / config.r * b @ a)


def test_mica_holds_the_smallest_components_still():
    _, config, _, model = attached("mica", "encoder")
    a, b, _ = factors(model)
    u = torch.linalg.svd(weights(QUERY)[0])[0]
    close(b @ b.T, u[:, -config.r :] @ u[:, -config.r :].T)
    assert not a.any() and not [n for n, p in model.named_parameters() if p.requires_grad and ".lora_B." in n]


def test_the_factors_of_the_orthogonal_start_are_random_and_cancel():
    a, b, _ = factors(attached("lora-orthogonal", "encoder")[3])
    assert a.abs().min() > 0 and b.abs().min() > 0
    close(b @ a, torch.zeros(32, 32, dtype=torch.float64))


@pytest.mark.parametrize("kind", ["decoder", "causal", "gpt2"])
def test_a_cartridge_starts_as_the_text_before_the_row(kind):
    config, model = calibrated("cartridge", kind)
    given, _ = tiny.task(kind)
    text = torch.cat(list(given["input_ids"]))[: config.tokens].expand(16, -1)
    ids = torch.cat([text, given["input_ids"]], dim=1)
    with torch.no_grad():
        expected = base(kind)(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        found = model.eval()(**given).logits
    if kind == "causal":
        expected = expected[:, config.tokens :]
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)


def test_riemannian_steps_do_not_depend_on_the_split_into_factors():
    changes = []
    for scale in (1.0, 4.0):
        method, config, _, model = attached("riemannian-lora", "encoder")
        layer = model.get_submodule(QUERY)
        a, b = layer.lora_A[NAME].weight, layer.lora_B[NAME].weight
        with torch.no_grad():
            b.normal_(generator=torch.Generator().manual_seed(1))
            for factor, size in ((a, scale), (b, 1 / scale)):
                factor.mul_(size)
        given, labels = tiny.task("encoder")
        torch.nn.functional.cross_entropy(model(**given).logits, labels).backward()
        method.before_step(model, config.__class__(damping=1e-9), 0, 1)
        changes.append(b.detach().double() @ a.grad.double() + b.grad.double() @ a.detach().double())
    torch.testing.assert_close(changes[0], changes[1], atol=1e-3, rtol=1e-2)


@pytest.mark.parametrize("name", ["corda", "lora-ga"])
def test_a_run_in_bf16_decomposes_in_full_precision(name):
    method, config, _, model = attached(name, "encoder")
    expected = base("encoder").get_submodule(QUERY).weight.detach().double()
    forward = model.forward
    with forwards_in("bf16", model, torch.device("cpu")):
        calibrate(method, config, model, "encoder")
    a, b, layer = factors(model)
    assert b.any() and model.forward == forward
    found = layer.base_layer.weight.detach().double() + layer.scaling[NAME] * b @ a
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_only_passes_forward_are_in_bf16():
    model, kept = base("encoder"), []
    model.get_submodule(QUERY).register_forward_hook(lambda module, args, out: kept.append(out.dtype))
    with forwards_in("bf16", model, torch.device("cpu")), torch.no_grad():
        model(**tiny.task("encoder")[0])
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
    with torch.no_grad():
        model(**tiny.task("encoder")[0])
    assert kept == [torch.bfloat16, torch.float32]
