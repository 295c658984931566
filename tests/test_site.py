"""The site from small real records: what it says, where its links lead, what it refuses, and that nothing gets out of it."""

import hashlib
import json
import re
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import pytest
from sites import HOSTILE, Page, done, hostile, made, pages, spec, stored, sweep, target
from typer.testing import CliRunner

import tasks
from harness.cli import app
from harness.record import RunRecord, UserError
from harness.report import leaderboard, published
from harness.report.cells import Cell
from harness.report.render import short_titles
from harness.report.site import names
from harness.report.site.board import forests
from harness.report.site.build import files
from harness.report.site.chart import binned, chart, ticks
from harness.report.site.form import plain, quantity, web
from harness.report.site.write import write
from harness.store import Store
from methods import entries


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    Store(folder / "results").items_path(sweep()[0].key).write_bytes(b"")
    return made(folder, sweep())


@pytest.fixture(scope="module")
def bad_site(tmp_path_factory):
    return made(tmp_path_factory.mktemp("bad"), hostile())


# ---- what it says ----


def test_a_cell_holds_mean_spread_and_interval_worked_out_by_hand(site):
    found = pages(site[0])["index.html"]
    # 50, 52, 54: mean 52, sd 2; t(0.975, 2) = 4.3027, so 52 -+ 4.3027 * 2 / sqrt(3)
    row = next(
        text["text"] for name, text in found.ids.items() if "-r-" in name and text["text"].strip().startswith("lora")
    )
    assert "52.0±2.0[47.0, 57.0]" in row.replace("\n", "")
    # three equal scores measure no spread
    assert "70.0±0.0no spread" in row.replace("\n", "")


def cells(page):
    """Row label -> the `data-value` of its cells in order, of all rows of leaderboards."""
    rows, current = {}, []
    for tag, given in page.tags:
        if tag == "tr":
            current = rows.setdefault(given["data-row"], []) if "data-row" in given else []
        elif tag == "td":
            current.append(float(given["data-value"]) if "data-value" in given else None)
    return rows


def test_every_cell_stands_under_its_heading(site):
    folder, records = site
    page = pages(folder)["index.html"]
    heads = re.findall(r'<th scope="col" data-sort[^>]*>([^<]*)</th>', (folder / "index.html").read_text())[1:]
    (table,) = leaderboard.tables(records)
    titles = short_titles(table)
    found = cells(page)
    assert len(found) == len(table.rows)
    for row, values in zip(table.rows, found.values(), strict=True):
        shown = dict(zip(heads, values, strict=True))
        for column in table.columns:
            assert shown[titles[column.name]] == table.cell(row, column).value


def test_missing_and_short_cells_name_their_cause_and_lead_to_the_run(site):
    folder, records = site
    failed = next(record for record in records if record.status == "failed")
    index = pages(folder)["index.html"]
    text = index.said()
    assert "dora, mrpc-mini: not run" in text
    assert re.search(r"dora, wnli-mini: .*2 seeds; fewer than others \(failed: the loss was nan\)", text)
    assert any(href == names.run_page(failed.key) for href in page_links(folder, names.method_page("dora")))
    shown = pages(folder)[names.run_page(failed.key)].said()
    assert "the loss was nan" in shown and "Traceback: nan" in shown and "failed" in shown


def page_links(folder, page):
    return [target(page, link)[0] for link in pages(folder)[page].links]


def test_a_row_without_any_score_leads_to_the_run_that_says_why(tmp_path):
    skipped = RunRecord(spec("dora", "rte-mini"), "skipped", reason="no room for it")
    folder, _ = made(tmp_path, [done(spec("lora", "rte-mini"), 0.5), skipped])
    index = pages(folder)["index.html"]
    row = next(one for name, one in index.ids.items() if "-r-" in name and one["text"].strip().startswith("dora"))
    assert names.run_page(skipped.key) in row["links"]
    assert "skipped: no room for it" in index.said()


def test_a_run_page_tells_its_record_and_how_it_was_made(site):
    folder, records = site
    found = pages(folder)
    (with_items,) = {path.name.partition(".")[0] for path in folder.parent.glob("results/runs/*/*.items.parquet")}
    for record in records:
        source = folder.parent / "results/runs" / record.key[:2] / f"{record.key}.json"
        text = found[names.run_page(record.key)].said()
        assert f"runs/{record.key[:2]}/{record.key}.json" in text
        assert (f"{record.key}.items.parquet" in text) == (record.key == with_items)
        assert hashlib.sha256(source.read_bytes()).hexdigest() in text
        assert (folder / names.record_file(record.key)).read_bytes() == source.read_bytes()
        if record.status == "done":
            assert "9.8.7" in text and "c0ffee" in text and "no card here" in text and "CPU A" in text
            assert repr(record.score) in text


