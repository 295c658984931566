"""The store: whole files or none, damage named and passed over, done never lost."""

import json
import os
from dataclasses import replace

import pytest
import tiny

from harness.record import RunRecord, UserError
from harness.store import Store, replacing

SPEC = tiny.spec()
KEY = SPEC.key


def record(status="done", spec=SPEC, **change):
    return RunRecord(spec, status, metric="accuracy", **change)


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_record_lies_under_the_first_two_digits_of_its_key_and_comes_back(tmp_path):
    store = Store(tmp_path)
    given = record(scores={"accuracy": 0.5, "f1": None}, costs={"wall_seconds": 1.5})
    assert store.put(given)
    assert files(tmp_path) == [f"runs/{KEY[:2]}/{KEY}.json"]
    assert Store(tmp_path).get(KEY) == given and Store(tmp_path).has_done(KEY)
    assert list(store.records()) == [given] and store.problems == []


def test_an_unused_store_leaves_no_trace(tmp_path):
    store = Store(tmp_path / "new")
    assert list(store.records()) == [] and store.missing([SPEC]) == [SPEC] and store.get(KEY) is None
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_write_that_breaks_leaves_the_old_record_and_no_other_file(tmp_path, monkeypatch, error, call):
    store = Store(tmp_path)
    store.put(record(scores={"accuracy": 0.25}))
    before = files(tmp_path)

    def broken(*_):
        raise error

    monkeypatch.setattr(os, call, broken)
    with pytest.raises(UserError if isinstance(error, OSError) else KeyboardInterrupt):
        store.put(record(scores={"accuracy": 0.75}))
    monkeypatch.undo()
    assert files(tmp_path) == before and store.get(KEY).score == 0.25


def test_no_reader_sees_a_half_written_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("ne")
        assert path.read_text() == "old" and temporary.parent == path.parent
        temporary.write_text("new")
    assert path.read_text() == "new" and files(tmp_path) == ["file"]


def test_a_done_record_is_replaced_by_a_done_one_only(tmp_path):
    store = Store(tmp_path)
    assert store.put(record("failed", reason="first"))
    assert store.put(record("failed", reason="second")) and store.get(KEY).reason == "second"
    assert store.put(record("done", scores={"accuracy": 0.5}))
    assert not store.put(record("failed")) and not store.put(record("skipped"))
    assert store.get(KEY).score == 0.5
    assert store.put(record("done", scores={"accuracy": 0.75})) and store.get(KEY).score == 0.75


def test_missing_are_those_without_a_done_record(tmp_path):
    store = Store(tmp_path)
    done, failed, skipped, never, corrupt = specs = [replace(SPEC, seed=seed) for seed in range(5)]
    store.put(record("done", done))
    store.put(record("failed", failed))
    store.put(record("skipped", skipped))
    store.put(record("done", corrupt))
    store.path(corrupt.key).write_text("{")
    assert store.missing(specs) == [failed, skipped, never, corrupt]


def damaged():
    value = record(scores={"accuracy": 0.5}).to_dict()
    text = json.dumps(value)
    return {
        "half": text[: len(text) // 2],
        "empty": "",
        "a list": "[]",
        "no key": json.dumps({k: v for k, v in value.items() if k != "key"}),
        "another schema": json.dumps(value | {"schema": 99}),
        "unknown field": json.dumps(value | {"colour": 1}),
        "edited spec": json.dumps(value | {"spec": value["spec"] | {"seed": 9}}),
        "unknown status": json.dumps(value | {"status": "perhaps"}),
        "scores a list": json.dumps(value | {"scores": [1]}),
        "a score a text": json.dumps(value | {"scores": {"accuracy": "high"}}),
        "half a byte": json.dumps(value | {"costs": {"train_peak_resident_bytes": 0.5}}),
        "provenance a text": json.dumps(value | {"provenance": "here"}),
        "deep": "[" * 200_000,
    }


@pytest.mark.parametrize("kind", damaged())
def test_a_damaged_record_is_named_and_the_others_are_read(tmp_path, kind):
    store = Store(tmp_path)
    store.put(record())
    good = record(spec=replace(SPEC, seed=1))
    store.put(good)
    store.path(KEY).write_text(damaged()[kind])
    assert list(store.records()) == [good]
    (problem,) = store.problems
    assert f"{KEY}.json" in problem and "\n" not in problem
    assert not store.has_done(KEY)


def test_bytes_that_are_no_text_are_named(tmp_path):
    store = Store(tmp_path)
    store.put(record())
    store.path(KEY).write_bytes(b"\xff\xfe\x00")
    assert list(store.records()) == [] and len(store.problems) == 1


def test_foreign_and_misplaced_files_are_named_but_not_items_and_temporaries(tmp_path):
    store = Store(tmp_path)
    store.put(record())
    inside = store.path(KEY).parent
    store.items_path(KEY).write_bytes(b"")
    (inside / f".{KEY}.json.1-ab.tmp").write_text("{")
    (inside / "notes.txt").write_text("mine")
    other = tmp_path / "runs" / "zz"
    other.mkdir()
    (other / f"{KEY}.json").write_text(store.path(KEY).read_text())
    (inside / (KEY[:-1] + ("0" if KEY[-1] != "0" else "1") + ".json")).write_text(store.path(KEY).read_text())
    assert len(list(store.records())) == 1
    assert len(store.problems) == 3 and sum("notes.txt" in p for p in store.problems) == 1
    list(store.records())
    assert len(store.problems) == 3, "problems of an earlier reading are kept"


@pytest.mark.parametrize(
    "key", ["", "../../etc/passwd", "ABCDEF0123456789", "abc", "0123456789ab/..", "0123456789abcdeg", KEY + "\n"]
)
def test_a_key_that_is_no_hex_touches_no_path(tmp_path, key):
    store = Store(tmp_path)
    for call in (store.path, store.get, store.has_done, store.items_path):
        with pytest.raises(ValueError, match="no key"):
            call(key)
    assert files(tmp_path) == [] and not (tmp_path / "runs").exists()


def test_items_lie_beside_their_record_in_a_folder_that_exists(tmp_path):
    path = Store(tmp_path).items_path(KEY)
    assert path.parent == Store(tmp_path).path(KEY).parent and path.parent.is_dir()
    assert path.name.startswith(f"{KEY}.items.")


def test_a_file_where_the_folder_should_be_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError, match="is a file"):
            Store(folder)
    (tmp_path / "runs").write_text("")
    with pytest.raises(UserError, match="cannot be made"):
        Store(tmp_path).put(record())


def test_a_folder_that_cannot_be_written_to_is_read_and_refused(tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.put(record())
    monkeypatch.setattr(os, "access", lambda *_: False)  # a test may run as root, whom no mode stops
    assert len(list(store.records())) == 1
    with pytest.raises(UserError, match="cannot be written to"):
        store.items_path(KEY)
    with pytest.raises(UserError, match="cannot be written to"):
        store.put(record())


def test_what_is_no_number_is_written_as_null(tmp_path):
    store = Store(tmp_path)
    store.put(record(scores={"accuracy": float("nan")}, curve=[{"step": 1, "loss": float("inf")}]))
    assert "NaN" not in store.path(KEY).read_text() and "Infinity" not in store.path(KEY).read_text()
    assert store.get(KEY).scores == {"accuracy": None} and store.get(KEY).curve == [{"step": 1, "loss": None}]


def test_text_of_any_kind_survives(tmp_path):
    given = record("failed", reason="naïve ± \udcff", traceback='a "b"\n\tc')
    Store(tmp_path).put(given)
    assert Store(tmp_path).get(KEY) == given
