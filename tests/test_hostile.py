"""Any text, number or JSON where a record, a plan, a file name or another tool's file may hold one: refused with a
sentence or kept as it is, and never outside the results folder."""

import copy
import hashlib
import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from test_foreign import hf, lm
from test_plan import ONE, SUITES, TASKS, Config, resolve

from harness.commands.run import read_file, request_from, settings_from
from harness.foreign import hf_peft, lm_eval
from harness.merge import merge
from harness.plan import Request, choose, configure, split_settings
from harness.record import RunRecord, RunSpec, UserError
from harness.store import Store, _check

ODD = [
    "",
    ".",
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "a/../../b",
    "\x00",
    "\x1b]0;x\x07",
    "a\nb",
    "NaN",
    "-0",
    "é" * 300,
]
TEXT = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=()), max_size=20))
"""Lone surrogates with it: what a path that is no UTF-8 comes as"""
NUMBER = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBER, TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=8,
)
OBJECT = st.dictionaries(TEXT, VALUE, max_size=4)
SPEC = st.builds(
    RunSpec, method=TEXT, config=OBJECT, task=TEXT, task_version=TEXT, protocol=TEXT, data=OBJECT, model=TEXT, model_source=OBJECT,
    recipe=OBJECT, seed=st.integers(), suite=TEXT, preset=TEXT, method_sha256=TEXT, tuning=OBJECT,
)  # fmt: skip
COUNT = st.one_of(st.none(), st.integers())
RECORD = st.builds(
    RunRecord, spec=SPEC, status=st.sampled_from(["done", "failed", "skipped"]), metric=TEXT,
    scores=st.dictionaries(TEXT.filter(lambda name: not name.endswith("_bytes")), st.one_of(st.none(), NUMBER), max_size=3),
    parameters=st.dictionaries(TEXT, COUNT, max_size=3), costs=st.dictionaries(TEXT.map(lambda name: f"{name}_bytes"), COUNT, max_size=3),
    curve=st.lists(OBJECT, max_size=2), data_stats=st.dictionaries(TEXT, COUNT, max_size=2), provenance=OBJECT, reason=TEXT, traceback=TEXT,
)  # fmt: skip
JUNK = st.one_of(VALUE, st.sampled_from([1e308, -1e308, 10**400, "1e999", "9" * 5000, [[]], {"": {}}]))
MANY = settings(deadline=None, max_examples=60)


def files(root):
    return {str(path.relative_to(root)) for path in Path(root).rglob("*") if not path.is_dir()}


def fits(record):
    try:
        _check(record)
    except ValueError:
        return False
    return True


