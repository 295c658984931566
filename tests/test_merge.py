"""Results folders of several machines become one, or nothing is written and the reason named."""

import os
import shutil
from dataclasses import replace

import pytest
import tiny
from typer.testing import CliRunner

from harness import store as storing
from harness.cli import app
from harness.merge import merge
from harness.record import RunRecord, UserError
from harness.store import Store

SPECS = [tiny.spec(seed=seed) for seed in range(6)]


def record(seed, score=0.5, status="done", **change):
    return RunRecord(
        SPECS[seed], status, metric="accuracy", scores={"accuracy": score} if status == "done" else {}, **change
    )


def folder(path, *records, items=b"items"):
    store = Store(path)
    for one in records:
        store.put(one)
        store.items_path(one.key).write_bytes(items)
    return path


def held(path):
    """Every file of the records: name -> content."""
    return {str(p.relative_to(path)): p.read_bytes() for p in (path / "runs").rglob("*") if p.is_file()}


def scores(path):
    return {one.spec.seed: one.score for one in Store(path).records()}


def test_two_folders_become_a_third_with_items_and_stay_as_they_were(tmp_path):
    a = folder(tmp_path / "a", record(0), record(1), items=b"a")
    b = folder(tmp_path / "b", record(1), record(2, 0.25, curve=[{"step": 1, "loss": 2.0}]), items=b"b")
    before = held(a), held(b)
    found = merge([a, b], tmp_path / "c")
    assert (found.copied, found.same, found.replaced, found.problems) == (3, 1, 0, [])
    assert (held(a), held(b)) == before
    assert held(tmp_path / "c") == {**before[1], **before[0]}
    again = merge([a, b], tmp_path / "c")
    assert (again.copied, again.same, again.replaced) == (0, 4, 0)


def test_into_the_first_folder(tmp_path):
    a, b = folder(tmp_path / "a", record(0)), folder(tmp_path / "b", record(0), record(1))
    assert merge([a, b], a).copied == 1
    assert set(scores(a)) == {0, 1} and held(b).keys() == held(a).keys()


def test_different_results_are_refused_by_name_before_anything_is_written(tmp_path):
    a = folder(tmp_path / "a", record(0), record(1, 0.5))
    b = folder(tmp_path / "b", record(1, 0.75), record(2))
    before = held(a)
    for out in (a, tmp_path / "c"):
        with pytest.raises(UserError, match=rf"lora on rte, seed 1 \({SPECS[1].key}\) in .*a and .*b.*--keep"):
            merge([a, b], out)
    assert held(a) == before and not (tmp_path / "c").exists()


@pytest.mark.parametrize(("keep", "newer", "expected"), [("first", 1, 0.5), ("newest", 1, 0.75), ("newest", -1, 0.5)])
def test_keep_says_which_of_two_results_is_taken_with_its_items(tmp_path, keep, newer, expected):
    a = folder(tmp_path / "a", record(1, 0.5), items=b"a")
    b = folder(tmp_path / "b", record(1, 0.75), items=b"b")
    Store(b).items_path(SPECS[1].key, "more.parquet").write_bytes(b"more")
    at = Store(a).path(SPECS[1].key).stat().st_mtime_ns + newer * 10**9
    os.utime(Store(b).path(SPECS[1].key), ns=(at, at))
    merge([a, b], a, keep)
    assert scores(a) == {1: expected}
    assert {content for name, content in held(a).items() if ".items." in name} == (
        {b"a"} if expected == 0.5 else {b"b", b"more"}
    )


def test_other_costs_of_the_same_scores_are_no_conflict_and_a_done_run_goes_before_a_failed_one(tmp_path):
    a = folder(
        tmp_path / "a", record(0, costs={"wall_seconds": 1.0}), record(1, status="failed", reason="full"), record(2)
    )
    b = folder(
        tmp_path / "b", record(0, costs={"wall_seconds": 9.0}), record(1), record(2, status="failed", reason="x")
    )
    found = merge([a, b], a)
    assert (found.copied, found.replaced, found.same) == (0, 1, 2)
    assert {one.status for one in Store(a).records()} == {"done"}
    assert Store(a).get(SPECS[0].key).costs == {"wall_seconds": 1.0}


@pytest.mark.parametrize("at", range(6))
def test_a_merge_that_breaks_leaves_whole_records_only_and_is_finished_by_another(tmp_path, monkeypatch, at):
    a, b = folder(tmp_path / "a", record(0)), folder(tmp_path / "b", record(1), record(2), record(3))
    calls, copy = [], shutil.copy2

    def full(source, target):
        calls.append(source)
        if len(calls) == at + 1:
            target.write_bytes(b"ha")
            raise OSError(28, "No space left on device")
        return copy(source, target)

    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(UserError, match="No space left"):
        merge([a, b], a)
    monkeypatch.undo()
    store = Store(a)
    found = {one.spec.seed for one in store.records()}
    assert 0 in found and len(found) == 1 + at // 2 and store.problems == []
    assert all(store.items(SPECS[seed].key) for seed in found) and not list(a.rglob("*.tmp"))
    merge([a, b], a)
    assert set(scores(a)) == {0, 1, 2, 3} and len(held(a)) == 8


def test_what_is_no_record_is_named_and_links_are_not_followed(tmp_path):
    a, b = folder(tmp_path / "a", record(0)), folder(tmp_path / "b", record(1), record(2))
    secret = tmp_path / "secret"
    secret.write_text("mine")
    items = Store(b).items_path(SPECS[1].key)
    items.unlink()
    items.symlink_to(secret)
    Store(b).path(SPECS[2].key).write_text("{")
    found = merge([a, b], tmp_path / "c")
    assert len(found.problems) == 1 and SPECS[2].key in found.problems[0]
    assert set(scores(tmp_path / "c")) == {0, 1}
    assert b"mine" not in held(tmp_path / "c").values()


def test_the_command_joins_trials_too_and_says_what_it_did(tmp_path):
    a, b = folder(tmp_path / "a", record(0)), folder(tmp_path / "b", record(1))
    folder(b / "tuning", record(2), record(3))
    result = CliRunner().invoke(app, ["merge", str(a), str(b), "--out", str(tmp_path / "c")])
    assert result.exit_code == 0, result.output
    assert "2 runs came in, 0 stood there already" in result.output
    assert set(scores(tmp_path / "c" / "tuning")) == {2, 3}


@pytest.mark.parametrize("words", [["A"], ["A", "none"], ["A", "none", "--out", "C"]])
def test_a_folder_that_is_missing_is_one_sentence(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "A", record(0))
    result = CliRunner().invoke(app, ["merge", *words])
    assert result.exit_code == 2 and len(result.output.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["A"]


def test_a_record_that_names_another_key_does_not_come_along(tmp_path):
    a, b = folder(tmp_path / "a", record(0)), folder(tmp_path / "b", record(1))
    path = Store(b).path(SPECS[1].key)
    edited = replace(SPECS[1], method="better").key
    path.write_text(path.read_text().replace('"method": "lora"', '"method": "better"').replace(SPECS[1].key, edited))
    found = merge([a, b], a)
    assert set(scores(a)) == {0} and "holds the run" in found.problems[0]
    assert storing.KEY.fullmatch(edited)
