"""Figures: frames say what the records say, the CSV and the picture say what the frame says, names can be read."""

import math
import random
import subprocess
import sys
from dataclasses import replace
from itertools import combinations

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_hex
from test_report import GLUE_MINI, HOSTILE, done, only, spec, sweep, values
from typer.testing import CliRunner

import tasks
from harness.cli import app
from harness.record import RunRecord
from harness.report import style
from harness.report.figures import COSTS, KINDS
from harness.report.figures.costs import log_axis
from harness.report.figures.place import overlaps, places
from harness.report.figures.scene import Ask, NothingToShow, by_seed, scenes
from harness.report.figures.training import BINS, binned
from harness.report.figures.write import make, style_for
from harness.report.published import Printed
from harness.report.style import COLOURS, MARKERS, Style, assign, fold, width_of
from harness.report.venues import VENUES
from harness.store import Store
from methods import entries

TWENTY = (
    "adalora adapter-houlsby bitfit boft dora fourierft full-ft hra ia3 last-layer ln-tuning loha lokr lora oft pissa "
    "prefix-tuning prompt-tuning rslora vera"
).split()
LONG = {"targets": ["query", "key", "value", "attention.output.dense", "intermediate.dense"]}


def rich(one, score, size, noise):
    """A run with everything that a figure can show."""
    metric = tasks.get(one.task).metric
    curve = [{"step": step, "loss": math.exp(-step / 30) + 0.1 * noise.random()} for step in range(1, 61)]
    for step in (20, 40, 60):
        curve[step - 1][f"eval_{metric}"] = score * step / 60
    parts = {"weights": 45e6, "trainable": 4 * size, "gradients": 4 * size, "optimizer": 8 * size}
    parts |= {"activations": 9e6 + size, "temporaries": 1e6}
    costs = {f"accounted_{name}_bytes": int(value) for name, value in parts.items()}
    costs |= {"accounted_peak_bytes": sum(costs.values()), "train_seconds": 30 + size / 1e4}
    costs |= {"train_cpu_energy_joules": 900 + size / 1e3, "train_tokens_per_second": 1800 - size / 1e3}
    record = done(one, score, trainable=size, **costs, train_peak_resident_bytes=int(8e8 + 50 * size))
    return replace(record, curve=curve, data_stats={"eval_rows": 400})


def crowd(methods, suite="glue-mini", seeds=(0, 1, 2), config=None):
    noise = random.Random(7)
    records = []
    for method in methods:
        quality, size = noise.gauss(0, 0.03), int(10 ** noise.uniform(3.5, 5.8))
        for at, task in enumerate(tasks.suite(suite).tasks):
            for seed in seeds:
                score = 0.55 + 0.15 * math.sin(1.7 * at) + quality + noise.gauss(0, 0.01)
                records.append(rich(spec(method, task, seed, config=config or {}), score, size, noise))
    return records


def rates(methods, report="eval", failing=()):
    noise = random.Random(8)
    return [
        RunRecord(one, "failed", metric=tasks.get(task).metric)
        if rate in failing
        else rich(one, 0.8 - 0.05 * (math.log10(rate) + 3) ** 2 + 0.01 * noise.random(), 1000, noise)
        for method in methods
        for task in ("rte-mini", "cola-mini", "sst2-mini")
        for rate in (1e-4, 1e-3, 1e-2, 1e-1)
        for one in [spec(method, task, 1000, recipe={"learning_rate": rate, "report": report})]
    ]


def sizes(**fields):
    noise = random.Random(9)
    return [
        rich(spec(method, "rte-mini", seed, config={field: size, "dropout": 0.0}), 0.5 + size / 500, 3000 * size, noise)
        for method, (field, many) in fields.items()
        for size in many
        for seed in (0, 1, 2)
    ]


def printed(method, task, value, source="A 2024, Table 1", model="RoBERTa-base", name="", suite="glue"):
    return Printed(
        suite=suite, task=task, model=model, method=method, printed_method=name or method.upper(), value=str(value),
        unit="x100", metric="accuracy", spread="", spread_kind="", seeds="", parameters="", protocol="p", source=source,
        url="https://a", note="",
    )  # fmt: skip


def scene_of(records, **more):
    (scene,) = scenes(records, **more)
    return scene


def frame_of(kind, records, ask=None, **more):
    return KINDS[kind].load().frame(scene_of(records, **more), ask or Ask()).frame


def drawn(kind, scene, ask=None, venue="icml", look=None):
    module = KINDS[kind].load()
    shown = module.frame(scene, ask or Ask())
    with matplotlib.rc_context(style.RC):
        return module.draw(shown, look or style_for([scene], venue)), shown


