"""Leaderboards as they are asked for: columns, filters, groups, combined scores, gaps, HTML, Parquet, LaTeX that compiles."""

import csv
import io
import itertools
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from test_report import HOSTILE, done, only, seeded_scores, spec, sweep, values
from typer.testing import CliRunner

import tasks
from harness.cli import app
from harness.record import RunRecord, UserError
from harness.report import flat, htmltable, leaderboard, missing
from harness.report.apart import apart
from harness.report.combined import pscp
from harness.report.latex import render_latex
from harness.report.select import select
from harness.report.stats.front import hypervolume, non_dominated
from harness.store import Store


def asked(records, *columns, **more):
    (table,) = leaderboard.tables(records, columns=columns, **more)
    return table


def names(table):
    return [column.name for column in table.columns]


# Columns


def test_columns_come_in_the_order_asked_and_rank_as_before():
    records = sweep()
    table = asked(records, "trainable", "average", "rte-mini", "group", "tokens_per_second")
    assert names(table) == ["trainable", "average", "rte-mini", "group", "train_tokens_per_second"]
    assert [row.label for row in table.rows] == [row.label for row in only(records).rows] == ["dora", "lora"]
    assert [row.label for row in asked(records, "trainable").rows] == ["dora", "lora"]
    assert values(table, "lora")["average"] == values(only(records), "lora")["average"]


def test_accuracy_is_every_score_and_a_word_twice_is_one_column():
    table = asked(sweep(), "accuracy", "score", "average")
    assert names(table) == [*(f"{name}-mini" for name in GLUE_ORDER), "average"]


def test_what_was_not_measured_shows_as_missing_and_never_as_0():
    table = asked([done(spec(), 0.5, train_gpu_energy_joules=None)], "energy", "added")
    (column, _) = table.columns
    assert column.name == "train_gpu_energy_joules" and column.title == "GPU energy kJ"
    assert values(table, "lora")["train_gpu_energy_joules"].value is None
    shown = leaderboard.render_text(table, 80)
    (line,) = [line for line in shown.splitlines() if line.startswith("lora")]
    assert line.split() == ["lora", "·", "·"] and "not measured" in shown
    (row,) = csv.DictReader(io.StringIO(leaderboard.render_csv(table)))
    assert row["train_gpu_energy_joules"] == ""


def test_energy_of_both_counters_is_two_columns_summed_over_tasks_in_their_unit():
    records = [
        done(spec(task=task, seed=seed), 0.5, train_gpu_energy_joules=joules, train_cpu_energy_joules=2.0)
        for task, joules in (("rte-mini", 1000.0), ("cola-mini", 3000.0))
        for seed in (0, 1)
    ]
    table = asked(records, "energy")
    assert [c.title for c in table.columns] == ["GPU energy kJ", "CPU energy J"]
    cells = values(table, "lora")
    assert cells["train_gpu_energy_joules"].value == 4000 and cells["train_cpu_energy_joules"].value == 4
    assert re.search(r"lora\s+4\.00\s+4\.00\b", leaderboard.render_text(table, 80)), "4 kJ and 4 J"


@pytest.mark.parametrize(
    ("field", "value", "title", "shown"),
    [
        ("adapter_file_bytes", 301_234, "Adapter kB", "301"),
        ("step_seconds_median", 0.0123, "Step ms", "12.3"),
        ("counted_step_flops", 6_774_546_432, "Step GFLOPs", "6.77"),
        ("data_wait_seconds_mean", 2.5, "Data wait s", "2.50"),
        ("train_samples_per_second", 138.1, "Rows/s", "138"),
        ("a_new_counter", 5.0, "A new counter", "5.00"),
    ],
)
def test_any_field_of_the_records_is_a_column_with_its_unit_in_the_title(field, value, title, shown):
    table = asked([done(spec(), 0.5, **{field: value})], field)
    (column,) = table.columns
    assert column.title == title and leaderboard.render_text(table, 80).splitlines()[-1] != ""
    assert re.search(rf"lora\s+{re.escape(shown)}$", leaderboard.render_text(table, 100), re.MULTILINE)
    assert values(table, "lora")[field].value == value and field in table.caption or column.kind == "count"


