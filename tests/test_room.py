"""Several workers on a card: as many as the predicted memory of their runs leaves room for."""

from dataclasses import replace

import pytest
import tiny

import methods
from harness import room
from harness.estimate import Load, estimate
from harness.execute.choose import How
from harness.model import ModelSource
from harness.prepare import config_from
from harness.record import RunSpec


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("room") / "model"
    tiny.saved_model(folder, ["a", "b"])
    source = ModelSource("tiny", "local", "tiny", None, "0", folder)
    recipe = {
        "batch_size": 8,
        "max_length": 32,
        "precision": "fp32",
        "gradient_checkpointing": False,
        "learning_rate": 1e-3,
    }
    specs = [replace(tiny.spec(seed=seed), model="tiny", recipe=recipe) for seed in (1, 2)]
    method = methods.get("lora")
    load = Load(8, 32, "fp32", gpu=True)
    need = estimate(room._base(source), method, config_from(method.config, dict(specs[0].config)), load).memory.total
    return specs, {"tiny": source}, need


def cards(monkeypatch, *sizes):
    monkeypatch.setattr(room, "cards", lambda: [str(at) for at in range(len(sizes))])
    monkeypatch.setattr(room, "bytes_of", lambda card: sizes[int(card)])


def test_a_card_takes_as_many_workers_as_fit_and_the_sentence_says_what_was_taken_back(world, monkeypatch):
    specs, sources, need = world
    each = room.SLACK * need + room.CONTEXT
    cards(monkeypatch, int(3.5 * each), int(1.2 * each))
    assert room.fitted(How(jobs=4), specs, sources) == (How(jobs=4), "")
    how, said = room.fitted(How(jobs=9), specs, sources)
    assert how.jobs == 4 and "4 workers, not 9" in said


def test_the_largest_of_the_runs_decides(world, monkeypatch):
    specs, sources, need = world
    large: RunSpec = replace(specs[0], recipe={**specs[0].recipe, "batch_size": 4096, "max_length": 64})
    cards(monkeypatch, int(8.2 * (room.SLACK * need + room.CONTEXT)))
    assert room.fitted(How(jobs=8), specs, sources)[0].jobs == 8
    assert room.fitted(How(jobs=8), [*specs, large], sources)[0].jobs < 8


def test_a_card_too_small_for_the_prediction_still_gets_one_worker(world, monkeypatch):
    specs, sources, _ = world
    cards(monkeypatch, 1, 1)
    assert room.fitted(How(jobs=5), specs, sources)[0].jobs == 2


@pytest.mark.parametrize("how", [How(jobs=3), How("ray", jobs=3)])
def test_without_cards_or_elsewhere_nothing_is_predicted(how, monkeypatch):
    cards(monkeypatch, *([] if how.executor == "local" else [10]))
    assert room.fitted(how, [], {}) == (how, "")
