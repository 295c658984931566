"""Views: hand-computed means, settings that never mix, narrow terminals, hostile names."""

import csv
import io
import re
import subprocess
import sys
from dataclasses import asdict, replace

import pandas as pd
import pytest
import tiny
from rich.cells import cell_len
from rich.console import Console

import tasks
from harness.record import RunRecord, RunSpec
from harness.report import latex, leaderboard, render, tidy
from harness.report.cells import Cell, PublishedRow
from harness.report.latex import render_latex
from harness.report.render import short_number
from methods import entries

GLUE_MINI = tasks.suite("glue-mini")


def spec(method="lora", task="rte-mini", seed=0, preset="mini", recipe=None, **change):
    """A run as the plan makes it: the recipe that the preset declares, the method's own rate."""
    one = tasks.get(task)
    declared = one.recipes[preset]
    found = {k: v for k, v in asdict(declared).items() if k not in declared.BY_METHOD}
    own = entries()[method].learning_rate if method in entries() else 1e-3
    found["learning_rate"] = declared.learning_rates.get(method, own)
    values = {
        "method": method,
        "config": {},
        "task": task,
        "task_version": one.version,
        "protocol": one.protocol,
        "data": {"kind": "embedded", "id": task, "revision": None, "sha256": "ab"},
        "model": "minilm-l6",
        "model_source": {"kind": "package", "id": "x", "sha256": "0123456789"},
        "recipe": found | (recipe or {}),
        "seed": seed,
        "suite": one.suite,
        "preset": preset,
    }
    return RunSpec(**values | change)


def done(one, score, trainable=1000, machine="CPU A", **costs):
    metric = tasks.get(one.task).metric if one.task in tasks.names() else "accuracy"
    return RunRecord(
        one,
        "done",
        metric=metric,
        scores={metric: score},
        parameters={"trainable": trainable, "trainable_formula": trainable, "head": 50, "total": 9999},
        costs={"train_peak_resident_bytes": 500_000_000, "train_tokens_per_second": 1000.0} | costs,
        provenance={"hardware": {"cpu": machine, "threads": 2, "device": "cpu"}},
    )


def sweep(methods=("lora", "dora"), seeds=(0, 1), **change):
    """A full table; the score says which cell it is."""
    return [
        done(spec(m, t, s, **change), 0.5 + 0.1 * a + 0.01 * b + 0.002 * s, trainable=1000 * (a + 1))
        for a, m in enumerate(methods)
        for b, t in enumerate(GLUE_MINI.tasks)
        for s in seeds
    ]


def only(records):
    (table,) = leaderboard.tables(records)
    return table


def values(table, label):
    (row,) = [row for row in table.rows if row.label == label]
    return {column.name: cell for column, cell in zip(table.columns, row.cells, strict=True)}


# What may share a table


@pytest.mark.parametrize(
    "other",
    [
        spec("dora", "rte", preset="quick"),
        spec("dora", model="roberta-base"),
        spec("dora", model_source={"kind": "package", "id": "x", "sha256": "99"}),
        spec("dora", data={"kind": "local", "id": "rte-mini", "revision": None, "sha256": "ab"}),
        spec("dora", data={"kind": "embedded", "id": "rte-mini", "revision": None, "sha256": "cd"}),
        spec("dora", task_version="99"),
        spec("dora", protocol="other"),
        spec("dora", recipe={"select": "best"}),
        spec("dora", recipe={"precision": "bf16"}),
        spec("dora", recipe={"max_train": 100}),
        spec("dora", recipe={"max_eval": 100}),
        spec("dora", recipe={"epochs": 9.0}),
        spec("dora", recipe={"batch_size": 8}),
        spec("dora", recipe={"max_steps": 3}),
    ],
    ids=lambda s: f"{s.suite} {s.model} {s.recipe['select']}",
)
def test_runs_of_different_settings_never_share_a_table(other):
    tables = leaderboard.tables([done(spec("lora"), 0.5), done(other, 0.6)])
    assert [[row.label for row in table.rows] for table in tables] in ([["lora"], ["dora"]], [["dora"], ["lora"]])
    assert len({table.title for table in tables}) == 2, "the titles do not say how they differ"
    assert len({table.setting.slug for table in tables}) == 2