def test_an_unknown_column_is_answered_with_those_that_are():
    with pytest.raises(UserError, match="--columns energi: .*energy.*average.*train_tokens_per_second"):
        asked(sweep(), "energi")
    with pytest.raises(UserError, match="--against average"):
        asked(sweep(), "pareto", against=("average",))


def test_a_column_of_one_suite_is_left_out_of_anothers_table():
    records = [done(spec(), 0.5), done(spec("lora", "rte", preset="quick"), 0.6)]
    tables = leaderboard.tables(records, columns=("rte-mini", "trainable"))
    assert sorted(map(names, tables)) == [["rte-mini", "trainable"], ["trainable"]]


# Filters


def test_filters_narrow_and_fit_together():
    tuned = done(spec("dora", tuning={"trials": 12}), 0.6)
    records = [
        done(spec(), 0.5),
        done(spec(task="cola-mini"), 0.4),
        tuned,
        done(spec("lora", "rte", preset="quick"), 0.6),
    ]
    assert select(records, suite=("glue-mini",), task=("rte-mini",)) == [records[0], tuned]
    assert select(records, preset=("quick",)) == [records[3]] and select(records, method=()) == records
    assert select(records, tuning=("12",)) == select(records, tuning=("tuned",)) == [tuned]
    assert tuned not in select(records, tuning=("none",)) and select(records, model=("minilm-l6",)) == records


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"task": ("rte",)}, "--task rte: .*there are: rte-mini"),
        ({"tuning": ("7",)}, "--tuning 7: .*there are: none"),
        ({"method": ("lora",), "preset": ("quick",)}, "--method lora --preset quick"),
    ],
)
def test_a_filter_that_fits_nothing_says_what_there_is(given, words):
    records = [done(spec(), 0.5)]
    if "preset" in given:
        records.append(done(spec("dora", preset="quick", task="rte"), 0.5))
    with pytest.raises(UserError, match=words):
        select(records, **given)


# Groups


def noisy(**means):
    """Ten seeds, each method with noise of its own: sd about 1 point, the same whenever it is called."""
    generator = np.random.default_rng(1)
    return seeded_scores(**{name: mean + 0.01 * generator.standard_normal(10) for name, mean in means.items()})


def letters(table):
    return {row.label: values(table, row.label)["group"].text for row in table.rows}


def test_rows_share_a_letter_exactly_if_they_are_not_told_apart():
    found = letters(only(noisy(lora=0.800, dora=0.799, bitfit=0.60, vera=0.601, ia3=0.40)))
    assert found["lora"] == found["dora"] == "a" and found["bitfit"] == found["vera"] == "b" and found["ia3"] == "c"


def test_a_row_between_two_has_the_letters_of_both():
    """Differences of 0.6 points are within, of 1.2 beyond the noise: t of 1.8, 1.3 and 3.6 with 9 degrees of freedom."""
    turns, pairs = [0.01, -0.01] * 5, [0.01, 0.01, -0.01, -0.01] * 2 + [0.01, -0.01]
    records = seeded_scores(
        lora=[0.812] * 10, dora=[0.806 + noise for noise in turns], vera=[0.800 + noise for noise in pairs]
    )
    found = letters(only(records))
    assert (found["lora"], found["dora"], found["vera"]) == ("a", "ab", "b")


def test_letters_stand_in_every_form():
    table = only(noisy(lora=0.8, bitfit=0.6))
    for text in (leaderboard.render_text(table, 100), leaderboard.render_markdown(table)):
        (line,) = [line for line in text.splitlines() if re.match(r"(\| )?bitfit", line)]
        assert re.search(r"\bb\b", line) and "Group" in text
    assert " & b & " in render_latex(table) and "<td>b</td>" in htmltable.render_fragment(table)
    assert [row["group"] for row in csv.DictReader(io.StringIO(leaderboard.render_csv(table)))] == ["a", "b"]


