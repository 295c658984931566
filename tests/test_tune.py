"""Equal budgets: as many trials for each method, judged away from the reported split, resumable, and marked in tables."""

import json
import math
import re
from dataclasses import replace

import pytest
import tiny
from test_cli import write_rte
from typer.testing import CliRunner

import methods
from harness.cli import app
from harness.execute.choose import How
from harness.record import RunRecord, UserError
from harness.report.defaults import Defaults
from harness.report.setting import label
from harness.report.tuning import Curve, curves
from harness.store import Store
from harness.trials import make
from harness.tune import RATE, SEED, Budget, Search, Space, trial_specs, winner_spec

RUNNER = CliRunner()
LORA = methods.get("lora")
SPEC = replace(
    tiny.spec(),
    method="lora",
    config={"r": 8, "alpha": 16, "dropout": 0.0, "targets": ["query", "value"]},
    recipe={"learning_rate": 1.0, "select": "last", "report": "eval"},
)


def world(tmp_path, budget, score=lambda spec: -abs(math.log10(spec.recipe[RATE]) + 3), spec=SPEC):
    """A search whose runs cost nothing and score best at a rate of 1e-3; the specs that were run."""
    seen = []

    def run(trial):
        seen.append(trial)
        value = score(trial)
        return RunRecord(trial, "failed" if value is None else "done", metric="accuracy", scores={"accuracy": value})

    search = Search(spec, budget, tmp_path)

    def best():
        known = {}
        for _ in make([search], known.get, How(), lambda works: (run(trial) for (trial,) in works)):
            pass
        return Search.best(search)

    search.best = best
    return search, seen


@pytest.mark.parametrize("sampler", ["grid", "random", "tpe"])
def test_every_trial_is_scored_on_the_carved_part_with_a_seed_of_its_own(tmp_path, sampler):
    search, seen = world(tmp_path, Budget(6, sampler))
    best = search.best()
    assert len(seen) == 6
    assert {(s.recipe["report"], s.seed, s.task) for s in seen} == {("validation", SEED, SPEC.task)}
    space = LORA.search_space[RATE]
    assert all(min(space) <= s.recipe[RATE] <= max(space) * 1.0001 for s in seen)
    assert best.point[RATE] == min((s.recipe[RATE] for s in seen), key=lambda r: abs(math.log10(r) + 3))


def test_a_grid_is_even_in_the_rates_logarithm_and_whole_for_each_knob():
    points = Space(1e-4, 1e-2, {"r": (4, 8)}).grid(6)
    assert [p["r"] for p in points] == [4, 4, 4, 8, 8, 8]
    assert [p[RATE] for p in points[:3]] == pytest.approx([1e-4, 1e-3, 1e-2])
    with pytest.raises(UserError, match="--trials 2"):
        Space(1e-4, 1e-2, {"r": (4, 8)}).grid(1)


def test_knobs_are_searched_among_declared_values_and_reach_the_config(tmp_path):
    search, seen = world(tmp_path, Budget(8, "random", knobs=True), score=lambda spec: spec.config["r"] / 100)
    best = search.best()
    assert {s.config["r"] for s in seen} <= set(LORA.search_space["r"]) and len({s.config["r"] for s in seen}) > 1
    assert best.point["r"] == max(s.config["r"] for s in seen)
    winner = winner_spec(SPEC, LORA, best.point, search.budget)
    assert winner.config["r"] == best.point["r"] and winner.config["targets"] == ["query", "value"]


def test_a_search_goes_on_where_it_stopped_and_makes_no_trial_twice(tmp_path):
    stopped = []

    def stops(spec):
        if len(stopped) == 3:
            raise KeyboardInterrupt
        stopped.append(spec)
        return 0.5

    with pytest.raises(KeyboardInterrupt):
        world(tmp_path, Budget(6), stops)[0].best()
    search, seen = world(tmp_path, Budget(6), lambda spec: 0.6)
    search.best()
    rates = [s.recipe[RATE] for s in (*stopped, *seen)]
    assert len(seen) == 3 and sorted(rates) == sorted(p[RATE] for p in search.points)
    again, more = world(tmp_path, Budget(6))
    assert again.best().score == 0.6 and more == []


