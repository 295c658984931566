"""Small results folders and their sites, and what a test asks of a page; shared by the tests of the report."""

from dataclasses import asdict
from functools import cache
from html.parser import HTMLParser
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import tasks
from harness.record import RunRecord, RunSpec
from harness.report.site.build import files
from harness.report.site.write import write
from harness.store import Store
from methods import entries

HOSTILE = '</script><img src=x onerror="window.pwned=1">\'{{7*7}}'
VOID = {"meta", "link", "input", "img", "br"}
INLINE = {"a", "b", "span", "code", "text", "svg"}


def spec(method="lora", task="rte-mini", seed=0, preset="mini", **change):
    """A run as the plan makes it: the recipe that the preset declares, the method's own rate."""
    one = tasks.get(task) if task in tasks.names() else tasks.get("rte-mini")
    declared = one.recipes[preset]
    recipe = {name: value for name, value in asdict(declared).items() if name not in declared.BY_METHOD}
    own = entries()[method].learning_rate if method in entries() else 1e-3
    values = {
        "method": method, "config": {}, "task": task, "task_version": one.version, "protocol": one.protocol,
        "data": {"kind": "embedded", "id": task, "revision": None, "sha256": "ab" * 32}, "model": "minilm-l6",
        "model_source": {"kind": "package", "id": "x", "sha256": "0123456789"},
        "recipe": recipe | {"learning_rate": declared.learning_rates.get(method, own)}, "seed": seed,
        "suite": one.suite, "preset": preset,
    }  # fmt: skip
    return RunSpec(**values | change)


def done(one, score, trainable=1000, machine="CPU A", **costs):
    metric = tasks.get(one.task).metric if one.task in tasks.names() else "accuracy"
    return RunRecord(
        one, "done", metric=metric, scores={metric: score},
        parameters={"trainable": trainable, "trainable_formula": trainable, "head": 50, "total": 9999},
        costs={"train_peak_resident_bytes": 500_000_000, "train_tokens_per_second": 1000.0, "train_seconds": 2.0} | costs,
        curve=[{"step": step, "loss": 1 / step, "learning_rate": 1e-3} for step in range(1, 8)],
        data_stats={"train_rows": 64, "eval_rows": 32},
        provenance={"hardware": {"cpu": machine, "threads": 2, "device": "cpu"}, "versions": {"torch": "9.8.7"},
                    "commit": "c0ffee", "counters": {"driver": "no card here"}},
    )  # fmt: skip


def sweep():
    """lora: 50, 52, 54 on rte; dora: 60, 61, 62, one seed of its wnli failed, and mrpc never run."""
    found = [done(spec("lora", "rte-mini", s), 0.50 + 0.02 * s, train_seconds=2.0 + s) for s in range(3)]
    found += [done(spec("dora", "rte-mini", s), 0.60 + 0.01 * s, 2000, train_tokens_per_second=500.0) for s in range(3)]
    found += [done(spec("lora", "wnli-mini", s), 0.30 + 0.01 * s) for s in range(3)]
    found += [done(spec("dora", "wnli-mini", s), 0.35 + 0.01 * s, 2000, train_tokens_per_second=500.0) for s in (0, 1)]
    found.append(
        RunRecord(spec("dora", "wnli-mini", 2), "failed", reason="the loss was nan", traceback="Traceback: nan")
    )
    found += [done(spec("lora", "mrpc-mini", s), 0.7) for s in range(3)]
    return found


def hostile():
    found = [
        done(spec(HOSTILE, "rte-mini", s, config={HOSTILE: HOSTILE}, model=HOSTILE), 0.4 + 0.1 * s, machine=HOSTILE)
        for s in range(2)
    ]
    for record in found:
        record.scores[HOSTILE] = 0.5
        record.provenance |= {"data_notes": [HOSTILE], HOSTILE: {HOSTILE: HOSTILE}}
    found.append(RunRecord(spec("lora", "../../" + HOSTILE), "failed", reason=HOSTILE, traceback=HOSTILE))
    found.append(done(spec("lora", "rte-mini", model=HOSTILE), 0.5, machine=HOSTILE))
    found.append(done(spec("..", "con", 0, suite=HOSTILE), 0.1))
    return found


def stored(folder, records):
    store = Store(folder)
    for record in records:
        store.put(record)
    return store, list(store.records())


def made(folder, records, printed=()):
    """(site, records)"""
    store, kept = stored(folder / "results", records)
    write(files(store, kept, printed), folder / "site")
    return folder / "site", kept


class Page(HTMLParser):
    """What a test asks of a page: tags, ids, links with their text, the text within each element that has an id."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.ids, self.links, self.scripts = [], {}, [], []
        self.open, self.text = [], ""
        self.feed(path.read_text(encoding="utf-8"))
        assert not self.open, f"{path}: {self.open} not closed"

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append((tag, given))
        place = given.get("id")
        if place is not None:
            assert place not in self.ids, f"id {place} twice"
            self.ids[place] = {"text": "", "links": []}
        link = given.get("href") or given.get("src")
        if link:
            self.links.append(link)
            for _, name in self.open:
                if name:
                    self.ids[name]["links"].append(link)
        if tag not in VOID:
            self.open.append((tag, place))
        if tag not in INLINE:
            self.handle_data(" ")

    def handle_endtag(self, tag):
        # Optional ends are not left out here, so that whatever breaks the nesting shows.
        assert self.open and self.open[-1][0] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1][0] == "script":
            self.scripts += [data] if data.strip() else []
            return
        self.text += data
        for _, name in self.open:
            if name:
                self.ids[name]["text"] += data

    def said(self, place=None):
        return " ".join((self.ids[place]["text"] if place else self.text).split())


@cache
def pages(site):
    return {path.relative_to(site).as_posix(): Page(path) for path in sorted(site.rglob("*.html"))}


def target(page, link):
    """(file within the site, fragment) that a link of a page leads to."""
    parts = urlsplit(link)
    path = PurePosixPath(page).parent / unquote(parts.path) if parts.path else PurePosixPath(page)
    steps = []
    for step in path.parts:
        steps = steps[:-1] if step == ".." else [*steps, step]
    return "/".join(steps), parts.fragment
