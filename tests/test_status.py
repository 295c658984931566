"""What another terminal sees of a sweep that goes on, was stopped, or died."""

import json
import os
import signal
import time

import pytest
import tiny
from stub_sweep import spec
from test_faults import sweeps, wait_for  # noqa: F401
from typer.testing import CliRunner

from harness import journal
from harness.cli import app
from harness.commands.status import lines
from harness.journal import Journal, Sweep
from harness.record import RunRecord
from harness.store import Store


def seen(folder):
    result = CliRunner().invoke(app, ["status", "--results", str(folder)])
    assert result.exit_code == 0, result.output
    return result.output


def sweep(**change):
    values = {"host": "here", "process": 7, "began": 1000.0, "updated": 1100.0, "elapsed": 100.0, "total": 50}
    return Sweep(**values | change)


def test_a_live_sweep_a_dead_one_and_the_one_that_goes_on(sweeps):  # noqa: F811
    folder = (made := sweeps(4, 0.05)).folder
    made.plan({"1": "raise", "2": "hang"})
    process = made.start()
    wait_for(lambda: made.log("begin")[2])
    live = seen(folder)
    assert ": running." in live and "1 of 4 runs done (0 had a record before), 1 failed, 2 left" in live
    assert (
        "stub on rte, seed 2" in live and "failed 1 x: RuntimeError: it was told to" in live and "runs an hour" in live
    )
    assert "Records in" in live and "1 done, 1 failed" in live
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    dead = seen(folder)
    assert "it died; its process is gone. The same command goes on" in dead and "2 left" in dead
    assert "seed 2" not in dead and "about" not in dead
    made.plan({})
    assert made.finish()[0] == 0
    after = seen(folder)
    assert after.count("Sweep of") == 1 and "finished." in after and "4 of 4 runs done (1 had a record before)" in after


def test_a_stopped_sweep_says_so(tmp_path):
    with pytest.raises(KeyboardInterrupt), Journal(tmp_path, 3, 1):
        raise KeyboardInterrupt
    assert "stopped. The same command goes on" in seen(tmp_path)


def test_two_sweeps_of_one_folder_stand_beside_each_other_and_the_ended_one_makes_room(tmp_path):
    with Journal(tmp_path, 3, 0), Journal(tmp_path, 5, 0):
        text = seen(tmp_path)
        assert text.count(": running.") == 2 and "of 3 runs" in text and "of 5 runs" in text
    with Journal(tmp_path, 7, 0):
        text = seen(tmp_path)
        assert text.count("Sweep of") == 1 and "of 7 runs" in text


def test_the_rate_counts_the_time_since_the_last_run_and_the_estimate_what_is_left():
    rest = sweep(total=30, before=5, made=8, elsewhere=2, failed={"full": 3}, updated=1100.0)
    text = "\n".join(lines(rest, True, 1150.0))
    # 10 runs in 150 s, 15 to go
    assert "240 runs an hour; about 4 min left" in text
    assert "12 of 30 runs done (5 had a record before, 2 made by another sweep), 3 failed, 15 left" in text


@pytest.mark.parametrize("now", [-1e9, 0.0, 1e6])
def test_a_clock_that_jumps_makes_no_time_negative(now):
    text = "\n".join(
        lines(sweep(made=1, running={"k": {"method": "a", "task": "b", "seed": 0, "since": 1050.0}}), True, now)
    )
    assert "-" not in text and "of 50 runs" in text


def test_a_clock_set_back_while_a_sweep_runs_leaves_its_rate_alone(tmp_path, monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    with Journal(tmp_path, 2, 0) as book:
        book.began([tiny.spec()])
        monkeypatch.setattr(time, "time", lambda: now - 1e6)
        book.finished(RunRecord(tiny.spec(), "done"))
    ((found, _),) = journal.read(tmp_path)
    assert 0 <= found.elapsed < 60 and found.made == 1


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "[" * 100_000, '{"host": 1}', json.dumps({**vars(sweep()), "failed": {"a": "b"}})]
)
def test_a_file_that_is_no_journal_is_passed_over(tmp_path, text):
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "x.json").write_text(text)
    assert "No sweep has been noted" in seen(tmp_path)


def test_what_a_terminal_would_obey_is_not_printed(tmp_path):
    with Journal(tmp_path, 2, 0) as book:
        book.finished(RunRecord(tiny.spec(), "failed", reason="\x1b]0;gone\x07[red]kept[/red]"))
    text = seen(tmp_path)
    assert "\x1b" not in text and "\x07" not in text and "[red]kept[/red]" in text


def test_a_folder_without_sweeps_tells_of_its_records_and_one_that_is_not_there_of_itself(tmp_path):
    Store(tmp_path).put(RunRecord(spec(0, "x", 0.0), "done"))
    assert "No sweep has been noted" in seen(tmp_path) and "1 done." in seen(tmp_path)
    result = CliRunner().invoke(app, ["status", "--results", str(tmp_path / "none")])
    assert result.exit_code == 2 and "There is no results folder" in result.output


def test_a_journal_that_cannot_be_written_stops_no_sweep(tmp_path, monkeypatch):
    (tmp_path / "sweeps").write_text("a file")
    with Journal(tmp_path, 2, 0) as book:
        book.began([tiny.spec()])
    assert (tmp_path / "sweeps").read_text() == "a file"
