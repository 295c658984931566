"""A run over several processes: what one process gives, to rounding; and what becomes of it when one of them fails."""

import pickle
import re
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import spread_methods
import tiny
import torch
from test_cli import WORDS, write_rte

import methods
from harness.data import Batch, Targets
from harness.distributed import End, joined
from harness.execute.job import Job
from harness.model import resolve
from harness.plan import Request
from harness.record import RunRecord, UserError
from harness.run import execute
from harness.runner import job_for
from harness.spread import CameApart, Replicated, share
from harness.spreadable import REPLICATED, SHARDED, parse, unspreadable
from harness.store import Store
from harness.sweep import prepare
from tasks.spec import Recipe


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("distributed")
    tiny.saved_model(root / "model", WORDS)
    write_rte(root / "data")
    return root


def job_of(world, method="lora", distributed=None, folder=None, **recipe):
    recipe = {"batch_size": 7, "max_steps": 14, "distributed": distributed, **recipe}
    sweep = prepare(
        Request((method,), ("rte",), "quick", recipe=recipe), str(world / "model"), world / "data", False, print
    )
    (item,) = sweep.planned
    assert not item.skip
    items = folder / "items.parquet" if folder else None
    return Job(item.spec, resolve(str(world / "model")), world / "data", items)


def test_keys_of_runs_in_one_process_know_nothing_of_it(world):
    alone, both = job_of(world).spec, job_of(world, distributed="ddp:2").spec
    assert "distributed" not in alone.recipe and both.recipe["distributed"] == "ddp:2" and alone.key != both.key
    assert set(asdict(Recipe())) - set(alone.recipe) == {*Recipe.BY_METHOD, *Recipe.IF_SET}


@pytest.mark.parametrize(("method", "distributed"), [("full-ft", "ddp:2"), ("lora", "fsdp:2")])
def test_a_run_over_two_processes_is_that_of_one(world, tmp_path, method, distributed):
    # 48 rows in batches of 7: the last one of an epoch has six, and an epoch ends within the run.
    recipe = {"select": "best", "eval_before": True, "gradient_accumulation": 2}
    expected = execute(job_of(world, method, **recipe))
    found = execute(job_of(world, method, distributed, tmp_path, **recipe))
    assert (found.status, found.reason) == ("done", "")
    assert found.scores == pytest.approx(expected.scores, abs=1e-6)
    assert found.data_stats == expected.data_stats and found.parameters == expected.parameters
    for name in ("loss", "learning_rate"):
        assert [p[name] for p in found.curve if name in p] == pytest.approx(
            [p[name] for p in expected.curve if name in p], rel=1e-4
        )
    assert found.provenance["distributed"] == {"processes": 2, "backend": "gloo"}
    assert found.costs["train_peak_resident_bytes"] > 0 and found.costs["train_samples_per_second"] > 0
    assert (
        found.costs.get("accounted_peak_bytes") is None and "not followed" in found.provenance["counters"]["accounted"]
    )
    assert (tmp_path / "items.parquet").exists()


SPOILER = '''"""LoRA of which one process does something else at its third training pass."""
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from torch import distributed

from methods import get
from methods.spec import Method, Paper


@dataclass(frozen=True)
class Config:
    word: str = "die"
    rank: int = 1
    folder: str = ""


def attach(model, sites, config):
    lora, passes = get("lora"), []

    def look(module, args):
        passes.append(module.training)
        if sum(passes) != 3:
            return
        rank = distributed.get_rank() if distributed.is_initialized() else 0
        Path(config.folder, f"pid{rank}").write_text(str(os.getpid()))
        if rank != config.rank:
            return
        if config.word == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if config.word == "exit":
            os._exit(3)
        if config.word == "memory":
            raise MemoryError("no room")
        time.sleep(1000)

    own = lora.config(targets=("query", "value"))
    model = lora.attach(model, [site for site in sites if site.role in own.targets], own)
    model.register_forward_pre_hook(look)
    return model


METHOD = Method(
    name="spoiler",
    family="own",
    paper=Paper("None", "Us", 2026, "https://example.org"),
    formula="y = W x",
    backend="native",
    config=Config,
    attach=attach,
    count=lambda shape, config: get("lora").count(shape, get("lora").config()),
    learning_rate=1e-3,
)
'''


def spoiled(world, folder, **config):
    path = world / "spoiler.py"
    path.write_text(SPOILER)
    settings = {f"spoiler.{name}": value for name, value in {"folder": str(folder), **config}.items()}
    recipe = {"batch_size": 8, "max_steps": 6, "distributed": "ddp:2"}
    request = Request((str(path),), ("rte",), "quick", settings=settings, recipe=recipe)
    sweep = prepare(request, str(world / "model"), world / "data", False, print)
    return job_for(sweep, sweep.planned[0].spec, Store(folder / "out"))


