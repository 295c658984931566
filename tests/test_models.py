"""The registry of base models: what is declared is what its configuration builds, without any network."""

import json
import re

import pytest
import tiny
import torch

from harness.model import ModelSource, kind_of, load_classifier, resolve
from harness.models import MODELS, REGISTRY
from harness.models.build import build
from harness.record import UserError
from harness.shape import describe, head_names


def parameters(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_the_declared_size_is_what_the_configuration_builds(model):
    built = build(model)
    assert all(p.device.type == "meta" for p in built.parameters())
    assert parameters(built) == model.parameters
    shape = describe(built)
    assert (shape.kind, shape.parameters) == (model.kind, model.parameters)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_each_has_one_source_and_names_it(model):
    assert bool(model.hub) != bool(model.package)
    assert model.licence and model.url.startswith("https://")
    if model.hub:
        assert model.url == f"https://huggingface.co/{model.hub}"
        assert model.revision is None or re.fullmatch("[0-9a-f]{40}", model.revision)
    else:
        digests = (model.package.wheel_sha256, model.package.weights_sha256)
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests)


def test_names_are_unique():
    assert len(REGISTRY) == len(MODELS)


@pytest.mark.parametrize(
    ("name", "kv_heads", "head_dim", "ffn"),
    [
        ("llama-2-13b", 40, 128, 13824),
        ("llama-3-8b", 8, 128, 14336),  # The Llama 3 Herd of Models, table 3
        ("llama-3.2-1b", 8, 64, 8192),
        ("mistral-7b", 8, 128, 14336),  # Mistral 7B, table 1
        ("gemma-2b", 1, 256, 16384),  # Gemma, table 1: feed-forward 32768 is gate and up together
        ("qwen2.5-7b", 4, 128, 18944),
        ("qwen3-0.6b", 8, 128, 3072),
        ("gpt2", 12, 64, 3072),
        ("vit-l16-in21k", 16, 64, 4096),  # An Image is Worth 16x16 Words, table 1
    ],
)
def test_head_counts_which_no_parameter_count_shows(name, kv_heads, head_dim, ffn):
    shape = describe(build(REGISTRY[name]))
    assert (shape.kv_heads, shape.head_dim, shape.ffn) == (kv_heads, head_dim, ffn)


@pytest.mark.parametrize(
    ("name", "head", "outputs", "head_name", "size"),
    [
        ("llama-2-7b", "classify", 3, ("score",), 3 * 4096),
        ("roberta-base", "classify", 2, ("classifier",), 768 * 768 + 768 + 2 * 768 + 2),
        ("vit-b16-in21k", "image", 10, ("classifier",), 10 * 768 + 10),
        ("dinov2-base", "image", 10, ("classifier",), 10 * 2 * 768 + 10),  # class token and mean of the patches
    ],
)
def test_a_new_head_stands_beside_the_base_model(name, head, outputs, head_name, size):
    built = build(REGISTRY[name], head, outputs)
    assert head_names(built) == head_name
    assert parameters(built) - describe(built).parameters == size


EMBEDDED = {"smollm2-135m": 134_515_008, "vit-s14-focus": 22_056_576}


@pytest.mark.parametrize("name", EMBEDDED)
def test_a_fetched_model_is_the_declared_one(name):
    """Only where it was fetched before: the declaration and the files agree."""
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageClassification

    source = resolve(name, download=False)
    if not source.path.is_dir():
        pytest.skip(f"{name} is not in the cache")
    assert source.sha256 == REGISTRY[name].package.weights_sha256
    assert kind_of(source) == REGISTRY[name].kind
    config = AutoConfig.from_pretrained(source.path)
    assert {k: getattr(config, k) for k in REGISTRY[name].config} == dict(REGISTRY[name].config)
    auto = AutoModelForCausalLM if name == "smollm2-135m" else AutoModelForImageClassification
    assert describe(auto.from_pretrained(source.path)).parameters == EMBEDDED[name]


def test_a_mistyped_name_is_answered_with_the_nearest():
    with pytest.raises(UserError, match="did you mean.*llama-2-7b"):
        resolve("lama-2-7b", download=False)


def test_a_recipes_dropout_replaces_the_models_own(tmp_path):
    tiny.saved_model(tmp_path, ["a", "b"])
    source = ModelSource("tiny", "local", "tiny", None, None, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"hidden_dropout_prob": 0.5}))
    inputs = {"input_ids": torch.arange(4, 10)[None]}
    own, none = (load_classifier(source, 2, 0, 0, dropout).train() for dropout in (None, 0.0))
    assert not torch.equal(own(**inputs).logits, own(**inputs).logits)
    assert torch.equal(none(**inputs).logits, none(**inputs).logits)
