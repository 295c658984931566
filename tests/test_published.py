"""Printed numbers: files that are whole, averages that are those of their tasks, rows beside a table that rank nowhere."""

import csv
import io
import re
import tomllib
from pathlib import Path
from statistics import fmean

import pytest
import test_report as made
from typer.testing import CliRunner

import tasks
from harness.cli import app
from harness.record import UserError
from harness.report import leaderboard, published
from harness.report.cells import Column
from harness.report.published import COLUMNS, Printed
from harness.store import Store

NUMBERS = published.load()
PAPER = "RoBERTa-base"


def printed(task="rte", method="lora", value="86.6", name="LoRA", **change):
    values = dict.fromkeys(COLUMNS, "") | {
        "suite": "glue", "task": task, "model": PAPER, "method": method, "printed_method": name, "value": value,
        "unit": "x100", "metric": "accuracy", "protocol": "best epoch", "source": "Hu et al. 2021, Table 2",
        "url": "https://arxiv.org/abs/2106.09685", "parameters": "0.3M",
    }  # fmt: skip
    return Printed(**values | change)


def glue(*parts, methods=("lora", "dora")):
    """A measured table of some GLUE tasks."""
    return made.only(
        [
            made.done(made.spec(method, task, preset="quick"), 0.5 + 0.1 * at)
            for at, method in enumerate(methods)
            for task in parts or ("rte",)
        ]
    )


def write(folder, *rows):
    with (folder / "one.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerows([COLUMNS, *([getattr(row, name) for name in COLUMNS] for row in rows)])
    return folder


# The shipped files


def by_row():
    rows = {}
    for one in NUMBERS:
        rows.setdefault(one.row, {})[one.task] = one
    return rows


@pytest.mark.parametrize("suite", ["glue", "commonsense", "vtab", "gsm8k"])
def test_every_suite_has_published_numbers_of_lora(suite):
    assert any(one.suite == suite and one.method == "lora" for one in NUMBERS)


def test_a_printed_average_is_that_of_its_own_row():
    """To 0.11: tasks are rounded, and some papers cut their averages instead of rounding them."""
    checked = 0
    for row in by_row().values():
        for task, one in row.items():
            names = _averaged(one.suite, task)
            if not names or not set(names) <= set(row):
                continue
            parts = [float(row[name].value) for name in names]
            checked += 1
            assert abs(fmean(parts) - float(one.value)) < 0.11, (one, fmean(parts))
    assert checked > 100


def _averaged(suite, task):
    if task.startswith("mean:"):
        return task.removeprefix("mean:").split("+")
    return published._expanded(tasks.suite(suite).average) if task == "average" else []


def test_a_printed_group_mean_is_that_of_its_own_row():
    groups = tasks.suite("vtab").groups
    found = [row for row in by_row().values() if "group_mean" in row]
    for row in found:
        own = fmean(fmean(float(row[name].value) for name in names) for names in groups.values())
        assert abs(own - float(row["group_mean"].value)) < 0.11, (own, row)
    assert found


def test_sources_that_disagree_both_stay():
    rte = {
        one.source: one.value for one in NUMBERS if one.task == "rte" and one.method == "lora" and one.model == PAPER
    }
    assert {"86.6", "78.4", "76.2"} <= set(rte.values())


def test_each_source_of_a_table_has_its_number_or_says_where_else_it_stands():
    for one in NUMBERS:
        assert re.search(r"Table \d+|README|abstract", one.source), one.source


# What is refused


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"value": "ninety"}, "value"),
        ({"value": "nan"}, "value"),
        ({"value": "101"}, "value"),
        ({"spread": "1.0"}, "spread_kind"),
        ({"spread": "-1", "spread_kind": "not named"}, "spread"),
        ({"seeds": "five"}, "seeds"),
        ({"suite": "nosuch"}, "suite"),
        ({"task": "nosuch"}, "nosuch"),
        ({"task": "boolq"}, "boolq"),
        ({"task": "mean:rte+nosuch"}, "nosuch"),
        ({"method": "nosuch"}, "method"),
        ({"url": "ftp://x"}, "url"),
        ({"unit": "percent"}, "unit"),
        ({"source": ""}, "source"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, change, word):
    with pytest.raises(UserError, match=f"one.csv, line 3.*{word}"):
        published.load(
            write(tmp_path, printed(), printed(**{"task": "cola", "metric": "matthews_correlation"} | change))
        )


def test_a_number_that_stands_twice_is_refused(tmp_path):
    with pytest.raises(UserError, match="line 3.*line 2"):
        published.load(write(tmp_path, printed(), printed(value="78.4")))


def test_other_columns_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(UserError, match="no published numbers"):
        published.load(tmp_path)
    (tmp_path / "one.csv").write_text("suite,task\nglue,rte\n", encoding="utf-8")
    with pytest.raises(UserError, match="columns"):
        published.load(tmp_path)


def test_a_short_line_is_refused(tmp_path):
    (tmp_path / "one.csv").write_text(",".join(COLUMNS) + "\nglue,rte\n", encoding="utf-8")
    with pytest.raises(UserError, match="line 2"):
        published.load(tmp_path)


# Beside measured rows


