"""4-bit NormalFloat against the published levels and a search by hand in float64, and QLoRA on top of it."""

import statistics

import pytest
import torch
from tuned import attached, base, batch_of, close, config_of, logits, part, shaken

import methods
from harness.attach import parameters
from harness.meter.account import Tracker
from harness.shape import head_names
from methods.layers import trainable
from methods.linear import matrix
from methods.quantised._nf4 import BLOCK, LEVELS, OUTER, Packed, Quantised, moving_exponent, nearest, pack, unpack

NAMES = {
    "encoder": "bert.encoder.layer.1.intermediate.dense",
    "decoder": "model.layers.1.self_attn.k_proj",
    "gpt2": "transformer.h.1.attn.c_attn",
    "vision": "vit.layers.1.mlp.fc1",
}
OFFSET = 0.9677083
"""the probability at which the authors cut the normal law"""


def test_the_levels_are_quantiles_of_the_normal_law():
    """Dettmers et al.: eight quantiles of the negative half and nine of the positive one, evenly spaced in probability
    between 1/2 and the offset, divided by the largest."""
    quantile = statistics.NormalDist().inv_cdf
    positive = [quantile(OFFSET + (0.5 - OFFSET) * i / 8) for i in range(8)]
    negative = [-quantile(OFFSET + (0.5 - OFFSET) * i / 7) for i in range(7)]
    expected = sorted([*negative, 0.0, *positive])
    largest = max(expected)
    close(torch.tensor(LEVELS), torch.tensor([value / largest for value in expected]))
    assert len(set(LEVELS)) == 16 and sum(level > 0 for level in LEVELS) == 8


def test_the_published_table():
    """Appendix E of the paper, to four digits."""
    table = "-1.0 -.6962 -.5251 -.3949 -.2844 -.1848 -.0911 0 .0796 .1609 .2461 .3379 .4407 .5626 .7230 1.0"
    assert [round(level, 4) for level in LEVELS] == [float(text) for text in table.split()]


def test_the_8_bit_float_has_256_values_denser_near_zero():
    values = moving_exponent(torch.device("cpu")).double()
    assert len(values.unique()) == 256 and values.max() == 1 and values.min() > -1
    inner = values[(values.abs() < 0.1) & (values != 0)]
    assert len(inner) == 2 * (32 + 16 + 8 + 4 + 2 + 1)
    # With the largest exponent 64 equal parts of 0.1 .. 1 on either side; the largest middle is 1 - 0.9 / 128.
    outer = values[(values >= 0.1) & (values < 1)]
    assert len(outer) == 64
    close(outer.diff(), torch.full((63,), 0.9 / 64, dtype=torch.float64))
    close(-values.min(), torch.tensor(1 - 0.9 / 128, dtype=torch.float64))


def by_hand(weight):
    """(d_out, d_in) read back, with a search over all levels, in float64"""
    levels = torch.tensor(LEVELS, dtype=torch.float64)
    floats = moving_exponent(torch.device("cpu")).double()
    flat = weight.double().flatten()
    blocks = [flat[i : i + BLOCK] for i in range(0, len(flat), BLOCK)]
    sizes = torch.stack([block.abs().max() for block in blocks])
    mean = sizes.mean()
    kept = []
    for i in range(0, len(sizes), OUTER):
        part = sizes[i : i + OUTER] - mean
        top = part.abs().max()
        scaled = part / top if top > 0 else part
        kept.append(floats[(scaled[:, None] - floats).abs().argmin(1)] * top + mean)
    kept, found = torch.cat(kept), []
    for block, size, used in zip(blocks, sizes, kept, strict=True):
        scaled = block / size if size > 0 else block
        found.append(levels[(scaled[:, None] - levels).abs().argmin(1)] * used)
    return torch.cat(found).view(weight.shape)


