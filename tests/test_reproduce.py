"""Reproductions: declarations that hold together, the arithmetic of the noise by hand, one run end to end, offline."""

import csv
import io
import math
import re

import pytest
import test_cli as small
import tiny
from test_report import done, spec
from typer.testing import CliRunner

import methods
import tasks
from harness.cli import app
from harness.plan import configure
from harness.record import UserError
from harness.report import published
from harness.report.published import COLUMNS, Printed
from harness.report.reproduced import Reproduction, render_csv, sentence, verdict
from harness.reproduce import Claim, Outcome, claim_named, claims, outcomes, printed_line, request

SHIPPED = claims()
SOURCE = "A paper 2024, Table 1"


def printed(task="rte", value="60.0", **change):
    values = dict.fromkeys(COLUMNS, "") | {
        "suite": "glue", "task": task, "model": "Tiny", "method": "lora", "printed_method": "LoRA", "value": value,
        "unit": "x100", "metric": "accuracy", "protocol": "four steps", "source": SOURCE, "url": "https://example.org/1",
    }  # fmt: skip
    return Printed(**values | change)


def folder(path, *rows, toml=""):
    path.mkdir(exist_ok=True)
    with (path / "one.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerows([COLUMNS, *([getattr(row, name) for name in COLUMNS] for row in rows)])
    (path / "reproduce.toml").write_text(toml, encoding="utf-8")
    return path


def declared(**change):
    values = {
        "title": "Tiny LoRA on RTE",
        "method": "lora",
        "tasks": ["rte"],
        "preset": "quick",
        "seeds": [0, 1],
        "settings": {"r": 4},
        "recipe": {"max_steps": 4, "batch_size": 8},
        "published": {"suite": "glue", "source": SOURCE},
    } | change

    def text(value):
        if isinstance(value, dict):
            return "{ " + ", ".join(f"{k} = {text(v)}" for k, v in value.items()) + " }"
        if isinstance(value, list):
            return "[" + ", ".join(map(text, value)) + "]"
        return f'"{value}"' if isinstance(value, str) else str(value)

    return "[tiny-rte]\n" + "".join(f"{key} = {text(value)}\n" for key, value in values.items())


def claim(**change):
    values = {"method": "lora", "tasks": ("rte",), "preset": "quick", "seeds": (0, 1, 2)} | change
    return Claim("tiny", "Tiny", published={"suite": "glue", "source": SOURCE}, **values)


# What is shipped


@pytest.mark.parametrize("name", SHIPPED)
def test_each_declaration_finds_its_numbers_and_can_be_planned(name):
    one = SHIPPED[name]
    line = printed_line(one)
    assert set(one.places()) <= set(line)
    for place in one.places():
        task = tasks.get(one.places()[place][0])
        assert one.preset in task.recipes
        assert line[place].metric in {task.metric, "accuracy"}
        assert line[place].method in {one.method, ""}
    configure(methods.get(one.method), {k: list(v) if isinstance(v, tuple) else v for k, v in one.settings.items()})


def test_lora_on_glue_is_the_papers_line_with_its_own_average():
    line = printed_line(SHIPPED["lora-glue-roberta-base"])
    assert {place: line[place].value for place in ("mnli", "cola", "rte", "average")} == {
        "mnli": "87.5", "cola": "63.4", "rte": "86.6", "average": "87.2",
    }  # fmt: skip
    assert SHIPPED["lora-glue-roberta-base"].epoch == "best" and len(SHIPPED["lora-glue-roberta-base"].seeds) == 5


def test_declarations_lie_beside_the_numbers_that_the_wheel_carries():
    assert (published.folder() / "reproduce.toml").is_file()


# The noise


def test_the_noise_is_half_intervals_in_quadrature_by_hand():
    """Three seeds 60, 61, 62: sd 1, half of the interval 4.30265 / sqrt 3. A printed sd of 2 over 4 runs: 3.18245 * 2 / 2."""
    ours = 4.30265 / math.sqrt(3)
    sd = printed(value="63.0", spread="2", spread_kind=published.SD, seeds="4")
    one = Outcome("rte", sd, (60.0, 61.0, 62.0))
    assert one.measured == 61 and one.difference == pytest.approx(-2)
    assert one.measured_half == pytest.approx(ours, rel=1e-4) and one.printed_half == pytest.approx(3.18245, rel=1e-4)
    assert one.reach == pytest.approx(math.hypot(ours, 3.18245), rel=1e-4) and one.within is True
    other = Outcome("rte", printed(value="63.0", spread="0.5", spread_kind="confidence interval"), (60.0, 61.0, 62.0))
    assert other.reach == pytest.approx(math.hypot(ours, 0.5), rel=1e-4)


def test_a_source_without_a_spread_is_taken_to_be_as_noisy_as_ours():
    """A single run more: t * sd * sqrt(1/3 + 1)."""
    one = Outcome("rte", printed(value="70.0"), (60.0, 61.0, 62.0))
    assert one.reach == pytest.approx(4.30265 * math.sqrt(1 / 3 + 1), rel=1e-4) and one.within is False
    of_three = Outcome("rte", printed(value="70.0", seeds="3"), (60.0, 61.0, 62.0))
    assert of_three.reach == pytest.approx(4.30265 * math.sqrt(2 / 3), rel=1e-4)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((59.8,), "one seed measures no noise to judge that by; the printed ±0.7 covers it"),
        (
            (58.0,),
            "2.0 points below, and one seed measures no noise to judge that by; the printed ±0.7 does not cover it",
        ),
        ((61.0, 61.0), "seeds that agree exactly measure no noise"),
        ((60.0, 62.0), "1.0 point above, within the noise of ±"),
        ((68.0, 68.1, 68.2), "8.1 points above, beyond the noise of ±"),
        ((), "nothing measured (failed: boom)"),
    ],
)
def test_each_sentence_says_what_can_be_said(values, words):
    one = Outcome("rte", printed(spread="0.7", spread_kind="not named"), values, "" if values else "failed: boom")
    assert words in sentence(one)