@pytest.mark.parametrize(
    "other",
    [spec("dora"), spec("lora", seed=1), spec("lora", config={"r": 16}), spec("lora", recipe={"learning_rate": 0.5})],
)
def test_methods_configs_rates_and_seeds_share_one(other):
    only([done(spec("lora"), 0.5), done(other, 0.6)])


def test_the_title_says_what_is_equal():
    title = only([done(spec(recipe={"epochs": 9.0}), 0.5)]).title
    for word in (
        "glue-mini",
        "mini preset",
        "minilm-l6",
        "package",
        "01234567",
        "embedded",
        "last",
        "1 seed",
        "fp32",
        "epochs=9",
    ):
        assert word in title


def test_variants_of_a_method_are_rows_and_the_label_is_what_differs_from_the_default():
    default = {"r": 8, "targets": ["query", "value"]}
    table = only(
        [
            done(spec(config=default), 0.5),
            done(spec(config=default | {"r": 16}), 0.6),
            done(spec(config=default, recipe={"learning_rate": 1e-5}), 0.7),
        ]
    )
    assert {row.label for row in table.rows} == {"lora", "lora r=16", "lora lr=1e-5"}
    assert [row.label for row in only([done(spec(config=default | {"r": 16}), 0.6)]).rows] == ["lora r=16"]


def test_a_rate_given_by_hand_that_is_one_tasks_default_belongs_to_its_row():
    """The paper preset's rate for CoLA is 4e-4 and for SST-2 5e-4: `--lr 4e-4` on both is one variant."""
    cola, sst2 = (
        spec("lora", "cola", preset="paper"),
        spec("lora", "sst2", preset="paper", recipe={"learning_rate": 4e-4}),
    )
    assert cola.recipe["learning_rate"] == 4e-4
    given = [done(cola, 0.5), done(sst2, 0.9)]
    assert [row.label for row in only(given).rows] == ["lora lr=0.0004"]
    rows = {row.label for row in only([*given, done(spec("lora", "sst2", preset="paper"), 0.8)]).rows}
    assert rows == {"lora", "lora lr=0.0004"}


def test_epochs_given_by_hand_that_are_one_tasks_default_belong_to_their_table():
    cola = spec("lora", "cola", preset="paper")
    sst2 = spec("lora", "sst2", preset="paper", recipe={"epochs": cola.recipe["epochs"]})
    table = only([done(cola, 0.5), done(sst2, 0.9)])
    assert {c.name for c in table.columns} >= {"cola", "sst2"} and "epochs=80" in table.title


def test_a_task_in_two_editions_splits_the_table_and_the_others_stand_in_both():
    old, new = spec(task="rte-mini"), replace(spec(task="rte-mini"), task_version="99")
    same = done(spec(task="cola-mini"), 0.3)
    tables = leaderboard.tables([done(old, 0.5), done(new, 0.7), same])
    found = sorted((values(t, "lora")["rte-mini"].value, values(t, "lora")["cola-mini"].value) for t in tables)
    assert found == [(pytest.approx(50), pytest.approx(30)), (pytest.approx(70), pytest.approx(30))]


# What the cells say


def test_mean_and_sd_over_seeds_by_hand():
    cell = values(only([done(spec(seed=s), v) for s, v in ((0, 0.50), (1, 0.56), (2, 0.62))]), "lora")["rte-mini"]
    assert cell.value == pytest.approx(56) and cell.sd == pytest.approx(6) and cell.n == 3 and not cell.partial
    alone = values(only([done(spec(), 0.5)]), "lora")["rte-mini"]
    assert alone.sd is None and alone.n == 1


