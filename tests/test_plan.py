"""From a request to RunSpecs: overrides, rates, skips, and what is refused."""

from dataclasses import asdict, dataclass

import pytest

import methods
import tasks
from harness.plan import Base, Request, choose, configure, plan, select_tasks
from harness.record import UserError
from methods.spec import Method, Paper
from tasks.spec import Recipe, Suite, Task


@dataclass(frozen=True)
class Config:
    r: int = 8
    alpha: float = 16.0
    targets: tuple[str, ...] = ("query", "value")
    bias: bool = False
    init: str = "normal"
    limit: int | None = None


def method(name, **more):
    paper = Paper("t", "a", 2020, "u")
    return Method(name, "f", paper, "y = x", "native", Config, lambda m, s, c: m, lambda s, c: 0, 1e-3, **more)


def task(name, suite="real", **recipes):
    return Task(
        name, suite, "classify", "t", "u", ("text",), ("accuracy",), {"train": ("train",), "eval": ("dev",)}, "p", "1",
        recipes or {"quick": Recipe(batch_size=4, learning_rates={"one": 5e-4})},
    )  # fmt: skip


ONE, TWO = method("one"), method("two", supports=lambda model, kind: "not on encoders" if model == "encoder" else None)
TASKS = {t.name: t for t in (task("a"), task("b"), task("a-mini", "real-mini", mini=Recipe()))}
SUITES = {
    "real": Suite("real", "", ("a", "b"), ("a", "b"), {"quick": "m"}, {"mini": "real-mini"}),
    "real-mini": Suite("real-mini", "", ("a-mini",), ("a-mini",), {"mini": "m"}),
}


def resolve(name):
    if name in {"one", "two"}:
        return name
    raise KeyError(f"There is no method {name!r}")


def choices(**fields):
    request = Request(("one", "two"), ("real",), "quick", **fields)
    return request, choose(request, [ONE, TWO], [(SUITES["real"], TASKS["a"]), (SUITES["real"], TASKS["b"])], resolve)


def planned(**fields):
    request, found = choices(**fields)
    data = {"a": {"sha256": "1"}, "b": {"sha256": "2"}}
    return plan(request, found, [Base("m", "encoder", {"kind": "local"})] * len(found), data)


def test_every_method_meets_every_task_and_seed():
    runs = planned(seeds=(3, 4))
    assert [(p.spec.task, p.spec.method, p.spec.seed) for p in runs] == [
        (t, m, s) for t in "ab" for m in ("one", "two") for s in (3, 4)
    ]
    assert len({p.spec.key for p in runs}) == 8


def test_a_method_that_cannot_work_is_a_skip_with_its_reason():
    assert {p.spec.method: p.skip for p in planned()} == {"one": "", "two": "not on encoders"}


def test_the_rate_comes_from_lr_then_recipe_then_method():
    by_method = {p.spec.method: (p.spec.recipe["learning_rate"], p.learning_rate_from) for p in planned()}
    assert by_method == {"one": (5e-4, "recipe"), "two": (1e-3, "method")}
    assert {p.learning_rate_from for p in planned(learning_rate=0.1)} == {"--lr"}


def test_settings_change_the_config_of_their_method_only():
    runs = {p.spec.method: p.spec.config for p in planned(settings={"one.r": "16", "one.targets": "key", "one.alpha": "4"})}
    assert runs["one"]["r"] == 16 and runs["one"]["targets"] == ["key"] and runs["one"]["alpha"] == 4.0
    assert runs["two"] == planned()[1].spec.config


def test_values_from_yaml_and_from_text_give_the_same_run():
    text = planned(settings={"one.targets": "key,value", "one.bias": "true", "one.r": "4"})
    yaml = planned(settings={"one.targets": ["key", "value"], "one.bias": True, "one.r": 4})
    assert [p.spec.key for p in text] == [p.spec.key for p in yaml]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"one.rank": "4"}, ["no setting 'rank'", "r (int, 8)", "targets"]),
        ({"one.r": "high"}, ["one.r=high", "int expected"]),
        ({"one.r": "2.5"}, ["int expected, float given"]),
        ({"one.bias": "3"}, ["bool expected"]),
        ({"one.r": "0"}, ["at least 1"]),
        ({"one.targets": "foo"}, ["foo given", "query, key, value"]),
        ({"one.targets": ""}, ["nothing given"]),
        ({"r": "4"}, ["METHOD.FIELD=VALUE"]),
        ({"three.r": "4"}, ["no method 'three'"]),
    ],
)
def test_a_setting_that_cannot_be_is_explained(settings, words):
    with pytest.raises(UserError) as error:
        choices(settings=settings)
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize(
    "recipe",
    [{"batch_size": 0}, {"epochs": 0}, {"max_steps": 0}, {"max_train": 1}, {"precision": "fp8"}, {"select": "test"}],
)
def test_a_recipe_that_cannot_be_is_refused(recipe):
    with pytest.raises(UserError):
        choices(recipe=recipe)


def test_epochs_from_the_user_replace_declared_steps():
    request = Request(("one",), ("x",), "quick", recipe={"epochs": 2.0})
    stepped = task("x", quick=Recipe(max_steps=10))
    (choice,) = choose(request, [ONE], [(SUITES["real"], stepped)], resolve)
    assert choice.recipe.max_steps is None and choice.recipe.epochs == 2.0


def names(words, preset):
    return [t.name for _, t in select_tasks(words, preset, SUITES, TASKS.__getitem__)]


def test_the_mini_preset_serves_a_suite_and_a_task_by_their_counterparts():
    assert names(["real"], "mini") == names(["a"], "mini") == names(["a-mini"], "mini") == ["a-mini"]
    assert names(["real", "a"], "quick") == ["a", "b"]


def test_a_task_without_counterpart_or_preset_is_refused():
    with pytest.raises(UserError, match="no counterpart"):
        names(["b"], "mini")
    with pytest.raises(UserError, match="no preset 'paper'; it has: quick"):
        names(["a"], "paper")


@pytest.mark.parametrize("task", [task for suite in tasks.suites().values() for task in suite.tasks])
def test_settings_that_a_recipe_publishes_fit_the_methods_they_name(task):
    for recipe in tasks.get(task).recipes.values():
        for name, given in recipe.settings.items():
            config = configure(methods.get(name), given)
            assert {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(config).items()} == {
                **asdict(methods.get(name).config()), **given
            }  # fmt: skip


def test_a_published_setting_is_used_and_the_users_own_wins():
    suite, task = tasks.suites()["commonsense"], tasks.get("commonsense")
    request = Request(("lora", "bitfit"), ("commonsense",), "paper", settings={"lora.r": "4"})
    lora, bitfit = choose(request, [methods.get("lora"), methods.get("bitfit")], [(suite, task)], lambda name: name)
    assert (lora.config.r, lora.config.alpha, lora.config.dropout) == (4, 64, 0.05)
    assert lora.config.targets == ("query", "key", "value", "up", "down")
    assert bitfit.config == methods.get("bitfit").config()
