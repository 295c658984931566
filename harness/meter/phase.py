"""Memory and energy of a run's phases, training and evaluation apart."""

from __future__ import annotations

import torch

from harness.meter.driver import PERIOD_SECONDS, Driver, Sampler
from harness.meter.energy import EnergyMeter, Processor
from harness.meter.memory import MemoryMeter, resident_bytes


class PhaseMeter:
    """`begin(phase)` ... `end()`; `costs` holds {<phase>_<counter>}. A phase may come several times: its peaks are the
    highest of them and its energy the sum."""

    def __init__(self, device: torch.device, own_process: bool) -> None:
        self.device = device
        self.baseline = {"baseline_resident_bytes": resident_bytes(), "baseline_allocated_bytes": self._allocated()}
        self.costs: dict[str, float | int | None] = {}
        self._driver, self._processor = Driver(device), Processor()
        self._memory, self._sampler = MemoryMeter(device, own_process), Sampler(self._driver)
        self._energy = EnergyMeter(self._driver, self._processor)
        self._phase = ""

    def _allocated(self) -> int | None:
        return torch.cuda.memory_allocated(self.device) if self.device.type == "cuda" else None

    def begin(self, phase: str) -> None:
        self._phase = phase
        self._memory.begin()
        self._sampler.begin()
        self._energy.begin()

    def end(self) -> None:
        peaks = self._memory.end()
        card, processor = self._energy.end()
        for name, value in (peaks | {"peak_driver_bytes": self._sampler.end()}).items():
            before = self.costs.get(f"{self._phase}_{name}")
            self.costs[f"{self._phase}_{name}"] = (
                value if before is None else before if value is None else max(before, value)
            )
        for name, joules in (("gpu_energy_joules", card), ("cpu_energy_joules", processor)):
            before = self.costs.get(f"{self._phase}_{name}")
            self.costs[f"{self._phase}_{name}"] = joules if before is None or joules is None else before + joules

    def counters(self) -> dict[str, str]:
        """Which counters there were, or why not: for a record's provenance."""
        return {
            "driver": self._driver.reason or f"NVML, process memory every {PERIOD_SECONDS:g} s and energy of the card",
            "cpu_energy": self._processor.reason or "powercap, all packages",
        }
