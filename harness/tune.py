"""Equal tuning budgets: the same number of trials for every method, judged on a validation part carved from train, never
on the reported split; then the best settings are run with fresh seeds.

The search itself is Optuna's; its storage and the trials' records lie in `<out>/tuning`, so that a stopped search goes on
and several processes may share one.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import methods
from harness.plan import Planned, configure, plain
from harness.record import RunRecord, RunSpec, UserError, canonical_json, mean_score
from methods.spec import Method

SEED = 1000
"""Of the trials, and those that follow it if several judge a trial; those of the reported runs are others."""
RATE = "learning_rate"
BEAT = 30
"""Seconds between signs of life of a trial"""
Sampler = Literal["grid", "random", "tpe"]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Budget:
    trials: int = 12
    sampler: Sampler = "grid"
    knobs: bool = False
    """whether fields of the method's config are searched beside the learning rate"""
    reach: float = 1.0
    """how many times its declared upper end each method's range of rates goes up to, or below 1 its lower end down to:
    declared ranges are the papers', whose runs are long, and a few hundred steps want higher rates"""
    seeds: int = 1
    """how many runs judge a trial, by their mean: a single one may owe its score to luck, above all at rates where training is
    about to diverge"""

    def __post_init__(self) -> None:
        """Raises UserError for what cannot be."""
        if self.trials < 2:
            raise UserError("--trials must be at least 2.")
        if self.sampler not in get_args(Sampler):
            raise UserError(f"--sampler {self.sampler}: {', '.join(get_args(Sampler))}.")
        if not 0 < self.reach < math.inf:
            raise UserError("--reach must be above 0: 10 goes ten times further up, 0.1 ten times further down.")
        if self.seeds < 1:
            raise UserError("--trial-seeds must be at least 1.")

    @property
    def judges(self) -> range:
        """The seeds of a trial's runs."""
        return range(SEED, SEED + self.seeds)

    def describe(self) -> dict[str, Any]:
        """As a record holds it."""
        told: dict[str, Any] = {"trials": self.trials, "sampler": self.sampler, "knobs": self.knobs}
        if self.reach != 1:
            told["reach"] = self.reach
        return told if self.seeds == 1 else told | {"seeds": self.seeds}


@dataclass(frozen=True)
class Space:
    """What a method's search may vary: the rate between two ends, knobs among declared values."""

    lowest: float
    highest: float
    knobs: Mapping[str, tuple[Any, ...]]

    @classmethod
    def of(cls, method: Method, budget: Budget) -> Space:
        rates = method.search_space[RATE]
        knobs = {name: tuple(values) for name, values in method.search_space.items() if name != RATE}
        lowest, highest = min(rates) * min(budget.reach, 1), max(rates) * max(budget.reach, 1)
        return cls(lowest, highest, knobs if budget.knobs else {})

    def grid(self, trials: int) -> list[dict[str, Any]]:
        """`trials` points or a few less: each combination of knobs with as many rates, evenly spaced in their logarithm.

        Raises UserError if there are more combinations than trials."""
        combinations = [dict(zip(self.knobs, point, strict=True)) for point in itertools.product(*self.knobs.values())]
        each = trials // len(combinations)
        if not each:
            raise UserError(
                f"A grid over {len(combinations)} combinations of knobs needs as many trials; use --trials "
                f"{len(combinations)} or --sampler random."
            )
        middle = math.sqrt(self.lowest * self.highest)
        ratio = (self.highest / self.lowest) ** (1 / (each - 1)) if each > 1 else 1.0
        rates = [float(f"{self.lowest * ratio**i:.6g}") for i in range(each)] if each > 1 else [middle]
        return [{RATE: rate, **point} for point in combinations for rate in rates]

    def suggest(self, trial: Any) -> dict[str, Any]:
        """A point, drawn by the trial's sampler."""
        rate = trial.suggest_float(RATE, self.lowest, self.highest, log=True)
        # A value may be a tuple, which Optuna's storage does not take: it chooses among positions.
        chosen = {name: values[trial.suggest_int(name, 0, len(values) - 1)] for name, values in self.knobs.items()}
        return {RATE: float(f"{rate:.6g}"), **chosen}

    def as_suggested(self, point: Values) -> dict[str, Any]:
        """A point as `suggest` would have drawn it."""
        return {RATE: point[RATE], **{name: values.index(point[name]) for name, values in self.knobs.items()}}


def with_point(spec: RunSpec, method: Method, point: Values) -> RunSpec:
    """The run with a point's values in it."""
    given = {**spec.config, **{name: value for name, value in point.items() if name != RATE}}
    config = configure(method, given)
    return replace(spec, config=plain(asdict(config)), recipe={**spec.recipe, RATE: point[RATE]})


def trial_specs(spec: RunSpec, method: Method, point: Values, budget: Budget) -> tuple[RunSpec, ...]:
    """The runs that judge a point: scored on the part carved from train."""
    found = with_point(spec, method, point)
    found = replace(found, recipe={**found.recipe, "report": "validation"})
    return tuple(replace(found, seed=seed) for seed in budget.judges)


def winner_spec(spec: RunSpec, method: Method, point: Values, budget: Budget) -> RunSpec:
    """The run that is reported: its record says how it was tuned."""
    return replace(with_point(spec, method, point), tuning=budget.describe())


