"""`compare`: matched seeds, what each interval counts, costs on one machine only, and a verdict that claims no more."""

import csv
import io
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from scipy import stats as scipy_stats
from typer.testing import CliRunner

import tasks
from harness.cli import app
from harness.record import RunRecord, RunSpec, UserError
from harness.report import compared
from harness.report.compare import compare_folders, compare_methods
from harness.report.defaults import declared_recipe
from harness.report.stats.paired import holm, mcnemar_runs
from harness.report.stats.summary import mean_of
from harness.report.stats.variance import difference
from harness.score import Scored, write_items
from harness.store import Store

TASKS = ("rte-mini", "sst2-mini", "wnli-mini")


def spec(method="lora", task="rte-mini", seed=0, **change):
    one = tasks.get(task)
    values = {
        "method": method,
        "config": {},
        "task": task,
        "task_version": one.version,
        "protocol": one.protocol,
        "data": {"kind": "embedded", "id": task, "revision": None, "sha256": "ab"},
        "model": "minilm-l6",
        "model_source": {"kind": "package", "id": "x", "sha256": "0123456789"},
        "recipe": dict(declared_recipe(task, "mini", method)),
        "seed": seed,
        "suite": one.suite,
        "preset": "mini",
    }
    return RunSpec(**values | change)


def run(one, score, machine="CPU A", **costs):
    return RunRecord(
        one,
        "done",
        metric="accuracy",
        scores={"accuracy": score},
        parameters={"trainable": 1000 if one.method == "lora" else 250},
        costs={"train_peak_resident_bytes": 800_000_000, "train_tokens_per_second": 500.0} | costs,
        provenance={"hardware": {"cpu": machine, "threads": 2, "device": "cpu"}},
    )


class World:
    """Runs with their items in memory."""

    def __init__(self):
        self.records, self.items = [], {}

    def add(self, one, correct, **more):
        record = run(one, float(np.mean(correct)), **more)
        self.records.append(record)
        self.items[record.key] = ("correct", np.asarray(correct, float))
        return record

    def outcomes(self, record):
        return self.items.get(record.key)

    def compare(self, a="lora", b="dora"):
        return compare_methods(self.records, a, b, self.outcomes)

    def only(self, a="lora", b="dora"):
        (found,) = self.compare(a, b)
        return found


def sweep(gap, seeds=4, names=TASKS, items=200, seed=0, noise=0.02):
    """lora is right with a probability `gap` higher; each method has its own luck with each seed."""
    world, generator = World(), np.random.default_rng(seed)
    for task in names:
        hard = generator.uniform(-0.2, 0.2, items)
        for at in range(seeds):
            for method, more in (("lora", gap), ("dora", 0.0)):
                chance = 0.6 + more + hard + generator.normal(0, noise)
                world.add(spec(method, task, at), generator.random(items) < chance)
    return world


def table(world, method, task):
    found = sorted(
        (r for r in world.records if (r.spec.method, r.spec.task) == (method, task)), key=lambda r: r.spec.seed
    )
    return np.stack([world.items[r.key][1] for r in found])


# Differences and what they rest on


def test_a_real_difference_is_stated_with_its_size_interval_and_tasks():
    found = sweep(0.2).only()
    assert found.verdict.startswith("lora is better than dora by ") and "95% interval +" in found.verdict
    assert "on average over 3 tasks" in found.verdict and "lora is better on " in found.verdict
    assert found.mean.interval().low > 0 and found.verdict.endswith(".") and "\n" not in found.verdict


def test_the_numbers_are_those_of_the_statistics_on_the_matched_items():
    world = sweep(0.1)
    found = world.only()
    pairs = {task: (table(world, "lora", task), table(world, "dora", task)) for task in TASKS}
    for one in found.tasks:
        a, b = pairs[one.task]
        wanted = difference(a, b)
        assert (one.a, one.b, one.difference) == pytest.approx((100 * a.mean(), 100 * b.mean(), 100 * wanted.value))
        assert (one.interval.low, one.p) == pytest.approx((100 * wanted.interval().low, wanted.p))
        assert one.p_items == pytest.approx(mcnemar_runs(a, b))
        assert (one.seeds, one.items, one.basis) == (4, 200, "seeds and items")
    assert [one.p_holm for one in found.tasks] == pytest.approx(holm([one.p for one in found.tasks]))
    wanted = mean_of([difference(*pairs[task]) for task in TASKS])
    assert (found.mean.value, found.mean.p) == pytest.approx((100 * wanted.value, wanted.p))