def held(search, most, how=None, stop_after=99):
    """Works as workers side by side take them: `most` are taken before the first is told; raises after so many records."""
    taken, open_ = [], []

    def execute(works):
        source, told = iter(works), 0
        while True:
            while len(open_) < most and (work := next(source, None)):
                taken.append(work)
                open_.append(work)
            if not open_:
                return
            for spec in open_.pop():
                if told == stop_after:
                    raise KeyboardInterrupt
                told += 1
                yield RunRecord(spec, "done", metric="accuracy", scores={"accuracy": spec.recipe[RATE]})

    for _ in make([search], {}.get, how or How(), execute):
        pass
    return taken


@pytest.mark.parametrize("sampler", ["grid", "random", "tpe"])
def test_trials_side_by_side_are_different_points_and_no_more_than_the_budget(tmp_path, sampler):
    search = Search(SPEC, Budget(7, sampler), tmp_path)
    taken = held(search, 3)
    assert len(taken) == len({work[0].key for work in taken}) == 7 == len(search.complete())
    assert search.best().score == max(work[0].recipe[RATE] for work in taken)


def test_trials_of_a_search_train_together_where_packs_are_asked_for(tmp_path):
    search = Search(SPEC, Budget(6), tmp_path)
    taken = held(search, 2, How(pack=4))
    assert sorted(map(len, taken)) == [2, 4] and len(search.complete()) == 6