def test_too_few_seeds_are_said_and_one_seed_has_no_letters():
    table = only(seeded_scores(lora=(0.80, 0.82, 0.81), dora=(0.79, 0.83, 0.80)))
    assert any("3 seeds are too few" in note for note in table.notes)
    assert not any("too few" in note for note in only(noisy(lora=0.8, dora=0.79)).notes)
    alone = only(seeded_scores(lora=(0.8,), dora=(0.1,)))
    assert "group" not in names(alone) and any(note.startswith("One seed") for note in alone.notes)
    assert any(note.startswith("One seed") for note in asked(seeded_scores(lora=(0.8,), dora=(0.1,)), "group").notes)


def test_a_row_without_seeds_in_common_has_no_letter_and_is_named():
    records = [*noisy(lora=0.8, bitfit=0.6), done(spec("ia3", seed=99), 0.9)]
    table = only(records)
    assert letters(table) == {"ia3": "", "lora": "a", "bitfit": "b"}
    assert any(note.startswith("No letter") and "ia3" in note for note in table.notes)


def test_more_overlapping_groups_than_anyone_reads_leave_the_best_one():
    generator = np.random.default_rng(0)
    rows = {f"m{i}": dict(enumerate(generator.normal(5 * generator.normal(), 1, 5))) for i in range(40)}
    found = apart(rows)
    best = max(rows, key=lambda label: sum(rows[label].values()))
    assert set(found.letters.values()) == {"a", ""} and found.letters[best] == "a"
    note = " ".join(found.notes)
    assert "more than 26" in note and "No letter" not in note
    for label, letter in found.letters.items():
        assert (letter == "a") == (label == best or re.search(rf"\b{label}\b", found.notes[0]) is not None)


# The papers' layout


GLUE_ORDER = ("mnli", "sst2", "mrpc", "cola", "qnli", "qqp", "rte", "stsb", "wnli")


@pytest.mark.parametrize(("suite", "ending", "preset"), [("glue", "", "quick"), ("glue-mini", "-mini", "mini")])
def test_glue_stands_in_the_order_of_the_papers_tables(suite, ending, preset):
    records = [done(spec("lora", name, preset=preset), 0.5) for name in tasks.suite(suite).tasks]
    table = only(records)
    assert [c.name for c in table.columns if c.kind == "task"] == [name + ending for name in GLUE_ORDER]


def test_vtab_has_its_groups_means_and_both_averages_labelled():
    suite = tasks.suite("vtab")
    score = {"natural": 0.8, "specialized": 0.6, "structured": 0.1}
    records = [done(spec("lora", name, preset="quick"), score[tasks.get(name).group]) for name in suite.tasks]
    table = only(records)
    assert [c.name for c in table.columns if c.kind == "task"] == list(suite.tasks)
    cells = values(table, "lora")
    for group, own in score.items():
        assert cells[f"group/{group}"].value == pytest.approx(100 * own)
    assert cells["average"].value == pytest.approx(100 * (7 * 0.8 + 4 * 0.6 + 8 * 0.1) / 19)
    assert cells["group_mean"].value == pytest.approx(50)
    assert [c.title for c in table.columns if c.kind == "mean"] == ["Average", "Group mean"]
    assert "flat mean of 19" in table.caption and "natural 7, specialized 4, structured 8" in table.caption
    assert table.summary.name == "average"


# Combined scores


def test_the_front_and_the_volume_by_hand():
    """Costs (parameters), scores: a 100, 50; b 200, 40, beaten by a; c 300, 60. Reference: score 10, 500 parameters."""
    given = {"lora": (100, 0.5), "dora": (200, 0.4), "vera": (300, 0.6)}
    records = [done(spec(m), score, trainable=count) for m, (count, score) in given.items()]
    table = asked(records, "pareto", "trainable", reference=(10.0, 500.0))
    assert {row.label: values(table, row.label)["pareto"].text for row in table.rows} == {
        "lora": "yes", "dora": "no", "vera": "yes",
    }  # fmt: skip
    # (500 - 100) x (50 - 10) + (500 - 300) x (60 - 50), of 500 x 90.
    share = (400 * 40 + 200 * 10) / (500 * 90)
    (note,) = [note for note in table.notes if note.startswith("Hypervolume")]
    assert f"{share:.4f}" in note and "score 10" in note and "trainable 500" in note


