"""`peftbench reproduce`: run a published protocol and hold what it gives against the printed numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from harness.commands.means import means_from
from harness.commands.run import print_plan, request_from
from harness.plan import Request
from harness.progress import Progress
from harness.report import reproduced
from harness.report.reproduced import Reproduction
from harness.reproduce import Claim, claim_named, claims, outcomes, printed_line, request
from harness.store import Store
from harness.sweep import fitting, preset_for
from harness.sweep import run as run_sweep
from harness.terminal import PlainConsole

SAME_GRADIENTS = ("gradient_accumulation", "gradient_checkpointing", "distributed")
"""Recipe options that change memory and time, not what is learned."""


def listed(where: Path | None, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for head in ("Name", "Protocol", "Runs", "Held against"):
        table.add_column(head, overflow="fold", no_wrap=head == "Name")
    for name, claim in claims(where).items():
        runs = len(claim.seeds) * len({task for task, _ in claim.places().values()})
        table.add_row(*map(Text, (name, claim.title, str(runs), claim.published["source"])))
    console.print(table)


def _option(name: str, value: Any) -> str:
    return f"--{name.replace('_', '-')} {value}"


def _requested(claim: Claim, options: Mapping[str, Any], overrides: Mapping[str, Any]) -> Request:
    given = request_from({"methods": claim.method, "tasks": ",".join(claim.tasks), "preset": claim.preset, **options})
    return request(
        claim,
        given.tasks if "tasks" in options else (),
        given.seeds if "seeds" in options else (),
        {key: value for key, value in overrides.items() if key != "model"},
    )


def reproduce(
    name: str,
    options: Mapping[str, Any],
    overrides: Mapping[str, Any],
    dry: bool,
    isolate: bool | None,
    form: str,
    where: Path | None,
    console: Console,
) -> bool:
    """Returns whether a run failed. `overrides`: what `peftbench run` calls so, marked as a change of the protocol.

    Raises UserError for a name, task or option that cannot be."""
    notes = console if form == "text" else PlainConsole(stderr=True)

    def say(text: str) -> None:
        notes.print(text, markup=False, soft_wrap=True)

    claim = claim_named(name, where)
    line = printed_line(claim, where)
    asked = _requested(claim, options, overrides)
    means = means_from(options, isolate)
    preset_for(claim.preset, means.data_dir)
    told = None if dry else means.tracking(say)
    sweep = means.sweep(asked, overrides.get("model") or claim.model or None, dry, say)
    if dry:
        print_plan(sweep.planned, notes)
        say(f"To be held against: {line[next(iter(claim.places()))].source}.")
        return False
    store = Store(means.out)
    run_sweep(sweep, store, Progress(notes), fitting(means.how, sweep, say), told)
    planned = {item.spec.key for item in sweep.planned}
    records = [record for record in store.records() if record.key in planned]
    changed = [_option(key, value) for key, value in overrides.items() if key not in SAME_GRADIENTS]
    found = outcomes(claim, line, records, asked.tasks if "tasks" in options else ())
    _show(Reproduction(claim, found, changed, _partly(claim, asked.tasks, asked.seeds)), form, console)
    if form == "text":
        say(f"\nRecords: {store.folder}/runs")
    return any(record.status == "failed" for record in records)


def _show(found: Reproduction, form: str, console: Console) -> None:
    if form == "text":
        console.print()
        reproduced.print_text(found, console)
    else:
        print({"csv": reproduced.render_csv, "markdown": reproduced.render_markdown}[form](found), end="")


def _partly(claim: Claim, chosen: tuple[str, ...], seeds: tuple[int, ...]) -> str:
    parts = []
    if chosen != claim.tasks:
        parts.append(f"tasks {', '.join(chosen)}")
    if len(seeds) < len(claim.seeds):
        parts.append(f"{len(seeds)} of {len(claim.seeds)} seeds")
    return ", ".join(parts)
