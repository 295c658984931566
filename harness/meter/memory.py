"""Peak memory of a phase.

CUDA: the allocator's max allocated and max reserved since the phase began. CPU: the kernel's peak resident set (VmHWM),
reset when the phase begins; it belongs to the process, so a run needs one of its own for the figure to mean anything.
"""

from __future__ import annotations

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


class MemoryMeter:
    """`begin()` ... `end()` -> {peak_resident_bytes, peak_allocated_bytes, peak_reserved_bytes}, None where unknown."""

    def __init__(self, device: torch.device, own_process: bool) -> None:
        self.device, self.own_process = device, own_process
        self._reset = False

    def begin(self) -> None:
        self._reset = self.own_process and _reset_resident_peak()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
            torch.cuda.reset_peak_memory_stats(self.device)

    def end(self) -> dict[str, int | None]:
        allocated = reserved = None
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
            allocated = torch.cuda.max_memory_allocated(self.device)
            reserved = torch.cuda.max_memory_reserved(self.device)
        return {
            "peak_resident_bytes": resident_bytes("VmHWM") if self._reset else None,
            "peak_allocated_bytes": allocated,
            "peak_reserved_bytes": reserved,
        }
