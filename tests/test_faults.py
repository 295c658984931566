"""Sweeps that are killed, doubled, starved of disk or given runs that crash: what was done stays, and the same command
finishes the rest.

The runs are those of stub_sweep.py, which train nothing; everything around them is the real thing.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from remote import processes
from stub_sweep import spec

from harness.store import Store

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")


class Sweeps:
    """Sweeps over the same runs in one folder; ends what is left of them."""

    def __init__(self, folder, runs=6, seconds=0.05, timeout="", jobs=""):
        """jobs: so many workers that live on; without it each run has a process of its own"""
        self.folder, self.runs, self.started = folder, runs, []
        self.words = [str(folder), str(runs), str(seconds), str(timeout), str(jobs)]

    def start(self):
        process = subprocess.Popen(
            [sys.executable, HERE / "stub_sweep.py", *self.words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, text=True, start_new_session=True,
        )  # fmt: skip
        self.started.append(process.pid)
        return process

    def finish(self):
        process = self.start()
        printed, _ = process.communicate(timeout=300)
        return process.returncode, printed

    def plan(self, words):
        Path(f"{self.folder}.plan").write_text(json.dumps(words))

    def log(self, word):
        """How often each run did that: begin or end."""
        path = Path(f"{self.folder}.log")
        lines = path.read_text().splitlines() if path.exists() else []
        return Counter(int(line.split()[1]) for line in lines if line.startswith(word))

    def keys(self):
        return {spec(seed, *self.settings()).key: seed for seed in range(self.runs)}

    def settings(self):
        return str(self.folder), float(self.words[2])

    def records(self):
        """Seed -> record; each file must be whole."""
        store = Store(self.folder)
        found = list(store.records())
        assert store.problems == []
        assert len({record.key for record in found}) == len(found)
        return {record.spec.seed: record for record in found}

    def alive(self, wait=10.0):
        """Processes of the sweeps' sessions that run on after so many seconds, zombies left out."""
        deadline = time.monotonic() + wait
        while True:
            found = [pid for pid, session, state in processes() if session in self.started and state != "Z"]
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.02)


def names(session):
    """Process -> "parent", "server" or "worker" for one sweep."""
    found = {}
    for pid, own, _ in processes():
        if own == session:
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes()
                leader = os.getpgid(pid) == pid
            except (OSError, ValueError):
                continue
            found[pid] = (
                "parent"
                if pid == session
                else "tracker"
                if b"resource_tracker" in words
                else "worker"
                if leader
                else "server"
            )
    return found


@pytest.fixture
def sweeps(tmp_path):
    made = []

    def make(*given, **more):
        made.append(Sweeps(tmp_path / "out", *given, **more))
        return made[-1]

    yield make
    for sweep in made:
        for pid in sweep.alive(0):
            os.kill(pid, signal.SIGKILL)


def whole(sweep, runs=None):
    """Everything is done and nothing else lies there."""
    found = sweep.records()
    assert set(found) == set(range(sweep.runs)) and {record.status for record in found.values()} == {"done"}
    left = {str(path.relative_to(sweep.folder)) for path in (sweep.folder / "runs").rglob("*") if path.is_file()}
    keys = {record.key for record in found.values()}
    assert left == {f"runs/{key[:2]}/{key}.{end}" for key in keys for end in ("json", "items.parquet")}
    return found


