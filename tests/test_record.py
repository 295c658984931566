"""RunSpec keys and RunRecord round trips."""

import hashlib
import json
from dataclasses import asdict, replace

import pytest
import tiny

from harness.record import RunRecord, find_keys

SPEC = tiny.spec()


@pytest.mark.parametrize(
    "change",
    [
        {"method": "dora"},
        {"config": {"r": 16, "targets": ["query", "value"]}},
        {"task": "cola"},
        {"task_version": "2"},
        {"protocol": "other"},
        {"data": {**SPEC.data, "sha256": "ac"}},
        {"model": "roberta-base"},
        {"model_source": {"kind": "hub"}},
        {"recipe": {**SPEC.recipe, "learning_rate": 2e-3}},
        {"seed": 1},
    ],
)
def test_everything_that_decides_a_result_is_in_the_key(change):
    assert replace(SPEC, **change).key != SPEC.key


def test_the_key_ignores_the_order_of_dicts_and_the_names_of_tables():
    turned = replace(SPEC, recipe=dict(reversed(SPEC.recipe.items())), suite="other", preset="paper")
    assert turned.key == SPEC.key
    assert len(SPEC.key) >= 12 and int(SPEC.key, 16) >= 0


def test_keys_found_at_once_are_those_found_one_by_one():
    def specs():
        shared = {"r": 8, "targets": ["query"]}
        return [
            tiny.spec(seed=seed, method=method, config=config, tuning=tuning, method_sha256=edition)
            for seed in (0, 1, 2**70)
            for method, edition in (("lora", ""), ("naïve \udcff", "ab"))
            for config in (shared, dict(reversed(shared.items())), {"r": 8.0}, {"r": True})
            for tuning in ({}, {"trials": 3})
        ]

    at_once = specs()
    find_keys(at_once)
    assert [spec.key for spec in at_once] == [spec.key for spec in specs()]
    assert len({spec.key for spec in at_once}) == 3 * 2 * 3 * 2


def test_the_key_is_the_hash_of_what_decides_the_result_as_canonical_json():
    spec = tiny.spec(config={"text": 'naïve " \n'}, suite="other")
    deciding = {n: v for n, v in asdict(spec).items() if n not in {"suite", "preset", "method_sha256", "tuning"}}
    text = json.dumps(deciding, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert spec.key == hashlib.sha256(text.encode()).hexdigest()[:16]


def test_a_record_survives_json():
    record = RunRecord(
        SPEC, "done", metric="accuracy", scores={"accuracy": 0.5, "f1": None}, costs={"wall_seconds": 2.0}
    )
    again = RunRecord.from_dict(json.loads(json.dumps(record.to_dict())))
    assert again == record and again.key == record.key and again.score == 0.5


def test_a_record_whose_spec_was_edited_is_refused():
    value = RunRecord(SPEC, "done").to_dict()
    value["spec"]["seed"] = 7
    with pytest.raises(ValueError, match="does not fit its spec"):
        RunRecord.from_dict(value)


def test_a_record_of_another_schema_is_refused():
    value = RunRecord(SPEC, "done").to_dict()
    value["schema"] = 99
    with pytest.raises(ValueError, match="schema 99"):
        RunRecord.from_dict(value)


def test_nan_in_a_spec_is_refused():
    with pytest.raises(ValueError):
        _ = replace(SPEC, recipe={"learning_rate": float("nan")}).key
