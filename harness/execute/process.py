"""One process a run. A server process imports torch and the rest once; each run is forked from it, so
that its peak resident memory is its own and a crash ends nothing but itself."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing import forkserver
from multiprocessing.connection import Connection

from harness.execute.job import Job
from harness.record import RunRecord


def _leave_with_parent() -> None:
    """Ends this process when the one that asked for it is gone, however that ended: no run goes on unseen."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work(job: Job, out: Connection) -> None:
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    from harness.run import execute

    out.send(execute(job))
    out.close()


def start_server() -> None:
    """Starts the server's imports early, so that they go on while the caller looks for data and model."""
    # Spinning threads make a step many times slower where another program wants a core too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    multiprocessing.get_context("forkserver").set_forkserver_preload(["harness.execute.preload"])
    forkserver.ensure_running()


def run_all(jobs: Sequence[Job]) -> Iterator[RunRecord]:
    """Yields each job's record as it ends. On KeyboardInterrupt the running one is stopped and leaves no record."""
    start_server()
    server = multiprocessing.get_context("forkserver")
    for job in jobs:
        inbox, outbox = server.Pipe(duplex=False)
        worker = server.Process(target=_work, args=(replace(job, own_process=True), outbox), daemon=True)
        worker.start()
        outbox.close()
        try:
            record = inbox.recv()
        except EOFError:
            worker.join()
            record = died(job, worker.exitcode)
        finally:
            if worker.is_alive():
                worker.terminate()
            worker.join()
        yield record


def died(job: Job, exitcode: int | None) -> RunRecord:
    """The record of a run whose process ended without one."""
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        hint = " (often the system's answer to memory running out)" if name == "SIGKILL" else ""
        return RunRecord(job.spec, "failed", reason=f"the run's process was ended by {name}{hint}")
    return RunRecord(job.spec, "failed", reason=f"the run's process ended with exit code {exitcode} and no record")
