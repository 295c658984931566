"""The Slurm executor over submitit's local cluster: real jobs, one a run; what --slurm may say."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import hypothesis
import pytest
import remote
from hypothesis import strategies as st
from typer.testing import CliRunner

from harness.cli import app
from harness.execute import slurm, slurm_task
from harness.execute.slurm_options import settings_from
from harness.execute.travel import parcel
from harness.execute.work import do
from harness.record import RunRecord, UserError
from harness.store import Store

submitit = pytest.importorskip("submitit", reason="the extra `slurm` is not installed")
LOCAL = "cluster=local,time=60"
"""submitit holds the last ten minutes for the end of a job, and asks no questions there."""
HERE = Path(__file__).parent
WAIT = 120


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with remote.world(tmp_path_factory.mktemp("slurm")) as root:
        yield root


def settings(text):
    return settings_from(f"cluster=local,{text}", submitit)[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("time=90", {"timeout_min": 90}),
        ("time=2:00:00", {"timeout_min": 120}),
        ("time=1-0:00:30", {"timeout_min": 1441}),
        ("time=1:30", {"timeout_min": 90}),
        ("timeout_min=5", {"timeout_min": 5}),
        ("mem=32", {"mem_gb": 32.0}),
        ("memory=32GB", {"mem_gb": 32.0}),
        ("mem=512M", {"mem_gb": 0.5}),
        ("gpus=2", {"gpus_per_node": 2}),
        ("gpus_per_node=2,cpus=8", {"gpus_per_node": 2, "cpus_per_task": 8}),
        (
            "partition=gpu, account=mine,qos=low,array_parallelism=4",
            {"slurm_partition": "gpu", "slurm_account": "mine", "slurm_qos": "low", "slurm_array_parallelism": 4},
        ),
        ("constraint=a100&nvlink,gres=gpu:a100:1", {"slurm_constraint": "a100&nvlink", "slurm_gres": "gpu:a100:1"}),
        ("", {}),
    ],
)
def test_an_option_becomes_what_submitit_calls_it(text, expected):
    assert settings(text) == {"timeout_min": 240, "name": "peftbench", **expected}
    # What is said is said to a real executor, which checks names and types.
    submitit.AutoExecutor("unused", cluster="debug").update_parameters(**settings(text))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("partitoin=gpu", "partitoin.*did you mean partition"),
        ("nodes=2", "--slurm nodes: submitit has no such parameter for a run"),
        ("ntasks_per_node=2", "no such parameter"),
        ("setup=x", "no such parameter"),
        ("zzz=1", "there are .*partition"),
        ("time", "the form is KEY=VALUE"),
        ("time=", "the form is KEY=VALUE"),
        ("=3", "the form is KEY=VALUE"),
        ("time=soon", "minutes, or"),
        ("time=0", "minutes, or"),
        ("time=-5", "minutes, or"),
        ("gpus=half", "a whole number"),
        ("mem=much", "gigabytes"),
        ("time=5,time=6", "given twice"),
        ("partition=a\n#SBATCH --uid=0", "one line of printable"),
    ],
)
def test_what_is_no_option_is_a_sentence(text, sentence):
    with pytest.raises(UserError, match=sentence):
        settings(text)


def test_a_value_cannot_add_lines_or_commands_to_the_batch_script():
    given = settings("partition=a;b $(touch x),comment=`touch x` --uid=0")
    text = submitit.slurm.slurm._make_sbatch_string(
        command="run", folder="f", **{k.removeprefix("slurm_"): v for k, v in given.items() if k.startswith("slurm_")}
    )
    assert "#SBATCH --partition='a;b $(touch x)'" in text and "#SBATCH --comment='`touch x` --uid=0'" in text
    assert [line for line in text.splitlines() if "touch" in line and not line.startswith("#SBATCH")] == []


@hypothesis.settings(deadline=None, max_examples=80)
@hypothesis.given(
    st.lists(
        st.tuples(
            st.sampled_from(["partition", "comment", "time", "mem", "gpus", "qos", "gres", "zzz"]), st.text(max_size=9)
        ),
        max_size=3,
    )
)
def test_any_text_is_one_line_of_the_script_or_a_sentence(parts):
    try:
        given = settings(",".join(f"{key}={value}" for key, value in parts))
    except UserError as error:
        assert len(str(error).splitlines()) == 1
        return
    own = {k.removeprefix("slurm_"): v for k, v in given.items() if k.startswith("slurm_")}
    plain = submitit.slurm.slurm._make_sbatch_string(command="run", folder="f").splitlines()
    found = submitit.slurm.slurm._make_sbatch_string(command="run", folder="f", **own).splitlines()
    assert len(found) <= len(plain) + len(own)
    assert all(line.startswith("#SBATCH --") for line in found if line not in plain)


def test_other_clusters_and_no_slurm_are_sentences(monkeypatch):
    with pytest.raises(UserError, match="there are slurm and local"):
        settings_from("cluster=debug", submitit)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(UserError, match="no Slurm here.*cluster=local"):
        settings_from("partition=gpu", submitit)


def test_without_the_package_a_sentence_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(UserError, match=r"pip install peftbench\[slurm\]"):
        next(slurm.run_all([], folder=tmp_path / "slurm"))
    assert not (tmp_path / "slurm").exists()


def test_runs_in_jobs_are_those_of_this_process_and_a_job_that_dies_fails_its_run(world, tmp_path):
    fates = ["score", "kill", "score", "raise"]
    works = [(remote.job(world, tmp_path / "out", fate, seed, tmp_path / "mark"),) for seed, fate in enumerate(fates)]
    counts = {"asked": 0, "given": 0}

    def asked():
        for at, work in enumerate(works):
            if at == 2:
                yield None
            counts["asked"] += 1
            assert counts["asked"] - counts["given"] <= 2, "no more works than jobs are out at a time"
            yield work

    found = {}
    for record in slurm.run_all(asked(), 2, WAIT, tmp_path / "slurm", LOCAL):
        counts["given"] += 1
        found[record.spec.seed] = record
    assert [found[seed].status for seed in range(4)] == ["done", "failed", "done", "failed"]
    assert "ended without a record" in found[1].reason and found[3].reason == "RuntimeError: it was told to"
    assert len(set((tmp_path / "mark").read_text().split())) == 4
    assert not (tmp_path / "slurm").exists(), "the files of the jobs go"
    (job,) = works[0]
    sent = job.items_path.read_bytes()
    (expected,) = do((job,))
    assert found[0].scores == expected.scores and sent == job.items_path.read_bytes()
    assert [p["loss"] for p in found[0].curve if "loss" in p] == [p["loss"] for p in expected.curve if "loss" in p]
    assert found[0].provenance["shared"] == 2 and found[0].costs["train_seconds"] is None


def preempt(queues, mark):
    """Tells the first job of a queue, as Slurm does, that it is preempted, once its run has begun."""
    deadline = time.monotonic() + WAIT
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    (child,) = children(queues[0].waiting[0].job._process.pid)
    os.kill(child, signal.SIGUSR2)


def children(pid):
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_a_preempted_job_is_queued_again_and_begins_again(world, tmp_path, monkeypatch):
    mark = tmp_path / "mark"
    works = [(remote.job(world, tmp_path, "hang once", 0, mark),)]
    queues, real = [], slurm.Queue
    monkeypatch.setattr(slurm, "Queue", lambda *given: queues.append(real(*given)) or queues[-1])
    thread = threading.Thread(target=preempt, args=(queues, mark))
    thread.start()
    (record,) = slurm.run_all(works, 1, WAIT, tmp_path / "slurm", LOCAL)
    thread.join()
    assert (record.status, record.reason) == ("done", "")
    assert len(mark.read_text().split()) == 2, "the run was begun twice"


def test_a_run_that_takes_too_long_is_ended_in_its_job(world, tmp_path):
    works = [(remote.job(world, tmp_path, "hang", 0),)]
    (record,) = slurm.run_all(works, 1, 15, tmp_path / "slurm", LOCAL)
    assert record.status == "failed" and "more than 15 s (--timeout-per-run)" in record.reason


def test_a_job_that_has_answered_does_nothing_when_it_is_called_again(world, tmp_path):
    task = slurm.Task(parcel((remote.job(world, tmp_path, "raise", 0),)), tmp_path, 0)
    task.answer.write_bytes(pickle.dumps([]))
    task()
    assert pickle.loads(task.answer.read_bytes()) == []


def test_what_a_machine_lacks_ends_the_sweep_with_a_sentence(world, tmp_path, monkeypatch):
    job = remote.job(world, tmp_path, mark=tmp_path / "mark")
    whole = slurm.parcel
    monkeypatch.setattr(
        slurm, "parcel", lambda work: type(whole(work))(work, {}, {job.model.path: (("other", 1, ""),)})
    )
    with pytest.raises(UserError, match="does not hold the model model that the sweep was planned with"):
        list(slurm.run_all([(job,)], 1, None, tmp_path / "slurm", LOCAL))
    assert not (tmp_path / "mark").exists() and not (tmp_path / "slurm").exists()


def test_a_time_limit_is_told_as_one(world, tmp_path, monkeypatch):
    (job,) = work = (remote.job(world, tmp_path),)
    reason = "UncompletedJobError: Job not requeued because: timed-out too many times."
    monkeypatch.setattr(slurm_task, "do", lambda jobs: [RunRecord(job.spec, "failed", reason=reason)])
    (record,) = slurm.Task(parcel(work), tmp_path, 0)._records()
    assert "time limit of its job (--slurm time=" in record.reason


GUARDED = """
import sys, threading
from pathlib import Path
from harness.execute.slurm_task import Task
task = Task(None, Path(sys.argv[1]), 0, silence=float(sys.argv[2]))
task._guard(threading.Event())
"""


@pytest.mark.parametrize(("sign", "silence"), [(True, "0.5"), (False, "100")])
def test_a_job_whose_sweep_is_silent_or_gone_ends_itself(tmp_path, sign, silence):
    if sign:
        (tmp_path / slurm.ALIVE).write_text("1")
    command = [sys.executable, "-c", GUARDED, str(tmp_path), silence]
    env = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    assert subprocess.run(command, timeout=WAIT, env=env).returncode == 1


def test_a_sweep_that_is_left_ends_its_jobs(world, tmp_path):
    mark = tmp_path / "mark"
    works = [(remote.job(world, tmp_path, fate, seed, mark),) for seed, fate in enumerate(["score", "hang"])]
    records = slurm.run_all(works, 2, None, tmp_path / "slurm", LOCAL)
    next(records)
    deadline = time.monotonic() + WAIT
    while len(mark.read_text().split()) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    records.close()
    pids = [int(pid) for pid in mark.read_text().split()]
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids) and not (tmp_path / "slurm").exists()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_ctrl_c_lets_a_run_with_checkpoints_write_its_state(world, tmp_path):
    code, printed, done, left = remote.interrupted(world, tmp_path / "out", "--executor", "slurm", "--slurm", LOCAL)
    assert code == 130 and "write their state" in printed and "Traceback" not in printed
    assert len(done) == 1 and 0 < done[0] < 1_000_000 and left == 0
    assert list(Store(tmp_path / "out").records()) == [] and not (tmp_path / "out" / "slurm").exists()


def test_a_job_that_slurm_refuses_is_a_sentence(world, tmp_path, monkeypatch):
    def refuse(*given):
        raise RuntimeError("Command failed\nsbatch: error: invalid partition specified: gpuu")

    monkeypatch.setattr(submitit.local.local.LocalExecutor, "_submit_command", refuse)
    with pytest.raises(UserError, match="Slurm did not take a job: sbatch: error: invalid partition"):
        list(slurm.run_all([(remote.job(world, tmp_path),)], 1, None, tmp_path / "slurm", LOCAL))
    assert not (tmp_path / "slurm").exists()


def test_a_sweep_from_the_command_line(world, tmp_path):
    words = ["run", "--methods", "bitfit", "--tasks", "rte", "--max-steps", "1", "--batch-size", "4", "--seeds", "0,1"]
    words += ["--model", str(world / "model"), "--data-dir", str(world / "data"), "--out", str(tmp_path / "out")]
    words += ["--executor", "slurm", "--jobs", "2", "--slurm", LOCAL]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    store = Store(tmp_path / "out")
    found = list(store.records())
    assert [record.status for record in found] == ["done", "done"] and all(store.items(record.key) for record in found)
    assert not (tmp_path / "out" / "slurm").exists()
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 0 and "2 of 2 runs have a record already" in again.output
