"""Pickled weights and a model's own code: neither is touched unless the command line says so; what was is in the record."""

import json
import os
import shutil

import pytest
import remote
import tiny
import torch
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from test_hostile import VALUE
from typer.testing import CliRunner

from harness.cli import app
from harness.commands.means import means_from
from harness.commands.run import read_file
from harness.model import load_classifier, load_tokenizer, resolve
from harness.record import UserError
from harness.store import Store
from harness.trust import NOTHING, Trust, own_code

PICKLES, CODE = Trust(pickle=True), Trust(code=True)
MODEL = """
from pathlib import Path
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

Path(__file__).with_name("ran").touch()
Path("RAN").touch()


class OwnConfig(BertConfig):
    model_type = "own-kind"


class OwnClassifier(BertForSequenceClassification):
    config_class = OwnConfig


class OwnMasked(BertForMaskedLM):
    config_class = OwnConfig
"""
AUTO = {
    "AutoConfig": "own.OwnConfig",
    "AutoModelForSequenceClassification": "own.OwnClassifier",
    "AutoModelForMaskedLM": "own.OwnMasked",
}


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("PEFTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))


@pytest.fixture
def pickled(tmp_path):
    """A local model whose weights are pickled."""
    folder = tiny.saved_model(tmp_path / "pickled", remote.WORDS)
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    return folder


def with_code(folder, text, auto=AUTO, kind="own-kind"):
    """A local model of an own kind, made by own.py, which leaves `mark` where it runs."""
    tiny.saved_model(folder, remote.WORDS)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": kind, "auto_map": auto}))
    (folder / "own.py").write_text(text)
    return folder


@pytest.fixture
def coded(tmp_path):
    mark = tmp_path / "ran"
    text = MODEL.replace('Path(__file__).with_name("ran").touch()\nPath("RAN").touch()', f"Path({str(mark)!r}).touch()")
    return with_code(tmp_path / "coded", text), mark


def test_pickled_weights_of_a_folder_are_refused_and_read_when_allowed(pickled, tmp_path):
    with pytest.raises(UserError, match="holds no .*safetensors, but pickled weights; --allow-pickle"):
        resolve(str(pickled))
    assert not (tmp_path / "cache").exists()
    said = []
    source = resolve(str(pickled), said.append, trust=PICKLES)
    assert "Converting" in said[0] and source.path.parent == tmp_path / "cache" / "models"
    assert source.trusted() == {"allow_pickle": True} and "pickled" not in source.describe()
    expected, found = torch.load(pickled / "pytorch_model.bin"), load_classifier(source, 2, 0, 0).state_dict()
    shared = [name for name in expected if not name.startswith("classifier")]
    assert shared and all(torch.equal(expected[name], found[name]) for name in shared)
    again = resolve(str(pickled), pytest.fail, trust=PICKLES)
    assert again == source, "converted once"
    torch.save({k: v + 1 for k, v in expected.items()}, pickled / "pytorch_model.bin")
    other = resolve(str(pickled), said.append, trust=PICKLES)
    assert other.path != source.path and other.sha256 != source.sha256, "other weights are another edition"


def test_safetensors_are_taken_where_both_are(pickled, tmp_path):
    tiny.saved_model(pickled, remote.WORDS)
    for trust in (NOTHING, PICKLES):
        source = resolve(str(pickled), pytest.fail, trust=trust)
        assert source.path == pickled and source.trusted() == {}


def test_a_pickle_that_runs_code_is_not_read_though_pickles_are_allowed(pickled, tmp_path):
    class Code:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "ran"),))

    torch.save({"weight": Code()}, pickled / "pytorch_model.bin")
    with pytest.raises(UserError, match="hold more than plain tensors and were not read"):
        resolve(str(pickled), lambda text: None, trust=PICKLES)
    assert not (tmp_path / "ran").exists() and list((tmp_path / "cache" / "models").iterdir()) == []


def test_a_models_own_code_is_refused_and_run_when_allowed(coded):
    folder, mark = coded
    with pytest.raises(UserError, match="coded comes with Python code of its own for its model .*--trust-remote-code"):
        resolve(str(folder))
    source = resolve(str(folder), pytest.fail, trust=CODE)
    assert source.own_code == ("model",) and source.trusted() == {"trust_remote_code": ["model"]}
    assert not mark.exists(), "finding a model runs nothing"
    model = load_classifier(source, 2, 0, 0)
    assert mark.exists() and type(model).__name__ == "OwnClassifier"
    assert load_tokenizer(source).pad_token == "[PAD]"
    (folder / "own.py").write_text((folder / "own.py").read_text() + "\n# another edition\n")
    assert resolve(str(folder), trust=CODE).sha256 != source.sha256, "the code is a part of what a run is"


def test_code_that_transformers_does_not_need_is_never_run(tmp_path):
    mark = tmp_path / "ran"
    folder = with_code(tmp_path / "known", f"open({str(mark)!r}, 'w')", kind="bert")
    for trust in (NOTHING, CODE):
        source = resolve(str(folder), trust=trust)
        assert source.own_code == () and source.trusted() == {}
        assert type(load_classifier(source, 2, 0, 0)).__module__.startswith("transformers.")
        load_tokenizer(source)
    assert not mark.exists()


