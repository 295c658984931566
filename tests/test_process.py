"""One process a run: nothing is left behind when the sweep is interrupted or killed."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import tiny
from remote import members
from safetensors import safe_open
from test_cli import WORDS, records, write_rte

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("process")
    tiny.saved_model(root / "model", WORDS)
    write_rte(root / "data")
    return root


@pytest.fixture(autouse=True)
def ended():
    """Whatever a failed test left running."""
    yield
    for sweep in STARTED:
        for pid in members(sweep.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    STARTED.clear()


STARTED = []


def start(world, out, *more):
    sweep = subprocess.Popen(
        [sys.executable, "-m", "harness", "run", "--methods", "last-layer,lora", "--tasks", "rte", "--data-dir", world / "data",
         "--model", world / "model", "--batch-size", "8", "--out", world / out, *more],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"}, start_new_session=True,
    )  # fmt: skip
    STARTED.append(sweep)
    return sweep


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_stopping_a_sweep_keeps_what_is_done_and_leaves_nothing_running(world, sign):
    out = sign.name
    # The second run would take hours: it is stopped on the way.
    first = start(world, out, "--max-steps", "2")
    assert first.wait(120) == 0, first.stdout.read()
    long = start(world, out, "--max-steps", "1000000")
    for line in long.stdout:
        if line.startswith("Data:"):
            break
    time.sleep(12)
    os.kill(long.pid, sign)
    printed = long.stdout.read()
    long.wait(30)
    deadline = time.monotonic() + 30
    while members(long.pid) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert members(long.pid) == []
    if sign == signal.SIGINT:
        assert long.returncode == 130 and "the same command goes on" in printed and "Traceback" not in printed
    found = records(world, out)
    assert len(found) == 2 and all(r["status"] == "done" and r["spec"]["recipe"]["max_steps"] == 2 for r in found)
    assert not list((world / out).rglob("*.tmp"))


def steps_done(path):
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["peftbench"])["done"]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
@pytest.mark.parametrize("how", [["--executor", "local"], []])
def test_ctrl_c_writes_the_state_between_two_checkpoints_and_the_same_command_goes_on_from_it(world, how):
    words = [f"stops{len(how)}", "--max-steps", "100000", "--checkpoint-every", "20", *how]
    sweep = start(world, *words)
    folder, deadline = world / words[0] / "checkpoints", time.monotonic() + 120
    while not list(folder.glob("*.safetensors")):
        assert time.monotonic() < deadline and sweep.poll() is None
        time.sleep(0.1)
    os.killpg(sweep.pid, signal.SIGINT)
    printed = sweep.communicate(timeout=60)[0]
    assert sweep.returncode == 130 and "write their state" in printed and "Traceback" not in printed
    assert members(sweep.pid) == [] and records(world, words[0]) == []
    (path,) = folder.glob("*.safetensors")
    done = steps_done(path)
    again, deadline = start(world, *words), time.monotonic() + 120
    while path.exists() and steps_done(path) <= done:
        assert time.monotonic() < deadline and again.poll() is None
        time.sleep(0.1)
    for _ in range(2):
        os.killpg(again.pid, signal.SIGINT)
        time.sleep(0.05)
    again.communicate(timeout=60)
    assert members(again.pid) == []
    # It went on, where a run from the start would have written 20 first.
    assert steps_done(path) > done