def test_equal_methods_cannot_be_told_apart():
    found = sweep(0.0).only()
    assert found.verdict.startswith("lora and dora cannot be told apart: ")
    assert "no single task differs" in found.verdict


def test_the_verdict_finds_a_difference_where_there_is_none_about_as_often_as_it_says():
    """Of 150 sweeps without a difference at most 5% + 3 standard deviations say that one is better."""
    claims = sum("is better than" in sweep(0.0, 3, TASKS[:2], 60, seed, 0.05).only().verdict for seed in range(150))
    assert claims <= 0.104 * 150


def test_the_other_way_round_all_signs_turn():
    world = sweep(0.1)
    there, back = world.only(), world.only("dora", "lora")
    assert [t.difference for t in back.tasks] == pytest.approx([-t.difference for t in there.tasks])
    assert back.mean.interval().low == pytest.approx(-there.mean.interval().high)
    assert [t.p_items for t in back.tasks] == pytest.approx([t.p_items for t in there.tasks])
    assert back.verdict == there.verdict


def test_the_order_of_the_records_does_not_matter():
    world = sweep(0.1)
    there = world.only()
    world.records.reverse()
    assert world.only() == there


def test_only_seeds_that_both_have_are_compared():
    world = sweep(0.1, names=TASKS[:1])
    world.add(spec("lora", seed=8), np.ones(200))
    world.records.append(RunRecord(spec("dora", seed=9), "failed", reason="out of memory"))
    found = world.only()
    assert found.tasks[0].seeds == 4 and found.tasks[0].a < 90
    assert "Left out, rte-mini: seed 8 only in lora." in found.notes


def test_a_seed_whose_score_is_undefined_on_one_side_is_left_out():
    world = sweep(0.1, names=TASKS[:1])
    undefined = next(r for r in world.records if r.spec.method == "dora" and r.spec.seed == 2)
    undefined.scores["accuracy"] = None
    found = world.only()
    assert found.tasks[0].seeds == 3 and "Left out, rte-mini: seed 2 only in lora." in found.notes


def test_a_task_of_one_side_only_is_named_and_left_out():
    world = sweep(0.1, names=TASKS[:2])
    world.add(spec("lora", "wnli-mini"), np.ones(200))
    found = world.only()
    assert [t.task for t in found.tasks] == list(TASKS[:2])
    assert any("wnli-mini" in note and "only in lora" in note for note in found.notes)


def test_one_seed_claims_nothing_of_the_methods():
    world = World()
    right = np.r_[np.ones(40), np.zeros(60)]
    world.add(spec("lora"), right)
    world.add(spec("dora"), np.r_[np.ones(20), np.zeros(80)])
    found = world.only()
    (one,) = found.tasks
    assert one.p_items == pytest.approx(scipy_stats.binomtest(20, 20).pvalue)
    assert one.p_holm is None and found.mean is None and one.basis == "items"
    assert found.verdict.startswith("With one seed each no claim about the methods can be made")
    assert "lora ahead on rte-mini" in found.verdict and "is better" not in found.verdict
    assert any("One seed says nothing of other seeds" in note for note in found.notes)


def test_one_seed_without_items_shows_no_interval_at_all():
    world = World()
    world.records = [run(spec("lora"), 0.9), run(spec("dora"), 0.5)]
    found = world.only()
    assert found.tasks[0].interval is None and found.tasks[0].p is None
    assert found.verdict == "With one seed each no claim about the methods can be made."