@dataclass(frozen=True)
class Found:
    """The best of a search."""

    method: str
    task: str
    point: dict[str, Any]
    score: float
    """on the validation part, the mean over a trial's seeds"""


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Optuna says of its heartbeat that its interface may change, and that it is meant for a loop of its own; a user can
    do nothing about either."""
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        warnings.filterwarnings("ignore", "Heartbeat of storage")
        yield


@dataclass(frozen=True)
class Asked:
    """A trial that was handed out, and the runs that judge it."""

    trial: Any
    point: Values
    specs: tuple[RunSpec, ...]
    records: dict[str, RunRecord] = field(default_factory=dict)
    """by key, of the runs that have ended"""


class Search:
    """One method on one task: `ask` for trials, `tell` their records, and then the `best` of them."""

    def __init__(self, spec: RunSpec, budget: Budget, folder: Path, seed: int = SEED) -> None:
        self.spec, self.budget = spec, budget
        self.method = methods.get(spec.method)
        self.space = Space.of(self.method, budget)
        self.points = self.space.grid(budget.trials) if budget.sampler == "grid" else []
        self._open: set[int] = set()
        with _quiet():
            self.study = self._study(folder, seed)

    @property
    def trials(self) -> int:
        return len(self.points) or self.budget.trials

    @property
    def name(self) -> str:
        """The same for the same question: a search with another model, recipe or budget is another study."""
        recipe = {k: v for k, v in self.spec.recipe.items() if k != RATE}
        what = replace(self.spec, recipe=recipe, seed=SEED, tuning=self.budget.describe())
        return f"{self.spec.method} {self.spec.task} {hashlib.sha256(canonical_json(asdict(what)).encode()).hexdigest()[:12]}"

    def _study(self, folder: Path, seed: int) -> Any:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        folder.mkdir(parents=True, exist_ok=True)
        samplers = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}
        self._storage = optuna.storages.RDBStorage(
            # A trial whose process died is taken up again: its beat stops.
            f"sqlite:///{folder / 'optuna.db'}",
            heartbeat_interval=BEAT,
            grace_period=4 * BEAT,
            heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(max_retry=3),
        )
        study = optuna.create_study(
            storage=self._storage,
            study_name=self.name,
            direction="maximize",
            sampler=samplers.get(self.budget.sampler, optuna.samplers.RandomSampler)(seed=seed),
            load_if_exists=True,
        )
        for point in self.points:
            study.enqueue_trial(self.space.as_suggested(point), skip_if_exists=True)
        return study

    def begin(self) -> None:
        """Takes up again what other processes left when they died."""
        from optuna.storages import fail_stale_trials

        with _quiet():
            fail_stale_trials(self.study)

    def ask(self) -> Asked | None:
        """The next trial; None if the budget is handed out."""
        # No draws of its own beside the grid's points.
        exhausted = self.points and not self._trials("WAITING")
        if exhausted or len(self.complete()) + len(self._open) >= self.trials:
            return None
        with _quiet():
            trial = self.study.ask()
        self._open.add(trial.number)
        point = self.space.suggest(trial)
        asked = Asked(trial, point, trial_specs(self.spec, self.method, point, self.budget))
        self.beat(asked)
        return asked

    def beat(self, asked: Asked) -> None:
        """Says that the trial's process lives; to be said every BEAT seconds."""
        self._storage.record_heartbeat(asked.trial._trial_id)

    def tell(self, asked: Asked, record: RunRecord) -> None:
        """One run of a trial; its last one ends it. A trial of which a run diverged or failed was spent, with the worst of
        scores."""
        asked.records[record.key] = record
        if len(asked.records) < len(asked.specs):
            return
        score = mean_score(asked.records.values())
        asked.trial.set_user_attr("point", canonical_json(asked.point))
        asked.trial.set_user_attr("keys", [spec.key for spec in asked.specs])
        self.study.tell(asked.trial, float("-inf") if score is None else score)
        self._open.discard(asked.trial.number)

    def drop(self, asked: Asked) -> None:
        """A trial that was stopped on its way: whoever goes on with the search begins with this point."""
        from optuna.trial import TrialState

        self.study.enqueue_trial(asked.trial.params)
        self.study.tell(asked.trial, state=TrialState.FAIL)
        self._open.discard(asked.trial.number)

    def _trials(self, *states: str) -> list[Any]:
        from optuna.trial import TrialState

        wanted = tuple(TrialState[state] for state in states)
        return sorted(self.study.get_trials(deepcopy=False, states=wanted), key=lambda trial: trial.number)

    def complete(self) -> list[Any]:
        """The first trials of the budget that have ended: processes side by side may have made a few more."""
        return self._trials("COMPLETE")[: self.trials]

    def records(self) -> list[str]:
        """Keys of the trials' records."""
        return [key for trial in self.complete() for key in trial.user_attrs["keys"]]

    def best(self) -> Found | None:
        """None if no trial ended well. Raises UserError if other processes are still at work on some."""
        if len(self.complete()) < self.trials:
            raise UserError(
                f"Another process is at work on trials of {self.spec.method} on {self.spec.task}, or was stopped less than "
                "two minutes ago; give the command again when it is done."
            )
        done = [trial for trial in self.complete() if math.isfinite(trial.value)]
        if not done:
            return None
        top = max(done, key=lambda trial: (trial.value, -trial.number))
        return Found(self.spec.method, self.spec.task, json.loads(top.user_attrs["point"]), float(top.value))


def bases(planned: list[Planned]) -> Iterator[RunSpec]:
    """One run for each method and task that is not skipped, whatever its seed."""
    seen = set()
    for item in planned:
        name = (item.spec.method, item.spec.task)
        if not item.skip and name not in seen:
            seen.add(name)
            yield item.spec