def test_the_volume_can_be_asked_for_without_the_column():
    table = asked([done(spec(), 0.5)], "hypervolume", "score")
    assert names(table) == ["rte-mini"] and any(note.startswith("Hypervolume") for note in table.notes)
    assert not any(note.startswith("Pareto") for note in table.notes)


def test_speed_is_better_when_higher():
    given = {"lora": (10.0, 0.5), "dora": (20.0, 0.4), "vera": (5.0, 0.45)}
    records = [done(spec(m), score, train_tokens_per_second=speed) for m, (speed, score) in given.items()]
    table = asked(records, "pareto", against=("tokens_per_second",))
    found = {row.label: values(table, row.label)["pareto"].text for row in table.rows}
    assert found == {"lora": "yes", "dora": "yes", "vera": "no"}


def test_a_row_without_the_cost_is_neither_on_the_front_nor_off_it():
    records = [done(spec("lora"), 0.5, train_seconds=3.0), done(spec("dora"), 0.6)]
    table = asked(records, "pareto", against=("train_time",))
    assert {row.label: values(table, row.label)["pareto"].text for row in table.rows} == {"lora": "yes", "dora": ""}
    with pytest.raises(UserError, match="--reference needs 2 numbers"):
        asked(records, "pareto", against=("train_time",), reference=(1.0,))


def by_inclusion(points, reference):
    """The union of boxes by inclusion and exclusion."""
    total = 0.0
    for size in range(1, len(points) + 1):
        for chosen in itertools.combinations(points, size):
            sides = np.clip(np.asarray(reference) - np.max(chosen, axis=0), 0, None)
            total += (-1) ** (size + 1) * float(np.prod(sides))
    return total


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_the_volume_is_that_of_the_union_of_boxes(dims, seed):
    points = np.random.default_rng(seed).integers(0, 6, size=(7, dims)) / 4
    reference = [1.1] * dims
    assert hypervolume(points, reference) == pytest.approx(by_inclusion(points, reference))
    assert hypervolume(points[non_dominated(points)], reference) == pytest.approx(hypervolume(points, reference))


def test_other_dimensions_of_a_volume_are_refused_and_ties_are_both_on_the_front():
    with pytest.raises(ValueError, match="two or three"):
        hypervolume([[1.0]], [2.0])
    assert list(non_dominated([[1, 1], [1, 1], [1, 2], [0, 3]])) == [True, True, False, True]


@pytest.mark.parametrize(
    ("score", "parameters", "gigabytes", "printed"),
    [(80.1, 14_680_064, 27.75, 60.08), (77.8, 266_240, 27.43, 60.19), (45.9, 34_177_536, 27.61, 33.18)],
)
def test_pscp_is_what_peft_bench_prints(score, parameters, gigabytes, printed):
    """Table 3 of the paper: LoRA, LNTuning, prefix tuning, whose forward pass costs nothing more."""
    assert pscp(score, parameters, 0.0, gigabytes) == pytest.approx(printed, abs=0.03)


def test_pscp_counts_prompt_tokens_as_peft_bench_does():
    """Prompt tuning, table 3: 100 tokens through 8.03e9 weights are 1.606 TFLOPs; the penalty is printed as 0.86."""
    assert pscp(1.0, 0, 2 * 8.03e9 * 100 / 1e12, 0) == pytest.approx(0.86, abs=0.005)
    assert pscp(50.0, 409_600, 0.0, 42.47) == pytest.approx(50 * 0.69, abs=0.3)


def counted(method, forward, seed=0, **costs):
    """A step of 100 tokens in 4 rows."""
    flops = {
        "forward_flops_per_padded_token": forward, "counted_step_flops": 300.0 * forward, "step_flops_per_padded_token": 3 * forward,
    }  # fmt: skip
    one = spec(method, seed=seed, recipe={"batch_size": 4})
    return done(one, 0.5, trainable=int(5e8), train_peak_resident_bytes=94_000_000_000, **flops | costs)


