"""Checkpoints: a run that goes on from one is, bit for bit, the run that was never stopped; what is none is never used."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from test_cli import WORDS, write_rte
from torch import nn

import methods
from harness import checkpoint, trial
from harness.checkpoint import NAME, Keeper, unpriced
from harness.execute.job import Job
from harness.model import kind_of, resolve, seeded
from harness.pack.run import execute_packed
from harness.plan import Base, Request, plan
from harness.record import RunRecord, UserError
from harness.run import execute
from harness.stop import STOP, Stop, Stopped, first_interrupt_asks
from harness.store import Store
from harness.sweep import choices_for
from harness.train import train
from methods.registry import sha256_of, usable
from methods.spec import Method, Paper
from tasks.sources import open_rows
from tasks.spec import Recipe

CPU = torch.device("cpu")
ROOT = Path(__file__).parent.parent
STEPS, STOP_AT = 8, 4
RECIPE = Recipe(batch_size=16, max_steps=STEPS, weight_decay=0.01, warmup_ratio=0.0, schedule="linear")


class Nothing:
    """No state beside the build."""

    def state(self):
        return None, {}

    def put_back(self, told, tensors):
        assert told is None and tensors == {}


def keeper(path, every=STOP_AT, stop=None, **more):
    return Keeper(path, every, {"key": "k"}, Nothing(), lambda done: None, nullcontext, stop=stop or Stop(), **more)


def kind_for(name):
    return next(kind for kind, pair in trial.tiny.KINDS.items() if not methods.get(name).supports(*pair))


def one(name, keeper=None, config=None, change=lambda model: None, each=lambda step: None):
    """(losses and rates, the trained model's state): a build of the method and its training."""
    kind = kind_for(name)
    with seeded(3):
        method, config, _, model = trial.attached(name, kind, config=config)
        trial.calibrate(method, config, model, kind)
        change(model)
        return ran(model, method, config, kind, keeper, each)


def ran(model, method, config, kind, keeper=None, each=lambda step: None):
    batch = trial.batch_of(kind)

    def between(step, _):
        # As an evaluation does.
        trial.logits(model, kind)
        each(step)

    done = train(
        model, method, config, RECIPE, 1e-2 if method.learning_rate > 1e-4 else 1e-3, itertools.repeat(batch), 32, CPU,
        between, keeper=keeper,
    )  # fmt: skip
    return (done.losses, done.learning_rates), {n: t.clone() for n, t in model.state_dict().items()}


def same(first, second):
    assert first[0] == second[0]
    assert first[1].keys() == second[1].keys()
    assert [name for name, value in first[1].items() if not torch.equal(value, second[1][name])] == []


@pytest.mark.parametrize("name", usable())
def test_every_method_goes_on_bit_for_bit_or_says_why_not(name, tmp_path):
    path = tmp_path / "k.safetensors"
    writes = keeper(path)
    whole = one(name, writes)
    if methods.get(name).unresumable:
        return
    assert writes.notes == [] and path.is_file()
    reads = keeper(path, every=1000)
    again = one(name, reads)
    assert reads.resumed_at == STOP_AT and reads.notes == []
    same(again, whole)


@pytest.mark.parametrize("name", ["lora", "galore", "badam", "adalora", "switchlora"])
def test_writing_checkpoints_changes_nothing(name, tmp_path):
    same(one(name, keeper(tmp_path / "k.safetensors", every=1)), one(name))


def test_draws_of_dropout_go_on_where_they_were(tmp_path):
    config = methods.get("lora").config(dropout=0.5)
    path = tmp_path / "k.safetensors"
    whole = one("lora", keeper(path), config)
    torch.manual_seed(12345)
    same(one("lora", keeper(path, every=1000), config), whole)


def test_each_step_may_be_the_last_one_before_the_stop(tmp_path):
    whole = one("increlora")
    path = tmp_path / "k.safetensors"
    for step in range(1, STEPS):
        stop = Stop()
        # A run that is stopped after every single step.
        stop.ask()
        with pytest.raises(Stopped):
            one("increlora", keeper(path, 1000, stop))
        with safe_open(path, "pt") as file:
            assert json.loads(file.metadata()[NAME])["done"] == step
    last = keeper(path, 1000)
    same(one("increlora", last), whole)
    assert last.resumed_at == STEPS - 1


def grows(thing):
    """A change of LoRA's model: `thing()` is put into it at each forward pass."""

    def change(model):
        def hook(module, inputs):
            model.kept = thing()

        model.register_forward_pre_hook(hook)

    return change


@pytest.mark.parametrize(
    "thing", [lambda: (i for i in range(3)), lambda: lambda: 0, object, lambda: memoryview(b"a")]
)  # fmt: skip
def test_what_cannot_be_written_down_is_said_and_the_run_trains_through(thing, tmp_path):
    path = tmp_path / "k.safetensors"
    trying = keeper(path, every=2)
    found = one("lora", trying, change=grows(thing))
    assert len(trying.notes) == 1 and trying.notes[0].startswith("no checkpoint: ")
    assert not path.exists() and not list(tmp_path.iterdir())
    same(found, one("lora"))


def test_a_hook_that_comes_in_a_step_is_no_state_that_can_be_put_back(tmp_path):
    trying = keeper(tmp_path / "k.safetensors", every=2)

    def change(model):
        model.register_forward_pre_hook(lambda m, x: m.register_forward_hook(lambda *a: None) and None)

    one("lora", trying, change=change)
    assert len(trying.notes) == 1 and not trying.path.exists()


def test_a_method_may_declare_that_it_cannot_go_on(tmp_path):
    trying = keeper(tmp_path / "k.safetensors", unresumable="it asks a server")
    one("lora", trying)
    assert trying.notes == ["no checkpoint: it asks a server"] and not trying.path.exists()


class Odd(nn.Module):
    """State in most of the places that Python has."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)
        self.count, self.seen, self.names = 0, [], {"a"}
        self.views: dict = {}
        box = {"n": 0}

        def bump():
            box["n"] += 1
            return box["n"]

        self.bump = bump

    def forward(self, x):
        self.count += 1
        self.seen.append((self.count, torch.Size([self.count])))
        self.names |= {f"n{self.count}"}
        if self.count == 2:
            self.views[torch.float32] = whole = torch.arange(6.0)
            self.views["part"] = whole[2:4]
            self.views["turned"] = whole.view(2, 3).T
            self.rows = torch.zeros(2, 3).T
        if self.count > 2:
            self.views[torch.float32] += 1
            self.rows[0, 0] += 1
        part = self.views["part"].sum() if self.views else 0.0
        return self.layer(x) * (1 + self.bump() / 10 + len(self.names) / 10 + part / 10)


def test_state_in_closures_sets_views_and_attributes_goes_along(tmp_path):
    class Output:
        def __init__(self, logits):
            self.logits = logits

    class Whole(Odd):
        def forward(self, **inputs):
            return Output(super().forward(inputs["input_ids"].float()[:, :4]))

    method = Method("odd", "full", Paper("", "", 0, ""), "", "native", object, lambda m, s, c: m, lambda s, c: 0, 1e-4)

    def run(keeper=None):
        torch.manual_seed(0)
        model = Whole()
        batch = trial.batch_of("encoder")
        done = train(model, method, None, RECIPE, 1e-2, itertools.repeat(batch), 16, CPU, keeper=keeper)
        return model, done.losses

    path = tmp_path / "k.safetensors"
    model, losses = run(keeper(path))
    reads = keeper(path, every=1000)
    other, again = run(reads)
    assert reads.resumed_at == STOP_AT and again == losses
    assert (other.count, other.seen, other.names) == (model.count, model.seen, model.names)
    assert other.rows.stride() == model.rows.stride() and torch.equal(other.rows, model.rows)
    other.views[torch.float32].fill_(7)
    assert other.views["part"].tolist() == [7, 7] and bool((other.views["turned"] == 7).all())


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "k.safetensors"
    return path, one("lora", keeper(path))


def rewritten(path, change):
    """The file with its JSON changed."""
    with safe_open(path, "pt") as file:
        told = json.loads(file.metadata()[NAME])
        names = file.keys()
        tensors = {name: file.get_tensor(name) for name in names}
    change(told, tensors)
    save_file(tensors, path, {NAME: json.dumps(told)})


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_a_checkpoint_that_is_cut_off_is_ignored_with_a_note_and_removed(written, share):
    path, whole = written
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    reads = keeper(path, every=1000)
    same(one("lora", reads), whole)
    assert reads.resumed_at == 0 and "cannot be read" in reads.notes[0] and not path.exists()


@pytest.mark.parametrize("part", ["origin", "rest"])
def test_a_checkpoint_of_another_run_or_another_start_is_not_used(written, part):
    path, whole = written
    rewritten(path, lambda told, _: told.update({part: {"key": "other"} if part == "origin" else "0"}))
    reads = keeper(path, every=1000)
    same(one("lora", reads), whole)
    assert reads.resumed_at == 0 and "not used" in reads.notes[0] and not path.exists()


def test_another_start_is_found_out_by_what_did_not_change(written):
    path, _ = written
    reads = keeper(path, every=1000)

    def change(model):
        with torch.no_grad():
            next(p for p in model.parameters() if not p.requires_grad).view(-1)[0] += 1e-3

    one("lora", reads, change=change)
    assert reads.resumed_at == 0 and "same values" in reads.notes[0]


def breakages():
    def lost_tensor(told, tensors):
        del tensors[next(name for name in tensors if name.startswith("build."))]

    def unknown_number(told, tensors):
        number = next(n for n, c in told["contents"].items() if c[0] == "dict")
        told["contents"][number][1] = [["a", ["ref", 10**9]]]

    def unknown_value(told, tensors):
        number = next(n for n, c in told["contents"].items() if c[0] == "dict")
        told["contents"][number][1] = [["a", ["call", "os.system", "true"]]]

    return [lost_tensor, unknown_number, unknown_value]


@pytest.mark.parametrize("harm", breakages())
def test_a_checkpoint_that_was_tampered_with_is_one_sentence_and_gone(written, harm):
    path, whole = written
    rewritten(path, harm)
    with pytest.raises(UserError, match=r"is broken .* run the command again"):
        one("lora", keeper(path, every=1000))
    assert not path.exists()
    same(one("lora", keeper(path, every=1000)), whole)


def test_a_full_disk_is_noted_and_the_run_goes_on(monkeypatch, tmp_path):
    def full(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    tries = keeper(tmp_path / "sub" / "k.safetensors", every=3)
    same(one("lora", tries), one("lora"))
    assert [note for note in tries.notes if "No space left" in note] == tries.notes and len(tries.notes) == 2
    assert not list((tmp_path / "sub").iterdir())


def test_a_folder_that_cannot_be_made_is_noted(tmp_path):
    (tmp_path / "file").write_text("")
    tries = keeper(tmp_path / "file" / "k.safetensors")
    same(one("lora", tries), one("lora"))
    assert len(tries.notes) == 1 and "cannot be made" in tries.notes[0]


def test_what_a_killed_run_had_begun_to_write_is_removed(tmp_path):
    left = tmp_path / ".k.safetensors.1-ab.tmp"
    left.write_bytes(b"half")
    other = tmp_path / ".j.safetensors.1-ab.tmp"
    other.write_bytes(b"of another run")
    one("lora", keeper(tmp_path / "k.safetensors"))
    assert not left.exists() and other.exists()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("world")
    tiny.saved_model(root / "model", WORDS)
    write_rte(root / "data")
    return root


def job(world, name="lora", **recipe):
    values = {"batch_size": 8, "max_steps": 20, "eval_every_epoch": True, "select": "best", "eval_before": True}
    request = Request((name,), ("rte",), "quick", recipe=values | recipe)
    model = resolve(str(world / "model"), print)
    data = world / "data"
    described = {choice.task.name: open_rows(choice.task, data).describe() for choice in choices_for(request)}
    bases = [Base(model.name, kind_of(model), model.describe())] * len(described)
    (planned,) = plan(request, choices_for(request), bases, described, sha256_of)
    return Job(planned.spec, model, data, None)


def stopped_at(monkeypatch, step):
    """Has the process' flag go up at that step."""
    begun = itertools.count(1)
    through = Keeper.due

    def due(self, done):
        if next(begun) == step:
            self.stop.ask()
        return through(self, done)

    monkeypatch.setattr(Keeper, "due", due)


OF_THE_PROCESS = ("checkpoint_notes", "resumed_at_step", "counters")


@pytest.mark.parametrize("step", [3, 6, 13])
def test_a_stopped_run_leaves_no_record_and_goes_on_to_the_same_one(world, tmp_path, monkeypatch, step):
    whole = execute(job(world))
    assert whole.status == "done", whole.traceback
    store = Store(tmp_path)
    keeps = replace(job(world), checkpoint=store.checkpoint_path(whole.key), checkpoint_every=1000)
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        stopped_at(patch, step)
        execute(keeps)
    assert not STOP
    record = execute(keeps)
    assert record.status == "done" and record.provenance["resumed_at_step"] == step
    assert record.scores == whole.scores and record.data_stats == whole.data_stats
    untimed = [{k: v for k, v in point.items() if k != "train_seconds"} for point in whole.curve]
    assert [{k: v for k, v in point.items() if k != "train_seconds"} for point in record.curve] == untimed
    counted = {k: v for k, v in whole.costs.items() if k.startswith(("accounted_", "counted_", "step_flops"))}
    assert counted and counted == {k: record.costs[k] for k in counted}
    for name in ("train_seconds", "step_seconds_mean", "train_peak_resident_bytes", "wall_seconds", "timed_steps"):
        assert whole.costs[name] is not None or name == "train_peak_resident_bytes"
        assert record.costs[name] is None
    assert f"after step {step}" in record.provenance["counters"]["training"]
    assert record.costs["eval_seconds"] > 0
    assert {k: v for k, v in record.provenance.items() if k not in OF_THE_PROCESS} == {
        k: v for k, v in whole.provenance.items() if k not in OF_THE_PROCESS
    }
    store.put(record)
    assert not keeps.checkpoint.exists()


def test_a_run_that_is_asked_before_its_followed_steps_end_stops_without_a_checkpoint(world, tmp_path, monkeypatch):
    keeps = replace(job(world), checkpoint=tmp_path / "k.safetensors", checkpoint_every=1000)
    stopped_at(monkeypatch, 1)
    with pytest.raises(Stopped):
        execute(keeps)
    assert not list(tmp_path.iterdir())


def test_a_second_attempt_in_smaller_parts_has_a_checkpoint_of_its_own(world, tmp_path):
    keeps = replace(job(world), checkpoint=tmp_path / "k.safetensors", checkpoint_every=10)
    execute(replace(keeps, parts=2))
    assert [path.name for path in tmp_path.iterdir()] == ["k.parts2.safetensors"]
    assert "resumed_at_step" not in execute(keeps).provenance


def test_runs_that_train_together_say_that_they_write_none(world, tmp_path):
    keeps = replace(job(world, max_steps=4), checkpoint=tmp_path / "k.safetensors", checkpoint_every=1)
    pair = [keeps, replace(keeps, spec=replace(keeps.spec, seed=1))]
    notes = [record.provenance["checkpoint_notes"] for record in execute_packed(pair)]
    assert notes == [["no checkpoint: runs that train together write none"]] * 2 and not list(tmp_path.iterdir())


def test_costs_of_a_run_in_one_go_are_left_alone():
    record = RunRecord(tiny.spec(), "done", costs={"train_seconds": 1.0})
    unpriced(record)
    assert record.costs == {"train_seconds": 1.0}


def test_a_store_keeps_checkpoints_apart_from_records(tmp_path):
    store, record = Store(tmp_path), RunRecord(tiny.spec(), "done")
    path = store.checkpoint_path(record.key)
    assert path.resolve().is_relative_to(tmp_path / "checkpoints")
    with pytest.raises(ValueError, match="no key"):
        store.checkpoint_path("../../" + "a" * 12)
    path.parent.mkdir(parents=True)
    second = path.with_name(f"{record.key}.parts2.safetensors")
    for file in (path, second, path.with_name(f".{path.name}.1-ab.tmp")):
        file.write_bytes(b"")
    (path.parent / f"{'0' * 16}.safetensors").write_bytes(b"")
    failed = RunRecord(tiny.spec(), "failed")
    store.put(failed)
    assert path.exists() and [r.status for r in store.records()] == ["failed"] and store.problems == []
    store.put(record)
    assert [file.name for file in path.parent.iterdir()] == [f"{'0' * 16}.safetensors"]


def test_the_first_interrupt_asks_and_the_second_interrupts():
    stop = Stop()
    with pytest.raises(KeyboardInterrupt), first_interrupt_asks(stop):
        os.kill(os.getpid(), signal.SIGINT)
        assert stop
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(Stopped):
        stop.obey()
    assert not stop


def test_a_process_that_is_deaf_to_interrupts_stays_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with first_interrupt_asks(Stop()):
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_who_listens_is_asked_at_every_step():
    said = iter([False, True])
    stop = Stop()
    stop.listen(lambda: next(said))
    assert not stop
    assert stop


def command(world, out, *more):
    words = ["run", "--methods", "lora", "--tasks", "rte", "--data-dir", world / "data", "--model", world / "model"]
    steps = ["--max-steps", "100", "--batch-size", "8", "--out", out, *more]
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *words, *steps],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"}, start_new_session=True,
    )  # fmt: skip


