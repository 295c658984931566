"""A run whose training finds too little memory: failed, or run once more in smaller parts (--on-oom accumulate)."""

import weakref
from dataclasses import replace

import pytest
import tiny
import torch
from test_cli import WORDS, write_rte

import methods
from harness.commands.means import means_from
from harness.execute.job import Job
from harness.model import resolve
from harness.oom import halved
from harness.plan import Request
from harness.record import RunRecord, UserError
from harness.report.cells import Column
from harness.report.costs import Finished, cost_cell
from harness.run import execute
from harness.runner import job_for
from harness.store import Store
from harness.sweep import prepare


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("oom")
    tiny.saved_model(root / "model", WORDS)
    write_rte(root / "data")
    return root


def job_of(world, on_oom="accumulate", **recipe):
    request = Request(("lora",), ("rte",), "quick", recipe={"batch_size": 8, "max_steps": 3, **recipe})
    sweep = prepare(request, str(world / "model"), world / "data", False, lambda text: None)
    return Job(sweep.planned[0].spec, resolve(str(world / "model")), world / "data", None, True, on_oom=on_oom)


class Greedy:
    """LoRA in a model that finds no memory for more than `most` training rows at once; `attached` are its models."""

    def __init__(self, monkeypatch, most, error=torch.OutOfMemoryError, evaluating=False):
        self.most, self.error, self.evaluating = most, error, evaluating
        self.attached, self.seen = [], []
        lora = methods.get("lora")
        monkeypatch.setattr("harness.prepare._method", lambda job: replace(lora, attach=self.attach))

    def attach(self, model, sites, config):
        # What filled the memory the first time must be gone before it is filled a second time.
        assert all(model() is None for model in self.attached)
        model = methods.get("lora").attach(model, sites, config)
        model.register_forward_pre_hook(self.forward, with_kwargs=True)
        self.attached.append(weakref.ref(model))
        return model

    def forward(self, model, args, kwargs):
        rows = len(kwargs["input_ids"])
        if model.training != self.evaluating:
            self.seen.append(rows)
            if rows > self.most:
                raise self.error(f"no room for {rows} rows")


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, MemoryError])
def test_a_batch_that_is_too_large_goes_through_in_halves_with_the_same_losses(world, monkeypatch, error):
    expected = execute(job_of(world, gradient_accumulation=2))
    greedy = Greedy(monkeypatch, 4, error)
    record = execute(job_of(world))
    assert (record.status, record.reason, record.traceback) == ("done", "", "")
    assert greedy.seen == [8] + [4] * 6
    first = f"out of memory: {error.__name__}: no room for 8 rows"
    assert record.provenance["on_oom"] == {"gradient_accumulation": 2, "after": first}
    assert record.key == job_of(world).spec.key != expected.key
    assert [p["loss"] for p in record.curve] == [p["loss"] for p in expected.curve]
    assert record.scores == expected.scores
    # The heap of the first attempt is no part of what this run needs.
    assert record.costs["train_peak_resident_bytes"] is None


def test_without_the_option_it_is_a_failed_record(world, monkeypatch):
    greedy = Greedy(monkeypatch, 4)
    record = execute(job_of(world, on_oom="fail"))
    assert record.status == "failed" and record.reason == "out of memory: OutOfMemoryError: no room for 8 rows"
    assert greedy.seen == [8] and "on_oom" not in record.provenance


def test_a_second_failure_names_both(world, monkeypatch):
    greedy = Greedy(monkeypatch, 3)
    record = execute(job_of(world))
    assert record.status == "failed" and greedy.seen == [8, 4]
    assert record.reason == (
        "out of memory: OutOfMemoryError: no room for 4 rows "
        "(with gradient accumulation 2, after out of memory: OutOfMemoryError: no room for 8 rows)"
    )
    assert record.provenance["on_oom"]["gradient_accumulation"] == 2


def test_what_smaller_parts_do_not_mend_is_not_tried_again(world, monkeypatch):
    scoring = Greedy(monkeypatch, 4, evaluating=True)
    record = execute(job_of(world))
    assert record.status == "failed" and record.reason.startswith("out of memory") and len(scoring.attached) == 1
    single = Greedy(monkeypatch, 0)
    record = execute(job_of(world, gradient_accumulation=8))
    assert record.status == "failed" and "one row at a time already" in record.reason and len(single.attached) == 1
    other = Greedy(monkeypatch, 4, error=ValueError)
    record = execute(job_of(world))
    assert record.status == "failed" and "ValueError" in record.reason and len(other.attached) == 1


def test_parts_are_at_least_halved_and_never_more_than_rows():
    for rows in range(1, 40):
        for parts in range(1, rows + 1):
            more, largest = halved(rows, parts), -(-rows // parts)
            if largest == 1:
                assert more is None or more == rows
            else:
                assert parts < more <= rows and -(-rows // more) <= -(-largest // 2)


def test_the_option_reaches_every_job_and_another_word_is_refused(world, tmp_path):
    request = Request(("lora",), ("rte",), "quick")
    sweep = prepare(request, str(world / "model"), world / "data", False, lambda text: None)
    store, (item,) = Store(tmp_path), sweep.planned
    assert job_for(sweep, item.spec, store).on_oom == means_from({}, None).on_oom == "fail"
    asked = replace(sweep, on_oom=means_from({"on_oom": "accumulate"}, None).on_oom)
    assert job_for(asked, item.spec, store).on_oom == "accumulate"
    with pytest.raises(UserError, match="--on-oom retry: fail or accumulate"):
        means_from({"on_oom": "retry"}, None)


def test_costs_of_smaller_parts_are_not_averaged_with_others():
    def record(**provenance):
        costs = {"train_peak_allocated_bytes": 100}
        return RunRecord(tiny.spec(), "done", costs=costs, provenance={"hardware": {"device": "card"}, **provenance})

    halved = {"on_oom": {"gradient_accumulation": 2, "after": "out of memory"}}
    column = Column("train_peak_allocated_bytes", "Memory", "bytes")
    assert cost_cell(Finished.of({"rte": [record(), record()]}), column, True).value == 100
    assert cost_cell(Finished.of({"rte": [record(**halved), record(**halved)]}), column, True).value == 100
    assert cost_cell(Finished.of({"rte": [record(), record(**halved)]}), column, True).value is None
    assert cost_cell(Finished.of({"rte": [record()], "cola": [record(**halved)]}), column, True).value is None