@pytest.mark.parametrize("shape", [(48, 32), (200, 96), (7, 9), (1, 1), (3, 64)])
def test_packing_reads_back_as_the_search_by_hand(shape):
    generator = torch.Generator().manual_seed(shape[0])
    weight = torch.randn(shape, generator=generator)
    if shape == (48, 32):
        weight[:4] = 0  # two blocks of zeros
    levels, floats = torch.tensor(LEVELS), moving_exponent(torch.device("cpu"))
    packed = pack(weight, levels, floats)
    found = unpack(packed, levels, floats, *shape)
    close(found.double(), by_hand(weight))
    blocks = -(-weight.numel() // BLOCK)
    assert packed.codes.dtype == packed.sizes.dtype == torch.uint8
    assert packed.codes.numel() == blocks * BLOCK // 2 and packed.sizes.numel() == blocks
    assert packed.outer.numel() == -(-blocks // OUTER)


def test_a_code_sits_where_the_authors_put_it():
    """The first of two values in the upper half of a byte."""
    weight = torch.zeros(1, BLOCK)
    weight[0, :4] = torch.tensor([-1.0, 1.0, 0.08, -0.09])
    packed = pack(weight, torch.tensor(LEVELS), moving_exponent(torch.device("cpu")))
    assert packed.codes[:2].tolist() == [0 * 16 + 15, 8 * 16 + 6] and set(packed.codes[2:].tolist()) == {7 * 16 + 7}


def test_of_two_levels_as_near_the_lower_is_taken():
    levels = torch.tensor([-1.0, 0.0, 1.0])
    assert nearest(torch.tensor([-0.5, 0.5, 0.51, -2.0, 2.0]), levels).tolist() == [0, 1, 2, 0, 2]


@pytest.mark.parametrize("kind", sorted(NAMES))
def test_qlora_is_lora_on_the_quantised_weight(kind):
    _, config, model = shaken("qlora", kind, r=4, alpha=6)
    name = NAMES[kind]
    original = base(kind).get_submodule(name)
    weight = by_hand(matrix(original))
    change = 6 / 4 * part(model, f"{name}.B") @ part(model, f"{name}.A")
    layer = model.get_submodule(name)
    x = torch.randn(3, 5, layer.d_in, generator=torch.Generator().manual_seed(1), requires_grad=True)
    y = layer.eval()(x)
    bias = 0 if original.bias is None else original.bias.detach().double()
    close(y.double(), x.double() @ (weight + change).T + bias)
    goal = torch.randn(y.shape, generator=torch.Generator().manual_seed(2))
    (y * goal).sum().backward()
    close(x.grad.double(), goal.double() @ (weight + change))
    # The frozen part is W0 to within the coarsest step between two levels.
    blocks = matrix(original).double().flatten()
    size = blocks.abs().max()
    assert (weight - matrix(original).double()).abs().max() <= 0.16 * size


def test_qlora_keeps_its_frozen_weights_in_four_bits_and_a_little():
    _, _, _, model = attached("qlora", "encoder")
    layers = [module for module in model.modules() if isinstance(module, Quantised)]
    values = sum(layer.d_in * layer.d_out for layer in layers)
    held = sum(
        tensor.numel() * tensor.element_size()
        for layer in layers
        for tensor in layer.state_dict(keep_vars=True).values()
    ) - sum(layer.bias.numel() * 4 for layer in layers)
    # 4 bits a value, 8 for 64 values, and at this size two floats a matrix.
    assert held * 8 == values * (4 + 8 / 64) + len(layers) * 2 * 32
    assert not any(p.numel() >= 32 * 32 for layer in layers for p in layer.parameters())
    assert not any("weight" in name for layer in layers for name in layer.state_dict())


def test_the_account_sees_the_frozen_weights_shrink():
    found = {}
    for name in ("lora", "qlora"):
        _, _, _, model = attached(name, "decoder", config=None)
        batch = batch_of("decoder")
        tracker = Tracker(model, batch.inputs.values())
        found[name] = sum(life.size for life in tracker.lives if life.category == "weights")
    matrices = sum(s.d_in * s.d_out for s in attached("lora", "decoder")[2].sites)
    assert found["lora"] - found["qlora"] > matrices * 3.3, "32 bits a value became less than 5.6"


def test_no_read_back_weight_is_kept_for_the_backward_pass():
    """The Function saves no tensor: what it reads back is gone after the product."""
    layer = Quantised(torch.nn.Linear(64, 48), torch.tensor(LEVELS), moving_exponent(torch.device("cpu")))
    x = torch.randn(2, 64, requires_grad=True)
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.shape) or t, lambda t: t):
        y = layer(x)
    assert not any(shape == (48, 64) or shape == (64, 48) for shape in saved)
    y.sum().backward()
    assert x.grad.shape == (2, 64)


def test_packed_weights_are_counted_as_the_values_that_they_stand_for():
    method, config, shape, model = attached("qlora", "encoder")
    found = parameters(model, method, config, shape, head_names(base("encoder")))
    assert found["added"] == found["trainable"] == method.count(shape, config)
    assert found["total"] == shape.parameters + found["head"] + found["trainable"]


def test_qlora_merges_into_layers_of_the_base_kind():
    for kind in ("encoder", "gpt2"):
        method, _, model = shaken("qlora", kind)
        before = logits(model, kind)
        merged = method.merge(model)
        assert type(merged.get_submodule(NAMES[kind])) is type(base(kind).get_submodule(NAMES[kind]))
        close(logits(merged, kind), before)
        assert set(merged.state_dict()) == set(base(kind).state_dict())


def test_qlora_trains_only_the_factors():
    _, _, _, model = attached("qlora", "encoder", config=config_of("qlora"))
    own = {name.rsplit(".", 1)[-1] for name in trainable(model) if not name.startswith("classifier")}
    assert own == {"A", "B"} and methods.get("qlora").starts_at_base is False


def test_packed_is_a_plain_tuple_of_tensors():
    levels, floats = torch.tensor(LEVELS), moving_exponent(torch.device("meta"))
    packed = pack(torch.empty(8, 32, device="meta"), levels.to("meta"), floats)
    assert isinstance(packed, Packed) and all(tensor.is_meta for tensor in packed)