def test_the_average_leaves_wnli_out_and_its_sd_is_that_of_the_seeds_averages():
    scores = {0: 0.5, 1: 0.7}
    records = [
        done(spec(task=t, seed=s), 0.0 if t == "wnli-mini" else scores[s] + (0.08 if t == "cola-mini" else 0.0))
        for t in GLUE_MINI.tasks
        for s in scores
    ]
    average = values(only(records), "lora")["average"]
    # Seven tasks at 50 and CoLA at 58: 51; the other seed 20 more. sd of (51, 71) = 20 / sqrt 2.
    assert average.value == pytest.approx(61) and average.sd == pytest.approx(20 / 2**0.5) and average.n == 2


def test_no_average_where_a_task_is_missing_and_the_row_stands_below():
    records = [r for r in sweep() if (r.spec.method, r.spec.task) != ("dora", "rte-mini")]
    table = only(records)
    assert [row.label for row in table.rows] == ["lora", "dora"], "dora has the better scores but no average"
    assert values(table, "dora")["average"].value is None
    assert "1 not run" in " ".join(table.notes)


def test_a_part_of_a_suite_has_a_mean_under_another_name_and_says_what_lacks():
    table = only([done(spec(task=t), v) for t, v in (("cola-mini", 0.3), ("rte-mini", 0.5), ("wnli-mini", 0.9))])
    cells = values(table, "lora")
    assert "average" not in cells and cells["mean_of_2"].value == pytest.approx(40)
    assert "sst2-mini" in table.notes[0] and "rte-mini" in table.notes[0]


def test_seeds_that_differ_between_tasks_give_an_average_without_sd():
    records = [r for r in sweep(("lora",)) if (r.spec.task, r.spec.seed) != ("rte-mini", 1)]
    cells = values(only(records), "lora")
    assert cells["average"].sd is None and cells["average"].partial and cells["rte-mini"].partial
    assert not cells["cola-mini"].partial


def test_failed_skipped_undefined_and_not_run_are_told_apart():
    records = sweep(("lora", "dora"), seeds=(0,))
    for record in records:
        if record.spec.method == "dora":
            what = {"cola-mini": "failed", "sst2-mini": "skipped"}.get(record.spec.task)
            if what:
                record.status, record.reason, record.scores = what, f"why it {what}", {}
            if record.spec.task == "mrpc-mini":
                record.scores = {record.metric: None}
    records = [r for r in records if (r.spec.method, r.spec.task) != ("dora", "stsb-mini")]
    table = only(records)
    notes = " ".join(table.notes)
    for words in ("1 failed: why it failed", "1 skipped: why it skipped", "1 score undefined", "1 not run"):
        assert words in notes
    assert leaderboard.render_text(table, 120).count("·") >= 5


def test_a_method_that_failed_everywhere_is_still_a_row():
    records = [done(spec("lora"), 0.5), RunRecord(spec("dora"), "failed", metric="accuracy", reason="boom")]
    table = only(records)
    assert [row.label for row in table.rows] == ["lora", "dora"] and "boom" in " ".join(table.notes)
    assert leaderboard.tables([]) == []
    assert "boom" in leaderboard.render_text(only(records[1:]), 80)


def test_costs_are_means_over_seeds_then_the_highest_or_the_mean_over_tasks():
    def one(task, seed, memory, speed):
        return done(spec(task=task, seed=seed), 0.5, train_peak_resident_bytes=memory, train_tokens_per_second=speed)

    table = only(
        [
            one("rte-mini", 0, 100, 10.0),
            one("rte-mini", 1, 300, 30.0),
            one("cola-mini", 0, 150, 60.0),
            one("cola-mini", 1, 150, 60.0),
        ]
    )
    cells = values(table, "lora")
    assert cells["train_peak_resident_bytes"].value == 200 and cells["train_tokens_per_second"].value == 40
    assert cells["trainable"].value == 1000 and cells["head"].value == 50


