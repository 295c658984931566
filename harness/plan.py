"""methods x tasks x seeds x overrides -> [RunSpec]. Pure: what is needed of the world is passed in."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from typing import Any

from harness.misfit import misfit
from harness.record import RunSpec, UserError, canonical_json, find_keys
from harness.spreadable import spelled, unspreadable
from methods.spec import ROLES, Method, ModelKind
from tasks.spec import Recipe, Suite, Task

RECIPE_OPTIONS = (
    "epochs", "max_steps", "batch_size", "gradient_accumulation", "gradient_checkpointing", "max_train", "max_eval",
    "precision", "select", "max_length", "image_size", "mask_prompt", "eval_before",
    "eval_every_epoch", "distributed",
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What the user asked for, names not yet looked up."""

    methods: tuple[str, ...]
    tasks: tuple[str, ...]
    preset: str
    seeds: tuple[int, ...] = (0,)
    settings: Mapping[str, str | Any] = field(default_factory=dict)
    """"lora.r" -> value (text from the command line, or a value from YAML)"""
    learning_rate: float | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """fields of Recipe that replace the declared ones"""
    match_params: str | None = None
    """size each method to so many trainable parameters: "0.3%" of the model's, "4M" """


@dataclass(frozen=True)
class Planned:
    """A run, or a skip if `skip` says why."""

    spec: RunSpec
    learning_rate_from: str
    skip: str = ""


def select_tasks(
    words: Sequence[str], preset: str, suites: Mapping[str, Suite], get: Callable[[str], Task]
) -> list[tuple[Suite, Task]]:
    """Tasks for names of suites or tasks, as the preset serves them, each once and in the order asked.

    Raises UserError for an unknown name or a preset that the task does not have.
    """
    chosen: dict[str, tuple[Suite, Task]] = {}
    for word in words:
        if word in suites:
            suite = suites[suites[word].presets.get(preset, word)]
            found = [(suite, get(name)) for name in suite.tasks]
        else:
            try:
                task = get(word)
            except KeyError as error:
                near = [] if ":" in word else difflib.get_close_matches(word, suites, n=1, cutoff=0.5)
                raise UserError(
                    f"There is no suite {word!r}; did you mean {near[0]}?" if near else error.args[0]
                ) from None
            served = suites[task.suite].presets.get(preset)
            if served and preset not in task.recipes:
                try:
                    task = get(f"{task.name}-{preset}")
                except KeyError:
                    others = " or ".join(f"--preset {name}" for name in task.recipes)
                    raise UserError(
                        f"The {preset} preset has no counterpart of the task {task.name}; use {others}."
                    ) from None
            found = [(suites[task.suite], task)]
        for suite, task in found:
            if preset not in task.recipes:
                have = ", ".join(task.recipes)
                raise UserError(f"The task {task.name} has no preset {preset!r}; it has: {have}.")
            chosen[task.name] = (suite, task)
    return list(chosen.values())