class Spy(RendererAgg):
    """Keeps every line of text that is written: (text, left, bottom, right, top) in pixels."""

    lines: list

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        width, height, descent = self.get_text_width_height_descent(s, prop, ismath)
        base = self.height - y
        box = (x, base - descent, x + width, base - descent + height)
        upright = (x - height + descent, base, x + descent, base + width)
        self.lines.append((s, *(upright if angle else box)))


def written(figure):
    width, height = figure.get_size_inches() * figure.dpi
    spy = Spy(int(width), int(height), figure.dpi)
    spy.lines = []
    with matplotlib.rc_context(style.RC):
        figure.draw(spy)
    return [line for line in spy.lines if line[0].strip()], (width, height)


def legible(figure):
    """Asserts that every line of text lies inside the figure and on no other."""
    lines, (width, height) = written(figure)
    assert len(lines) > 3
    for text, left, bottom, right, top in lines:
        assert left > -0.5 and bottom > -0.5 and right < width + 0.5 and top < height + 0.5, f"{text!r} is cut"
    boxes = [(left + 0.5, bottom + 0.5, right - 0.5, top - 0.5) for _, left, bottom, right, top in lines]
    shared = np.triu(overlaps(boxes, boxes), 1)
    pairs = [(lines[i][0], lines[j][0]) for i, j in zip(*np.nonzero(shared > 1), strict=True)]
    assert not pairs, f"on each other: {pairs[:5]}"


SCENES = {
    "one method": lambda: crowd(["lora"]),
    "twenty": lambda: crowd(TWENTY),
    "long names": lambda: crowd(TWENTY[:9], config=LONG),
    "one run": lambda: crowd(["lora"], seeds=(0,))[:1],
}


@pytest.fixture(scope="module", params=SCENES)
def scene(request):
    return scene_of(SCENES[request.param]())


@pytest.mark.parametrize(
    ("kind", "cost"),
    [
        *(("pareto", cost) for cost in COSTS),
        *((kind, "trainable") for kind in ("bars", "ranks", "differences", "critical-difference", "profiles")),
        *((kind, "trainable") for kind in ("loss", "scores", "memory")),
    ],
)
def test_names_can_be_read(scene, kind, cost):
    try:
        figure, _ = drawn(kind, scene, Ask(cost))
    except NothingToShow:
        assert len(scene.table.rows) == 1, "only a lone method has no ranks, differences or profile"
        return
    legible(figure)