def test_the_verdict_counts_tasks_and_disowns_a_changed_protocol():
    inside, outside = Outcome("rte", printed(), (59.0, 61.0)), Outcome("cola", printed("cola", "90.0"), (59.0, 59.1))
    average = Outcome("average", printed("average"), (59.0, 61.0))
    two = claim(tasks=("rte", "cola"))
    found = Reproduction(two, [inside, outside, average], [])
    assert verdict(found) == "1 of 2 tasks within the noise."
    changed = Reproduction(two, [inside, outside, average], ["--max-steps 4"])
    assert verdict(changed).startswith("Not the protocol (--max-steps 4)")
    assert {row["protocol_kept"] for row in csv.DictReader(io.StringIO(render_csv(changed)))} == {"False"}
    alone = Reproduction(two, [Outcome("rte", printed(), (59.0,))], [])
    assert "two seeds" in verdict(alone)


# From records


def test_the_best_epoch_is_taken_where_the_source_takes_it_and_else_the_last():
    record = done(spec("lora", "rte", preset="quick"), 0.6)
    record.curve = [{"step": 1, "eval_accuracy": 0.55}, {"step": 2, "eval_accuracy": 0.65}, {"step": 3, "loss": 0.1}]
    (last,) = outcomes(claim(), {"rte": printed()}, [record])
    (best,) = outcomes(claim(epoch="best"), {"rte": printed()}, [record])
    assert last.values == (pytest.approx(60),) and best.values == (pytest.approx(65),)


def test_a_median_is_a_median():
    records = [done(spec("lora", "rte", seed, preset="quick"), score) for seed, score in enumerate((0.5, 0.6, 0.9))]
    (one,) = outcomes(claim(statistic="median"), {"rte": printed()}, records)
    assert one.measured == pytest.approx(60) and one.difference == pytest.approx(0)


def test_members_and_the_average_of_a_joint_task():
    members = tasks.get("commonsense").members
    record = done(spec("lora", "commonsense", preset="paper"), 0.35)
    record.scores |= {f"accuracy_{name}": 0.1 * at for at, name in enumerate(members)}
    one = SHIPPED["lora-commonsense-llama-7b"]
    found = {o.place: o for o in outcomes(one, printed_line(one), [record])}
    assert list(found)[:8] == list(members) and found["siqa"].measured == pytest.approx(20)
    assert found["average"].measured == pytest.approx(35) and found["average"].published == 74.7


def test_averages_need_all_tasks_with_the_same_seeds():
    one = claim(tasks=tasks.suite("glue").average)
    line = {task: printed(task) for task in (*one.tasks, "average")}
    records = [done(spec("lora", t, s, preset="quick"), 0.5 + 0.1 * s) for t in one.tasks for s in (0, 1)]
    average = outcomes(one, line, records)[-1]
    assert average.place == "average" and average.values == (pytest.approx(50), pytest.approx(60))
    assert outcomes(one, line, records[:-1])[-1].values == ()


def test_of_chosen_tasks_only_these_are_told():
    one = SHIPPED["lora-glue-roberta-base"]
    found = outcomes(one, printed_line(one), [done(spec("lora", "rte", preset="paper"), 0.7)], ("rte",))
    assert [o.place for o in found] == ["rte"] and found[0].values == (pytest.approx(70),)


