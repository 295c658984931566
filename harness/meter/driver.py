"""What NVIDIA's driver says: this process's memory, the card's energy. Where it says nothing there is a reason."""

from __future__ import annotations

import os
import threading
from typing import Any

import torch

PERIOD_SECONDS = 0.1


class Driver:
    """The driver's view of one CUDA device. `reason` says why there is none."""

    def __init__(self, device: torch.device) -> None:
        self._nvml: Any = None
        self._handle: Any = None
        self.reason = ""
        if device.type != "cuda":
            self.reason = "no CUDA device"
            return
        try:
            import pynvml

            pynvml.nvmlInit()
            uuid = str(torch.cuda.get_device_properties(device).uuid)
            # By its identifier: the driver's order of cards is not that of CUDA_VISIBLE_DEVICES.
            handle = pynvml.nvmlDeviceGetHandleByUUID(uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}")
        except Exception as error:  # the library raises its own errors, the loader's and the system's
            self.reason = f"the driver's library says nothing: {type(error).__name__}: {error}"
            return
        if _is_slice(pynvml, handle):
            self.reason = "the device is a MIG slice, and the driver counts for the whole card"
            return
        self._nvml, self._handle = pynvml, handle

    def memory_bytes(self) -> int | None:
        """What this process holds on the device, its context and the allocator's cache with it."""
        if self._handle is None:
            return None
        try:
            found = self._nvml.nvmlDeviceGetComputeRunningProcesses(self._handle)
        except Exception as error:
            self.reason = f"the driver does not list processes: {error}"
            return None
        used = [process.usedGpuMemory for process in found if process.pid == os.getpid()]
        if not used or used[0] is None:
            self.reason = "the driver lists no process of this number (a container hides it)"
            return None
        return int(used[0])

    def energy_joules(self) -> float | None:
        """The card's counter since the driver was loaded, other programs' share with it."""
        if self._handle is None:
            return None
        try:
            return float(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)) / 1e3
        except Exception:  # cards before Volta have no counter
            return None


def _is_slice(nvml: Any, handle: Any) -> bool:
    try:
        return bool(nvml.nvmlDeviceGetMigMode(handle)[0])
    except Exception:  # cards without MIG answer with an error
        return False


class Sampler:
    """Asks for the process's memory every PERIOD_SECONDS in a thread, from `begin` to `end`."""

    def __init__(self, driver: Driver, period: float = PERIOD_SECONDS) -> None:
        self.driver, self.period = driver, period
        self._most: int | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        self._most = self.driver.memory_bytes()
        if self._most is None:
            return
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(self.period):
            self._note()

    def _note(self) -> None:
        now = self.driver.memory_bytes()
        if now is not None:
            self._most = now if self._most is None else max(self._most, now)

    def end(self) -> int | None:
        """The most that was seen; None if the driver says nothing."""
        if self._thread is None:
            return None
        self._stop.set()
        self._thread.join()
        self._thread = None
        self._note()
        return self._most
