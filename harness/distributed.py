"""One run over several processes of this machine (a recipe's `distributed`): started, watched and ended together.

`ddp:2`: the model twice, each process with half of every batch. `fsdp:2`: the model in two halves, for one that is too
large for a device. The first process' record is the run's. Nothing here imports torch before a run begins.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from harness.execute.job import Job
from harness.execute.process import PR_SET_PDEATHSIG, died
from harness.record import RunRecord
from harness.spreadable import parse

if TYPE_CHECKING:
    from harness.spread import Spread

PAUSE = 0.05
"""Seconds between looks at the processes"""
PATIENCE = 5.0
"""Seconds that the others have to end by themselves once one of them has failed, so that each says why"""
COUNTERS = {
    "processes": "memory: of the process that takes most; energy of cards: of all; time: of the first process",
    "accounted": "operations are not followed where several processes share a run",
}


@dataclass(frozen=True)
class End:
    """How one of the processes ended."""

    code: int | None
    """its exit code; None: it was ended here, because of another one"""
    record: RunRecord | None
    moment: int = 0
    """when the record was there, in ns"""


def launched(job: Job) -> RunRecord:
    """Makes a run with a recipe's number of processes. A process that dies or fails ends the others and makes it a
    failed record."""
    import torch

    started = time.perf_counter()
    kind, processes = parse(job.spec.recipe["distributed"])
    cards = torch.cuda.device_count()
    if 0 < cards < processes:
        reason = f"--distributed {kind}:{processes} needs {processes} GPUs and this machine has {cards}"
        return RunRecord(job.spec, "failed", reason=reason)
    if kind == "fsdp" and job.probes:
        return RunRecord(job.spec, "failed", reason="--probe looks at a whole model, which no process of fsdp has")
    with tempfile.TemporaryDirectory(prefix="peftbench-") as name:
        folder = Path(name)
        (folder / "job").write_bytes(pickle.dumps(job))
        threads = str(max(1, torch.get_num_threads() // processes))
        ranks: list[subprocess.Popen[bytes]] = []
        try:
            ranks += (_start(folder, rank, processes, threads) for rank in range(processes))
            codes = _wait(ranks)
        finally:
            for process in ranks:
                process.kill()
                process.wait()
                if process.stdin is not None:
                    process.stdin.close()
        record = joined(job, [_end(folder / f"record{rank}", code) for rank, code in enumerate(codes)])
    record.costs["wall_seconds"] = time.perf_counter() - started
    return record


def _start(folder: Path, rank: int, processes: int, threads: str) -> subprocess.Popen[bytes]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": threads}
    if sys.platform == "linux":
        # All are on this machine, whose own name need not lead anywhere.
        env.setdefault("GLOO_SOCKET_IFNAME", "lo")
    words = [sys.executable, "-P", "-m", "harness.distributed", str(folder), str(rank), str(processes)]
    return subprocess.Popen(words, env=env, stdin=subprocess.PIPE)


def _wait(ranks: Sequence[subprocess.Popen[bytes]]) -> list[int | None]:
    """Exit codes once all have ended, or some while after one has failed; None for one that still runs."""
    until = float("inf")
    while True:
        codes = [process.poll() for process in ranks]
        if None not in codes or time.monotonic() > until:
            return codes
        if any(codes):
            until = min(until, time.monotonic() + PATIENCE)
        time.sleep(PAUSE)


def _end(path: Path, code: int | None) -> End:
    if not path.exists():
        return End(code, None)
    moment, record = pickle.loads(path.read_bytes())
    return End(code, record, moment)


def joined(job: Job, ends: Sequence[End]) -> RunRecord:
    """The run's record: the first process', or that of the one whose failure came first."""
    for rank, end in enumerate(ends):
        if end.record is None and end.code is not None:
            record = died(job, end.code)
            record.reason += f" (process {rank + 1} of {len(ends)})"
            return record
    found = [(rank, end.record, end.moment) for rank, end in enumerate(ends) if end.record is not None]
    failures = [item for item in found if item[1].status != "done"]
    if failures:
        rank, record, _ = min(failures, key=lambda item: item[2])
        first = ends[0].record
        if first is not None and (first.status, first.reason) == (record.status, record.reason):
            return first
        record.reason += f" (process {rank + 1} of {len(ends)})"
        return record
    return _with_costs_of_all([record for _, record, _ in found])


def _with_costs_of_all(records: Sequence[RunRecord]) -> RunRecord:
    first = records[0]
    for name in first.costs:
        values = [record.costs.get(name) for record in records]
        numbers = [value for value in values if value is not None]
        if name.endswith("_bytes"):
            first.costs[name] = max(numbers) if len(numbers) == len(values) else None
        elif name.endswith("gpu_energy_joules"):
            first.costs[name] = sum(numbers) if len(numbers) == len(values) else None
    first.provenance["counters"] = {**first.provenance.get("counters", {}), **COUNTERS}
    return first


def _leave_with_launcher() -> None:
    """Ends this process when the one that started it is gone, however that ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def listen() -> None:
        sys.stdin.buffer.read()
        os._exit(1)

    threading.Thread(target=listen, daemon=True).start()


def _together(kind: str, folder: Path, rank: int, processes: int) -> tuple[Spread, str]:
    """(this process among the others, what they talk through)"""
    import torch
    from torch import distributed

    from harness.spread import Replicated, Sharded

    cards = torch.cuda.is_available()
    if cards:
        torch.cuda.set_device(rank)
    # Only the launcher knows whether another process is late or gone.
    distributed.init_process_group(
        "cpu:gloo,cuda:nccl" if cards else "gloo",
        init_method=(folder / "store").as_uri(),
        rank=rank,
        world_size=processes,
        timeout=timedelta(days=30),
    )
    return (Replicated() if kind == "ddp" else Sharded()), "nccl" if cards else "gloo"


def main(folder: Path, rank: int, processes: int) -> int:
    """One of the processes: leaves its record in the folder; 0 if it is done."""
    # Ctrl-C in a terminal reaches every process of the group: it is for the sweep to decide what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _leave_with_launcher()
    warnings.filterwarnings("ignore", message=".*(find_unused_parameters|broadcast_buffers)")
    from harness.run import attempt, told

    job: Job = pickle.loads((folder / "job").read_bytes())
    record, spread = RunRecord(job.spec, "failed"), None
    with told(record):
        kind, _ = parse(job.spec.recipe["distributed"])
        spread, backend = _together(kind, folder, rank, processes)
    if spread is not None:
        job = replace(job, own_process=True, items_path=None if rank else job.items_path)
        record = attempt(job, spread)
        record.provenance["distributed"] = {"processes": processes, "backend": backend}
    path = folder / f"record{rank}"
    path.with_suffix(".part").write_bytes(pickle.dumps((time.time_ns(), record)))
    os.replace(path.with_suffix(".part"), path)
    return 0 if record.status == "done" else 1


if __name__ == "__main__":
    # Not by way of the interpreter's own end, where a group that lost a member may wait for it.
    os._exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
