"""Peak memory of a phase.

CUDA: the allocator's max allocated and max reserved since the phase began, and the driver's view of this
process through NVML at the phase's end. CPU: the kernel's peak resident set (VmHWM), reset when the
phase begins; it belongs to the process, so a run needs one of its own for the figure to mean anything.
"""

from __future__ import annotations

import os
from pathlib import Path

import torch

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident_bytes(field: str = "VmRSS") -> int | None:
    """VmRSS (now) or VmHWM (peak since the last reset) of this process; None where the kernel has no /proc."""
    try:
        for line in STATUS.read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def _reset_resident_peak() -> bool:
    try:
        CLEAR.write_text("5")
        return True
    except OSError:
        return False


def driver_bytes(device_index: int) -> int | None:
    """What the NVIDIA driver says this process holds on the device; None if it does not say (no driver, MIG, a container)."""
    try:
        import pynvml

        pynvml.nvmlInit()
        uuid = str(torch.cuda.get_device_properties(device_index).uuid)
        handle = pynvml.nvmlDeviceGetHandleByUUID(uuid if uuid.startswith("GPU-") else f"GPU-{uuid}")
        used = [p.usedGpuMemory for p in pynvml.nvmlDeviceGetComputeRunningProcesses(handle) if p.pid == os.getpid()]
        return used[0] if used else None
    except Exception:  # every failure of the driver's library means the same: it does not say
        return None


class MemoryMeter:
    """`begin(phase)` ... `end()`; `peaks` holds {<phase>_peak_..._bytes: value or None}. A phase may come
    several times: its peak is the highest of them."""

    def __init__(self, device: torch.device, own_process: bool) -> None:
        self.device, self.own_process = device, own_process
        self.baseline = resident_bytes()
        self.peaks: dict[str, int | None] = {}
        self._phase, self._reset = "", False

    def begin(self, phase: str) -> None:
        self._phase = phase
        self._reset = self.own_process and _reset_resident_peak()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
            torch.cuda.reset_peak_memory_stats(self.device)

    def end(self) -> None:
        allocated = reserved = driver = None
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
            allocated = torch.cuda.max_memory_allocated(self.device)
            reserved = torch.cuda.max_memory_reserved(self.device)
            driver = driver_bytes(self.device.index or 0)
        found = {
            f"{self._phase}_peak_resident_bytes": resident_bytes("VmHWM") if self._reset else None,
            f"{self._phase}_peak_allocated_bytes": allocated,
            f"{self._phase}_peak_reserved_bytes": reserved,
            f"{self._phase}_end_driver_bytes": driver,
        }
        for name, value in found.items():
            before = self.peaks.get(name)
            self.peaks[name] = value if before is None else before if value is None else max(before, value)
