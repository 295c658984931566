"""Peaks belong to their phase; rates leave out warm-up and pauses."""

import numpy as np
import tiny
import torch

from harness.execute.job import Job
from harness.execute.process import died
from harness.meter import MemoryMeter, StepClock
from harness.meter import time as clock_module

CPU = torch.device("cpu")
MEGA = 2**20


def fill(megabytes):
    block = np.ones(megabytes * MEGA, dtype=np.uint8)
    return int(block[::4096].sum())


def test_a_phase_has_its_own_peak_and_repeats_keep_the_highest():
    meter = MemoryMeter(CPU, own_process=True)
    for size, phase in ((200, "train"), (20, "eval"), (60, "train")):
        meter.begin(phase)
        fill(size)
        meter.end()
    train, evaluation = meter.peaks["train_peak_resident_bytes"], meter.peaks["eval_peak_resident_bytes"]
    assert train - evaluation > 120 * MEGA
    assert meter.peaks["train_peak_allocated_bytes"] is None


def test_without_a_process_of_its_own_there_is_no_resident_peak():
    meter = MemoryMeter(CPU, own_process=False)
    meter.begin("train")
    meter.end()
    assert meter.peaks["train_peak_resident_bytes"] is None


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