def gone(pid):
    """Whether the process has ended, if only as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_process_that_dies_ends_the_other_and_makes_a_failed_record(world, tmp_path):
    record = execute(spoiled(world, tmp_path, word="die"))
    assert record.status == "failed"
    assert re.search(r"ended by SIGKILL .*\(process 2 of 2\)$", record.reason), record.reason
    assert all(gone((tmp_path / f"pid{each}").read_text()) for each in (0, 1))


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_processes_end_with_the_one_that_started_them(world, tmp_path):
    (tmp_path / "job").write_bytes(pickle.dumps(spoiled(world, tmp_path, word="hang")))
    code = "import pickle, sys; from harness.run import execute; execute(pickle.load(open(sys.argv[1], 'rb')))"
    launcher = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "job")])
    files = [tmp_path / "pid0", tmp_path / "pid1"]
    until = time.monotonic() + 240
    while not all(path.exists() and path.read_text() for path in files):
        assert launcher.poll() is None and time.monotonic() < until
        time.sleep(0.2)
    launcher.kill()
    launcher.wait()
    until = time.monotonic() + 30
    while not all(gone(path.read_text()) for path in files):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_too_little_memory_in_one_process_is_said_so_and_tried_again_by_all(world, tmp_path):
    record = execute(replace(spoiled(world, tmp_path, word="memory"), on_oom="accumulate"))
    assert record.status == "failed" and record.provenance["on_oom"]["gradient_accumulation"] == 2
    assert record.reason.count("out of memory: MemoryError: no room (process 2 of 2)") == 2


@pytest.mark.parametrize(
    ("ends", "status", "reason"),
    [
        # The second process failed; the first noticed that it was gone.
        ([(1, "failed", "Connection closed", 9), (1, "failed", "KeyError: oh", 5)], "failed", "KeyError: oh (process 2 of 2)"),
        # The same of all is nobody's own.
        ([(1, "skipped", "no biases", 9), (1, "skipped", "no biases", 5)], "skipped", "no biases"),
        ([(1, "failed", "Connection closed", 9), (3, None, "", 0)], "failed", "the run's process ended with exit code 3 and no record (process 2 of 2)"),
        ([(None, None, "", 0), (1, "failed", "KeyError: oh", 5)], "failed", "KeyError: oh (process 2 of 2)"),
    ],
)  # fmt: skip
def test_the_reason_is_that_of_the_process_that_failed_first(ends, status, reason):
    job = Job(tiny.spec(), None, None, None)
    found = [
        End(code, None if word is None else RunRecord(job.spec, word, reason=text), moment)
        for code, word, text, moment in ends
    ]
    record = joined(job, found)
    assert (record.status, record.reason) == (status, reason)


def test_memory_is_that_of_the_process_that_takes_most_and_energy_that_of_all():
    job, costs = Job(tiny.spec(), None, None, None), {"train_peak_allocated_bytes": 5, "eval_peak_driver_bytes": None}
    records = [
        RunRecord(
            job.spec, "done", costs={**costs, "train_gpu_energy_joules": joules, "train_peak_allocated_bytes": peak}
        )
        for joules, peak in ((2.0, 5), (3.0, 7))
    ]
    records[1].costs["eval_peak_driver_bytes"] = 3
    assert joined(job, [End(0, record) for record in records]).costs == {
        "train_peak_allocated_bytes": 7, "eval_peak_driver_bytes": None, "train_gpu_energy_joules": 5.0,
    }  # fmt: skip


def test_shares_are_the_batch_and_nobody_is_without_a_row():
    labels = torch.full((3, 5), -100)
    labels[0, 2:], labels[2, 4] = 1, 2
    texts = Batch({"input_ids": torch.arange(15).view(3, 5)}, labels, 15, [7, 8, 9], Targets.of(labels))
    for processes in (1, 2, 3, 4, 5):
        found = [share(texts, rank, processes) for rank in range(processes)]
        assert [i for part in found for i in part.index] == [7, 8, 9]
        assert sum(part.counted for part in found) == texts.counted == 4
        assert all(len(part.inputs["input_ids"]) == max(1, len(part.index)) for part in found)


@pytest.mark.parametrize(
    "word", ["ddp", "ddp:1", "ddp:0", "ddp:-2", "ddp:2.5", "ddp:٢", "zero:2", "fsdp:", "ddp:02", ""]
)
def test_what_is_no_way_to_spread_is_refused(world, word):
    with pytest.raises(UserError, match="--distributed .*ddp:N or fsdp:N"):
        job_of(world, distributed=word)
    with pytest.raises(ValueError, match="ddp:N or fsdp:N"):
        parse(word)


def test_methods_that_look_at_their_own_rows_are_skipped_with_the_reason():
    assert unspreadable(methods.get("ba-lora"), None) == ""
    assert "ba-lora has its own loss_term" in unspreadable(methods.get("ba-lora"), "ddp:2")
    assert "own optimizer and after_step and loss_term" in unspreadable(methods.get("increlora"), "ddp:4")
    assert "velora takes means" in unspreadable(methods.get("velora"), "ddp:2")
    assert "ba-lora" in unspreadable(methods.get("ba-lora"), "fsdp:2")
    for name in REPLICATED + SHARDED:
        assert not unspreadable(methods.get(name), "ddp:2") and name in methods.names()


def test_weights_that_come_apart_are_an_error(monkeypatch):
    model = torch.nn.Linear(2, 2)
    spread = object.__new__(Replicated)
    monkeypatch.setattr(Replicated, "_from_first", lambda self, answer: answer)
    spread.check(model)
    monkeypatch.setattr(Replicated, "_from_first", lambda self, answer: "of another process")
    with pytest.raises(CameApart, match="different values"):
        spread.check(model)


@pytest.mark.parametrize(
    ("kind", "names"),
    [("ddp", ("lora", "full-ft", "galore", "adalora", "lisa")), ("fsdp", ("lora", "full-ft", "dora", "ia3"))],
)
def test_several_processes_end_where_one_does(tmp_path, kind, names):
    found = spread_methods.run(tmp_path, kind, names, processes=2 if kind == "fsdp" else 3)
    for name in names:
        assert found[name].get("error") is None
        assert found[name]["losses"] == pytest.approx(found[name]["alone"], abs=1e-5)
        # The loss is taken in float32.
        assert found[name]["apart"] < 1e-4