def test_memory_names_its_counter_and_a_cost_that_nobody_measured_has_no_column():
    cuda = done(spec("lora"), 0.5, train_peak_allocated_bytes=7)
    table = only([cuda, done(spec("dora"), 0.5)])
    assert values(table, "lora")["train_peak_allocated_bytes"].value == 7
    assert values(table, "lora")["train_peak_resident_bytes"].value is None, "a GPU run's memory is the GPU's"
    assert values(table, "dora")["train_peak_resident_bytes"].value == 500_000_000
    assert "max_memory_allocated" in table.caption and "VmHWM" in table.caption
    bare = only([done(spec(), 0.5, train_peak_resident_bytes=None, train_tokens_per_second=None)])
    assert {c.name for c in bare.columns} == {"rte-mini", "trainable", "head"}


def test_speeds_of_different_machines_are_not_averaged_and_are_marked():
    table = only([done(spec(seed=0), 0.5), done(spec(seed=1), 0.5, machine="CPU B"), done(spec("dora"), 0.4)])
    assert values(table, "lora")["train_tokens_per_second"].value is None
    assert values(table, "dora")["train_tokens_per_second"].value == 1000
    assert "different machines" in " ".join(table.notes) and "CPU A" in table.caption and "CPU B" in table.caption


def test_an_unknown_suite_task_and_method_are_shown_too():
    records = [done(tiny.spec(suite="mine", task=t, method=m), 0.5) for t in ("a", "b") for m in ("x", "y")]
    table = only(records)
    assert {row.label for row in table.rows} == {"x", "y"} and "mean_of_2" in {c.name for c in table.columns}


# Text, markdown, CSV


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_text_fits_the_terminal_and_loses_nothing(width, seeds):
    table = only(sweep(("lora", "dora", "adapter-houlsby"), seeds))
    text = leaderboard.render_text(table, width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert "…" not in text
    words = text.split()
    for row in table.rows:
        for column, cell in zip(table.columns, row.cells, strict=True):
            if column.is_score:
                assert any(word.startswith(f"{cell.value:.1f}") for word in words), (width, row.label, column.name)


def test_one_seed_of_glue_mini_is_readable_in_80_columns():
    lines = leaderboard.render_text(only(sweep(seeds=(0,))), 80).splitlines()
    heads = [line for line in lines if line.startswith("Method")]
    assert len(heads) == 2 and all(task.removesuffix("-mini") in " ".join(heads) for task in GLUE_MINI.tasks)


def test_best_is_bold_and_second_underlined_also_when_tied():
    table = only([done(spec(m), v) for m, v in (("lora", 0.7), ("dora", 0.7001), ("vera", 0.6), ("ia3", 0.5))])
    out = io.StringIO()
    leaderboard.print_text(
        table, Console(file=out, width=100, force_terminal=True, color_system="standard", highlight=False)
    )
    assert re.findall(r"\x1b\[1m(70\.0)\x1b", out.getvalue()) == ["70.0", "70.0"]
    assert re.findall(r"\x1b\[4m(\d+\.\d)\x1b", out.getvalue()) == ["60.0"]
    lines = leaderboard.render_markdown(table).splitlines()
    assert sum("**70.0**" in line for line in lines) == 2 and sum("<u>60.0</u>" in line for line in lines) == 1


HOSTILE = "[bold]a|b[/bold] *x* `y` <b> $\\frac$ \\"


def test_names_with_markup_are_shown_as_they_are():
    table = only(
        [
            done(spec(method=HOSTILE), 0.5),
            RunRecord(spec("dora"), "failed", metric="accuracy", reason="[/red] a|b\nnext"),
        ]
    )
    text = leaderboard.render_text(table, 200)
    assert HOSTILE in text and "[/red] a|b next" in text
    (line,) = [line for line in leaderboard.render_markdown(table).splitlines() if "bold" in line]
    cells = re.split(r"(?<!\\)\|", line)
    assert len(cells) == len(table.columns) + 3, "a pipe in a name makes a column"
    assert re.sub(r"\\(.)", r"\1", cells[1].strip()) == HOSTILE
    assert "<b>" not in re.sub(r"\\.", "", line)


def test_csv_holds_full_values():
    table = only([done(spec(seed=s), v) for s, v in ((0, 0.1), (1, 0.3))])
    (row,) = csv.DictReader(io.StringIO(leaderboard.render_csv(table)))
    assert float(row["rte-mini"]) == pytest.approx(20) and row["rte-mini_n"] == "2"
    assert float(row["rte-mini_sd"]) == pytest.approx(20 / 2**0.5)
    assert float(row["train_peak_resident_bytes"]) == 500_000_000 and row["setting"] == table.setting.id


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1k"),
        (294912, "295k"),
        (999_499, "999k"),
        (999_900, "1M"),
        (22_713_216, "22.7M"),
        (7e9, "7B"),
    ],
)
def test_short_numbers(value, text):
    assert short_number(value) == text