def test_pscp_takes_the_base_models_forward_pass_from_full_finetuning():
    """Mp = 5e8 and Mm = 94 halve the score twice; Mf: (1.4e12 - 1e12) x 100 / 4 rows = 10 TFLOPs halve it again."""
    table = asked([counted("full-ft", 1.0e12), counted("lora", 1.4e12)], "pscp")
    assert values(table, "lora")["pscp"].value == pytest.approx(50 / 8)
    assert values(table, "full-ft")["pscp"].value == pytest.approx(50 / 4)
    note = " ".join(table.notes)
    for word in ("5e+08", "/ 10)", "/ 94)", "b = 1", "2511.21285", "VmHWM"):
        assert word in note


def test_pscp_is_null_where_a_part_was_not_measured_and_says_which():
    alone = asked([counted("lora", 1e12)], "pscp")
    assert values(alone, "lora")["pscp"].value is None and any("no Mf" in note for note in alone.notes)
    assert any("full-ft or last-layer" in note for note in alone.notes)
    bare = replace(counted("lora", 1e12), costs={"forward_flops_per_padded_token": 1e12})
    table = asked([counted("full-ft", 1e12), bare], "pscp")
    assert values(table, "lora")["pscp"].value is None and any("lora: no Mf, Mm" in note for note in table.notes)
    other = asked([counted("full-ft", 1e12, seed=1), counted("lora", 1e12)], "pscp")
    assert values(other, "lora")["pscp"].value is None, "another seed's rows are other rows"


# What is missing


def test_every_gap_is_listed_with_its_cause():
    records = sweep(("lora", "dora"), seeds=(0, 1))
    gone = {("dora", "cola-mini", 1): "not run", ("dora", "rte-mini", 0): "failed", ("lora", "sst2-mini", 1): "skipped"}
    kept = []
    for record in records:
        cause = gone.get((record.spec.method, record.spec.task, record.spec.seed))
        if cause in {"failed", "skipped"}:
            record.status, record.scores, record.reason = cause, {}, f"why it {cause}"
        if cause != "not run":
            kept.append(record)
    kept[-1].scores = {kept[-1].metric: None}
    found = missing.gaps(kept)
    listed = {(gap.variant, gap.task, gap.seed): gap.cause for gap in found}
    last = kept[-1].spec
    assert listed == gone | {(last.method, last.task, last.seed): "score undefined"}
    assert {gap.reason for gap in found} == {"", "why it failed", "why it skipped"}
    assert {gap.key for gap in found if gap.cause != "not run"} <= {record.key for record in kept}
    assert missing.gaps(sweep()) == []


@pytest.mark.parametrize("width", [60, 80, 120])
def test_gaps_fit_the_terminal_and_name_their_reason(width):
    failed = [RunRecord(spec("dora", seed=s), "failed", metric="accuracy", reason="[/red] a|b") for s in (0, 1)]
    found = missing.gaps([done(spec(seed=0), 0.5), done(spec(seed=1), 0.5), *failed])
    out = io.StringIO()
    from rich.console import Console

    missing.print_text(found, Console(file=out, width=width, highlight=False, color_system=None))
    assert "0 1" in out.getvalue() and "[/red] a|b" in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= width
    (line,) = [line for line in missing.render_markdown(found).splitlines() if "dora" in line]
    assert len(re.split(r"(?<!\\)\|", line)) == 7


# HTML, Parquet, CSV files


