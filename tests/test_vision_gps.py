"""GPS: which weights it chooses, where they are added and what it refuses, computed again by hand."""

import pytest
import torch
from tuned import attached, base, inputs, logits, shaken

import methods
from methods.layers import trainable


def contrasted(features, labels, temperature):
    """The contrast of GPS, row by row."""
    unit = [f / f.square().sum().sqrt() for f in features]
    terms = []
    for i in range(len(unit)):
        others = [j for j in range(len(unit)) if j != i]
        alike = [j for j in others if labels[j] == labels[i]]
        if alike:
            weights = {j: (unit[i] @ unit[j] / temperature).exp() for j in others}
            terms.append(-sum((weights[j] / sum(weights.values())).log() for j in alike) / len(alike))
    return sum(terms) / len(terms)


@pytest.mark.parametrize("kind", ["vision", "encoder"])
def test_gps_trains_the_weights_of_largest_gradient_of_the_contrast(kind):
    method, config, _, model = attached("gps", kind, config=methods.get("gps").config(k=2, temperature=0.5, rows=7))
    plain = base(kind).double()
    given = {n: t.double() if t.is_floating_point() else t for n, t in inputs(8, kind).items()}
    labels = torch.tensor([0, 1, 1, 0, 1, 0, 0, 1])
    # Of the second batch only three rows are asked for, and its third has no other of its class.
    method.calibrate(model.eval(), iter([{**cut(inputs(8, kind), at), "labels": labels[at]} for at in BATCHES]), config)
    for at in (slice(0, 4), slice(4, 7)):
        kept = []
        handle = plain.classifier.register_forward_pre_hook(lambda m, args, kept=kept: kept.append(args[0]))
        plain.eval()(**cut(given, at))
        handle.remove()
        contrasted(kept[0], labels[at].tolist(), 0.5).backward()
    found = {n: m.places for n, m in model.named_modules() if hasattr(m, "places")}
    assert len(found) == (13 if kind == "vision" else 12)
    for name, places in found.items():
        layer = plain.get_submodule(name.removesuffix(".parametrizations.weight.0"))
        best = layer.weight.grad.flatten(1).abs().sort(1, descending=True).indices[:, :2]
        assert torch.equal(places.sort(1).values, best.sort(1).values), name
    free = set(trainable(model))
    assert all(n.endswith(("values", "bias")) or n.startswith("classifier") for n in free)


BATCHES = (slice(0, 4), slice(4, 8))


def cut(given, at):
    return {name: value[at] for name, value in given.items()}


def test_gps_adds_its_values_where_they_were_chosen_and_merges_them():
    method, config, model = shaken("gps", "vision")
    generator = torch.Generator().manual_seed(2)
    plain = base("vision")
    for name, module in model.named_modules():
        if hasattr(module, "places"):
            module.places.copy_(torch.randint(0, 32, module.places.shape, generator=generator))
            layer = name.removesuffix(".parametrizations.weight.0")
            weight = plain.get_submodule(layer).weight.detach().flatten(1)
            for row, (place, value) in enumerate(zip(module.places, module.values, strict=True)):
                weight[row, place] += value.detach()
    plain.load_state_dict({n: t for n, t in model.state_dict().items() if "parametrizations" not in n}, strict=False)
    expected = logits(plain, "vision")
    torch.testing.assert_close(logits(model, "vision"), expected, atol=1e-4, rtol=1e-4)
    merged = method.merge(model)
    torch.testing.assert_close(logits(merged, "vision"), expected, atol=1e-4, rtol=1e-4)


def test_gps_needs_two_rows_of_a_class_and_no_more_weights_than_there_are():
    method, config, _, model = attached("gps", "vision")
    with pytest.raises(ValueError, match="raise the batch size"):
        method.calibrate(model, iter([inputs(2, "vision") | {"labels": torch.tensor([0, 1])}]), config)
    with pytest.raises(ValueError, match="33 is more than the 32 weights"):
        attached("gps", "vision", config=method.config(k=33))
    assert "contrast" in method.supports("decoder", "classify")
