"""What a worker makes at a time, and what its records may say of costs when others share its device."""

from __future__ import annotations

from collections.abc import Iterable

from harness.execute.job import Work
from harness.record import RunRecord

OF_SHAPES = ("accounted_", "counted_", "step_flops_", "forward_flops_")
"""How the costs begin that are counted from what the run computes: they are the same whatever else the device does"""


def do(work: Work) -> list[RunRecord]:
    """The record of each job, in order."""
    if len(work) > 1:
        from harness.pack.run import execute_packed

        return execute_packed(work)
    from harness.run import execute

    return [execute(job) for job in work]


def unpriced(records: Iterable[RunRecord], sharers: int) -> None:
    """Takes the measured costs out of records of runs that shared their device with `sharers - 1` other workers."""
    for record in records:
        if sharers > 1:
            record.provenance["shared"] = sharers
            record.costs = {k: v if k.startswith(OF_SHAPES) else None for k, v in record.costs.items()}