class Page(HTMLParser):
    """What a browser would make of a page: elements, text, what is fetched."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.rows, self.sources = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.sources += [value for name, value in attributes if name in {"src", "href"}]
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"} and self.rows:
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1] and "section" in self.tags:
            self.rows[-1][-1] += data.strip()


def test_html_is_one_page_escaped_that_fetches_nothing():
    records = [done(spec(method=HOSTILE), 0.5), done(spec("dora"), 0.6)]
    records.append(RunRecord(spec("vera"), "failed", metric="accuracy", reason="<script>alert(1)</script>"))
    table = only(records)
    text = htmltable.render_page([table])
    page = Page(text)
    assert page.sources == [] and "script" not in page.tags and "b" not in page.tags
    assert text.startswith("<!doctype html>") and page.tags.count("table") == 1
    rows = [row for row in page.rows if row]
    assert [row[0] for row in rows[:4]] == ["Method", "dora", HOSTILE, "vera"]
    assert {len(row) for row in rows[:3]} == {1 + len(table.columns)}
    assert "alert(1)" in " ".join(html_text(text)) and "url(" not in text and "@import" not in text


def html_text(text):
    class Text(HTMLParser):
        found: list[str] = []

        def handle_data(self, data):
            self.found.append(data)

    Text().feed(text)
    return Text.found


def test_parquet_and_csv_hold_every_table_in_full_precision(tmp_path):
    records = [*sweep(), done(spec("lora", "rte", preset="quick"), 1 / 3)]
    tables = leaderboard.tables(records)
    for path in (tmp_path / "new" / "board.parquet", tmp_path / "board.csv"):
        flat.write(tables, path)
    frame, again = pd.read_parquet(tmp_path / "new" / "board.parquet"), pd.read_csv(tmp_path / "board.csv")
    assert len(frame) == len(again) == 3 and list(frame.columns) == list(again.columns)
    (third,) = frame["rte"].dropna()
    assert third == pytest.approx(100 / 3, rel=1e-15) and frame["rte"].isna().sum() == 2
    assert frame["average"].dtype == "float64" and str(frame["average_n"].dtype) == "Int64"
    assert set(frame["variant"]) == {"lora", "dora"}


# LaTeX


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine to compile with")
def test_latex_compiles_as_it_is(tmp_path):
    hostile = [done(spec(method=HOSTILE + " ~^%$#_{}& β é", seed=s), 0.5 + 0.1 * s) for s in (0, 1)]
    table = asked(
        [*hostile, *seeded_scores(lora=(0.80, 0.82))], "score", "group", "energy", "trainable", "pareto", "pscp"
    )
    body = render_latex(table)
    text = rf"\documentclass{{article}}\usepackage{{booktabs,graphicx}}\begin{{document}}{body}\end{{document}}"
    (tmp_path / "board.tex").write_text(text, encoding="utf-8")
    done_ = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "board.tex"], cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done_.returncode == 0, done_.stdout[-2000:]
    assert (tmp_path / "board.pdf").stat().st_size > 1000 and "Undefined control sequence" not in done_.stdout


# The command


@pytest.fixture
def folder(tmp_path):
    store = Store(tmp_path / "results")
    for record in seeded_scores(lora=(0.80, 0.82), dora=(0.70, 0.73)):
        store.put(record)
    return tmp_path / "results"


def call(folder, *words):
    return CliRunner().invoke(app, ["leaderboard", "--results", *map(str, (folder, *words))])


def test_the_command_chooses_columns_rows_and_form(folder, tmp_path):
    shown = call(folder, "--columns", "score,trainable", "--method", "lora", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(shown.stdout))
    assert (row["method"], float(row["rte-mini"]), float(row["trainable"])) == ("lora", pytest.approx(81), 1000)
    assert call(folder, "--format", "html", "--out", tmp_path / "b.html").exit_code == 0
    assert "<table>" in (tmp_path / "b.html").read_text(encoding="utf-8")
    assert call(folder, "--format", "parquet", "--out", tmp_path / "b.parquet").exit_code == 0
    assert set(pd.read_parquet(tmp_path / "b.parquet")["method"]) == {"lora", "dora"}
    assert "Nothing is missing" in call(folder, "--missing").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "parquet"), "--out"),
        (("--format", "parquet", "--out", "x.csv"), ".parquet"),
        (("--columns", "nothing"), "there is no such column"),
        (("--columns", "pareto", "--reference", "a,b"), "numbers with commas"),
        (("--suite", "glue"), "glue-mini"),
        (("--missing", "--format", "latex"), "text, markdown and csv"),
    ],
)
def test_the_command_answers_mistakes_with_a_sentence(folder, words, said):
    found = call(folder, *words)
    assert found.exit_code == 2 and said in found.output and "Traceback" not in found.output