def only_record(out):
    (record,) = Store(out).records()
    return record


@pytest.fixture(scope="module")
def whole(world):
    """The record of the run that nothing stopped."""
    process = command(world, world / "whole")
    assert process.wait(300) == 0, process.stdout.read()
    return only_record(world / "whole")


# What an interrupt leaves, tests of execute/process.py see in every run.
@pytest.mark.parametrize("sign", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGKILL])
def test_a_sweep_that_ends_on_the_way_goes_on_in_another_process(world, whole, tmp_path, sign):
    out = tmp_path / "out"
    first = command(world, out, "--checkpoint-every", "5")
    until = time.monotonic() + 300
    while not list((out / "checkpoints").rglob("*.safetensors")) and first.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(first.pid, sign)
    printed = first.communicate(timeout=120)[0]
    assert "Traceback" not in printed and not list(Store(out).records()), printed
    second = command(world, out, "--checkpoint-every", "1000")
    assert second.wait(300) == 0, second.stdout.read()
    record = only_record(out)
    assert record.provenance["resumed_at_step"] >= 5 and "checkpoint_notes" not in record.provenance
    assert record.scores == whole.scores and record.curve == whole.curve
    assert not [path for path in (out / "checkpoints").rglob("*") if path.is_file()]


def test_an_impossible_number_of_steps_is_one_sentence(world, tmp_path):
    wrong = command(world, tmp_path, "--checkpoint-every", "0")
    assert "--checkpoint-every must be a number of steps, 1 or above." in wrong.communicate(timeout=120)[0]
    assert wrong.returncode == 2