def test_published_rows_change_no_measured_row_no_rank_and_no_mean():
    plain = glue("rte", "cola")
    table = published.beside(plain, [printed(value="99.9"), printed("cola", value="99.9")])
    assert (table.rows, table.columns) == (plain.rows, plain.columns)
    assert [row.label for row in table.published] == [
        "LoRA 0.3M, RoBERTa-base (published: Hu et al. 2021, Table 2) [1]"
    ]
    for render in (leaderboard.render_markdown, lambda t: leaderboard.render_text(t, 200)):
        without = [line for line in render(table).splitlines() if "ublished" not in line and "Hu et al" not in line]
        assert set(re.findall(r"\*\*\d.*?\*\*", "\n".join(without))) == set(re.findall(r"\*\*\d.*?\*\*", render(plain)))
    assert "**99.9**" not in leaderboard.render_markdown(table)


def test_they_show_as_printed_with_model_source_and_protocol():
    table = published.beside(glue(), [printed(value="63.40", spread="1.2", spread_kind="not named", seeds="5")])
    for text in (leaderboard.render_text(table, 200), leaderboard.render_markdown(table)):
        assert "63.40±1.2" in text
        for word in ("RoBERTa-base", "Hu et al. 2021, Table 2", "best epoch", "https://arxiv.org/abs/2106.09685"):
            assert word in text


def test_csv_marks_them_and_keeps_measured_rows_as_they_are():
    plain = glue()
    rows = list(csv.DictReader(io.StringIO(leaderboard.render_csv(published.beside(plain, [printed()])))))
    before = list(csv.DictReader(io.StringIO(leaderboard.render_csv(plain))))
    assert [row["published_source"] for row in rows] == ["", "", "Hu et al. 2021, Table 2"]
    assert [{k: row[k] for k in before[0]} for row in rows[:2]] == before
    assert (rows[2]["rte"], rows[2]["rte_n"], rows[2]["rte_sd"]) == ("86.6", "", "")
    assert (rows[2]["published_model"], rows[2]["published_parameters"]) == (PAPER, "0.3M")


@pytest.mark.parametrize(("kind", "sd"), [("standard deviation", "1.5"), ("confidence interval", "")])
def test_only_what_the_source_calls_a_standard_deviation_is_one(kind, sd):
    table = published.beside(glue(), [printed(spread="1.5", spread_kind=kind, seeds="3")])
    row = list(csv.DictReader(io.StringIO(leaderboard.render_csv(table))))[-1]
    assert (row["rte_sd"], row["rte_n"]) == (sd, "3")


def test_only_measured_methods_unless_all_are_asked_for_and_the_rest_is_counted():
    numbers = [printed(), printed(method="vera", name="VeRA"), printed(method="", name="LoReFT")]
    few, every = published.beside(glue(), numbers), published.beside(glue(), numbers, every_method=True)
    assert [row.method for row in few.published] == ["lora"]
    assert any(note.startswith("2 published rows") for note in few.notes)
    assert [row.method for row in every.published] == ["lora", "vera", ""]
    assert not any("--all-published" in note for note in every.notes)


def test_other_suites_and_tasks_that_the_table_lacks_are_left_out():
    numbers = [printed("cola"), printed("boolq", suite="commonsense")]
    assert published.beside(glue("rte"), numbers) == glue("rte")


def test_an_average_stands_only_where_it_is_over_the_same_tasks():
    average, of_two = printed("average", value="87.2"), printed("mean:cola+rte", value="75.0")
    two = published.beside(glue("rte", "cola"), [printed(), average, of_two])
    eight = published.beside(glue(*tasks.suite("glue").average), [printed(), average, of_two])
    assert _mean(two) == ("mean_of_2", "75.0")
    assert _mean(eight) == ("average", "87.2")


def _mean(table):
    (column,) = [one for one in table.columns if one.kind == "mean"]
    return column.name, table.published[0].texts[table.columns.index(column)]


def test_a_joint_task_has_its_members_columns():
    scores = {"accuracy": 0.7} | {f"accuracy_{name}": 0.7 for name in tasks.get("commonsense").members}
    record = made.done(made.spec("lora", "commonsense", preset="quick"), 0.7)
    record.scores = scores
    table = published.beside(made.only([record]), NUMBERS)
    hu = [row for row in table.published if row.source.startswith("Hu et al. 2023") and row.model == "LLaMA-7B"]
    (lora,) = [row for row in hu if row.method == "lora"]
    assert lora.texts[[one.name for one in table.columns].index("boolq")] == "68.9"


def test_costs_stay_empty_in_published_rows():
    table = published.beside(glue(), [printed()])
    at = table.columns.index(Column("trainable", "Trainable", "count"))
    assert table.published[0].texts[at] == ""


def test_the_wheel_carries_the_files_to_where_they_are_looked_for():
    root = Path(published.__file__).parents[2]
    wheel = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    (target,) = [to for source, to in wheel["force-include"].items() if (root / source) == published.CHECKOUT]
    assert root / target == published.INSTALLED


def test_rows_of_one_source_under_two_protocols_say_which_is_which():
    table = published.beside(glue(), [printed(), printed(value="85.2", protocol="length 128")])
    assert len({row.label for row in table.published}) == 2
    for row in table.published:
        mark = row.label.rpartition(" ")[2]
        (note,) = [text for text in table.notes if text.startswith(mark)]
        assert row.protocol in note and row.url in note


@pytest.mark.parametrize("form", ["text", "markdown", "csv"])
def test_the_command_shows_them_only_when_asked(tmp_path, form):
    Store(tmp_path).put(made.done(made.spec("lora", "rte", preset="quick"), 0.5))

    def shown(*words):
        done = CliRunner().invoke(app, ["leaderboard", "--results", str(tmp_path), "--format", form, *words])
        assert done.exit_code == 0, done.output
        return len(re.findall(r"\(published:", " ".join(done.output.split())))

    plain, some, every = shown(), shown("--with-published"), shown("--all-published")
    assert 0 == plain < some < every