@pytest.mark.parametrize("venue", ["acl", "neurips"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_width_of_its_venue_and_can_be_read_there(kind, venue):
    records = {
        "radar": lambda: crowd(["lora", "ssf"], "vtab-mini", (0,)),
        "rates": lambda: rates(["lora", "dora"], failing=(1e-1,)),
        "sweep": lambda: sizes(lora=("r", (2, 4, 8, 16)), vera=("r", (64, 256))),
        "claims": lambda: [done(spec(m, "rte", preset="quick"), 0.7) for m in ("full-ft", "lora", "bitfit")],
    }.get(kind, lambda: crowd(["lora", "dora", "full-ft"], seeds=(0, 1)))()
    papers = [printed(m, "rte", 80.0, s) for m in ("full-ft", "lora") for s in ("A 2024, Table 1", "B 2023, Table 22")]
    figure, _ = drawn(kind, scene_of(records, printed=papers), venue=venue)
    width = figure.get_size_inches()[0]
    assert any(width == pytest.approx(one) for one in (VENUES[venue].column, VENUES[venue].page))
    legible(figure)


@pytest.mark.parametrize("venue", VENUES)
def test_few_methods_take_a_column_and_many_the_page(venue):
    for methods, width in ((["lora", "dora"], VENUES[venue].column), (TWENTY, VENUES[venue].page)):
        figure, _ = drawn(
            "pareto", scene_of([done(spec(m), 0.5 + at / 100) for at, m in enumerate(methods)]), venue=venue
        )
        assert figure.get_size_inches()[0] == pytest.approx(width)


# Files


@pytest.mark.parametrize(("kind", "cost"), [("pareto", "trainable"), ("pareto", "memory"), ("bars", "")])
def test_a_figure_is_written_in_four_forms_and_the_csv_is_what_it_shows(tmp_path, kind, cost):
    records = sweep()
    found = scenes(records)
    (made,) = make([KINDS[kind]], found, Ask(cost), tmp_path / "figures", style_for(found, "icml"))
    assert sorted(made.paths) == sorted((tmp_path / "figures").iterdir())
    by_suffix = {path.suffix: path for path in made.paths}
    assert set(by_suffix) == {".csv", ".pdf", ".png", ".svg"}
    assert by_suffix[".pdf"].read_bytes().startswith(b"%PDF") and b"/FontFile2" in by_suffix[".pdf"].read_bytes()
    assert by_suffix[".png"].read_bytes().startswith(b"\x89PNG") and "<svg" in by_suffix[".svg"].read_text()
    shown, table = pd.read_csv(by_suffix[".csv"]), only(records)
    assert set(shown["title"]) == {table.title}
    for line in shown.to_dict("records"):
        cell = values(table, line["variant"])[line.get("task", "average")]
        assert line["score"] == pytest.approx(cell.value) and line["score_sd"] == pytest.approx(cell.sd)
    assert len(shown) == (2 if kind == "pareto" else 2 * (len(GLUE_MINI.tasks) + 1))


def test_a_figure_of_the_same_records_is_the_same_file(tmp_path):
    def files(folder):
        found = scenes(crowd(["lora", "dora"], seeds=(0, 1)))
        kinds = [KINDS["profiles"], KINDS["pareto"]]
        made = make(kinds, found, Ask("trainable"), tmp_path / folder, style_for(found, "icml"))
        return [path.read_bytes() for one in made for path in one.paths]

    first = files("a")
    assert len(first) == 8 and first == files("b")


def test_each_setting_has_a_figure_of_its_own(tmp_path):
    found = scenes([done(spec("lora"), 0.5), done(spec("lora", recipe={"select": "best"}), 0.6)])
    made = list(make([KINDS["bars"]], found, Ask(), tmp_path, style_for(found, "icml")))
    assert len({path.stem for one in made for path in one.paths}) == 2


@pytest.mark.parametrize("kind", ["pareto", "bars", "memory"])
def test_odd_records_can_be_drawn(kind):
    """Nothing trainable but the head, a negative score, names with markup and math, eight rows of one method."""
    noise = random.Random(1)
    many = [rich(spec(config={"r": r}), 0.5 + r / 1000, 1000 * r, noise) for r in range(1, 9)]
    for records in (
        [rich(spec("last-layer"), -0.2, 0, noise)],
        [rich(spec("last-layer"), 0.5, 0, noise), rich(spec(method=HOSTILE), 0.5, 10, noise)],
        [*many, RunRecord(spec("dora"), "failed", metric="accuracy")],
    ):
        figure, _ = drawn(kind, scene_of(records))
        legible(figure)


# What frames hold


def test_the_front_by_hand():
    """(parameters, score): a 10, 50; b 20, 40 (worse and dearer); c 30, 60; d 30, 55 (worse at the same price)."""
    given = {"lora": (10, 0.5), "dora": (20, 0.4), "vera": (30, 0.6), "ia3": (30, 0.55)}
    frame = frame_of("pareto", [done(spec(m), v, trainable=n) for m, (n, v) in given.items()]).set_index("variant")
    assert dict(frame["on_front"]) == {"lora": True, "dora": False, "vera": True, "ia3": False}
    fast = {"lora": (10.0, 0.5), "dora": (20.0, 0.4), "vera": (5.0, 0.45)}
    records = [done(spec(m), v, train_tokens_per_second=n) for m, (n, v) in fast.items()]
    frame = frame_of("pareto", records, Ask("speed")).set_index("variant")
    assert dict(frame["on_front"]) == {"lora": True, "dora": True, "vera": False}


def test_costs_are_joined_as_in_the_leaderboard_and_time_and_energy_are_summed_over_tasks():
    def one(task, seed, seconds, memory, speed):
        costs = {"train_seconds": seconds, "train_gpu_energy_joules": 2 * seconds}
        costs |= {"train_peak_resident_bytes": memory, "train_tokens_per_second": speed}
        return done(spec(task=task, seed=seed), 0.5, trainable=7, **costs)

    records = [one("rte-mini", 0, 10.0, 100, 10.0), one("rte-mini", 1, 30.0, 300, 30.0)]
    records += [one("cola-mini", s, 5.0, 150, 60.0) for s in (0, 1)]
    found = {cost: frame_of("pareto", records, Ask(cost)).iloc[0] for cost in COSTS}
    assert found["time"]["train_seconds"] == 25 and found["energy"]["train_gpu_energy_joules"] == 50
    cells = values(only(records), "lora")
    for cost, name in (
        ("trainable", "trainable"),
        ("memory", "train_peak_resident_bytes"),
        ("speed", "train_tokens_per_second"),
    ):
        assert found[cost][name] == cells[name].value


def test_costs_of_two_machines_are_not_joined():
    records = [done(spec(seed=0), 0.5), done(spec(seed=1), 0.5, machine="CPU B"), done(spec("dora"), 0.4)]
    assert list(frame_of("pareto", records, Ask("memory"))["variant"]) == ["dora"]
    assert set(frame_of("pareto", records)["variant"]) == {"lora", "dora"}


def test_intervals_are_students_and_need_three_seeds():
    """sd 6 of 3 seeds: 4.3027 x 6 / sqrt 3 = 14.905."""
    frame = frame_of("bars", [done(spec(seed=s), v) for s, v in enumerate((0.50, 0.56, 0.62))])
    assert frame["low"][0] == pytest.approx(56 - 14.905, abs=1e-3) and frame["high"][0] == pytest.approx(
        70.905, abs=1e-3
    )
    assert frame_of("bars", [done(spec(seed=s), v) for s, v in enumerate((0.5, 0.6))])["low"].isna().all()


def board(**scores):
    """method=(score on rte, on sst2), one seed."""
    pair = ("rte-mini", "sst2-mini")
    return [done(spec(m, t), v) for m, own in scores.items() for t, v in zip(pair, own, strict=True) if v is not None]


def test_ranks_by_hand():
    """rte: lora 1, dora and vera share 2 and 3; sst2: dora 1, lora 2, vera none. Means: lora 1.5, dora 1.75."""
    frame = frame_of("ranks", board(lora=(0.8, 0.6), dora=(0.7, 0.9), vera=(0.7, None)))
    ranks = {(row.variant, row.task): row.rank for row in frame.itertuples()}
    assert ranks == {
        ("lora", "rte-mini"): 1, ("lora", "sst2-mini"): 2, ("lora", "mean rank"): 1.5,
        ("dora", "rte-mini"): 2.5, ("dora", "sst2-mini"): 1, ("dora", "mean rank"): 1.75,
        ("vera", "rte-mini"): 2.5,
    }  # fmt: skip


def test_differences_are_of_matched_seeds_and_p_is_corrected_over_the_cells():
    """lora - full-ft over seeds 0, 1, 2: rte 4, 5, 6 -> t = 5 / (1 / sqrt 3), p = 0.01307; sst2 0, 0, 3 -> p = 0.42265."""
    scores = {
        ("full-ft", "rte-mini"): (50, 50, 50), ("lora", "rte-mini"): (54, 55, 56, 99),
        ("full-ft", "sst2-mini"): (70, 70, 70), ("lora", "sst2-mini"): (70, 70, 73),
    }  # fmt: skip
    records = [done(spec(m, t, s), v / 100) for (m, t), own in scores.items() for s, v in enumerate(own)]
    frame = frame_of("differences", records).set_index("task")
    assert set(frame["variant"]) == {"lora"} and dict(frame["seeds"]) == dict.fromkeys(frame.index, 3)
    assert frame["difference"].to_dict() == pytest.approx({"rte-mini": 5, "sst2-mini": 1, "mean_of_2": 3})
    assert frame["p"]["rte-mini"] == pytest.approx(0.01307, abs=1e-5)
    assert frame["p_holm"]["rte-mini"] == pytest.approx(2 * 0.01307, abs=2e-5)
    assert frame["p_holm"]["sst2-mini"] == pytest.approx(0.42265, abs=1e-5) and math.isnan(frame["p_holm"]["mean_of_2"])


def test_a_mean_by_seed_is_the_leaderboards():
    scene = scene_of(crowd(["lora"], seeds=(0, 1)))
    for column in scene.table.columns:
        if column.is_score:
            found = by_seed(scene, "lora", column)
            assert sum(found.values()) / 2 == pytest.approx(scene.table.cell(scene.table.rows[0], column).value)


def test_the_members_of_a_joint_task_are_columns_of_their_own():
    name = "commonsense-mini-likelihood"
    members = tasks.get(name).members[:2]
    metric = tasks.get(name).metric
    scores = {metric: 0.55, **dict(zip((f"{metric}_{m}" for m in members), (0.4, 0.7), strict=True))}
    scene = scene_of([replace(done(spec(task=name), 0.55), scores=scores)])
    found = {c.name: by_seed(scene, "lora", c) for c in scene.table.columns if c.name in members}
    assert found == {members[0]: {0: pytest.approx(40)}, members[1]: {0: pytest.approx(70)}}


def test_the_critical_difference_diagram_holds_demsars_numbers():
    """Three rows, always in the same order, on 8 tasks: ranks 1, 2, 3; chi-squared 16 of 2 df: p = exp(-8); CD =
    2.343 sqrt(3 x 4 / (6 x 8)) = 1.1715: only neighbours are joined."""
    order = {"lora": 0.9, "dora": 0.8, "vera": 0.7}
    records = [done(spec(m, t), v) for m, v in order.items() for t in GLUE_MINI.average]
    frame = frame_of("critical-difference", records)
    assert len(GLUE_MINI.average) == 8 and list(frame["variant"]) == ["lora", "dora", "vera"]
    assert list(frame["average_rank"]) == [1, 2, 3] and list(frame["cliques"]) == ["1", "1 2", "2"]
    assert frame["friedman_p"][0] == pytest.approx(math.exp(-8)) and frame["critical_difference"][0] == pytest.approx(
        1.1715, abs=1e-3
    )


def test_a_profile_is_the_share_of_runs_above():
    """Runs at 20, 40, 60, 80."""
    records = [
        done(spec(task=t, seed=s), v)
        for t, own in (("rte-mini", (0.2, 0.4)), ("sst2-mini", (0.6, 0.8)))
        for s, v in enumerate(own)
    ]
    frame = frame_of("profiles", records)
    for score, share in ((19, 1.0), (21, 0.75), (50, 0.5), (79, 0.25), (81, 0.0)):
        at = frame.loc[(frame["threshold"] - score).abs().idxmin()]
        assert at["share"] == share
    assert (frame["low"] <= frame["share"]).all() and (frame["share"] <= frame["high"]).all()


def test_a_sweep_joins_rows_that_differ_in_their_size_alone():
    records = sizes(lora=("r", (2, 4, 8)), dora=("r", (8,)))
    records += [replace(r, spec=replace(r.spec, config={"r": 64, "dropout": 0.5})) for r in records[:3]]
    frame = frame_of("sweep", records)
    assert list(frame["size"]) == [2, 4, 8] and set(frame["curve"]) == {"lora (r)"}
    assert list(frame["trainable"]) == [6000, 12000, 24000] and list(frame["score"]) == pytest.approx(
        [50.4, 50.8, 51.6]
    )


def test_a_size_set_with_its_scale_is_one_curve_and_two_settings_are_two():
    noise = random.Random(2)
    records = [
        rich(spec(config={"r": r, "alpha": 2 * r, "dropout": d}), 0.5, 100 * r, noise)
        for r in (2, 4)
        for d in (0.0, 0.1)
    ]
    frame = frame_of("sweep", records)
    assert frame.groupby("curve")["size"].apply(list).to_list() == [[2, 4], [2, 4]]


def test_rates_are_those_of_the_trials_or_of_the_runs_and_a_failure_keeps_its_place():
    runs = [
        done(spec(seed=s, recipe={"learning_rate": r}), v)
        for r, own in ((1e-3, (0.6, 0.8)), (1e-2, (0.5,)))
        for s, v in enumerate(own)
    ]
    found = frame_of("rates", [*runs, RunRecord(spec(recipe={"learning_rate": 0.1}), "failed", metric="accuracy")])
    assert list(found["learning_rate"]) == [1e-3, 1e-2, 0.1] and list(found["seeds"]) == [2, 1, 0]
    assert (
        list(found["score"][:2]) == pytest.approx([70, 50])
        and math.isnan(found["score"][2])
        and found["failed"][2] == 1
    )
    assert set(found["variant"]) == {"lora"}


def test_the_best_trial_has_the_sampling_error_of_its_rows():
    """Accuracy 0.8 on 400 rows: 1.96 sqrt(0.8 x 0.2 / 400) = 3.92 points."""
    trials = [
        replace(done(spec(recipe={"learning_rate": r, "report": "validation"}), v), data_stats={"eval_rows": 400})
        for r, v in ((1e-3, 0.6), (1e-2, 0.8))
    ]
    (scene,) = scenes([], trials)
    frame = KINDS["rates"].load().frame(scene, Ask()).frame
    assert scene.trials and math.isnan(frame["low"][0]) and frame["low"][1] == pytest.approx(80 - 3.92)


def test_losses_are_averaged_over_stretches_and_seeds():
    assert binned({1: 1.0, 2: 3.0}, 2) == {1: 1.0, 2: 3.0}
    many = binned({step: float(step) for step in range(1, 2 * BINS + 1)}, 2 * BINS)
    assert many == {2 * at: 2 * at - 0.5 for at in range(1, BINS + 1)}

    def run(seed, *losses):
        return replace(done(spec(seed=seed), 0.5), curve=[{"step": s, "loss": v} for s, v in enumerate(losses, 1)])

    frame = frame_of("loss", [run(0, 1.0, 0.5), run(1, 2.0, 0.7)])
    assert list(frame["value"]) == pytest.approx([1.5, 0.6])
    assert list(frame["low"]) == [1.0, 0.5] and list(frame["high"]) == [2.0, 0.7] and set(frame["seeds"]) == {2}


def test_scores_on_the_way_are_x100():
    curve = [{"step": 1, "loss": 1.0}, {"step": 2, "eval_accuracy": 0.5}, {"step": 4, "eval_accuracy": 0.75}]
    frame = frame_of("scores", [replace(done(spec(), 0.75), curve=curve)])
    assert list(frame["step"]) == [2, 4] and list(frame["value"]) == [50, 75]


def test_memory_is_that_of_one_task_and_its_parts_add_up():
    def one(method, task, *parts):
        names = ("weights", "trainable", "gradients", "optimizer", "activations", "temporaries")
        costs = {f"accounted_{n}_bytes": v for n, v in zip(names, parts, strict=True)}
        return done(spec(method, task), 0.5, accounted_peak_bytes=sum(parts), **costs)

    records = [one("lora", "rte-mini", 10, 1, 1, 2, 6, 0), one("dora", "rte-mini", 10, 1, 1, 2, 4, 0)]
    records += [one("lora", "sst2-mini", 10, 1, 1, 2, 90, 0)]
    scene = scene_of(records)
    figure, shown = drawn("memory", scene)
    frame = shown.frame
    assert set(frame["task"]) == {"rte-mini"} and list(frame["variant"]) == ["dora", "lora"], "sst2 has lora alone"
    assert list(frame["accounted_peak_bytes"]) == [18, 20]
    bars = [patch for patch in figure.axes[0].patches if patch.get_width()]
    ends = {round(bar.get_y()): bar.get_x() + bar.get_width() for bar in bars}
    assert [1e6 * ends[at] for at in sorted(ends)] == pytest.approx([18, 20])


def test_a_radar_has_the_groups_spokes():
    frame = frame_of("radar", crowd(["lora"], "vtab-mini", (0,)))
    groups = tasks.suite("vtab-mini").groups
    assert {g: tuple(own["task"]) for g, own in frame.groupby("group")} == {
        g: tuple(names) for g, names in groups.items()
    }


def test_a_claim_is_a_printed_gain_beside_the_measured_one():
    """Printed: LoRA 80 and 82 where the table has full fine-tuning at 78 and 79: +1 and +3 over the better one; measured: 60 - 70."""
    numbers = [printed("lora", "rte", 80, name="LoRA"), printed("lora", "rte", 82, name="LoRA r=64")]
    numbers += [printed("full-ft", "rte", 78, name="FT"), printed("full-ft", "rte", 79, name="FT tuned")]
    numbers += [printed("lora", "rte", 90, source="B 2023"), printed("lora", "cola", 50, source="C 2022")]
    numbers += [printed("full-ft", "rte", 99, model="RoBERTa-large"), printed("lora", "rte", 1, suite="superglue")]
    records = [done(spec(m, "rte", preset="quick"), v) for m, v in (("lora", 0.6), ("full-ft", 0.7))]
    frame = frame_of("claims", records, printed=numbers)
    lora = frame[(frame["method"] == "lora")]
    assert list(lora["kind"]) == ["measured", "published", "published", "published"]
    assert list(lora["score"]) == pytest.approx([60, 80, 82, 90])
    assert list(lora["gain"][:3]) == pytest.approx([-10, 1, 3]) and math.isnan(lora["gain"].iloc[3])
    assert frame[frame["method"] == "full-ft"]["gain"].isna().all()


def test_printed_means_are_over_the_tasks_that_were_run():
    numbers = [printed("lora", task, value) for task, value in (("rte", 80), ("cola", 60), ("sst2", 1))]
    records = [done(spec("lora", task, preset="quick"), 0.5) for task in ("rte", "cola")]
    frame = frame_of("claims", records, printed=numbers)
    assert list(frame["score"]) == pytest.approx([50, 70]) and set(frame["tasks"]) == {"cola rte"}


# The picture is the frame


def colours_in(figure):
    """Of everything that is drawn in a method's colour."""
    found = set()
    for ax in figure.axes:
        found |= {to_hex(line.get_color()).upper() for line in ax.lines}
        found |= {to_hex(patch.get_facecolor()).upper() for patch in ax.patches}
    return found & set(COLOURS)


def test_a_method_has_its_colour_in_every_figure_of_the_set():
    everyone = crowd(["lora", "dora", "full-ft"], seeds=(0, 1))
    alone = [r for r in everyone if r.spec.method == "dora"]
    look = Style({"lora", "dora", "full-ft"})
    expected = look.looks([("dora", "dora")])["dora"].colour
    for kind in ("pareto", "bars", "profiles", "loss", "scores"):
        assert colours_in(drawn(kind, scene_of(alone), look=look)[0]) == {expected}, kind
        assert len(colours_in(drawn(kind, scene_of(everyone), look=look)[0])) == 3, kind
    assert {"lora", "dora", "full-ft"} <= set(look.looks([(m, m) for m in TWENTY]))


def test_marks_stand_where_the_frame_says():
    figure, shown = drawn("pareto", scene_of(crowd(TWENTY[:5])))
    points = {
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for line in figure.axes[0].lines
        if len(line.get_xdata()) == 1 and line.get_marker() in MARKERS
    }
    assert points == {(row.trainable, row.score) for row in shown.frame.itertuples()}
    figure, shown = drawn("bars", scene_of(crowd(TWENTY[:3])))
    heights = sorted(patch.get_height() for patch in figure.axes[0].patches)
    assert heights == pytest.approx(sorted(shown.frame["score"]))
    figure, shown = drawn("differences", scene_of(crowd(TWENTY[:8])))
    texts = sorted(text.get_text() for text in figure.axes[0].texts)
    assert texts == sorted(f"{value:+.1f}" if round(value, 1) else "0.0" for value in shown.frame["difference"])


def test_zero_parameters_stand_left_of_all_others_and_ticks_are_within_the_axis():
    from matplotlib.figure import Figure

    for numbers in ([0, 10, 1e6], [5.0], [8.0e-1, 8.7e-1], [3e3, 5e3, 9e5]):
        ax = Figure().add_subplot()
        at = log_axis(ax, numbers)
        low, high = ax.get_xlim()
        ticks = [tick for tick in ax.get_xticks() if low <= tick <= high]
        assert at == sorted(at) and low < at[0] and at[-1] < high and len(ticks) >= 1
        assert len(ticks) >= 2 or len(numbers) == 1


def test_methods_of_a_set_are_told_apart():
    """Up to seven by their colours, up to 63 by colour and marker; the order in which they come changes nothing."""
    registered = sorted(entries())
    for methods in (registered[:7], registered[10:17]):
        assert len({colour for colour, _ in assign(methods).values()}) == len(methods)
    many = assign(registered[:63])
    assert len(set(many.values())) == min(63, len(registered))
    assert assign(reversed(registered)) == assign(registered)
    pair = Style(["lora"]).looks([("lora r=16", "lora"), ("lora", "lora")])
    assert pair["lora"].colour == pair["lora r=16"].colour and pair["lora"].fill != pair["lora r=16"].fill


def test_colours_differ_for_the_colour_blind():
    """Simulated after Vienot et al. 1999: no two colours of methods fall together."""

    def seen(colour, kind):
        rgb = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]) ** 2.2
        lms = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]]) @ rgb
        lms[0 if kind == "protan" else 1] = (
            2.02344 * lms[1] - 2.52581 * lms[2] if kind == "protan" else 0.494207 * lms[0] + 1.24827 * lms[2]
        )
        return lms / np.array([65.5, 34.5, 1.68])

    for kind in ("protan", "deutan"):
        for a, b in combinations(COLOURS, 2):
            assert np.abs(seen(a, kind) - seen(b, kind)).max() > 0.05, (kind, a, b)