def test_a_method_page_has_the_paper_the_formula_the_defaults_and_its_runs(site):
    folder, records = site
    text = pages(folder)[names.method_page("lora")].said()
    entry = entries()["lora"]
    assert (
        entry.paper.title in text
        and entry.formula in text
        and entry.paper.url in (folder / "methods/lora.html").read_text()
    )
    assert "alpha 16" in text and "r 8" in text
    links = page_links(folder, names.method_page("lora"))
    own = {names.run_page(record.key) for record in records if record.spec.method == "lora"}
    assert own == {link for link in links if link.startswith("runs/") and link != "runs/index.html"}


def test_a_task_page_has_protocol_sizes_data_hash_and_all_rows(site):
    folder, records = site
    text = pages(folder)[names.task_page("rte-mini")].said()
    task = tasks.get("rte-mini")
    assert task.title in text and f"{task.protocol}, task version {task.version}" in text
    assert "ab" * 32 in text and "accuracy" in text and "train rows 64" in text
    assert text.index("dora 61.0") < text.index("lora 52.0")
    links = page_links(folder, names.task_page("rte-mini"))
    assert {names.run_page(r.key) for r in records if r.spec.task == "rte-mini"} <= set(links)


def test_tuned_rows_say_how(tmp_path):
    budget = {"trials": 12, "sampler": "grid", "knobs": False}
    records = [done(spec("lora", seed=s, tuning=budget), 0.5) for s in (0, 1)] + [done(spec("dora"), 0.5)]
    records.append(done(spec("vera", tuning=budget | {"reach": 10.0, "seeds": 3}), 0.5))
    text = pages(made(tmp_path, records)[0])["index.html"].said()
    assert "12 trials (grid)" in text and "not tuned" in text and "different budgets" in text
    assert "12 trials (grid), rates up to 10 times the declared, each by the mean of 3 runs" in text


def test_one_sentence_says_how_where_all_rows_were_tuned_alike(tmp_path):
    budget = {"trials": 12, "sampler": "grid", "knobs": False}
    records = [done(spec(name, tuning=budget), 0.5) for name in ("lora", "dora")]
    text = pages(made(tmp_path, records)[0])["index.html"].said()
    assert "All rows were tuned alike: 12 trials (grid)." in text and text.count("12 trials") == 1


def test_published_rows_stand_apart_with_their_source(tmp_path):
    records = [done(spec("lora", "rte", s, preset="quick"), 0.5) for s in (0, 1)]
    folder, _ = made(tmp_path, records, published.load())
    index = pages(folder)["index.html"]
    assert "As printed in papers" in index.said()
    assert any(link.startswith("https://arxiv.org/") for link in index.links)


def test_the_plot_holds_every_row_with_its_costs(site):
    (data,) = map(json.loads, pages(site[0])["index.html"].scripts)
    rows = {row["label"]: row for row in data["rows"]}
    assert (
        rows["lora"]["costs"]["trainable"][""][0] == 1000 and rows["dora"]["costs"]["trainable"]["rte-mini"][0] == 2000
    )
    # 2, 3, 4 seconds on rte; 2 and 2 on the others
    assert rows["lora"]["costs"]["train_seconds"]["rte-mini"][0] == pytest.approx(3.0)
    assert rows["lora"]["costs"]["train_seconds"][""][0] == pytest.approx(7.0)
    # dora has no run of mrpc, so that no figure of hers is over the same tasks
    assert "" not in rows["dora"]["costs"]["train_seconds"]
    value, low, high, seeds = rows["lora"]["scores"]["rte-mini"]
    assert (value, seeds) == (pytest.approx(52.0), 3) and high - value == pytest.approx(value - low)


