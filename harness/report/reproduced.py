"""What a reproduction found, as text for a terminal, as markdown and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.report.render import escape

if TYPE_CHECKING:
    from rich.console import Console

    from harness.reproduce import Claim, Outcome

HEADS = ("Task", "Published", "Measured", "Diff.", "Noise", "Within", "Seeds")
CAPTION = (
    "Scores x100. Measured: {statistic} over seeds{epoch}. Diff.: measured minus published. Noise: half of the 95% interval "
    "of the measured seeds (t) and the printed spread, in quadrature; where the source prints no spread, its runs are "
    "taken to be as noisy as ours. It leaves out the error of the test set, which both share."
)
TWO = "The interval of two seeds reaches 12.7 standard errors, so that little lies beyond it: take more seeds."
FIELDS = (
    "name", "task", "published", "spread", "spread_kind", "published_seeds", "measured", "sd", "seeds", "difference",
    "noise", "within", "protocol_kept", "sentence", "source", "url",
)  # fmt: skip


@dataclass(frozen=True)
class Reproduction:
    claim: Claim
    outcomes: Sequence[Outcome]
    changed: Sequence[str]
    """What the user changed of the protocol, as options."""
    partly: str = ""
    """What was left out: tasks, seeds."""

    @property
    def title(self) -> str:
        first = self.outcomes[0].printed
        return f"{self.claim.title}: {first.printed_method}, {first.model} in {first.source} ({first.url})"


def _signed(points: float) -> str:
    return f"{points:+.1f}" if round(points, 1) else "0.0"


def _decimals(text: str) -> int:
    return max(1, len(text.partition(".")[2]))


def sentence(one: Outcome) -> str:
    """One plain sentence on a task."""
    printed = one.printed.value + (f"±{one.printed.spread}" if one.printed.spread else "")
    if one.measured is None or one.difference is None:
        return f"{one.place}: {printed} published, nothing measured ({one.cause})."
    start = f"{one.place}: {one.measured:.{_decimals(one.printed.value)}f} measured, {printed} published"
    apart = abs(one.difference)
    side = "above" if one.difference > 0 else "below"
    points = f"{apart:.1f} point{'' if round(apart, 1) == 1 else 's'} {side}" if round(apart, 1) else "the same"
    if one.reach is None:
        why = "one seed measures" if len(one.values) == 1 else "seeds that agree exactly measure"
        spread = one.printed_half
        also = (
            ""
            if spread is None
            else f"; the printed ±{one.printed.spread} {'covers' if apart <= spread else 'does not cover'} it"
        )
        return f"{start}: {points}, and {why} no noise to judge that by{also}."
    verdict = "within" if one.within else "beyond"
    return f"{start}: {points}, {verdict} the noise of ±{one.reach:.1f}."


def verdict(found: Reproduction) -> str:
    """One sentence on all tasks, the averages left out."""
    own = [one for one in found.outcomes if one.place in found.claim.places()]
    judged = [one for one in own if one.within is not None]
    if found.changed:
        return f"Not the protocol ({', '.join(found.changed)}): what was measured here says nothing about the published numbers."
    if not judged:
        return "Nothing can be said about the published numbers: two seeds a task at least are needed."
    inside = sum(bool(one.within) for one in judged)
    rest = len(own) - len(judged)
    left = f"; {rest} cannot be judged" if rest else ""
    return f"{inside} of {len(judged)} task{'' if len(judged) == 1 else 's'} within the noise{left}."


def _row(one: Outcome) -> list[str]:
    printed = one.printed.value + (f"±{one.printed.spread}" if one.printed.spread else "")
    if one.measured is None or one.difference is None:
        return [one.place, printed, "·", "", "", "", "0"]
    within = {True: "yes", False: "no", None: "?"}[one.within]
    reach = "" if one.reach is None else f"±{one.reach:.1f}"
    digits = _decimals(one.printed.value)
    return [
        one.place,
        printed,
        f"{one.measured:.{digits}f}",
        _signed(one.difference),
        reach,
        within,
        str(len(one.values)),
    ]


def _notes(found: Reproduction) -> list[str]:
    epoch = ", the best epoch on the reported split, as the source" if found.claim.epoch == "best" else ""
    protocols = dict.fromkeys(one.printed.protocol for one in found.outcomes)
    own = [f"{one.place}: {one.printed.note}." for one in found.outcomes if one.printed.note]
    kinds = dict.fromkeys(one.printed.spread_kind for one in found.outcomes if one.printed.spread_kind)
    return [
        CAPTION.format(statistic=found.claim.statistic, epoch=epoch),
        *(f"The source: {text}." for text in protocols),
        *(
            "The source does not say what its ± is." if text == "not named" else f"The printed ± is called: {text}."
            for text in kinds
        ),
        *([TWO] if any(len(one.values) == 2 for one in found.outcomes) else []),
        *([f"Only a part: {found.partly}."] if found.partly else []),
        *found.claim.differences,
        *own,
    ]


def print_text(found: Reproduction, console: Console) -> None:
    """Title, table, a sentence a task, the verdict, and what is not the source's protocol."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    console.print(Text(found.title, style="bold"))
    console.print()
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for at, head in enumerate(HEADS):
        grid.add_column(head, justify="right" if at else "left", overflow="fold")
    for one in found.outcomes:
        grid.add_row(*map(Text, _row(one)))
    console.print(grid)
    console.print()
    for one in found.outcomes:
        console.print(Text(sentence(one)))
    console.print()
    console.print(Text(verdict(found), style="bold"))
    for note in _notes(found):
        console.print(Text(note, style="dim"))


def render_markdown(found: Reproduction) -> str:
    lines = [f"### {escape(found.title)}", "", f"| {' | '.join(HEADS)} |", "|---" + "|---:" * (len(HEADS) - 1) + "|"]
    lines += [f"| {' | '.join(map(escape, _row(one)))} |" for one in found.outcomes]
    lines += ["", *(f"- {escape(sentence(one))}" for one in found.outcomes), "", f"**{escape(verdict(found))}**", ""]
    return "\n".join([*lines, *(f"{escape(note)}  " for note in _notes(found))]) + "\n"


def render_csv(found: Reproduction) -> str:
    """A row a task, full precision; empty where nothing was measured."""
    from statistics import stdev

    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
    writer.writeheader()
    for one in found.outcomes:
        values = {
            "name": found.claim.name, "task": one.place, "published": one.published, "spread": one.printed.spread,
            "spread_kind": one.printed.spread_kind, "published_seeds": one.printed.seeds, "measured": one.measured,
            "sd": stdev(one.values) if len(one.values) > 1 else None, "seeds": len(one.values),
            "difference": one.difference, "noise": one.reach, "within": one.within,
            "protocol_kept": not found.changed, "sentence": sentence(one), "source": one.printed.source,
            "url": one.printed.url,
        }  # fmt: skip
        writer.writerow({name: "" if value is None else value for name, value in values.items()})
    return out.getvalue()