def test_names_are_placed_apart_and_inside():
    points = [(100 + 3 * i, 100 + 5 * (i % 4)) for i in range(12)]
    frame = (0.0, 0.0, 600.0, 400.0)
    boxes = places(points, [(60.0, 10.0)] * 12, frame, [], 1.0)
    assert overlaps(boxes, [frame])[:, 0] == pytest.approx(600)
    assert not np.triu(overlaps(boxes, boxes), 1).any()
    assert not any(box[0] < x < box[2] and box[1] < y < box[3] for box in boxes for x, y in points)


def test_text_is_broken_where_it_may_be_and_nothing_is_lost():
    text = "lora targets=query+key+value+attention.output.dense"
    lines = fold(text, 0.8, 6.5)
    assert max(width_of(line, 6.5) for line in lines) <= 0.8 and len(lines) > 2
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert fold("lora r=16", 3.0, 6.5) == ["lora r=16"]


# Nothing to show, and bad input


@pytest.mark.parametrize(
    ("kind", "ask", "records", "said"),
    [
        ("pareto", Ask("energy"), lambda: board(lora=(0.5, 0.6)), "training energy"),
        ("pareto", Ask(), lambda: [RunRecord(spec(), "failed", metric="accuracy")], "score"),
        ("bars", Ask(), lambda: [RunRecord(spec(), "failed", metric="accuracy")], "No run has a score"),
        ("ranks", Ask(), lambda: board(lora=(0.5, 0.6)), "two rows"),
        ("differences", Ask(), lambda: board(dora=(0.5, 0.6), vera=(0.5, 0.6)), "--baseline"),
        ("differences", Ask(baseline="lora"), lambda: board(dora=(0.5, 0.6)), "No row is called lora"),
        ("differences", Ask(), lambda: [done(spec(config={"r": r}), 0.5) for r in (2, 4)], "lora has several rows"),
        ("critical-difference", Ask(), lambda: board(lora=(0.5, 0.6), dora=(0.5, 0.6)), "3 rows"),
        ("profiles", Ask(), lambda: [done(spec(), 0.5)], "several tasks or seeds"),
        ("sweep", Ask(), lambda: board(lora=(0.5, 0.6)), "lora.r=16"),
        ("rates", Ask(), lambda: board(lora=(0.5, 0.6)), "two learning rates"),
        ("loss", Ask(), lambda: board(lora=(0.5, 0.6)), "loss"),
        ("scores", Ask(), lambda: board(lora=(0.5, 0.6)), "--eval-every-epoch"),
        ("memory", Ask(), lambda: board(lora=(0.5, 0.6)), "accounted"),
        ("radar", Ask(), lambda: board(lora=(0.5, 0.6)), "no groups"),
        ("claims", Ask(), lambda: board(lora=(0.5, 0.6)), "No paper's table"),
    ],
)
def test_nothing_to_show_is_one_sentence(kind, ask, records, said):
    with pytest.raises(NothingToShow, match=said) as caught:
        KINDS[kind].load().frame(scene_of(records()), ask)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def stored(folder, records, trials=()):
    for where, kept in ((folder, records), (folder / "tuning", trials)):
        store = Store(where)
        for record in kept:
            store.put(record)
    return folder