def test_without_items_the_interval_is_the_paired_t_over_seeds():
    world, a, b = World(), [0.8, 0.82, 0.79, 0.85], [0.7, 0.75, 0.72, 0.71]
    world.records = [run(spec(m, seed=s), v) for m, scores in (("lora", a), ("dora", b)) for s, v in enumerate(scores)]
    (one,) = world.only().tasks
    assert one.basis == "seeds" and one.items is None and one.p_items is None
    assert one.p == pytest.approx(scipy_stats.ttest_rel(a, b).pvalue)
    assert any("without the error of the test set: rte-mini" in note for note in world.only().notes)


def test_a_score_that_is_no_share_of_right_items_has_its_interval_from_seeds_and_still_the_items_test():
    world = sweep(0.1, names=TASKS[:1])
    world.records = [replace(r, scores={"accuracy": r.score * 0.9}) for r in world.records]
    (one,) = world.only().tasks
    assert one.basis == "seeds" and one.items == 200
    assert one.p_items == pytest.approx(mcnemar_runs(table(world, "lora", TASKS[0]), table(world, "dora", TASKS[0])))


def test_values_are_not_tested_as_if_they_were_right_or_wrong():
    world = sweep(0.1, names=TASKS[:1])
    world.items = {key: ("error", values) for key, (_, values) in world.items.items()}
    (one,) = world.only().tasks
    assert one.basis == "seeds" and one.p_items is None and one.items is None


@pytest.mark.parametrize("break_one", ["missing", "shorter", "not a number"])
def test_items_that_do_not_fit_are_not_used(break_one):
    world = sweep(0.1, names=TASKS[:1])
    key = world.records[3].key
    values = world.items.pop(key)[1]
    if break_one == "shorter":
        world.items[key] = ("correct", values[:-1])
    elif break_one == "not a number":
        world.items[key] = ("correct", np.r_[np.nan, values[1:]])
    assert world.only().tasks[0].basis == "seeds"


def test_seeds_that_agree_exactly_give_no_interval_and_no_claim():
    world = World()
    world.records = [run(spec(m, seed=s), v) for m, v in (("lora", 0.75), ("dora", 0.5)) for s in range(3)]
    found = world.only()
    assert found.tasks[0].interval is None and "No spread to measure, hence no interval: rte-mini." in found.notes
    assert "no claim about the methods" in found.verdict


def test_too_few_seeds_and_tasks_are_said():
    notes = " ".join(sweep(0.1).only().notes)
    assert "4 seeds are too few" in notes and "No test across tasks: 3 tasks are too few" in notes
    many = sweep(0.1, seeds=6, names=tasks.suite("glue-mini").tasks[:6], items=40).only()
    assert "too few" not in " ".join(many.notes)
    assert many.p_tasks == pytest.approx(
        scipy_stats.wilcoxon([t.difference for t in many.tasks], method="exact").pvalue
    )


def test_one_seed_on_many_tasks_is_no_test_across_tasks_either():
    one_seed = sweep(0.2, seeds=1, names=tasks.suite("glue-mini").tasks[:6], items=40)
    assert one_seed.only().p_tasks is None and "Wilcoxon over" not in text(one_seed.only(), 100)


def test_a_difference_that_rounds_to_nothing_has_no_sign():
    world = World()
    for method, scores in (("lora", (0.5, 0.6)), ("dora", (0.5103, 0.5903))):
        world.records += [run(spec(method, seed=s), score) for s, score in enumerate(scores)]
    one = world.only()
    assert one.tasks[0].difference < 0 and " -0.0 " not in text(one, 100)
    assert "they score the same" in one.verdict


# What may be compared


def test_settings_are_compared_apart():
    world = sweep(0.1, names=TASKS[:1])
    for record in list(world.records):
        recipe = dict(record.spec.recipe) | {"precision": "bf16"}
        world.add(replace(record.spec, recipe=recipe), 1 - world.items[record.key][1])
    found = world.compare()
    assert len(found) == 2 and len({one.title for one in found}) == 2
    assert sorted(one.tasks[0].difference > 0 for one in found) == [False, True]


