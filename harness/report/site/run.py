"""A run's page: everything that its record says, and where the record lies."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.record import RunRecord, UserError
from harness.report.defaults import config_defaults, declared_recipe
from harness.report.site.chart import Chart, chart, of_curve
from harness.report.site.form import plain, pretty, quantity
from harness.report.site.gather import Board, Line
from harness.store import Store

Rows = tuple[tuple[str, ...], ...]
KNOWN = ("versions", "hardware", "counters", "commit", "data_notes")


@dataclass(frozen=True)
class RunPage:
    record: RunRecord
    path: str
    """Of the record, below the results folder."""
    body: bytes
    items: tuple[str, ...]
    """Files with the scores of single items, below the results folder."""
    sha256: str
    places: tuple[tuple[Board, Line], ...]
    """The rows of the leaderboards that this run stands in."""
    config: Rows
    """(field, value, default if it is another)"""
    recipe: Rows
    scores: Rows
    """(metric, x100, as recorded)"""
    parameters: Rows
    costs: Rows
    """(field, readable, as recorded)"""
    unmeasured: tuple[str, ...]
    """Costs that are null in the record."""
    facts: tuple[tuple[str, Rows], ...]
    charts: tuple[Chart, ...]


def _against(values: Mapping[str, Any], declared: Mapping[str, Any]) -> Rows:
    return tuple(
        (name, plain(value), plain(declared[name]) if name in declared and declared[name] != value else "")
        for name, value in values.items()
    )


def _pairs(found: Any) -> Rows:
    """Of a mapping, or of anything else under no name."""
    if not isinstance(found, Mapping):
        return (("", plain(found)),) if found not in (None, "", []) else ()
    return tuple((str(name), "–" if value is None else plain(value)) for name, value in found.items())


def _facts(record: RunRecord) -> tuple[tuple[str, Rows], ...]:
    made = record.provenance
    others = {
        name: value for name, value in made.items() if name not in KNOWN and not isinstance(value, Mapping | list)
    }
    nested = {name: value for name, value in made.items() if name not in KNOWN and isinstance(value, Mapping | list)}
    notes = made.get("data_notes")
    found = [
        ("Hardware", _pairs(made.get("hardware"))),
        ("Versions", _pairs({k: v for k, v in made.items() if k == "commit"} | dict(_mapping(made.get("versions"))))),
        ("Counters", _pairs(made.get("counters"))),
        ("Data", (*_pairs(record.spec.data), *_pairs(record.data_stats))),
        ("Notes on the data", tuple(("", plain(note)) for note in notes) if isinstance(notes, list) else _pairs(notes)),
        ("Model", _pairs({"model": record.spec.model} | dict(record.spec.model_source))),
        ("Tuning", _pairs(record.spec.tuning)),
        ("Further provenance", (*_pairs(others), *((name, pretty(value)) for name, value in nested.items() if value))),
    ]
    return tuple((title, rows) for title, rows in found if rows)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _charts(record: RunRecord) -> tuple[Chart, ...]:
    names = {name: None for point in record.curve for name in point if name.startswith(("eval_", "validation_"))}
    found = [chart([("loss", of_curve(record.curve, "loss"))], "step", "training loss", 460.0, 200.0)]
    for name in names:
        found.append(chart([(name, of_curve(record.curve, name, 100.0))], "step", f"{name} x100", 460.0, 200.0))
    rate = of_curve(record.curve, "learning_rate")
    found.append(chart([("learning rate", rate)], "step", "learning rate", 460.0, 200.0))
    return tuple(one for one in found if one)


def run_page(record: RunRecord, store: Store, places: Sequence[tuple[Board, Line]]) -> RunPage:
    """Raises UserError if the record's file went away since it was read."""
    path = store.path(record.key)
    try:
        body = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; make the site again.") from None
    spec = record.spec
    return RunPage(
        record=record,
        path=path.relative_to(store.folder).as_posix(),
        body=body,
        items=tuple(one.relative_to(store.folder).as_posix() for one in store.items(record.key)),
        sha256=hashlib.sha256(body).hexdigest(),
        places=tuple(places),
        config=_against(spec.config, config_defaults(spec.method)),
        recipe=_against(spec.recipe, declared_recipe(spec.task, spec.preset, spec.method)),
        scores=tuple(
            (name, "undefined" if value is None else f"{100 * value:.2f}", "null" if value is None else repr(value))
            for name, value in record.scores.items()
        ),
        parameters=tuple((name, "–" if v is None else f"{v:,}") for name, v in record.parameters.items()),
        costs=tuple((n, quantity(n, v), repr(v)) for n, v in record.costs.items() if v is not None),
        unmeasured=tuple(name for name, value in record.costs.items() if value is None),
        facts=_facts(record),
        charts=_charts(record),
    )