def find(process, victim, seconds=2.0):
    """That process of a sweep, as soon as there is one; none if there is none in time."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        found = [pid for pid, name in names(process.pid).items() if name == victim]
        if found:
            return found
    return []


def rounds(sweep, count, seed):
    """That many times: a sweep, or two at once, one of whose processes is killed after a while, and then what is left of
    both. In the end a sweep that nobody kills. Gives how often what was killed."""
    generator, killed = random.Random(seed), Counter()
    for turn in range(count):
        before = {number: record for number, record in sweep.records().items() if record.status == "done"}
        begun = sweep.log("begin")
        processes = [sweep.start() for _ in range(1 + turn % 2)]
        time.sleep(generator.uniform(0.05, 2.5))
        victim = generator.choice(["parent", "parent", "worker", "server"])
        chosen = find(processes[0], victim)
        for pid in chosen:
            os.kill(pid, signal.SIGKILL)
            killed[victim] += 1
        time.sleep(generator.uniform(0.0, 1.0))
        for process in processes:
            killed["parent"] += process.poll() is None
            process.kill()
            process.communicate(timeout=60)
        assert sweep.alive() == [], "a process goes on"
        after = sweep.records()
        assert all(after.get(number) == record for number, record in before.items()), (
            "a done record was lost or changed"
        )
        assert not [n for n in before if sweep.log("begin")[n] > begun[n]], "a run with a record was made again"
    code, printed = sweep.finish()
    assert code == 0, printed
    return killed


@pytest.mark.parametrize(("runs", "jobs"), [(60, ""), (150, 2)])
def test_whatever_is_killed_nothing_is_lost_and_the_same_command_finishes(sweeps, runs, jobs):
    # So many that no round finds a sweep already done.
    sweep = sweeps(runs, 0.25, jobs=jobs)
    killed = rounds(sweep, 4, seed=0)
    assert sum(killed.values()) >= 4
    assert all(record.score == seed / 100 for seed, record in whole(sweep).items())


@pytest.mark.slow
@pytest.mark.parametrize(("runs", "jobs"), [(600, ""), (1500, 2)])
def test_fifty_rounds_of_killing(sweeps, runs, jobs):
    sweep = sweeps(runs, 0.25, jobs=jobs)
    killed = rounds(sweep, 50, seed=1)
    whole(sweep)
    assert {"parent", "worker", "server"} <= set(killed) and sum(killed.values()) >= 50
    begun, ended = (sum(sweep.log(word).values()) for word in ("begin", "end"))
    print(f"killed {dict(killed)}; {sweep.runs} records of {begun} runs begun and {ended} ended")


def test_two_sweeps_on_one_folder_make_each_run_once(sweeps):
    sweep = sweeps(10, 0.1)
    processes = [sweep.start() for _ in range(2)]
    printed = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], printed
    whole(sweep)
    assert sweep.log("begin") == sweep.log("end") == Counter(range(10))
    assert all("[10/10]" in text for text in printed), "both tell of all runs"
    assert any("by another sweep" in text for text in printed)


@pytest.mark.parametrize("frozen", [False, True])
def test_what_a_dead_sweep_had_claimed_is_free_and_what_a_live_one_has_is_waited_for(sweeps, frozen):
    sweep = sweeps(4, 1.0)
    first = sweep.start()
    wait_for(lambda: sweep.log("begin"))
    if frozen:
        for pid in names(first.pid):
            os.kill(pid, signal.SIGSTOP)
    else:
        os.kill(first.pid, signal.SIGKILL)
    second = sweep.start()
    if frozen:
        wait_for(lambda: set(sweep.records()) == {1, 2, 3})
        assert second.poll() is None and sweep.log("begin")[0] == 1
        for pid in names(first.pid):
            os.kill(pid, signal.SIGCONT)
    printed = second.communicate(timeout=60)[0]
    first.communicate(timeout=60)
    assert second.returncode == 0 and ("Waiting for a run" in printed) == frozen
    whole(sweep)
    assert sweep.log("end") == Counter(range(4))


def wait_for(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


REASONS = {
    "raise": "RuntimeError: it was told to",
    "segfault": "ended by SIGSEGV",
    "exit": "exit code 3",
    "hang": "more than 5 s (--timeout-per-run)",
    "hang-lock": "more than 5 s (--timeout-per-run)",
    "deaf": "more than 5 s (--timeout-per-run)",
    "child": "ended by SIGSEGV",
}


@pytest.mark.parametrize("jobs", ["", 3])
def test_a_run_that_breaks_is_a_failed_record_and_leaves_no_process(sweeps, jobs):
    sweep = sweeps(len(REASONS) + 2, 0.01, timeout=5, jobs=jobs)
    sweep.plan({at + 1: word for at, word in enumerate(REASONS)})
    code, printed = sweep.finish()
    assert code == 0, printed
    assert sweep.alive() == []
    found = sweep.records()
    assert found[0].status == found[len(REASONS) + 1].status == "done"
    for at, (word, reason) in enumerate(REASONS.items()):
        assert found[at + 1].status == "failed" and reason in found[at + 1].reason, word
    sweep.plan({})
    assert sweep.finish()[0] == 0
    whole(sweep)
    assert sweep.log("end")[0] == 1


@pytest.mark.parametrize("word", ["hang-lock", "child", "deaf"])
def test_a_run_that_hangs_ends_with_its_sweep(sweeps, word):
    sweep = sweeps(2)
    # A child that outlives its run is there while the next run hangs.
    sweep.plan({"0": word, "1": "hang"})
    process = sweep.start()
    wait_for(lambda: sweep.log("begin")[1 if word == "child" else 0])
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert sweep.alive() == []


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("jobs", ["", 1])
def test_ctrl_c_ends_everything_at_once_with_130_and_one_sentence(sweeps, times, jobs):
    sweep = sweeps(3, 0.05, jobs=jobs)
    sweep.plan({"1": "hang"})
    process = sweep.start()
    wait_for(lambda: sweep.log("begin")[1])
    began = time.monotonic()
    for _ in range(times):
        # As a terminal does: to the whole group.
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.01)
    printed = process.communicate(timeout=60)[0]
    assert process.returncode == 130 or (times > 1 and process.returncode == -signal.SIGINT)
    assert "Traceback" not in printed
    assert time.monotonic() - began < 30 and sweep.alive() == []
    assert set(sweep.records()) == {0}
    sweep.plan({})
    assert sweep.finish()[0] == 0
    whole(sweep)


def test_a_record_cut_in_half_is_made_again(sweeps):
    sweep = sweeps(3)
    assert sweep.finish()[0] == 0
    path = next((sweep.folder / "runs").rglob("*.json"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    victim = sweep.keys()[path.stem]
    assert sweep.finish()[0] == 0
    whole(sweep)
    assert sweep.log("end") == Counter({**dict.fromkeys(range(3), 1), victim: 2})


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 512 kB; skipped where none may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_stops_the_sweep_with_a_sentence_and_room_lets_it_go_on(small_disk, tmp_path):
    sweep = Sweeps(small_disk / "out", 9, 0.01)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(300_000))
    code, printed = sweep.finish()
    assert code == 2 and "No space left on device" in printed and "Traceback" not in printed
    kept = sweep.records()
    assert 0 < len(kept) < 9 and all(record.status == "done" for record in kept.values())
    assert not list(small_disk.rglob("*.tmp")) and sweep.alive() == []
    subprocess.run(["mount", "-o", "remount,size=4m", small_disk], check=True)
    assert sweep.finish()[0] == 0
    assert {seed: record for seed, record in whole(sweep).items() if seed in kept} == kept


def test_a_read_only_folder_is_read_and_a_sweep_refused(small_disk):
    sweep = Sweeps(small_disk / "out", 3, 0.01)
    assert sweep.finish()[0] == 0
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert sweep.finish()[0] == 0, "nothing is missing"
    more = Sweeps(small_disk / "out", 4, 0.01)
    code, printed = more.finish()
    assert code == 2 and "cannot be" in printed and "Traceback" not in printed
    assert set(more.records()) == {0, 1, 2}