def test_other_data_is_never_matched():
    world = World()
    world.records = [
        run(spec("lora"), 0.5),
        run(spec("dora", data={"kind": "embedded", "id": "rte-mini", "sha256": "cd"}), 0.6),
    ]
    with pytest.raises(UserError, match="share no finished run"):
        world.compare()


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ("vera", "dora", '"vera" is no row of these results; choose from "dora"'),
        ("lora", "lora", "are the same row"),
    ],
)
def test_a_name_that_is_no_row_is_answered_with_those_that_are(a, b, words):
    with pytest.raises(UserError, match=words):
        sweep(0.1, names=TASKS[:1]).compare(a, b)


def test_of_several_variants_one_has_to_be_named():
    world, default = World(), {"r": 8}
    for at in range(2):
        world.records += [run(spec("dora", config={"r": r}, seed=at), 0.5 + r / 100 + at / 10) for r in (16, 32)]
        world.records.append(run(spec("lora", config=default, seed=at), 0.5 + at / 9))
    with pytest.raises(UserError, match='"dora" names several rows; choose from "dora r=16", "dora r=32"'):
        world.compare()
    found = world.only("lora", "dora r=32")
    assert (found.a, found.b) == ("lora", "dora r=32") and found.tasks[0].b == pytest.approx(87)


def test_two_folders_are_compared_row_by_row_even_where_the_runs_have_the_same_keys():
    before, after = sweep(0.1, seed=1), sweep(0.1, seed=2)
    assert {r.key for r in before.records} == {r.key for r in after.records}
    found = compare_folders(("old", before.records, before.outcomes), ("new", after.records, after.outcomes))
    assert [(one.a, one.b) for one in found] == [("old: lora", "new: lora"), ("old: dora", "new: dora")]
    wanted = difference(table(before, "lora", TASKS[0]), table(after, "lora", TASKS[0]))
    assert found[0].tasks[0].difference == pytest.approx(100 * wanted.value)


def test_two_folders_of_one_row_each_compare_these():
    both = sweep(0.2)
    sides = [[r for r in both.records if r.spec.method == m] for m in ("lora", "dora")]
    (found,) = compare_folders(("x", sides[0], both.outcomes), ("y", sides[1], both.outcomes))
    assert found.verdict.startswith("x: lora is better than y: dora by")


# Costs


def costs(found):
    return {ratio.title: ratio for ratio in found.costs}


def test_costs_of_one_machine_are_ratios():
    world = World()
    for at, (speed, peak) in enumerate([(400.0, 10**9), (600.0, 3 * 10**9)]):
        fast = {"train_tokens_per_second": speed, "train_peak_resident_bytes": peak}
        world.records += [run(spec("lora", seed=at), 0.5, **fast), run(spec("dora", seed=at), 0.6)]
    found = costs(world.only())
    assert found["Trainable"].ratio == 4 and found["Tokens/s"].ratio == 1
    assert found["Peak RSS GB"].a == 2e9 and found["Peak RSS GB"].ratio == 2.5


def test_memory_and_speed_of_different_machines_are_not_compared():
    world = World()
    world.records = [run(spec("lora"), 0.5), run(spec("dora"), 0.6, machine="CPU B")]
    found = costs(world.only())
    assert found["Trainable"].ratio == 4
    for name in ("Peak RSS GB", "Tokens/s"):
        assert found[name].ratio is None and found[name].a is None
        assert found[name].reason == "different hardware (CPU A, 2 threads against CPU B, 2 threads)"


def test_memory_of_different_counters_and_costs_that_a_run_lacks_are_not_compared():
    world = World()
    allocated = {"train_peak_resident_bytes": None, "train_peak_allocated_bytes": 10**9}
    world.records = [run(spec("lora"), 0.5, **allocated), run(spec("dora"), 0.6, train_tokens_per_second=None)]
    found = costs(world.only())
    assert found["Peak memory"].reason == "different counters of memory"
    assert found["Tokens/s"].reason == "not recorded by all runs"


# As text, markdown, CSV, and from the command line