def test_trials_that_were_under_way_when_all_was_stopped_come_first_the_next_time(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        held(Search(SPEC, Budget(6), tmp_path), 3, stop_after=2)
    search = Search(SPEC, Budget(6), tmp_path)
    assert len(search.complete()) == 2
    assert len(held(search, 3)) == 4
    rates = sorted(json.loads(trial.user_attrs["point"])[RATE] for trial in search.complete())
    assert rates == sorted(point[RATE] for point in search.points)


def test_another_recipe_is_another_search(tmp_path):
    search, _ = world(tmp_path, Budget(3))
    search.best()
    other, seen = world(tmp_path, Budget(3), spec=replace(SPEC, recipe={**SPEC.recipe, "epochs": 9.0}))
    other.best()
    assert len(seen) == 3


def test_a_trial_that_fails_is_spent_and_never_wins(tmp_path):
    search, seen = world(tmp_path, Budget(4), lambda spec: None if spec.recipe[RATE] > 3e-4 else 0.1)
    assert search.best().point[RATE] < 3e-4 and len(seen) == 4
    nothing, _ = world(tmp_path / "none", Budget(2), lambda spec: None)
    assert nothing.best() is None


def test_a_winner_is_another_run_than_the_same_setting_untuned():
    point = {RATE: 5e-4}
    tuned = winner_spec(SPEC, LORA, point, Budget(12))
    plain = replace(SPEC, recipe={**SPEC.recipe, RATE: 5e-4})
    assert tuned.key != plain.key and replace(tuned, tuning={}).key == plain.key
    assert label(tuned, Defaults([tuned])) == "lora tuned x12"
    assert tuned.recipe["report"] == "eval" and tuned.tuning == {"trials": 12, "sampler": "grid", "knobs": False}
    (trial,) = trial_specs(SPEC, LORA, point, Budget(12))
    assert trial.key not in {tuned.key, plain.key}


def test_how_forgiving_a_method_is():
    def record(rate, score):
        spec = replace(SPEC, recipe={**SPEC.recipe, RATE: rate})
        return RunRecord(spec, "done", metric="accuracy", scores={"accuracy": score}, data_stats={"eval_rows": 100})

    (curve,) = curves([record(1e-2, None), record(1e-4, 0.81), record(1e-3, 0.90), record(1e-5, 0.85)])
    # 1.96 sqrt(0.9 0.1 / 100) = 0.0588: 0.85 lies within, 0.81 does not; the failed one counts as tried.
    assert curve.half_interval == pytest.approx(0.0588) and curve.forgiving == 0.5
    assert [rate for rate, _ in curve.points] == [1e-5, 1e-4, 1e-3, 1e-2]


@pytest.mark.parametrize(("metric", "guess"), [("accuracy", 0.77), ("matthews_correlation", None)])
def test_a_score_is_held_against_guessing_where_guessing_has_one(metric, guess):
    stats = {"eval_rows": 100, "eval_largest_class": 0.77}
    (curve,) = curves([RunRecord(SPEC, "done", metric=metric, scores={metric: 0.7}, data_stats=stats)])
    assert curve.guess == guess


def test_a_longer_reach_raises_the_upper_end_alone_and_is_told(tmp_path):
    near, far = (Space.of(LORA, budget).grid(4) for budget in (Budget(4), Budget(4, reach=10)))
    assert far[0] == near[0] and far[-1][RATE] == pytest.approx(10 * near[-1][RATE])
    search, seen = world(tmp_path, Budget(4, "random", reach=10))
    search.best()
    assert len(seen) == 4 and max(s.recipe[RATE] for s in seen) > near[-1][RATE]
    tuned = winner_spec(SPEC, LORA, far[-1], Budget(4, reach=10))
    assert label(tuned, Defaults([tuned])) == "lora tuned x4 +reach"
    assert tuned.tuning == {"trials": 4, "sampler": "grid", "knobs": False, "reach": 10}


def test_a_reach_below_one_lowers_the_lower_end_alone():
    near, low = (Space.of(LORA, budget).grid(4) for budget in (Budget(4), Budget(4, reach=0.1)))
    assert low[0][RATE] == pytest.approx(near[0][RATE] / 10) and low[-1] == near[-1]


def test_several_seeds_judge_a_trial_by_their_mean(tmp_path):
    """The highest score of all is one seed's luck; the best mean lies elsewhere, and a run that fails spoils its trial."""
    rates = [point[RATE] for point in Space.of(LORA, Budget(4)).grid(4)]
    by_rate = dict(zip(rates, [(0.2, 0.3, 0.4), (0.6, 0.7, 0.6), (0.9, 0.1, 0.2), (0.9, None, 0.9)], strict=True))
    search, seen = world(tmp_path, Budget(4, seeds=3), lambda spec: by_rate[spec.recipe[RATE]][spec.seed - SEED])
    best = search.best()
    assert sorted((s.recipe[RATE], s.seed) for s in seen) == [(r, SEED + at) for r in rates for at in range(3)]
    assert best.point[RATE] == rates[1] and best.score == pytest.approx(1.9 / 3)
    assert sorted(search.records()) == sorted(s.key for s in seen)
    records = [
        RunRecord(s, "done", metric="accuracy", scores={"accuracy": by_rate[s.recipe[RATE]][s.seed - SEED]})
        for s in seen
    ]
    (curve,) = curves(records)
    assert [score for _, score in curve.points] == [
        pytest.approx(0.3),
        pytest.approx(1.9 / 3),
        pytest.approx(0.4),
        None,
    ]
    tuned = winner_spec(SPEC, LORA, best.point, search.budget)
    assert label(tuned, Defaults([tuned])) == "lora tuned x4 +seeds" and tuned.tuning["seeds"] == 3


def test_a_trial_of_several_seeds_that_was_stopped_goes_on_with_those_that_are_missing(tmp_path):
    budget, stopped, made = Budget(3, seeds=2), [], {}

    def once(works):
        for (spec,) in works:
            if len(stopped) == 3:
                raise KeyboardInterrupt
            stopped.append(spec)
            yield RunRecord(spec, "done", metric="accuracy", scores={"accuracy": 0.5})

    with pytest.raises(KeyboardInterrupt):
        for record in make([Search(SPEC, budget, tmp_path)], made.get, How(), once):
            made[record.key] = record
    search, (taken, left) = Search(SPEC, budget, tmp_path), (len(made), 6 - len(made))
    assert taken == 3 and len(search.complete()) == 1
    again = []

    def rest(works):
        for (spec,) in works:
            again.append(spec)
            yield RunRecord(spec, "done", metric="accuracy", scores={"accuracy": 0.5})

    for _ in make([search], made.get, How(), rest):
        pass
    assert len(again) == left and not {s.key for s in again} & set(made)
    assert len({s.recipe[RATE] for s in (*stopped, *again)}) == 3 and search.best().score == 0.5


def test_the_ends_of_a_search_are_told_from_its_middle():
    curve = Curve("lora", "rte", ((1e-4, 0.5), (1e-3, None), (1e-2, 0.7)), None)
    assert [curve.end(rate) for rate in (1e-4, 1e-3, 1e-2)] == ["lowest", "", "highest"]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"trials": 1}, "--trials"),
        ({"sampler": "luck"}, "--sampler luck"),
        ({"reach": 0.0}, "--reach"),
        ({"reach": float("nan")}, "--reach"),
        ({"seeds": 0}, "--trial-seeds"),
    ],
)
def test_budgets_that_cannot_be_are_refused(fields, word):
    with pytest.raises(UserError, match=word):
        Budget(**fields)