@MANY
@given(SPEC)
def test_a_key_is_the_checksum_of_the_sorted_json_of_what_decides(spec):
    decides = {name: value for name, value in vars(replace(spec)).items() if name not in ("suite", "preset", "key")}
    for name in ("method_sha256", "tuning"):
        if not decides[name]:
            del decides[name]
    text = json.dumps(decides, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert spec.key == hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    assert RunSpec.from_dict(json.loads(json.dumps(vars(replace(spec))))).key == spec.key


@MANY
@given(RECORD)
def test_a_record_with_any_text_in_it_comes_back_and_lies_in_its_folder(record):
    with tempfile.TemporaryDirectory() as root:
        store = Store(Path(root) / "out")
        store.put(record)
        assert files(root) == {f"out/runs/{record.key[:2]}/{record.key}.json"}
        assert store.get(record.key) == record and list(store.records()) == [record] and store.problems == []
        merge([store.folder], Path(root) / "other")
        assert Store(Path(root) / "other").get(record.key) == record


@MANY
@given(
    RECORD,
    st.sampled_from(["key", "spec", "status", "scores", "costs", "parameters", "curve", "provenance"]),
    JUNK,
    st.data(),
)
def test_a_spoiled_record_is_read_or_named_in_one_line_and_the_next_is_read(record, name, junk, data):
    value = record.to_dict()
    part = value if name != "spec" or data.draw(st.booleans()) else value["spec"]
    part[data.draw(st.sampled_from(sorted(part))) if part is not value else name] = junk
    good = RunRecord(tiny.spec(), "done")
    with tempfile.TemporaryDirectory() as root:
        store = Store(Path(root))
        store.put(good)
        store.put(record)
        try:
            store.path(record.key).write_text(json.dumps(value))
        except ValueError:
            return  # a number that JSON's writer refuses
        found = list(store.records())
        assert good in found and all(fits(one) for one in found)
        assert len(found) + len(store.problems) == 2
        assert all(problem.isprintable() for problem in store.problems)


@MANY
@given(TEXT)
def test_a_key_is_hex_or_names_no_path(text):
    store = Store(Path("results"))
    try:
        path = store.path(text)
    except ValueError:
        return
    assert path.resolve().is_relative_to(Path("results").resolve() / "runs")


@MANY
@given(
    st.binary(min_size=1, max_size=40).filter(
        lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
    )
)
def test_a_file_of_any_name_is_named_in_one_line_that_can_be_printed(name):
    with tempfile.TemporaryDirectory() as root:
        store = Store(Path(root))
        store.put(RunRecord(tiny.spec(), "done"))
        place = os.path.join(os.fsencode(store.path(tiny.spec().key).parent), name)
        with open(place, "wb"):
            pass
        assert len(list(store.records())) == 1
        assert all(problem.isprintable() and problem.encode() for problem in store.problems)


@MANY
@given(
    st.dictionaries(
        st.one_of(TEXT, st.sampled_from(["one.r", "one.alpha", "one.targets", "one.bias", "one.limit"])), JUNK
    )
)
def test_settings_become_a_config_of_its_types_or_a_sentence(given_settings):
    try:
        found = split_settings(given_settings, resolve, ["one"])
        config = configure(ONE, found.get("one", {}))
    except UserError as error:
        assert str(error)
        return
    assert (
        type(config) is Config and type(config.r) is int and type(config.alpha) is float and type(config.bias) is bool
    )


@MANY
@given(
    st.sampled_from(["r", "alpha", "targets", "bias", "init", "limit"]),
    st.one_of(TEXT, st.text("()[]{}-+,'\"0189eEjx_ \\#", max_size=30)),
)
def test_any_text_after_the_equals_sign_is_a_value_or_a_sentence(field, text):
    try:
        config = configure(ONE, split_settings(settings_from([f"one.{field}={text}"]), resolve, ["one"])["one"])
    except UserError:
        return
    assert {"r": int, "alpha": float, "targets": tuple, "bias": bool, "init": str}.get(field, object) in type(
        getattr(config, field)
    ).__mro__


@pytest.mark.parametrize(
    "text",
    ["(" * 100_000, "-" * 100_000 + "1", "9" * 5000, "[" * 300 + "]" * 300, "\x00", "\udcff", "1" + "0" * 400 + ".0"],
)
@pytest.mark.parametrize("field", ["r", "alpha", "limit"])
def test_a_value_that_would_choke_the_parser_is_a_sentence(field, text):
    with pytest.raises(UserError):
        configure(ONE, {field: text})


@MANY
@given(st.one_of(st.binary(max_size=60), VALUE.map(lambda value: yaml.safe_dump(value).encode("utf-8", "replace"))))
def test_a_yaml_file_is_options_or_a_sentence(body):
    with tempfile.TemporaryDirectory() as root:
        path = Path(root) / "sweep.yaml"
        path.write_bytes(body)
        try:
            options = read_file(path)
        except UserError as error:
            assert "\n" not in str(error)
            return
        assert isinstance(options, dict)


@pytest.mark.parametrize(
    "text", ["seeds: 2024-99-99", "[" * 5000, "seeds: " + "9" * 5000, "lr: 1" + "0" * 400, "a: &a [*a]", "\x00"]
)
def test_yaml_that_its_reader_chokes_on_is_a_sentence(tmp_path, text):
    path = tmp_path / "sweep.yaml"
    path.write_text(text)
    with pytest.raises(UserError):
        request_from({"methods": "one", "tasks": "a", "preset": "quick"} | read_file(path))


OPTION = st.dictionaries(
    st.sampled_from(["methods", "tasks", "seeds", "set", "lr", "match_params", "timeout_per_run", "batch_size"]), JUNK
)


@MANY
@given(OPTION)
def test_options_of_a_yaml_file_become_a_request_and_choices_or_a_sentence(options):
    with tempfile.TemporaryDirectory() as root:
        path = Path(root) / "sweep.yaml"
        try:
            path.write_text(yaml.safe_dump({"methods": "one", "tasks": "a", **options}), encoding="utf-8")
        except (ValueError, yaml.YAMLError):
            return  # what YAML's writer refuses
        try:
            request = request_from(read_file(path) | {"preset": "quick"})
            choose(request, [ONE], [(SUITES["real"], TASKS["a"])], resolve)
        except UserError:
            return
        assert isinstance(request, Request) and all(
            isinstance(name, str) for name in (*request.methods, *request.tasks)
        )


def places(value, at=()):
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield from places(part, (*at, name))


def spoiled(value, at, junk):
    if not at:
        return junk
    found = copy.deepcopy(value)
    part = found
    for name in at[:-1]:
        part = part[name]
    part[at[-1]] = junk
    return found


@pytest.mark.parametrize("reader", [hf_peft, lm_eval])
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_an_imported_file_with_a_spoiled_part_gives_records_that_can_be_kept_or_a_reason(reader, data):
    sample = {hf_peft: hf, lm_eval: lm}[reader]()
    value = spoiled(sample, data.draw(st.sampled_from(list(places(sample)))), data.draw(JUNK))
    with tempfile.TemporaryDirectory() as root:
        path = Path(root) / "results.json"
        try:
            path.write_text(json.dumps(value))
        except ValueError:
            return  # a number that JSON's writer refuses
        try:
            records, _ = reader.read(path)
        except ValueError:
            return
        store = Store(Path(root) / "out")
        for record in records:
            store.put(record)
        assert len(list(store.records())) == len({record.key for record in records}) and store.problems == []
        assert all(name.startswith(("out/runs/", "results.json")) for name in files(root))


@pytest.mark.parametrize("read", [hf_peft.read, lm_eval.read])
@MANY
@given(body=st.one_of(st.binary(max_size=60), VALUE.map(lambda value: json.dumps(value).encode())))
def test_an_imported_file_of_anything_is_refused_with_a_reason(read, body):
    with tempfile.TemporaryDirectory() as root:
        path = Path(root) / "results.json"
        path.write_bytes(body)
        with pytest.raises(ValueError):
            read(path)
