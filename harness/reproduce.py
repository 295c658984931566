"""Printed numbers and the protocol that should give them: what to run, and how far the measured scores are from the printed.

A declaration (`reproduce.toml` beside the CSV files of published numbers) joins the rows of one printed line with a method,
tasks, a preset, a model and settings. No torch.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from statistics import fmean, median
from typing import Any, Literal

import methods
import tasks
from harness.plan import Request
from harness.record import RunRecord, UserError
from harness.report.caption import GROUP_MEAN
from harness.report.published import AVERAGE, SD, Printed, folder, load

FILE = "reproduce.toml"
LEVEL = 0.95
KEYS = ("suite", "source", "model", "printed_method", "parameters", "protocol")
"""What may choose the published rows; suite and source always."""
KINDS: Mapping[str, type] = {
    "tasks": list, "seeds": list, "differences": list, "settings": dict, "recipe": dict, "published": dict,
    "learning_rate": float,
}  # fmt: skip
"""Keys of a declaration that are not texts."""
WORDS = {str: "a text", list: "a list", dict: "a table", float: "a number with a point or an exponent"}


@dataclass(frozen=True)
class Claim:
    """One printed line and the protocol that it is held against."""

    name: str
    title: str
    method: str
    tasks: tuple[str, ...]
    """Tasks or one suite."""
    preset: str
    published: Mapping[str, str]
    seeds: tuple[int, ...]
    model: str = ""
    """Empty: the preset's."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the method's config."""
    learning_rate: float | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    epoch: Literal["last", "best"] = "last"
    """Which the source reports: after the last epoch, or the best on the reported split."""
    statistic: Literal["mean", "median"] = "mean"
    differences: tuple[str, ...] = ()
    """Sentences on what is not the source's protocol."""

    def places(self) -> dict[str, tuple[str, str]]:
        """Where scores are compared, in order: task or member -> (task, "" or the member)."""
        suites = tasks.suites()
        names = [name for word in self.tasks for name in (suites[word].tasks if word in suites else (word,))]
        found: dict[str, tuple[str, str]] = {}
        for name in names:
            members = tasks.get(name).members
            found |= {member: (name, member) for member in members} if members else {name: (name, "")}
        return found


def _claim(name: str, values: Mapping[str, Any], where: Path) -> Claim:
    known = {item.name: item for item in fields(Claim) if item.name != "name"}
    needed = [n for n, item in known.items() if item.default is MISSING and item.default_factory is MISSING]
    wrong = sorted(set(values) - set(known))
    lacking = [n for n in needed if n not in values]
    if wrong or lacking:
        what = f"unknown key {', '.join(wrong)}" if wrong else f"{', '.join(lacking)} is missing"
        raise UserError(f"{where}, [{name}]: {what}; the keys are {', '.join(known)}.")
    for key, value in values.items():
        kind = KINDS.get(key, str)
        if not isinstance(value, kind):
            raise UserError(f"{where}, [{name}]: {key} = {value!r}: {WORDS[kind]} is expected.")
    fitted: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    made = Claim(name, **fitted)
    if made.method not in methods.entries():
        raise UserError(f"{where}, [{name}]: the method {made.method!r} is not registered.")
    if made.epoch not in {"last", "best"} or made.statistic not in {"mean", "median"}:
        raise UserError(f"{where}, [{name}]: epoch is last or best, statistic mean or median.")
    if set(made.published) - set(KEYS) or not {"suite", "source"} <= set(made.published):
        raise UserError(f"{where}, [{name}]: published needs suite and source and may have {', '.join(KEYS[2:])}.")
    return made


def claims(where: Path | None = None) -> dict[str, Claim]:
    """By name, in the file's order. Raises UserError that names what is wrong in it."""
    path = (where or folder()) / FILE
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    return {name: _claim(name, values, path) for name, values in found.items()}


def claim_named(name: str, where: Path | None = None) -> Claim:
    """Raises UserError with the names that there are."""
    found = claims(where)
    if name not in found:
        raise UserError(f"There is nothing to reproduce called {name!r}; there are: {', '.join(found)}.")
    return found[name]


def printed_line(claim: Claim, where: Path | None = None) -> dict[str, Printed]:
    """Task -> its number of the claim's line. Raises UserError if no number fits, or two fit one task."""
    found: dict[str, Printed] = {}
    for one in load(where):
        if all(getattr(one, key) == wanted for key, wanted in claim.published.items()):
            if one.task in found:
                raise UserError(
                    f"{claim.name}: two published numbers of {one.task} fit ({one.source}); say protocol or parameters too."
                )
            found[one.task] = one
    lacking = [place for place in claim.places() if place not in found]
    if lacking:
        raise UserError(f"{claim.name}: no published number of {', '.join(lacking)} fits {dict(claim.published)}.")
    return found


def request(claim: Claim, chosen: Sequence[str], seeds: Sequence[int], overrides: Mapping[str, Any]) -> Request:
    """What to run; `chosen` tasks of the claim, all if there is none. Raises UserError for a task that it does not have."""
    known = dict.fromkeys(task for task, _ in claim.places().values())
    strange = [name for name in chosen if name not in known]
    if strange:
        raise UserError(f"--tasks {', '.join(strange)}: {claim.name} has {', '.join(known)}.")
    return Request(
        methods=(claim.method,),
        tasks=tuple(chosen) or claim.tasks,
        preset=claim.preset,
        seeds=tuple(seeds) or claim.seeds,
        settings={f"{claim.method}.{name}": value for name, value in claim.settings.items()},
        learning_rate=claim.learning_rate,
        recipe={**claim.recipe, **overrides},
    )