# The tidy table


def test_the_long_table_survives_parquet_and_csv(tmp_path):
    records = sweep()
    records[0].scores["f1"] = None
    records[1].scores["f1"] = 0.25
    records.append(RunRecord(spec("vera"), "failed", metric="accuracy", reason="a,b\n[c]"))
    csv_path, parquet_path = tidy.write_table(records, tmp_path / "new")
    frame = pd.read_parquet(parquet_path)
    pd.testing.assert_frame_equal(frame, tidy.long(records))
    assert len(frame) == len(records) + 2
    again = pd.read_csv(csv_path, dtype={"key": "string"})
    assert list(again["key"]) == list(frame["key"]) and list(again["value"].dropna()) == list(frame["value"].dropna())
    mains = frame[frame["is_main"]]
    assert len(mains) == len(records) and set(mains["metric"]) == {tasks.get(t).metric for t in GLUE_MINI.tasks}
    failed = frame[frame["status"] == "failed"].iloc[0]
    assert pd.isna(failed["value"]) and pd.isna(failed["train_tokens_per_second"]) and failed["reason"] == "a,b\n[c]"
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["table.csv", "table.parquet"]


def test_what_was_not_measured_is_null_and_types_do_not_depend_on_the_runs():
    full, empty = tidy.long(sweep()), tidy.long([])
    assert list(full.columns) == list(empty.columns) and list(full.dtypes) == list(empty.dtypes)
    assert full["train_peak_allocated_bytes"].isna().all() and full["train_peak_allocated_bytes"].dtype == "Int64"


def test_a_cost_and_a_recipe_field_of_another_version_are_kept():
    new = done(spec(recipe={"ema": 0.9, "batch_size": "auto"}), 0.5, energy_joules=3.5)
    row = tidy.long([new, done(spec(), 0.5)])
    assert row["energy_joules"][0] == 3.5 and row["recipe_ema"][0] == "0.9" and row["recipe_batch_size"][0] == "auto"


def test_the_wide_table_has_a_row_a_run():
    records = sweep(seeds=(0,))
    frame = tidy.wide(records)
    assert list(frame["key"]) == [r.key for r in records]
    mcc = frame[frame["task"] == "cola-mini"]["score_matthews_correlation"]
    assert list(mcc) == [0.5, pytest.approx(0.6)] and frame["score_pearson"].notna().sum() == 2


def test_views_need_no_torch():
    program = "import sys, harness.store, harness.report.tidy as t; t.long([]); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_time_to_a_score_is_that_of_the_first_evaluation_at_or_above_it():
    def run(method, *points, task="rte-mini"):
        curve = [{"step": 1, "loss": 1.0}] + [
            {"step": at, "eval_accuracy": score, "train_seconds": float(at)} for at, score in points
        ]
        return replace(done(spec(method, task), points[-1][1]), curve=curve)

    records = [
        run("lora", (10, 0.5), (20, 0.8), (30, 0.7)),
        run("dora", (10, 0.7), (20, 0.79)),
        run("bitfit", (15, 0.9)),
        run("bitfit", (40, 0.8), task="sst2-mini"),
    ]
    (table,) = leaderboard.tables(records, target=80.0)
    seconds = {row.label: values(table, row.label)["seconds_to_target"].value for row in table.rows}
    assert seconds == {"lora": 20.0, "dora": None, "bitfit": 40.0}
    assert "80" in table.caption and "seconds_to_target" not in {c.name for c in leaderboard.tables(records)[0].columns}