def text(one, width):
    out = io.StringIO()
    compared.print_text(one, Console(file=out, width=width, highlight=False, color_system=None))
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_text_stays_within_the_terminal_and_holds_the_verdict(width):
    one = sweep(0.1).only()
    lines = text(one, width).splitlines()
    assert max(map(len, lines)) <= width
    assert " ".join(one.verdict.split()) in " ".join(" ".join(lines).split())


def test_markdown_is_two_tables_of_even_rows_and_hostile_names_stay_text():
    one = replace(sweep(0.1).only(), a="<b>|*lora*")
    lines = compared.render_markdown(one).splitlines()
    rows = [line.replace(r"\|", "") for line in lines if line.startswith("|")]
    assert {row.count("|") for row in rows} == {12, 5} and "<b>" not in "".join(lines)


def test_csv_has_full_precision_and_one_header():
    found = sweep(0.1).only()
    rows = list(csv.DictReader(io.StringIO(compared.render_csv([found, found]))))
    assert len(rows) == 2 * (3 + 1 + 3 + 1)
    by_kind = {row["kind"]: row for row in rows}
    assert float(by_kind["mean"]["difference"]) == found.mean.value
    assert float(by_kind["mean"]["low"]) == found.mean.interval().low
    assert by_kind["verdict"]["reason"] == found.verdict
    assert [float(row["p_holm"]) for row in rows if row["kind"] == "task"] == [t.p_holm for t in found.tasks] * 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    store, world = Store(tmp_path_factory.mktemp("results")), sweep(0.15, names=TASKS[:2])
    for record in world.records:
        correct = [bool(value) for value in world.items[record.key][1]]
        store.put(record)
        write_items(store.items_path(record.key), Scored({}, [int(c) for c in correct], correct))
    return store.folder, world


def call(*words):
    return CliRunner().invoke(app, ["compare", *map(str, words)])


def test_the_command_reads_records_and_items(folder):
    path, world = folder
    result = call("lora", "dora", "--results", path, "--format", "csv")
    assert result.exit_code == 0, result.output
    rows = [row for row in csv.DictReader(io.StringIO(result.stdout)) if row["kind"] == "task"]
    wanted = {t.task: t.p_items for t in world.only().tasks}
    assert {row["name"]: float(row["p_items"]) for row in rows} == pytest.approx(wanted)
    assert {row["counted"] for row in rows} == {"seeds and items"}


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_the_command_prints_the_verdict(folder, form):
    path, world = folder
    result = call("lora", "dora", "--results", path, "--format", form)
    assert result.exit_code == 0 and "lora is better than dora" in " ".join(result.stdout.split())


def test_the_command_compares_a_folder_with_itself_without_finding_a_difference(folder):
    path, _ = folder
    result = call(path, path)
    assert result.exit_code == 0 and "is better" not in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("lora", "nothing"), '"nothing" is no row'),
        (("lora", "FOLDER"), "two rows of one --results folder, or two folders"),
        (("lora", "dora", "--results", "nowhere"), "no results folder"),
    ],
)
def test_the_command_answers_mistakes_with_a_sentence(folder, words, said):
    path, _ = folder
    given = [path if word == "FOLDER" else word for word in words]
    result = call(*given, *(() if "--results" in words else ("--results", path)))
    assert result.exit_code == 2 and said in " ".join(result.stderr.split())


def test_a_damaged_file_of_items_is_named_and_the_seeds_still_count(folder, tmp_path):
    import shutil

    path, world = folder
    copy = shutil.copytree(path, tmp_path / "copy")
    Store(copy).items_path(world.records[0].key).write_bytes(b"no parquet")
    result = call("lora", "dora", "--results", copy, "--format", "csv")
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(result.stdout)) if row["kind"] == "task"}
    assert [rows[task]["counted"] for task in TASKS[:2]] == ["seeds", "seeds and items"]
    assert world.records[0].key in result.stderr and "not a readable file of items" in result.stderr


def test_the_command_line_starts_without_scipy_and_numpy():
    code = "import sys, harness.cli; assert not {'scipy', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