def test_costs_of_several_machines_are_marked_and_never_averaged(tmp_path):
    records = [
        done(spec("lora", seed=0), 0.5),
        done(spec("lora", seed=1), 0.5, machine="CPU B"),
        done(spec("dora"), 0.6),
    ]
    (data,) = map(json.loads, pages(made(tmp_path, records)[0])["index.html"].scripts)
    costs = {cost["name"]: cost for cost in data["costs"]}
    assert costs["train_seconds"]["mixed"] and not costs["trainable"]["mixed"]
    lora = next(row for row in data["rows"] if row["label"] == "lora")
    assert lora["costs"]["train_seconds"] == {} and lora["costs"]["trainable"][""][0] == 1000


# ---- where it leads ----


def test_every_link_stays_in_the_site_and_ends_at_something(site, bad_site):
    for folder, _ in (site, bad_site):
        found = pages(folder)
        for name, page in found.items():
            for link in page.links:
                if link.startswith(("https://", "data:image/svg+xml,")):
                    continue
                assert not urlsplit(link).scheme and not link.startswith("/"), f"{name}: {link}"
                path, fragment = target(name, link)
                assert (folder / path).is_file(), f"{name}: {link}"
                if fragment:
                    assert fragment in found[path].ids, f"{name}: {link}"


def test_every_score_of_the_leaderboard_leads_to_exactly_its_runs(site):
    folder, records = site
    found = pages(folder)
    index = found["index.html"]
    followed = 0
    for name, row in index.ids.items():
        if "-r-" not in name:
            continue
        for link in row["links"]:
            path, fragment = target("index.html", link)
            task = next((t for t in ("rte-mini", "wnli-mini", "mrpc-mini") if fragment.endswith(t)), None)
            if task is None:
                continue
            method = PurePosixPath(path).stem
            runs = {target(path, one)[0] for one in found[path].ids[fragment]["links"]} - {names.task_page(task)}
            assert runs == {names.run_page(r.key) for r in records if (r.spec.method, r.spec.task) == (method, task)}
            followed += 1
    assert followed == 5


def test_nothing_comes_from_elsewhere(site):
    for path in site[0].rglob("*.html"):
        for tag, given in Page(path).tags:
            assert tag not in {"img", "iframe", "object", "embed", "base", "form"}
            if tag in {"script", "link"}:
                where = given.get("src") or given.get("href") or ""
                assert re.fullmatch(r"((\.\./)?site\.(css|js)|data:.*)?", where)
    assert not re.search(r"@import|url\(|https?:", (site[0] / "site.css").read_text())
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(", (site[0] / "site.js").read_text())


# ---- what names may not do ----


def test_hostile_names_stay_text(bad_site):
    folder, records = bad_site
    found = pages(folder)
    allowed = {"src", "type"}
    for name, page in found.items():
        for tag, given in page.tags:
            assert tag != "img", name
            assert not [key for key in given if key.startswith("on")], name
            assert not str(given.get("href", "")).lower().startswith("javascript:")
            if tag == "script":
                assert set(given) <= allowed
        assert "'49" not in page.text, "a name was taken for a template"
    index = found["index.html"]
    assert HOSTILE in index.text
    labels = {row["label"] for text in index.scripts for row in json.loads(text)["rows"]}
    assert any(HOSTILE in one for one in labels)
    for record in records:
        assert record.status in found[names.run_page(record.key)].said()


def test_files_of_hostile_names_stay_in_the_folder(bad_site):
    folder, records = bad_site
    listed = json.loads((folder / "site.json").read_text())["files"]
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert present == {*listed, "site.json"}
    assert all(re.fullmatch(r"([a-z]+/)?[a-z0-9-]+\.(html|json|css|js)", name) for name in listed)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["results", "site"]


@pytest.mark.parametrize("name", ["lora", "fact-tt", "mean-of-2"])
def test_a_plain_name_is_its_own_slug(name):
    assert names.slug(name) == name


def test_slugs_are_safe_and_never_shared():
    given = [
        "", ".", "..", "../x", "/etc/passwd", "a/b", "a b", "a-b", "A-B", "a--b", "index", "con", "lpt1", "x" * 300, "x" * 301,
        "é", "\ud800", "a\0b", HOSTILE, names.slug("a b"), "-a", "a-",
    ]  # fmt: skip
    slugs = [names.slug(name) for name in given]
    assert all(re.fullmatch(r"[a-z0-9-]{1,80}", slug) for slug in slugs)
    assert len(set(slugs)) == len(given) and not set(slugs) & {"index", "con", "lpt1"}


def test_only_web_addresses_become_links():
    assert web("https://arxiv.org/abs/1") == "https://arxiv.org/abs/1"
    assert [web(url) for url in ("javascript:alert(1)", " https://x", "file:///etc/passwd", "", None)] == [""] * 5


# ---- how it is written ----


def test_the_same_records_give_the_same_bytes(tmp_path):
    store, records = stored(tmp_path / "results", [*sweep(), *hostile()])
    assert list(files(store, records)) == list(files(store, list(store.records())))


def snapshot(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_new_site_replaces_the_old_one_and_its_pages(tmp_path):
    out = tmp_path / "site"
    write([("index.html", b"old"), ("runs/a.html", b"old")], out)
    write([("index.html", b"new")], out)
    assert (out / "index.html").read_bytes() == b"new" and not (out / "runs").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_an_interrupted_writing_leaves_the_old_site(tmp_path):
    def broken():
        yield "index.html", b"new"
        raise KeyboardInterrupt

    out = tmp_path / "site"
    write([("index.html", b"old")], out)
    before = snapshot(out)
    with pytest.raises(KeyboardInterrupt):
        write(broken(), out)
    assert snapshot(out) == before and [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_swap_that_fails_puts_the_old_site_back(tmp_path, monkeypatch):
    out = tmp_path / "site"
    write([("index.html", b"old")], out)
    before, rename = snapshot(out), Path.rename
    monkeypatch.setattr(Path, "rename", lambda self, to: fail() if self.suffix == ".tmp" else rename(self, to))
    with pytest.raises(UserError, match="disk is full"):
        write([("index.html", b"new")], out)
    assert snapshot(out) == before and [path.name for path in tmp_path.iterdir()] == ["site"]


def fail():
    raise OSError(28, "disk is full")


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "", "c:x", "a\\b"])
def test_a_file_outside_the_site_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="no name of a file in a site"):
        write([(name, b"")], tmp_path / "site")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_site_is_left_alone(tmp_path):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="is no site of peftbench; name another folder"):
        write([("index.html", b"")], out)
    (out / "site.json").write_text('{"generator": "another", "files": ["thesis.tex"]}')
    with pytest.raises(UserError, match="is no site of peftbench"):
        write([("index.html", b"")], out)
    assert (out / "thesis.tex").read_text() == "years of work"