@dataclass(frozen=True)
class Outcome:
    """A printed number and what was measured of it; scores are x100."""

    place: str
    printed: Printed
    values: tuple[float, ...] = ()
    """A value a seed."""
    cause: str = ""
    """Why there is none."""
    statistic: str = "mean"

    @property
    def published(self) -> float:
        return float(self.printed.value)

    @property
    def measured(self) -> float | None:
        if not self.values:
            return None
        return (median if self.statistic == "median" else fmean)(self.values)

    @property
    def difference(self) -> float | None:
        """Measured minus published."""
        return None if self.measured is None else self.measured - self.published

    @property
    def measured_half(self) -> float | None:
        """Half of the 95 % interval of the mean over these seeds; None for one seed or seeds that agree exactly."""
        import numpy as np

        from harness.report.stats.summary import over_runs

        if len(self.values) < 2:
            return None
        found = over_runs(np.array(self.values)).interval(LEVEL)
        return None if found is None else (found.high - found.low) / 2

    @property
    def printed_half(self) -> float | None:
        """The printed spread as half of an interval: a standard deviation of k runs as that of their mean; anything else
        as it stands. None if the source prints none."""
        if not self.printed.spread:
            return None
        spread, runs = float(self.printed.spread), int(self.printed.seeds or 0)
        if self.printed.spread_kind != SD or runs < 2:
            return spread
        from harness.report.stats.summary import Estimate

        found = Estimate(0.0, spread / runs**0.5, runs - 1).interval(LEVEL)
        return found.high if found else 0.0

    @property
    def reach(self) -> float | None:
        """How far apart the two may lie by chance: both halves in quadrature. Where the source prints no spread, its runs
        (one, if it does not say) are taken to be as noisy as ours. None where our own noise was not measured."""
        own = self.measured_half
        if own is None:
            return None
        theirs = self.printed_half
        if theirs is None:
            runs = int(self.printed.seeds or 1)
            theirs = own * (len(self.values) / runs) ** 0.5
        return float((own**2 + theirs**2) ** 0.5)

    @property
    def within(self) -> bool | None:
        """Whether the difference lies within the noise; None where that cannot be said."""
        if self.reach is None or self.difference is None:
            return None
        return abs(self.difference) <= self.reach


def _score(record: RunRecord, member: str, best: bool) -> float | None:
    """x100; `best`: the best of the epochs that were scored and the last."""
    if record.status != "done":
        return None
    found = record.scores.get(f"{record.metric}_{member}" if member else record.metric)
    if found is None or not best or member:
        return None if found is None else 100 * found
    epochs = [point.get(f"eval_{record.metric}") for point in record.curve]
    return 100 * max([found, *(score for score in epochs if score is not None)])


def _cause(records: Sequence[RunRecord]) -> str:
    for status in ("failed", "skipped"):
        for record in records:
            if record.status == status:
                return f"{status}: {' '.join(record.reason.split())}"
    return "score undefined" if records else "not run"


def outcomes(
    claim: Claim, line: Mapping[str, Printed], records: Sequence[RunRecord], chosen: Sequence[str] = ()
) -> list[Outcome]:
    """Task by task, then the averages that the source prints, where all their tasks have the same seeds. `chosen`: only
    these tasks, and then no average."""
    found: list[Outcome] = []
    by_place: dict[str, dict[int, float]] = {}
    for place, (task, member) in claim.places().items():
        if chosen and task not in chosen:
            continue
        own = [record for record in records if record.spec.task == task]
        scored = {r.spec.seed: s for r in own if (s := _score(r, member, claim.epoch == "best")) is not None}
        by_place[place] = scored
        values = tuple(scored[seed] for seed in sorted(scored))
        found.append(Outcome(place, line[place], values, "" if values else _cause(own), claim.statistic))
    suite = tasks.suites()[claim.published["suite"]]
    over: dict[str, list[tuple[str, ...]]] = {
        AVERAGE: [(one,) for one in _expanded(suite.average)],
        GROUP_MEAN: list(suite.groups.values()),
    }
    for place, parts in over.items():
        if place in line and parts and not chosen:
            values = _means(by_place, parts)
            cause = "" if values else "not all of its tasks have a score with the same seeds"
            found.append(Outcome(place, line[place], values, cause, claim.statistic))
    return found


def _expanded(names: Sequence[str]) -> list[str]:
    return [one for name in names for one in (tasks.get(name).members or (name,))]


def _means(by_place: Mapping[str, Mapping[int, float]], parts: Sequence[Sequence[str]]) -> tuple[float, ...]:
    """Seed by seed the mean of the parts' means; empty unless all have the same seeds."""
    names = [name for part in parts for name in part]
    seeds = [set(by_place.get(name, {})) for name in names]
    if not seeds or not seeds[0] or any(own != seeds[0] for own in seeds):
        return ()
    return tuple(fmean(fmean(by_place[name][seed] for name in part) for part in parts) for seed in sorted(seeds[0]))
