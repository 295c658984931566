"""Processes that make runs. A server process imports torch and the rest once; each is forked from it, so that its peak
resident memory is its own and a crash ends nothing but itself."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess

from harness.execute.job import Job
from harness.record import RunRecord

PRELOAD = ["harness.execute.preload"]
PR_SET_PDEATHSIG = 1
PATIENCE = 10.0
"""Seconds for a process that closed its end of the pipe to end"""


def _leave_with_parent() -> None:
    """Ends this process and what it started when the one that asked for it is gone, however that ended: no run goes on
    unseen."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _leave_with_server() -> None:
    """Has the kernel end this process with the server, and lets that one end with the sweep: a thread of ours would not
    get to run where a plug-in hangs with the interpreter's lock in its hands."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    server = forkserver._forkserver  # type: ignore[attr-defined]
    alive = getattr(server, "_forkserver_alive_fd", None)
    if alive is not None:
        os.close(alive)
        server._forkserver_alive_fd = None


def settle() -> None:
    """What a process that makes runs does first: it ends with the sweep, and only when the sweep says so."""
    # Ctrl-C in a terminal reaches every process of the group: it is for the sweep to decide what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setpgid(0, 0)
    _leave_with_server()
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def start_server() -> None:
    """Starts the server's imports early, so that they go on while the caller looks for data and model."""
    # Spinning threads make a step many times slower where another program wants a core too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    multiprocessing.get_context("forkserver").set_forkserver_preload(PRELOAD)
    forkserver.ensure_running()


def end(worker: BaseProcess) -> None:
    """Ends the run's process and what it started; nothing of it is needed any more."""
    assert worker.pid is not None
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.kill()
    worker.join()


def died(job: Job, exitcode: int | None) -> RunRecord:
    """The record of a run whose process ended without one."""
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        hint = " (often the system's answer to memory running out)" if name == "SIGKILL" else ""
        return RunRecord(job.spec, "failed", reason=f"the run's process was ended by {name}{hint}")
    return RunRecord(job.spec, "failed", reason=f"the run's process ended with exit code {exitcode} and no record")


def too_long(job: Job, timeout: float) -> RunRecord:
    """The record of a run that was ended after `timeout` seconds."""
    return RunRecord(job.spec, "failed", reason=f"it took more than {timeout:g} s (--timeout-per-run) and was ended")