def test_a_site_with_a_foreign_file_in_it_is_left_alone(tmp_path):
    out = tmp_path / "site"
    write([("index.html", b"old")], out)
    (out / "CNAME").write_text("example.org")
    with pytest.raises(UserError, match="also holds CNAME"):
        write([("index.html", b"new")], out)
    assert (out / "index.html").read_bytes() == b"old"


def test_an_empty_folder_and_a_link_to_a_site_are_taken(tmp_path):
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    write([("index.html", b"1")], tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (real / "index.html").read_bytes() == b"1"


# ---- the command ----


def call(*words):
    return CliRunner().invoke(app, ["report", *map(str, words)])


def test_the_command_writes_the_site_and_says_where(tmp_path):
    store, _ = stored(tmp_path / "results", sweep())
    broken = store.folder / "runs/ab/abababababababab.json"
    broken.parent.mkdir(exist_ok=True)
    broken.write_text("{")
    answer = call("--results", store.folder, "--out", tmp_path / "site")
    assert answer.exit_code == 0, answer.output
    assert "site/index.html" in answer.output and "abababababababab.json" in answer.output
    assert "abababababababab.json: not a readable record" in Page(tmp_path / "site/runs/index.html").said()


@pytest.mark.parametrize("make", [False, True])
def test_the_command_without_records_is_one_sentence(tmp_path, make):
    if make:
        (tmp_path / "results").mkdir()
    answer = call("--results", tmp_path / "results", "--out", tmp_path / "site")
    assert answer.exit_code == 2 and "holds no records" in answer.output and not (tmp_path / "site").exists()


def test_the_command_does_not_overwrite_what_it_did_not_write(tmp_path):
    store, _ = stored(tmp_path / "results", sweep()[:1])
    answer = call("--results", store.folder, "--out", store.folder)
    assert answer.exit_code == 2 and "is no site of peftbench" in answer.output


# ---- numbers and curves ----


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("train_peak_resident_bytes", 2_174_000_000, "2.17 GB"),
        ("accounted_weights_bytes", 59_090_568, "59.1 MB"),
        ("adapter_file_bytes", 512, "512 B"),
        ("step_seconds_mean", 0.1158, "116 ms"),
        ("train_seconds", 29.51, "29.5 s"),
        ("train_tokens_per_second", 1571.6, "1,572 /s"),
        ("train_flops_per_second", 72.2e9, "72.2 GFLOP/s"),
        ("counted_step_flops", 6.77e9, "6.77 GFLOP"),
        ("train_gpu_energy_joules", 1500, "1.50 kJ"),
        ("timed_steps", 2470, "2,470"),
        ("train_seconds", None, "–"),
        ("train_seconds", float("inf"), "–"),
    ],
)
def test_a_cost_is_written_in_the_unit_of_its_name(name, value, text):
    assert quantity(name, value) == text


