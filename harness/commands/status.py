"""`peftbench status`: how the sweeps of a results folder go, from any terminal."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from rich.console import Console

from harness.commands.views import show_problems
from harness.journal import Sweep, read
from harness.progress import duration
from harness.record import UserError
from harness.store import Store

MOST = 10
"""Runs and reasons that are listed"""


def status(results: Path, console: Console) -> None:
    """Raises UserError if there is no such folder."""
    if not results.is_dir():
        raise UserError(f"There is no results folder {results}; `peftbench run` makes one, --results names another.")

    def say(text: str) -> None:
        console.print(_plain(text), markup=False, soft_wrap=True)

    sweeps = read(results)
    for sweep, alive in sweeps:
        for line in lines(sweep, alive, time.time()):
            say(line)
    if not sweeps:
        say(f"No sweep has been noted in {results}.")
    store = Store(results)
    counts = Counter(found.status for found in store.standing().values())
    held = ", ".join(f"{counts[kind]} {kind}" for kind in ("done", "failed", "skipped") if counts[kind])
    say(f"Records in {results}: {held or 'none'}.")
    show_problems(store, console)


def _plain(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)


def lines(sweep: Sweep, alive: bool | None, now: float) -> list[str]:
    """What there is to say of a sweep; `now` in seconds since 1970. A clock that was set back makes no time negative."""
    busy = sweep.state == "running" and alive is not False
    gone = max(0.0, now - sweep.updated) if busy else 0.0
    elapsed = sweep.elapsed + gone
    ended = sweep.made + sweep.elsewhere
    left = max(0, sweep.total - sweep.before - ended)
    failed = sum(sweep.failed.values())
    text = [
        f"Sweep of process {sweep.process} on {sweep.host}, begun {_ago(now - sweep.began)}: {_state(sweep, alive, left)}",
        f"  {sweep.before + ended - failed} of {sweep.total} runs done ({sweep.before} had a record before"
        + (f", {sweep.elsewhere} made by another sweep" if sweep.elsewhere else "")
        + f"), {failed} failed, {left} left",
    ]
    for at in list(sweep.running.values())[:MOST] if busy else ():
        since = at.get("since")
        took = f" for {duration(max(0.0, now - since))}" if isinstance(since, int | float) else ""
        text.append(f"  running{took}: {at.get('method')} on {at.get('task')}, seed {at.get('seed')}")
    if busy and len(sweep.running) > MOST:
        text.append(f"  and {len(sweep.running) - MOST} other runs")
    if ended and elapsed > 0:
        estimate = f"; about {duration(left * elapsed / ended)} left" if busy and left else ""
        rate = 3600 * ended / elapsed
        text.append(f"  {rate:,.0f} runs an hour{estimate}" if rate >= 10 else f"  {rate:.2f} runs an hour{estimate}")
    text += [
        f"  failed {count} x: {reason or 'no reason given'}" for reason, count in list(sweep.failed.items())[:MOST]
    ]
    if len(sweep.failed) > MOST:
        text.append(f"  and {len(sweep.failed) - MOST} other reasons")
    return text


def _ago(seconds: float) -> str:
    return f"{duration(max(0.0, seconds))} ago"


def _state(sweep: Sweep, alive: bool | None, left: int) -> str:
    if sweep.state == "finished":
        return "finished."
    again = " The same command goes on from there." if left else ""
    if sweep.state == "stopped":
        return f"stopped.{again}"
    if alive is None:
        return "running, unless its process died: this file system does not tell."
    return "running." if alive else f"it died; its process is gone.{again}"