# What is refused


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        (declared(metod="lora"), "unknown key metod"),
        (declared(method="lorra"), "'lorra' is not registered"),
        (declared(epoch="first"), "epoch is last or best"),
        (declared(published={"suite": "glue"}), "published needs suite and source"),
        (declared(tasks="rte"), "tasks = 'rte': a list is expected"),
        ("[tiny-rte\n", "cannot be read"),
    ],
)
def test_a_declaration_that_cannot_be_is_named(tmp_path, toml, words):
    with pytest.raises(UserError, match=re.escape(words)):
        claims(folder(tmp_path / "p", printed(), toml=toml))


def test_numbers_that_lack_or_stand_twice_are_named(tmp_path):
    toml = declared()
    with pytest.raises(UserError, match="no published number of rte"):
        printed_line(claim_named("tiny-rte", folder(tmp_path, printed("cola"), toml=toml)), tmp_path)
    folder(tmp_path, printed(), printed(protocol="other"), toml=toml)
    with pytest.raises(UserError, match="two published numbers of rte fit"):
        printed_line(claim_named("tiny-rte", tmp_path), tmp_path)
    with pytest.raises(UserError, match="there are: tiny-rte"):
        claim_named("tiny", tmp_path)


def test_only_its_own_tasks_can_be_chosen():
    one = SHIPPED["lora-glue-roberta-base"]
    assert request(one, ["rte"], [], {}).tasks == ("rte",) and request(one, [], [7], {}).seeds == (7,)
    with pytest.raises(UserError, match="wnli"):
        request(one, ["wnli"], [], {})


# From the command line, end to end


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("reproduce")
    tiny.saved_model(root / "model", small.WORDS)
    small.write_rte(root / "data")
    line = printed(value="50.0", spread="45", spread_kind="not named", seeds="2")
    folder(root / "published", line, toml=declared(model=str(root / "model")))
    return root


def call(world, *words, name="tiny-rte"):
    given = ["reproduce", *([name] if name else []), "--published", world / "published", *words]
    return CliRunner().invoke(app, [str(word) for word in given])


def run(world, *words, out="out"):
    return call(world, "--data-dir", world / "data", "--out", world / out, "--no-isolate", *words)


def test_a_claim_is_run_and_held_against_its_number(world):
    first = run(world, "--format", "csv")
    assert first.exit_code == 0, first.output
    (row,) = csv.DictReader(io.StringIO(first.stdout[first.stdout.index("name,task") :]))
    records = list((world / "out" / "runs").rglob("*.json"))
    assert len(records) == 2 and (row["task"], row["seeds"], row["protocol_kept"]) == ("rte", "2", "True")
    assert float(row["difference"]) == pytest.approx(float(row["measured"]) - 50)
    stamps = {path: path.stat().st_mtime_ns for path in records}
    again = run(world)
    assert again.exit_code == 0 and stamps == {path: path.stat().st_mtime_ns for path in records}, "it was run again"
    assert (
        "1 of 1 task within the noise" in again.output
        or "cannot be judged" in again.output
        or "Nothing can" in again.output
    )
    assert "four steps" in again.output and "https://example.org/1" in "".join(again.output.split())


def test_a_changed_protocol_is_marked_and_a_part_is_said(world):
    found = run(world, "--max-steps", 2, "--seeds", 5, out="changed")
    changed = " ".join(found.output.split())
    assert found.exit_code == 0, changed
    assert "Not the protocol (--max-steps 2)" in changed and "1 of 2 seeds" in changed
    same = " ".join(run(world, "--gradient-accumulation", 2, out="same").output.split())
    assert "Not the protocol" not in same


def test_runs_are_made_and_told_as_those_of_run_are(world):
    pytest.importorskip("tensorboard")
    found = run(world, "--seeds", 5, "--on-oom", "accumulate", "--track", "tensorboard", out="told")
    assert found.exit_code == 0, found.output
    assert list((world / "told" / "track" / "tensorboard").rglob("events.*"))
    for words, said in ((("--on-oom", "luck"), "--on-oom luck"), (("--track", "luck"), "--track luck")):
        wrong = run(world, *words, out="none")
        assert wrong.exit_code == 2 and said in wrong.output and not (world / "none").exists()


def test_a_dry_run_plans_and_writes_nothing(world):
    shown = run(world, "--dry-run", out="dry")
    assert shown.exit_code == 0 and "To run: 2" in shown.output and SOURCE in shown.output
    assert not (world / "dry").exists()


def test_without_a_name_there_is_a_list_and_a_wrong_one_is_answered(world):
    assert "tiny-rte" in call(world, name="").output
    wrong = call(world, name="lora-glue")
    assert wrong.exit_code == 2 and "tiny-rte" in wrong.output
    shipped = CliRunner().invoke(app, ["reproduce"], env={"COLUMNS": "60"})
    assert all(name in shipped.output for name in SHIPPED)