def test_rows_of_different_budgets_are_marked():
    tuned = spec("dora", tuning={"trials": 12, "sampler": "grid", "knobs": False})
    table = only([done(spec("lora"), 0.5), done(tuned, 0.6)])
    assert {row.label for row in table.rows} == {"lora", "dora tuned x12"}
    assert any("different budgets" in note for note in table.notes) and "tuned xN" in table.caption
    assert not any("budgets" in note for note in only([done(spec("lora"), 0.5), done(spec("dora"), 0.6)]).notes)


def seeded_scores(**by_method):
    return [done(spec(m, "rte-mini", s), v) for m, values in by_method.items() for s, v in enumerate(values)]


def test_rows_that_seeds_cannot_tell_from_the_best_are_named():
    table = only(seeded_scores(lora=(0.80, 0.82, 0.81), dora=(0.79, 0.83, 0.80), bitfit=(0.60, 0.62, 0.61 + 1e-3)))
    (note,) = [note for note in table.notes if "best" in note]
    assert note.startswith("Not told apart from the best, lora, by the noise of 3 seeds") and note.endswith(": dora.")
    clear = only(seeded_scores(lora=(0.80, 0.82, 0.81), bitfit=(0.60, 0.62, 0.61 + 1e-3)))
    assert any(note.startswith("lora is above every other row") for note in clear.notes)


def test_one_seed_is_no_claim_and_one_row_needs_none():
    assert any(note.startswith("One seed") for note in only(seeded_scores(lora=(0.8,), dora=(0.1,))).notes)
    assert not any("seed" in note for note in only(seeded_scores(lora=(0.8,))).notes)


def test_a_difference_without_spread_is_not_called_significant():
    table = only(seeded_scores(lora=(0.8, 0.8), dora=(0.7, 0.7)))
    assert any(note.startswith("Not told apart") for note in table.notes)


def test_latex_has_every_cell_escaped_and_the_best_bold():
    table = only(seeded_scores(lora=(0.80, 0.82), **{"lora-fa": (0.70, 0.73)}, full=(0.1, 0.2)))
    text = render_latex(table)
    body = text[text.index("\\midrule") : text.index("\\bottomrule")].splitlines()[1:]
    cells = [line.removesuffix(r" \\").split(" & ") for line in body if line.endswith(r"\\")]
    assert [len(row) for row in cells] == [1 + len(table.columns)] * 3
    assert text.count(r"\begin{tabular}{l" + "r" * len(table.columns) + "}") == 1
    assert cells[0][1] == r"\textbf{81.0$\pm$1.4}" and cells[1][1].startswith(r"\underline{71.5")
    plain = re.sub(r"\\[{}%]", "", text)
    assert plain.count("{") == plain.count("}")
    comment, *rest = text.splitlines()
    assert comment.startswith("%") and not any(re.search(r"(?<!\\)%(?!$)", line) for line in rest)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a_b & 5 %", r"a\_b \& 5 \%"),
        ("x{1}^2", r"x\{1\}\textasciicircum{}2"),
        ("1±2", r"1$\pm$2"),
        ("a\\b", r"a\textbackslash{}b"),
    ],
)
def test_what_latex_would_read_is_escaped(text, shown):
    assert latex.escape(text) == shown


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_panel_is_as_wide_as_rich_measures_it(width):
    table = only(sweep(("lora", "名前 of two\nlines", "x" * 70)))
    cells = tuple(Cell() for _ in table.columns)
    texts = tuple("1.25 ± 0.5" if at == 1 else "" for at in range(len(table.columns)))
    printed = PublishedRow("a paper's 行 " * 9, "lora", "m", "1", "p", "s", "u", cells, texts)
    console = Console(width=width)
    for one in (table, replace(table, published=(printed,))):
        drawn = render._drawn(one)
        for part in (drawn, drawn[:1], drawn[1:2], drawn[2:], drawn[-2:]):
            grid = render._grid(one, part, width)
            measured = console.measure(grid, options=console.options.update(width=10_000)).maximum
            assert render._whole_width(one, part, width) == measured
