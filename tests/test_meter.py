"""Peaks belong to their phase; rates leave out warm-up and pauses."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tiny
import torch
from torch import nn

from harness.devices import of_card
from harness.execute.job import Job
from harness.execute.process import died
from harness.meter import FirstSteps, PhaseMeter, StepClock, StepParts
from harness.meter import parts as parts_module
from harness.meter import time as clock_module
from harness.meter.driver import Driver, Sampler
from harness.meter.energy import EnergyMeter, Processor

CPU = torch.device("cpu")
MEGA = 2**20


def fill(megabytes):
    block = np.ones(megabytes * MEGA, dtype=np.uint8)
    return int(block[::4096].sum())


def test_a_phase_has_its_own_peak_and_repeats_keep_the_highest():
    meter = PhaseMeter(CPU, own_process=True)
    for size, phase in ((200, "train"), (20, "eval"), (60, "train")):
        meter.begin(phase)
        fill(size)
        meter.end()
    train, evaluation = meter.costs["train_peak_resident_bytes"], meter.costs["eval_peak_resident_bytes"]
    assert train - evaluation > 120 * MEGA
    assert meter.costs["train_peak_allocated_bytes"] is None


def test_without_a_process_of_its_own_there_is_no_resident_peak():
    meter = PhaseMeter(CPU, own_process=False)
    meter.begin("train")
    meter.end()
    assert meter.costs["train_peak_resident_bytes"] is None


def test_rates_count_steps_after_the_warm_up_and_no_pause(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(clock_module.time, "perf_counter", lambda: now[0])
    clock = StepClock(CPU, total_steps=12)
    for step in range(12):
        now[0] += 100.0 if step < 3 else 2.0
        clock.step(tokens=10, padded=16, samples=4)
        if step == 6:
            clock.pause()
            now[0] += 1000.0
            clock.resume()
    clock.pause()
    costs = clock.costs()
    assert costs["timed_steps"] == 9 and costs["dropped_steps"] == 3
    assert costs["step_seconds_mean"] == costs["step_seconds_median"] == 2.0
    assert (costs["train_tokens_per_second"], costs["train_padded_tokens_per_second"]) == (5.0, 8.0)
    assert costs["train_samples_per_second"] == 2.0


def test_too_few_steps_give_no_rate_rather_than_zero():
    clock = StepClock(CPU, total_steps=4)
    clock.step(1, 1, 1)
    clock.pause()
    assert clock.costs()["train_tokens_per_second"] is None


def test_a_process_that_dies_leaves_a_failed_record_that_says_how():
    job = Job(tiny.spec(), None, None, None)
    assert "SIGKILL" in died(job, -9).reason and died(job, -9).status == "failed"
    assert "exit code 3" in died(job, 3).reason


@pytest.fixture
def card(monkeypatch):
    """A driver with one card, on which this process holds what `held` says."""
    import os

    state = SimpleNamespace(held=[5 * MEGA], energy=1000, mig=0, pid=os.getpid())

    def of_slice(handle):
        return (state.mig, 0)

    def processes(handle):
        used = state.held.pop(0) if len(state.held) > 1 else state.held[0]
        return [SimpleNamespace(pid=1, usedGpuMemory=MEGA), SimpleNamespace(pid=state.pid, usedGpuMemory=used)]

    fake = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda uuid: uuid,
        nvmlDeviceGetMigMode=of_slice,
        nvmlDeviceGetComputeRunningProcesses=processes,
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: state.energy,
    )
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="abc"))
    return state


def test_the_driver_is_asked_for_this_process_and_the_highest_answer_stays(card):
    card.held = [5 * MEGA, 9 * MEGA, 7 * MEGA]
    sampler = Sampler(Driver(torch.device("cuda")), period=0.001)
    sampler.begin()
    while len(card.held) > 1:
        pass
    assert sampler.end() == 9 * MEGA


@pytest.mark.parametrize(("change", "word"), [({"mig": 1}, "MIG"), ({"pid": -5}, "container")])
def test_a_driver_that_does_not_know_the_process_gives_nothing_and_a_reason(card, change, word):
    vars(card).update(change)
    driver = Driver(torch.device("cuda"))
    assert driver.memory_bytes() is None and word in driver.reason


def test_energy_is_the_difference_of_the_cards_counter(card, tmp_path):
    meter = EnergyMeter(Driver(torch.device("cuda")), Processor(tmp_path))
    meter.begin()
    card.energy += 2500
    assert meter.end() == (2.5, None)


def test_the_processors_energy_sums_packages_and_survives_a_wrap(tmp_path):
    for name, value in (("intel-rapl:0", 100), ("intel-rapl:1", 900), ("intel-rapl:0:0", 7)):
        zone = tmp_path / name
        zone.mkdir()
        (zone / "energy_uj").write_text(str(value))
        (zone / "max_energy_range_uj").write_text("999")
    meter = EnergyMeter(Driver(CPU), Processor(tmp_path))
    meter.begin()
    (tmp_path / "intel-rapl:0/energy_uj").write_text("350")
    (tmp_path / "intel-rapl:1/energy_uj").write_text("50")
    assert meter.end() == (None, pytest.approx((250 + 150) / 1e6))


def test_energy_of_a_phase_adds_up_over_its_parts(monkeypatch):
    meter = PhaseMeter(CPU, own_process=False)
    joules = iter([(None, 2.0), (None, 5.0), (None, 3.0)])
    monkeypatch.setattr(meter._energy, "end", lambda: next(joules))
    for phase in ("train", "eval", "train"):
        meter.begin(phase)
        meter.end()
    assert (meter.costs["train_cpu_energy_joules"], meter.costs["eval_cpu_energy_joules"]) == (5.0, 5.0)
    assert meter.costs["train_gpu_energy_joules"] is None
    assert meter.counters()["driver"] == "no CUDA device"


def test_a_step_divides_into_its_parts_accumulation_included(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(parts_module.time, "perf_counter", lambda: now[0])
    parts = StepParts(CPU, total_steps=2)
    for _ in range(2):
        parts.step_begins(8)
        for forward, backward in ((1.0, 2.0), (3.0, 5.0)):
            now[0] += forward
            parts.forward_done()
            now[0] += backward
            parts.backward_done(None)
        now[0] += 0.5
        parts.step_done(None)
        now[0] += 100.0
    assert parts.costs() == {"forward_seconds_mean": 4.0, "backward_seconds_mean": 7.0, "optimizer_seconds_mean": 0.5}


def attention_step(tokens, width, heads):
    """Multiplications and additions of one attention layer without projections: two products forward, five backward
    (the kernel computes the scores again)."""
    one = 2 * heads * tokens * tokens * (width // heads)
    return 2 * one, 7 * one


def test_operations_of_a_step_are_those_of_its_matrix_products_and_attention():
    width, heads, tokens, rows = 16, 4, 12, 3
    layer = nn.Linear(width, width, bias=False)
    head = nn.Linear(width, 1, bias=False).requires_grad_(False)
    first = FirstSteps(nn.Sequential(layer, head))
    x = torch.randn(rows, tokens, width)
    with first:
        first.step_begins(rows * tokens)
        split = layer(x).view(rows, tokens, heads, -1).transpose(1, 2)
        mixed = nn.functional.scaled_dot_product_attention(split, split, split).transpose(1, 2).reshape(x.shape)
        loss = head(mixed).sum()
        first.forward_done()
        loss.backward()
        first.backward_done(layer)
        first.step_done(torch.optim.SGD(layer.parameters()))
    forward, whole = attention_step(tokens, width, heads)
    products = 2 * rows * tokens * width * width
    heads_flops = 2 * rows * tokens * width
    costs = first.costs()
    # The layer: its output and its weights' gradient; the frozen head: its output and its input's gradient.
    assert costs["forward_flops_per_padded_token"] * rows * tokens == products + heads_flops + rows * forward
    assert costs["counted_step_flops"] == 2 * products + 2 * heads_flops + rows * whole


def test_a_card_is_known_by_what_its_driver_calls_it():
    assert of_card("NVIDIA H200").name == "h200"
    assert of_card("NVIDIA A100-SXM4-80GB").name == "a100-80gb"
    assert of_card("NVIDIA GeForce RTX 4090").name == "rtx-4090"
    assert of_card("NVIDIA L40S").name == "l40s"
    assert of_card("Quadro P1000") is None