def test_values_are_written_as_a_reader_expects():
    found = [plain(value) for value in ("a", 2.0, 1e-05, None, True, ["query", "value"], [], {"b": 1, "a": [1]})]
    assert found == ["a", "2", "1e-05", "null", "true", "query, value", "[]", '{"a": [1], "b": 1}']


def test_ticks_are_round_and_within():
    assert ticks(0.0, 10.0, 5) == [0, 2, 4, 6, 8, 10]
    assert ticks(0.61, 0.72, 4) == pytest.approx([0.65, 0.70])
    assert ticks(3.0, 3.0, 4) == [3.0]


def test_a_long_curve_is_drawn_as_means_of_its_parts():
    points, size = binned([(float(x), float(x % 2)) for x in range(100)], most=50)
    assert size == 2 and len(points) == 50 and {y for _, y in points} == {0.5} and points[0][0] == 0.5


def test_a_curve_keeps_to_its_frame_and_leaves_out_what_is_no_number():
    drawn = chart([("a", [(1, 1.0), (2, float("nan")), (3, 5.0)]), ("b", [])], "step", "loss", 200, 100)
    assert [one.label for one in drawn.series] == ["a"] and len(drawn.series[0].dots) == 2
    left, top, right, bottom = drawn.frame
    assert all(left <= x <= right and top <= y <= bottom for x, y in drawn.series[0].dots)
    # a higher value is drawn higher up
    assert drawn.series[0].dots[1][1] < drawn.series[0].dots[0][1]
    assert chart([("a", [])], "step", "loss") is None


def test_drawn_intervals_share_a_scale_and_are_cut_at_its_ends():
    one, two, none = forests([Cell(50.0, 1.0, 3), Cell(60.0, 30.0, 2), Cell()])
    assert none is None and one.at < two.at and one.low < one.at < one.high
    assert two.low == min(one.low, two.low) and two.high <= 84
    flat, single = forests([Cell(50.0, 0.0, 3), Cell(51.0, None, 1)])
    assert flat.low is None and single.low is None


def test_a_method_looks_the_same_in_every_plot_and_its_rows_differ(tmp_path):
    records = [
        done(spec(m, "rte-mini", model=model), 0.5) for m in ("lora", "dora", "bitfit") for model in ("one", "two")
    ]
    records += [done(spec("lora", "rte-mini", model="one", config={"r": 64}), 0.5)]
    found = [json.loads(text)["rows"] for text in pages(made(tmp_path, records)[0])["index.html"].scripts]
    one, two = ({row["label"]: (row["colour"], row["marker"]) for row in rows} for rows in found)
    assert all(one[name] == two[name] for name in ("lora", "dora", "bitfit"))
    assert len(set(two.values())) == 3
    fills = {row["label"]: row["fill"] for row in found[0]}
    assert one["lora"] == one["lora r=64"] and fills["lora"] != fills["lora r=64"]


def test_a_cost_that_no_row_has_on_all_tasks_is_still_there_by_task(tmp_path):
    records = [done(spec("lora", "rte-mini"), 0.5), done(spec("dora", "rte-mini"), 0.6), done(spec("dora", "con"), 0.6)]
    records += [RunRecord(spec("dora", "wnli-mini"), "failed", reason="out of memory")]
    (data,) = map(json.loads, pages(made(tmp_path, records)[0])["index.html"].scripts)
    lora, dora = (next(row for row in data["rows"] if row["label"] == name) for name in ("lora", "dora"))
    assert "train_seconds" in [cost["name"] for cost in data["costs"]]
    assert "" not in dora["costs"]["train_seconds"] and dora["costs"]["train_seconds"]["rte-mini"][0] == 2.0
    assert "" not in lora["costs"]["train_seconds"]
