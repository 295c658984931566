"""The Ray executor on a cluster that is started here: two workers, real runs of a tiny model."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import remote
from typer.testing import CliRunner

from harness import provenance
from harness.cli import app
from harness.execute import ray as executor
from harness.execute.cluster import needed, share
from harness.execute.work import do
from harness.record import UserError
from harness.store import Store

ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")
HERE = Path(__file__).parent
WAIT = 120


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with remote.world(tmp_path_factory.mktemp("ray")) as root:
        yield root


@pytest.fixture(scope="module", autouse=True)
def cluster():
    with pytest.MonkeyPatch.context() as patch:
        # Ray ends workers where other programs fill the machine's memory.
        patch.setenv("RAY_memory_monitor_refresh_ms", "0")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
        yield
        ray.shutdown()


CPUS = {"CPU": 8.0}


@pytest.mark.parametrize(
    ("nodes", "jobs", "expected"),
    [
        ([CPUS], 1, (8, 0)),
        ([CPUS], 2, (4, 0)),
        ([CPUS], 3, (2, 0)),
        ([CPUS], 20, (1, 0)),
        ([CPUS, CPUS], 2, (8, 0)),
        ([CPUS, CPUS], 3, (4, 0)),
        ([CPUS, {"CPU": 2.0}], 2, (4, 0)),
        ([{"CPU": 64.0, "GPU": 4.0}], 4, (16, 1)),
        ([{"CPU": 64.0, "GPU": 4.0}], 1, (64, 1)),
        ([{"CPU": 64.0, "GPU": 4.0}], 9, (16, 1)),
        ([{"CPU": 8.0, "GPU": 1.0}, {"CPU": 32.0, "GPU": 3.0}, {"CPU": 128.0}], 4, (8, 1)),
        ([{"memory": 1.0}], 2, (1, 0)),
    ],
)
def test_processors_are_divided_so_that_every_worker_has_room(nodes, jobs, expected):
    assert share(nodes, jobs) == expected


def test_runs_on_two_workers_that_live_on_are_those_of_this_process(world, tmp_path):
    works = [(remote.job(world, tmp_path / "out", seed=seed, mark=tmp_path / "mark"),) for seed in range(6)]
    out = {"asked": 0, "given": 0}

    def asked():
        for at, work in enumerate(works):
            if at == 3:
                yield None
            out["asked"] += 1
            assert out["asked"] - out["given"] <= 2, "a work is asked for when a worker is free"
            yield work

    found = {}
    for record in executor.run_all(asked(), jobs=2, timeout=WAIT):
        out["given"] += 1
        found[record.spec.seed] = record
    assert sorted(found) == list(range(6))
    workers = set((tmp_path / "mark").read_text().split())
    # One may have made them all before the other had started.
    reloads = {record.provenance.get("reload_reason") for record in found.values()}
    assert 1 <= len(workers) <= 2 and str(os.getpid()) not in workers, reloads
    for (job,) in works:
        record = found[job.spec.seed]
        assert (record.status, record.reason) == ("done", "")
        sent = job.items_path.read_bytes()
        (expected,) = do((job,))
        assert record.scores == expected.scores and record.spec == expected.spec
        assert [p["loss"] for p in record.curve if "loss" in p] == [p["loss"] for p in expected.curve if "loss" in p]
        assert sent == job.items_path.read_bytes()
        assert record.provenance["shared"] == 2 and record.costs["train_seconds"] is None


def test_a_worker_that_dies_hangs_or_raises_costs_its_own_run_only(world, tmp_path):
    fates = ["kill", "hang", "raise", "score"]
    works = [(remote.job(world, tmp_path, fate, seed),) for seed, fate in enumerate(fates)]
    found = {r.spec.seed: r for r in executor.run_all(works, jobs=2, timeout=20)}
    assert {fates[seed]: record.status for seed, record in found.items()} == {
        "kill": "failed", "score": "done", "raise": "failed", "hang": "failed"
    }  # fmt: skip
    assert sorted(found) == list(range(4))
    assert "died" in found[0].reason and "RuntimeError: it was told to" in found[2].reason
    assert "more than 20 s" in found[1].reason


def test_alone_each_work_has_a_process_of_its_own(world, tmp_path):
    works = [(remote.job(world, tmp_path, "score", seed, tmp_path / "mark"),) for seed in range(2)]
    records = list(executor.run_all(works, jobs=1, alone=True))
    assert len(set((tmp_path / "mark").read_text().split())) == 2
    assert all("shared" not in record.provenance and record.costs["train_seconds"] > 0 for record in records)


def test_an_error_in_the_sweep_ends_the_workers(world, tmp_path):
    works = [
        (remote.job(world, tmp_path, fate, seed, tmp_path / "mark"),) for seed, fate in enumerate(["score", "hang"])
    ]
    records = executor.run_all(works, jobs=2)
    next(records)
    records.close()
    deadline = time.monotonic() + WAIT
    pids = [int(pid) for pid in (tmp_path / "mark").read_text().split()]
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_sweep_from_the_command_line_with_a_tracker(world, tmp_path):
    words = ["run", "--methods", "bitfit", "--tasks", "rte", "--max-steps", "1", "--batch-size", "4", "--seeds", "0,1"]
    words += ["--model", str(world / "model"), "--data-dir", str(world / "data"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*words, "--executor", "ray", "--track", "tensorboard"])
    assert done.exit_code == 0, done.output
    store = Store(tmp_path / "out")
    found = list(store.records())
    assert [record.status for record in found] == ["done", "done"] and all(store.items(record.key) for record in found)
    assert {record.provenance["base_model"] for record in found} == {"loaded", "reused"}, "the worker kept it"
    logged = {path.parent.name for path in (tmp_path / "out" / "track").rglob("events.out.tfevents.*")}
    assert logged == {record.key for record in found}


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import remote
from harness.execute import ray
root, out = Path(sys.argv[2]), Path(sys.argv[3])
works = [(remote.job(root, out, "hang", 0, out / "mark"),)]
try:
    list(ray.run_all(works, jobs=1))
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_ctrl_c_ends_the_run_and_the_cluster_that_was_started_for_it(world, tmp_path):
    env = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(HERE), str(world), str(tmp_path)],
        stdout=subprocess.PIPE, text=True, start_new_session=True, env=env,
    )  # fmt: skip
    deadline = time.monotonic() + WAIT
    while not (tmp_path / "mark").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=WAIT)
    assert printed.strip().endswith("stopped") and process.returncode == 0
    while remote.members(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert remote.members(process.pid) == []


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_ctrl_c_lets_a_run_with_checkpoints_write_its_state(world, tmp_path):
    code, printed, done, left = remote.interrupted(world, tmp_path / "out", "--executor", "ray")
    assert code == 130 and "write their state" in printed and "Traceback" not in printed
    assert len(done) == 1 and 0 < done[0] < 1_000_000 and left == 0
    assert list(Store(tmp_path / "out").records()) == []


def test_without_the_package_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"pip install peftbench\[ray\]"):
        needed()
    with pytest.raises(UserError, match=r"pip install peftbench\[ray\]"):
        next(executor.run_all([], jobs=1))


def test_a_cluster_that_cannot_be_reached_is_a_sentence(monkeypatch):
    def refuse(**settings):
        raise ConnectionError("first line\nnobody answers")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(UserError, match="no Ray cluster at ray://head:10001: nobody answers"):
        next(executor.run_all([], jobs=1, address="ray://head:10001"))


def test_another_edition_of_the_program_on_a_machine_is_refused(world, tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "commit", lambda: "0123456789ab")
    works = [(remote.job(world, tmp_path, mark=tmp_path / "mark"),)]
    with pytest.raises(UserError, match="0123456789ab.*install the same on all machines"):
        next(executor.run_all(works, jobs=1))
    assert not (tmp_path / "mark").exists()
