"""The Ray cluster that works go to: one that runs already, or one that is started here; how it is divided."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from harness.record import UserError

PASSED_ON = ("PEFTBENCH_CACHE", "HF_HOME", "HF_HUB_CACHE", "HF_DATASETS_CACHE", "HF_HUB_OFFLINE")
"""Where this machine keeps models and data is where the others are to look, too"""


def needed() -> Any:
    """The ray package. Raises UserError if it is not installed."""
    try:
        import ray
    except ImportError:
        raise UserError("--executor ray needs the package ray: pip install peftbench[ray]") from None
    return ray


def share(nodes: Sequence[Mapping[str, float]], jobs: int) -> tuple[int, int]:
    """(processors, cards) of each of `jobs` workers, given the resources of each machine by Ray's names.

    A card each where the cluster has any; as many processors as still let all workers be placed, at least one.
    """
    cards = 1 if any(node.get("GPU", 0) >= 1 for node in nodes) else 0

    def room(cpus: int) -> int:
        return sum(min(int(node.get("CPU", 0)) // cpus, int(node.get("GPU", 0)) if cards else jobs) for node in nodes)

    most = max((int(node.get("CPU", 0)) for node in nodes), default=1)
    # Where not all find room, those that do get what they can.
    wanted = min(jobs, room(1)) or 1
    return next((cpus for cpus in range(most, 0, -1) if room(cpus) >= wanted), 1), cards


@contextmanager
def cluster(address: str | None, jobs: int) -> Iterator[list[Mapping[str, float]]]:
    """The resources of each machine of the cluster at `address`, or of one that is started here and ends with the block.

    Without an address Ray's own rules hold: the environment's RAY_ADDRESS, a cluster that runs on this machine, a new one.
    Raises UserError if there is none.
    """
    ray = needed()
    ours = not ray.is_initialized()
    if ours:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        settings = {"runtime_env": {"env_vars": env}, "log_to_driver": False, "logging_level": logging.ERROR}
        fresh = {"num_cpus": max(jobs, os.cpu_count() or 1), "include_dashboard": False}
        try:
            _connect(ray, address, settings, fresh)
        except (ConnectionError, OSError, RuntimeError, ValueError, ImportError) as error:
            raise UserError(f"There is no Ray cluster at {address or 'hand'}: {last_line(error)}") from None
    try:
        yield [node["Resources"] for node in ray.nodes() if node["Alive"]]
    finally:
        if ours:
            ray.shutdown()


def _connect(ray: Any, address: str | None, settings: Mapping[str, Any], fresh: Mapping[str, Any]) -> None:
    if address is None and "RAY_ADDRESS" not in os.environ:
        with suppress(ConnectionError):
            ray.init(address="auto", **settings)
            return
        address = "local"
    ray.init(address=address, **settings, **(fresh if address == "local" else {}))


def last_line(error: BaseException) -> str:
    """What the error says last, or its kind."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:300]