def test_a_tokenizers_own_code_is_refused_too(tmp_path):
    folder = tiny.saved_model(tmp_path / "model", remote.WORDS)
    path = folder / "tokenizer_config.json"
    own = {"tokenizer_class": "OwnTokenizer", "auto_map": {"AutoTokenizer": ["own.OwnTokenizer", None]}}
    path.write_text(json.dumps(json.loads(path.read_text()) | own))
    with pytest.raises(UserError, match="for its tokenizer .*--trust-remote-code"):
        resolve(str(folder))
    assert resolve(str(folder), trust=CODE).own_code == ("tokenizer",)


def test_code_of_another_repository_is_refused_since_nothing_pins_it(tmp_path):
    folder = with_code(tmp_path / "far", "", {"AutoConfig": "someone/else--own.OwnConfig"})
    with pytest.raises(UserError, match="code of another repository, of which no revision is pinned"):
        resolve(str(folder), trust=CODE)


@settings(deadline=None, max_examples=60)
@given(config=VALUE, tokenizer=VALUE, auto=VALUE, name=VALUE)
def test_any_configuration_is_no_code_or_a_sentence(tmp_path_factory, config, tokenizer, auto, name):
    folder = tmp_path_factory.mktemp("any")
    for file, value in (("config.json", config), ("tokenizer_config.json", tokenizer)):
        if isinstance(value, dict):
            value = value | {"auto_map": auto, "model_type": name, "tokenizer_class": name}
        (folder / file).write_text(json.dumps(value))
    for trust in (NOTHING, CODE):
        try:
            found = own_code("it", folder, trust)
        except UserError as error:
            assert "\n" not in str(error)
        else:
            assert set(found) <= {"model", "tokenizer"} and (trust.code or not found)
    shutil.rmtree(folder)


@pytest.mark.parametrize("key", ["allow_pickle", "allow-pickle", "trust_remote_code", "trust-remote-code"])
@pytest.mark.parametrize("value", ["true", "false"])
def test_a_file_cannot_switch_them_on(tmp_path, key, value):
    path = tmp_path / "sweep.yaml"
    path.write_text(f"methods: lora\n{key}: {value}\n")
    with pytest.raises(UserError, match=f"only the command line may say so, as --{key.replace('_', '-')}"):
        read_file(path)


def test_a_run_says_what_was_allowed(pickled, tmp_path):
    world = remote.make_world(tmp_path / "world")
    words = ["run", "--methods", "bitfit", "--tasks", "rte", "--max-steps", "1", "--batch-size", "4", "--no-isolate"]
    words += ["--model", str(pickled), "--data-dir", str(world / "data"), "--out", str(tmp_path / "out")]
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 2 and "--allow-pickle" in refused.output and not (tmp_path / "out").exists()
    done = CliRunner().invoke(app, [*words, "--allow-pickle"])
    assert done.exit_code == 0, done.output
    (record,) = Store(tmp_path / "out").records()
    assert record.status == "done" and record.provenance["allow_pickle"] is True
    assert "trust_remote_code" not in record.provenance and record.spec.model_source["kind"] == "local"


SAID = st.one_of(VALUE, st.text(st.characters(exclude_categories=("Cs",)), max_size=20), st.integers(0, 3))
WORDS = {
    "executor": st.one_of(st.sampled_from(["local", "ray", "slurm"]), SAID),
    "slurm": st.one_of(st.just("cluster=local"), SAID),
    "address": SAID,
    "track": st.one_of(st.just("tensorboard"), SAID),
    "jobs": SAID,
    "pack": SAID,
    "on_oom": SAID,
    "checkpoint_every": SAID,
    "timeout_per_run": SAID,
}


@settings(deadline=None, max_examples=80)
@given(said=st.fixed_dictionaries({}, optional=WORDS), isolate=st.sampled_from([None, True, False]))
def test_who_makes_the_runs_is_read_from_any_file_or_refused_with_a_sentence(tmp_path_factory, said, isolate):
    root = tmp_path_factory.mktemp("any")
    try:
        (root / "sweep.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    except (ValueError, yaml.YAMLError):
        return  # what YAML's writer refuses
    try:
        options = read_file(root / "sweep.yaml")
        means = means_from(options | {"out": root / "out"}, isolate)
        means.tracking(pytest.fail)
    except UserError as error:
        assert str(error) and "\n" not in str(error)
    else:
        assert means.how.jobs >= 1 and means.how.executor in ("local", "ray", "slurm", "inline")
    assert {path.name for path in root.iterdir()} <= {"sweep.yaml"}, "nothing is made before the first run"
    shutil.rmtree(root)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=30))
@example("~nobody-has-this-name")
@example("x" * 5000)
@example("0/")
@example("\x00/a")
def test_a_model_of_any_name_is_found_or_a_sentence(name):
    try:
        source = resolve(name, lambda text: None, download=False)
    except UserError as error:
        assert str(error)
    else:
        assert source.path