def call(*words):
    return CliRunner().invoke(app, list(map(str, words)))


def test_the_set_is_one_command_that_names_what_it_left_out(tmp_path):
    folder = stored(tmp_path / "r", sweep(("lora", "dora", "full-ft"), (0, 1)), rates(["lora"], "validation"))
    result = call("figures", "--all", "--results", folder, "--out", tmp_path / "out", "--venue", "neurips")
    assert result.exit_code == 0, result.output
    written_kinds = {path.name.split("-glue-mini")[0] for path in (tmp_path / "out").iterdir()}
    assert written_kinds == {
        "pareto-trainable", "pareto-memory", "pareto-speed", "bars", "ranks", "differences", "critical-difference",
        "profiles", "rates-tuning",
    }  # fmt: skip
    for name in ("pareto-energy", "pareto-time", "sweep", "loss", "scores", "memory", "radar", "claims"):
        (line,) = [line for line in result.output.splitlines() if line.startswith(f"  {name}: ")]
        assert line.endswith(".")
    assert len(list((tmp_path / "out").iterdir())) == 4 * len(written_kinds)


def test_bad_input_is_one_sentence(tmp_path):
    folder = stored(tmp_path / "r", sweep(("lora",), (0,)))
    for words, said in (
        (["figures"], "Say --all"),
        (["figures", "--all", "--kinds", "bars"], "Say --all"),
        (["figures", "--kinds", "pie"], "no kind of figure called pie; choose from pareto, bars"),
        (["figures", "--all", "--baseline", "full"], "--baseline full: no row is called so; choose from lora"),
        (["figure", "radar"], "The suite glue-mini has no groups"),
        (["figure", "pareto", "--cost", "energy"], "No row has a training energy"),
        (["figure", "bars", "--out", folder / "runs"], ""),
    ):
        result = call(*words, "--results", folder)
        assert result.exit_code == (2 if said else 0) and said in result.output, result.output
        assert not said or result.output.startswith("Error: ") and len(result.output.splitlines()) == 1
    assert call("figure", "pie", "--results", folder).exit_code == 2
    assert call("figure", "bars", "--venue", "nature", "--results", folder).exit_code == 2
    assert "no results folder" in call("figures", "--all", "--results", tmp_path / "none").output


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path):
    folder = stored(tmp_path / "r", sweep(("lora",), (0,)))
    (tmp_path / "file").write_text("")
    result = call("figure", "bars", "--results", folder, "--out", tmp_path / "file" / "x")
    assert result.exit_code == 2 and "cannot be made" in result.output


def test_figures_need_no_torch_and_the_help_no_matplotlib():
    program = (
        "import sys; from typer.testing import CliRunner; from harness.cli import app\n"
        "assert CliRunner().invoke(app, ['figure', '--help']).exit_code == 0\n"
        "assert 'matplotlib' not in sys.modules, 'matplotlib was imported'\n"
        "from harness.report.figures import KINDS, write\n"
        "[kind.load() for kind in KINDS.values()]\n"
        "assert 'torch' not in sys.modules, 'torch was imported'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
