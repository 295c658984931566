"""A sweep whose runs train nothing: harness.runner, its executors, claims and journal as they are, `harness.run` replaced.

    python stub_sweep.py FOLDER RUNS [SECONDS of a run] [TIMEOUT of a run] [JOBS: workers that live on]

Run number n does what `FOLDER.plan` (JSON: number -> word) says: score (the default), raise, segfault, exit, hang, hang-lock
(with the interpreter's lock held), child (starts a process that outlives it, then segfaults), deaf (ignores SIGTERM and
hangs). Each run adds a line to FOLDER.log when it begins and one when it ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

from harness.record import RunRecord, RunSpec  # noqa: E402
from harness.store import replacing  # noqa: E402


def spec(seed: int, folder: str, seconds: float) -> RunSpec:
    return RunSpec(
        method="stub", config={"folder": folder, "seconds": seconds}, task="rte", task_version="1", protocol="none",
        data={"kind": "made"}, model="none", model_source={}, recipe={}, seed=seed, suite="none", preset="quick",
    )  # fmt: skip


def log(folder: str, *words: Any) -> None:
    """One write, so that lines of several processes stay whole."""
    file = os.open(f"{folder}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, (" ".join(map(str, words)) + "\n").encode())
    os.close(file)


def harm(word: str) -> None:
    if word == "raise":
        raise RuntimeError("it was told to")
    if word == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "exit":
        os._exit(3)
    if word == "child":
        subprocess.Popen(["sleep", "1000"])
        if os.fork() == 0:
            time.sleep(1000)
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if word in {"hang", "deaf"}:
        time.sleep(1000)
    if word == "hang-lock":
        ctypes.PyDLL(None).sleep(1000)


def execute(job: Any) -> RunRecord:
    settings = job.spec.config
    folder, plan = settings["folder"], Path(f"{settings['folder']}.plan")
    log(folder, "begin", job.spec.seed, os.getpid())
    word = json.loads(plan.read_text()).get(str(job.spec.seed), "score") if plan.exists() else "score"
    try:
        harm(word)
        time.sleep(settings["seconds"])
    except RuntimeError as error:
        return RunRecord(job.spec, "failed", metric="accuracy", reason=f"RuntimeError: {error}")
    with replacing(job.items_path) as temporary:
        temporary.write_bytes(b"items of " + job.spec.key.encode())
    log(folder, "end", job.spec.seed, os.getpid())
    return RunRecord(
        job.spec, "done", metric="accuracy", scores={"accuracy": job.spec.seed / 100}, traceback="x" * 70_000
    )


def install() -> None:
    stub = types.ModuleType("harness.run")
    stub.execute = execute  # type: ignore[attr-defined]
    sys.modules["harness.run"] = stub
    # Imported it would take seconds, which count as the first run's.
    torch = types.ModuleType("torch")
    torch.get_num_threads = lambda: 1  # type: ignore[attr-defined]
    torch.set_num_threads = lambda count: None  # type: ignore[attr-defined]
    sys.modules["torch"] = torch
    reuse = types.ModuleType("harness.reuse")
    reuse.kept = lambda reason: contextlib.nullcontext(Nothing())  # type: ignore[attr-defined]
    sys.modules["harness.reuse"] = reuse


class Nothing:
    """A pool that keeps nothing."""

    def run(self) -> Any:
        return contextlib.nullcontext({})

    def leftovers(self) -> None:
        return None


IN_SERVER = "STUB_SWEEP_SERVER"
if __name__ != "__main__" and IN_SERVER in os.environ:
    # In the server process that runs are forked from; a test that imports this module keeps the real thing.
    install()


def main(folder: str, runs: str, seconds: str = "0.05", timeout: str = "", jobs: str = "") -> None:
    import typer
    from rich.console import Console

    from harness import runner
    from harness.cli.base import plain_errors
    from harness.execute import choose, process, workers
    from harness.execute.choose import How
    from harness.plan import Planned
    from harness.progress import Progress
    from harness.store import Store
    from harness.sweep import Sweep

    # A background shell starts its commands deaf to it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process.PRELOAD[:] = ["stub_sweep"]
    choose.PAUSE = workers.PAUSE = 0.05
    os.environ[IN_SERVER] = "yes"
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])
    planned = [Planned(spec(seed, folder, float(seconds)), "") for seed in range(int(runs))]
    models: Any = {"none": None}
    sweep = Sweep("quick", planned, models, None, [])

    @plain_errors
    def sweep_them() -> None:
        how = How(jobs=int(jobs or 1), alone=not jobs, timeout=float(timeout) if timeout else None)
        runner.run(sweep, Store(Path(folder)), Progress(Console()), how)

    try:
        sweep_them()
    except typer.Exit as stop:
        sys.exit(stop.exit_code)


if __name__ == "__main__":
    main(*sys.argv[1:])