def test_the_command_searches_reports_and_marks(tmp_path):
    words = "the cat dog sat".split()
    tiny.saved_model(tmp_path / "model", words)
    write_rte(tmp_path / "data")

    def tune(*more):
        return RUNNER.invoke(
            app,
            ["tune", "--methods", "lora,last-layer", "--tasks", "rte", "--data-dir", str(tmp_path / "data"), "--model",
             str(tmp_path / "model"), "--max-steps", "2", "--batch-size", "8", "--trials", "2", "--no-isolate", "--out",
             str(tmp_path / "out"), *more],
        )  # fmt: skip

    result = tune("--seeds", "0,1")
    assert result.exit_code == 0, result.output
    trials = list(Store(tmp_path / "out" / "tuning").records())
    # 48 rows of training, of which a tenth is carved; the reported split has 24 rows.
    assert len(trials) == 4 and {t.data_stats["eval_rows"] for t in trials} == {4}
    assert {t.data_stats["train_rows"] for t in trials} == {44}
    winners = list(Store(tmp_path / "out").records())
    assert {(w.spec.method, w.spec.seed, w.data_stats["eval_rows"]) for w in winners} == {
        (method, seed, 24) for method in ("lora", "last-layer") for seed in (0, 1)
    }
    for winner in winners:
        rates = {t.spec.recipe[RATE]: t.score for t in trials if t.spec.method == winner.spec.method}
        assert rates[winner.spec.recipe[RATE]] == max(rates.values())
    assert "lora tuned x2" in result.output
    guess = {t.data_stats["eval_largest_class"] for t in trials}
    best = {m: max(t.score for t in trials if t.spec.method == m) for m in ("lora", "last-layer")}
    assert len(guess) == 1 and 0.25 <= min(guess) <= 1
    # Of two rates each is an end.
    learned = [score for score in best.values() if score > min(guess)]
    assert bool(re.search(r"\* the (high|low)est rate tried: .* --reach", result.output)) == bool(learned)
    assert ("† no better than always giving the commonest answer" in result.output) == (len(learned) < 2)
    assert len((tmp_path / "out" / "tuning" / "curves.csv").read_text().splitlines()) == 5
    again = tune("--seeds", "0,1").output
    assert "4 of 4 runs have a record already" in again
    refused = tune("--seeds", "1000")
    assert refused.exit_code == 2 and "1000" in refused.output
    refused = tune("--seeds", "1001", "--trial-seeds", "2")
    assert refused.exit_code == 2 and "1001" in refused.output