def _parse(text: Any, default: Any, where: str) -> Any:
    """A value of the default's type from its text. Raises UserError if it is not one."""
    if not isinstance(text, str):
        value = tuple(text) if isinstance(text, list) else text
    elif isinstance(default, str):
        return text
    elif isinstance(default, tuple):
        return tuple(part for part in text.split(",") if part)
    else:
        try:
            value = ast.literal_eval({"true": "True", "false": "False", "none": "None"}.get(text.lower(), text))
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            raise UserError(f"{where}={_shown(text)}: {type(default).__name__} expected.") from None
    try:
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        canonical_json(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise UserError(f"{where}={_shown(text)}: a value that JSON can say is expected, no infinity.") from None
    if default is not None and value is not None and type(value) is not type(default):
        raise UserError(f"{where}={_shown(text)}: {type(default).__name__} expected, {type(value).__name__} given.")
    return value


def _shown(text: Any) -> str:
    """As much of it as a sentence bears."""
    try:
        return f"{text!s:.60}"
    except (ValueError, RecursionError):
        return "..."


def _default(item: Any) -> Any:
    return item.default if item.default is not MISSING else item.default_factory()


def configure(method: Method, given: Mapping[str, Any]) -> Any:
    """The method's config with `given` (field -> value or text) in place of defaults.

    Raises UserError listing the fields, their types and defaults if one is unknown or does not fit.
    """
    known = {item.name: _default(item) for item in fields(method.config)}
    for name in given:
        if name not in known:
            have = ", ".join(f"{k} ({type(v).__name__}, {v!r})" for k, v in known.items()) or "nothing"
            raise UserError(f"{method.name} has no setting {name!r}; it has: {have}.")
    values = {name: _parse(text, known[name], f"{method.name}.{name}") for name, text in given.items()}
    optional = {item.name for item in fields(method.config) if "None" in str(item.type)}
    for name, value in values.items():
        if value is None and name not in optional:
            raise UserError(f"{method.name}.{name}=none: {type(known[name]).__name__} expected.")
    for name, value in values.items():
        # A size: what starts above 0 has no meaning at 0.
        if type(value) is int and type(known[name]) is int and known[name] > 0 and value < 1:
            raise UserError(f"{method.name}.{name}={value}: at least 1 is expected.")
    unknown = [role for role in values.get("targets", ()) if role not in ROLES]
    if unknown or ("targets" in values and not values["targets"]):
        raise UserError(
            f"{method.name}.targets: {', '.join(map(str, unknown)) or 'nothing'} given; the roles are {', '.join(ROLES)}."
        )
    try:
        return method.config(**values)
    except (TypeError, ValueError) as error:
        raise UserError(f"{method.name}: {error}") from None


def split_settings(
    settings: Mapping[str, Any], resolve: Callable[[str], str], chosen: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """{"lora.r": 8} -> {"lora": {"r": 8}}. Raises UserError for a bad form or a method that is not in the run."""
    found: dict[str, dict[str, Any]] = {}
    for path, value in settings.items():
        name, dot, key = path.partition(".")
        if not (dot and name and key):
            raise UserError(f"--set {path}: the form is METHOD.FIELD=VALUE, as in lora.r=16.")
        try:
            name = resolve(name)
        except KeyError as error:
            raise UserError(error.args[0]) from None
        if name not in chosen:
            raise UserError(f"--set {path}: {name} is not among the methods of this run.")
        found.setdefault(name, {})[key] = value
    return found


def resolved_rate(request: Request, recipe: Recipe, method: Method) -> tuple[float, str]:
    """(learning rate, where it is from)."""
    if request.learning_rate is not None:
        return request.learning_rate, "--lr"
    if method.name in recipe.learning_rates:
        return recipe.learning_rates[method.name], "recipe"
    return method.learning_rate, "method"


def _checked(recipe: Recipe) -> Recipe:
    """Raises UserError if a field cannot be."""
    rules = (
        (recipe.batch_size >= 1, "--batch-size must be at least 1"),
        (recipe.max_steps is None or recipe.max_steps >= 1, "--max-steps must be at least 1"),
        (recipe.epochs > 0, "--epochs must be above 0"),
        (recipe.max_train is None or recipe.max_train >= 2, "--max-train must be at least 2"),
        (recipe.max_eval is None or recipe.max_eval >= 1, "--max-eval must be at least 1"),
        (recipe.max_length >= 4, "--max-length must be at least 4"),
        (1 <= recipe.gradient_accumulation <= recipe.batch_size, "--gradient-accumulation must be 1 to the batch size"),
        (recipe.image_size is None or recipe.image_size >= 8, "--image-size must be at least 8"),
        (recipe.precision in {"fp32", "bf16"}, f"--precision {recipe.precision}: fp32 or bf16"),
        (recipe.select in {"last", "best"}, f"--select {recipe.select}: last or best"),
        (spelled(recipe.distributed), f"--distributed {recipe.distributed}: ddp:N or fsdp:N, as ddp:2, is expected"),
    )
    for holds, sentence in rules:
        if not holds:
            raise UserError(sentence + ".")
    return recipe


@dataclass(frozen=True)
class Choice:
    """One method on one task with everything settled but seed, model and data."""

    suite: Suite
    task: Task
    method: Method
    config: Any
    recipe: Recipe
    learning_rate: float
    learning_rate_from: str
    skip: str = ""
    """why it is not run, found before the base model is asked"""


def choose(
    request: Request,
    chosen_methods: Sequence[Method],
    chosen_tasks: Sequence[tuple[Suite, Task]],
    resolve: Callable[[str], str],
) -> list[Choice]:
    """Every method on every task, task by task. Raises UserError for settings, recipe values or rates that cannot be."""
    if request.learning_rate is not None and not request.learning_rate > 0:
        raise UserError("--lr must be above 0.")
    settings = split_settings(request.settings, resolve, [method.name for method in chosen_methods])
    for method in chosen_methods:
        configure(method, settings.get(method.name, {}))
    choices = []
    for suite, task in chosen_tasks:
        recipe = _checked(replace(task.recipes[request.preset], **request.recipe))
        if "epochs" in request.recipe and "max_steps" not in request.recipe:
            recipe = replace(recipe, max_steps=None)
        for method in chosen_methods:
            rate, origin = resolved_rate(request, recipe, method)
            given = {**recipe.settings.get(method.name, {}), **settings.get(method.name, {})}
            choices.append(Choice(suite, task, method, configure(method, given), recipe, rate, origin))
    return choices


@dataclass(frozen=True)
class Base:
    """The base model of a choice, as it was found."""

    name: str
    kind: ModelKind
    source: Mapping[str, Any]

    def misfit(self, task: Task) -> str:
        """Why it cannot do the task; empty if it can."""
        return misfit(task, self.name, self.kind)


def model_of(suite: Suite, task: Task, preset: str, given: str | None) -> str:
    """The name of the base model: the user's, else the task's own, else the suite's for the preset."""
    return given or task.models.get(preset) or suite.models[preset]


def plan(
    request: Request,
    choices: Sequence[Choice],
    bases: Sequence[Base],
    data: Mapping[str, Mapping[str, Any]],
    sha256_of: Callable[[str], str] = lambda method: "",
) -> list[Planned]:
    """Every run, seeds innermost, which share their mappings; `bases` holds each choice's model, `data` each task's source."""
    runs = []
    for choice, base in zip(choices, bases, strict=True):
        recipe = choice.recipe.recorded()
        parts: dict[str, Any] = {
            "method": choice.method.name,
            "config": plain(asdict(choice.config)),
            "task": choice.task.name,
            "task_version": choice.task.version,
            "protocol": choice.task.protocol,
            "data": dict(data[choice.task.name]),
            "model": base.name,
            "model_source": dict(base.source),
            "recipe": {**recipe, "learning_rate": choice.learning_rate},
            "suite": choice.suite.name,
            "preset": request.preset,
            "method_sha256": sha256_of(choice.method.name),
        }
        skip = (
            choice.skip
            or base.misfit(choice.task)
            or choice.method.supports(base.kind, choice.task.kind)
            or unspreadable(choice.method, choice.recipe.distributed)
        )
        runs += [Planned(RunSpec(seed=seed, **parts), choice.learning_rate_from, skip) for seed in request.seeds]
    find_keys(item.spec for item in runs)
    return runs


def plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON gives it back, so that a spec equals itself after a round trip."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in config.items()}
