"""Hub models: from a cache laid out as the hub's client lays it out, without any network."""

import shutil

import huggingface_hub.constants
import pytest
import tiny
import torch
from huggingface_hub.errors import GatedRepoError, OfflineModeIsEnabled
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from harness import hub
from harness.model import kind_of, resolve
from harness.record import UserError
from harness.trust import Trust

PICKLES = Trust(pickle=True)
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """cached(kind, pickled) -> the snapshot folder of the hub model `someone/tiny`; whatever is fetched is an error."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("PEFTBENCH_CACHE", str(tmp_path / "ours"))
    repo = tmp_path / "hub" / "models--someone--tiny"
    snapshot = repo / "snapshots" / COMMIT

    def make(kind="encoder", pickled=False):
        tiny.saved_model(snapshot, ["a", "b"], kind)
        (repo / "refs").mkdir()
        (repo / "refs" / "main").write_text(COMMIT)
        if pickled:
            weights = load_file(snapshot / "model.safetensors")
            (snapshot / "model.safetensors").unlink()
            # Most of the hub's pickled models are in the format that torch wrote before 1.6.
            torch.save(weights, snapshot / "pytorch_model.bin", _use_new_zipfile_serialization=False)
            torch.save({"other": torch.zeros(1)}, snapshot / "pytorch_model.generator.bin")
        return snapshot

    return make


def test_a_cached_model_needs_no_network(cached):
    snapshot = cached()
    source = resolve("someone/tiny", pytest.fail)
    assert (source.kind, source.id, source.revision, source.path) == ("hub", "someone/tiny", COMMIT, snapshot)


def test_pickled_weights_are_converted_once_and_are_the_same(cached, tmp_path):
    snapshot = cached(pickled=True)
    said = []
    source = resolve("someone/tiny", said.append, trust=PICKLES)
    assert len(said) == 1 and "pickled" in said[0] and source.revision == COMMIT
    assert source.path.parent == tmp_path / "ours" / "models" and kind_of(source) == "encoder"
    written = torch.load(snapshot / "pytorch_model.bin", weights_only=True)
    read = load_file(source.path / "model.safetensors")
    assert written.keys() == read.keys() and all(torch.equal(written[k], read[k]) for k in read)
    model = AutoModelForSequenceClassification.from_pretrained(source.path, use_safetensors=True)
    expected = tiny.model("encoder").state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in model.state_dict().items())
    assert resolve("someone/tiny", said.append, trust=PICKLES) == source and len(said) == 1
    assert [p for p in source.path.parent.iterdir()] == [source.path]


def test_shards_and_tied_weights_are_converted_too(cached):
    snapshot = cached("decoder", pickled=True)
    weights = torch.load(snapshot / "pytorch_model.bin", weights_only=True)
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    (snapshot / "pytorch_model.bin").unlink()
    for i, names in enumerate((sorted(weights)[::2], sorted(weights)[1::2])):
        torch.save({name: weights[name] for name in names}, snapshot / f"pytorch_model-0000{i + 1}-of-00002.bin")
    (snapshot / "pytorch_model.bin.index.json").write_text("{}")
    source = resolve("someone/tiny", lambda text: None, trust=PICKLES)
    model = AutoModelForCausalLM.from_pretrained(source.path, use_safetensors=True)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_a_file_that_would_run_code_is_refused(cached, tmp_path):
    snapshot = cached(pickled=True)

    class Code:
        def __reduce__(self):
            return (shutil.rmtree, (str(tmp_path / "hub"),))

    torch.save({"weight": Code()}, snapshot / "pytorch_model.bin")
    with pytest.raises(UserError, match="someone/tiny: its pickled weights hold more than plain tensors"):
        resolve("someone/tiny", lambda text: None, trust=PICKLES)
    assert snapshot.is_dir() and list((tmp_path / "ours" / "models").iterdir()) == []


def test_a_dry_run_converts_and_fetches_nothing(cached, tmp_path):
    with pytest.raises(UserError, match="someone/tiny is not in the hub's cache; a run will fetch it"):
        resolve("someone/tiny", pytest.fail, download=False)
    snapshot = cached(pickled=True)
    assert resolve("someone/tiny", pytest.fail, download=False, trust=PICKLES).path == snapshot
    assert not (tmp_path / "ours").exists()


@pytest.mark.parametrize("missing", [{"sentencepiece"}, {"protobuf"}, {"sentencepiece", "protobuf"}])
def test_a_sentencepiece_tokenizer_names_what_reads_it(cached, monkeypatch, missing):
    snapshot = cached()
    monkeypatch.setattr(hub, "_installed", lambda package: package not in missing)
    (snapshot / "spm.model").write_bytes(b"")
    assert resolve("someone/tiny", pytest.fail).path == snapshot, "tokenizer.json is enough"
    (snapshot / "tokenizer.json").unlink()
    for name in ("someone/tiny", str(snapshot)):
        with pytest.raises(UserError, match="SentencePiece file.*pip install") as told:
            resolve(name, pytest.fail)
        assert set(str(told.value).split("pip install ")[1].split()) == missing


def test_what_the_hub_refuses_is_explained(cached, monkeypatch):
    def refuse(error):
        def snapshot(hub_id, revision, patterns, offline):
            raise huggingface_hub.errors.LocalEntryNotFoundError("no") if offline else error

        monkeypatch.setattr(hub, "_snapshot", snapshot)

    refuse(GatedRepoError.__new__(GatedRepoError))
    with pytest.raises(UserError, match="licence must be accepted.*Ways out"):
        resolve("someone/tiny", lambda text: None)
    refuse(OfflineModeIsEnabled("offline"))
    with pytest.raises(UserError, match="OfflineModeIsEnabled.*minilm-l6"):
        resolve("someone/tiny", lambda text: None)


def test_a_model_without_weights_is_refused(cached, monkeypatch):
    snapshot = cached()
    (snapshot / "model.safetensors").unlink()
    monkeypatch.setattr(hub, "_fetch", lambda hub_id, revision, patterns: snapshot)
    with pytest.raises(UserError, match="someone/tiny has no .*safetensors; if it has pickled weights, --allow-pickle"):
        resolve("someone/tiny", lambda text: None)
    with pytest.raises(UserError, match="someone/tiny has no weights that can be read"):
        resolve("someone/tiny", lambda text: None, trust=PICKLES)
