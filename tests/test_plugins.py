"""Methods and tasks from outside the repository: files by path, entry points of packages; the public contract suite."""

import json
import pickle

import pytest
import tiny
from test_cli import WORDS, call, records, write_rte

import methods
import tasks.registry
from harness import contract as contracts
from harness import runner
from methods import plugins, registry

SOURCE = '''"""y = W x + b + s * B (A x)"""
from dataclasses import dataclass

import torch
from methods.layers import freeze
from methods.spec import Method, Paper


@dataclass(frozen=True)
class Config:
    scale: float = 0.5
    targets: tuple[str, ...] = ("query",)


class Shift(torch.nn.Module):
    def __init__(self, base, scale):
        super().__init__()
        self.base, self.scale = base, scale
        self.shift = torch.nn.Parameter(torch.zeros(len(base.bias), device=base.weight.device))

    def forward(self, x):
        return self.base(x) + self.scale * self.shift


def attach(model, sites, config):
    freeze(model)
    for site in sites:
        parent, _, child = site.name.rpartition(".")
        owner = model.get_submodule(parent)
        setattr(owner, child, Shift(getattr(owner, child), config.scale))
    return model


METHOD = Method(
    name="NAME",
    family="own",
    paper=Paper("None yet", "Us", 2026, "https://example.org"),
    formula="y = W x + b + s u",
    backend="native",
    config=Config,
    attach=attach,
    count=lambda shape, config: sum(site.d_out for site in shape.select(config.targets)),
    learning_rate=1e-2,
    search_space={"learning_rate": (1e-2,)},
)
'''


@pytest.fixture
def fresh(monkeypatch):
    """A registry that knows nothing from outside, before and after."""

    def forget():
        for cached in (registry._plugins, plugins.warn):
            cached.cache_clear()

    monkeypatch.setattr(registry, "_given", {})
    forget()
    yield
    forget()


def write(folder, name="my-shift", text=SOURCE):
    path = folder / f"{name.replace('-', '_')}.py"
    path.write_text(text.replace("NAME", name), encoding="utf-8")
    return path


def test_a_file_is_a_method_by_its_path_and_then_by_its_name(tmp_path, fresh):
    path = write(tmp_path)
    assert registry.resolve(str(path)) == "my-shift"
    assert methods.get("my-shift").learning_rate == 1e-2 and "my-shift" in methods.names()
    assert methods.entries()["my-shift"].formula == "y = W x + b + s u"


def test_a_file_is_read_again_when_it_was_edited(tmp_path, fresh):
    path = write(tmp_path)
    registry.resolve(str(path))
    before = registry.sha256_of("my-shift")
    path.write_text(path.read_text().replace("scale: float = 0.5", "scale: float = 0.7"))
    registry.resolve(str(path))
    assert methods.get("my-shift").config().scale == 0.7 and registry.sha256_of("my-shift") != before


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("METHOD = 3", "no `METHOD = Method(...)`"),
        ("import nothing_of_that_name", "nothing_of_that_name"),
        ("def broken(:", "SyntaxError"),
        (SOURCE.replace("NAME", "lora"), "taken by the method lora"),
        (SOURCE.replace("NAME", "My Method"), "lower-case"),
        (SOURCE.replace("(frozen=True)", "").replace("NAME", "fine"), "frozen=True"),
        (None, "cannot be read"),
    ],
)
def test_a_bad_file_is_one_sentence_and_exit_code_2(tmp_path, fresh, text, sentence):
    path = tmp_path / "bad.py"
    if text is not None:
        path.write_text(text)
    for words in (("methods", path), ("run", "--methods", path, "--tasks", "cola")):
        result = call(*words)
        assert result.exit_code == 2 and "bad.py" in result.output and sentence in result.output
        assert "Traceback" not in result.output and len(result.output.strip().splitlines()) <= 2
    assert methods.names() == sorted(methods.names())


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("outside")
    tiny.saved_model(root / "model", WORDS)
    write_rte(root / "data")
    return root


def options(world, path, out):
    return ["run", "--methods", f"last-layer,{path}", "--tasks", "rte", "--data-dir", world / "data", "--model",
            world / "model", "--max-steps", 2, "--batch-size", 8, "--out", world / out]  # fmt: skip


def test_a_file_runs_beside_the_rest_and_an_edited_one_is_another_run(world, fresh):
    path = write(world, "edited")
    words = [*options(world, path, "edits"), "--no-isolate"]
    assert call(*words).exit_code == 0
    assert "2 of 2 runs have a record already" in call(*words).output
    path.write_text(path.read_text() + "\n# another edition\n")
    result = call(*words)
    assert "1 of 2 runs have a record already" in result.output
    specs = [r["spec"] for r in records(world, "edits")]
    editions = {s["method_sha256"] for s in specs if s["method"] == "edited"}
    assert len(editions) == 2 and {s["method_sha256"] for s in specs if s["method"] == "last-layer"} == {""}
    table = call("leaderboard", "--results", world / "edits", "--format", "markdown").output
    assert all(f"edited@{sha256[:6]}" in table for sha256 in editions)
    assert str(world) not in json.dumps(specs)


def test_another_process_finds_the_file(world, fresh, monkeypatch):
    path = write(world, "elsewhere")
    run_all = runner.run_all

    def as_another_process_would(works, how):
        handed = pickle.dumps(list(works))
        registry._given.clear()
        return run_all(pickle.loads(handed), how)

    monkeypatch.setattr(runner, "run_all", as_another_process_would)
    assert call(*options(world, path, "elsewhere"), "--no-isolate").exit_code == 0
    found = {r["spec"]["method"]: r for r in records(world, "elsewhere")}
    # Two query layers of 32 outputs
    assert found["elsewhere"]["status"] == "done" and found["elsewhere"]["parameters"]["trainable"] == 64


def test_a_file_edited_while_the_sweep_runs_is_not_run_under_the_old_key(world, fresh, monkeypatch):
    path = write(world, "moving")
    run_all = runner.run_all

    def edited(works, how):
        path.write_text(path.read_text() + "\n# later\n")
        return run_all(works, how)

    monkeypatch.setattr(runner, "run_all", edited)
    assert call(*options(world, path, "moving"), "--no-isolate").exit_code == 1
    found = {r["spec"]["method"]: r for r in records(world, "moving")}
    assert found["moving"]["status"] == "failed" and "changed since" in found["moving"]["reason"]


TASKS = """
from dataclasses import replace
from tasks.glue import SUITE as GLUE, TASKS as THEIRS
SUITE = replace(GLUE, name="other", tasks=("other-rte",), average=("other-rte",), presets={}, groups={})
TASKS = tuple(replace(t, name="other-rte", suite="other") for t in THEIRS if t.name == "rte")
"""


def package(folder, group, **modules):
    """An installed package that names each module in the group."""
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    info = folder / "strange_kit-2.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strange-kit\nVersion: 2.5\n")
    points = "\n".join(f"{name} = {name}" for name in [*modules, "kit_absent"])
    (info / "entry_points.txt").write_text(f"[peftbench.{group}]\n{points}\n")


def test_a_package_registers_methods_and_a_broken_one_is_named_once_and_skipped(tmp_path, fresh, monkeypatch):
    package(
        tmp_path, "methods",
        kit_fine=SOURCE.replace("NAME", "kit-fine"),
        kit_taken=SOURCE.replace("NAME", "lora"),
        kit_empty="x = 1",
        kit_fails=SOURCE.replace("NAME", "kit-fails").replace("import torch", "import torch, absent_module"),
    )  # fmt: skip
    monkeypatch.syspath_prepend(tmp_path)
    listed = call("methods")
    assert listed.exit_code == 0 and "kit-fine" in listed.output
    for name, word in (("kit_taken", "taken"), ("kit_empty", "METHOD"), ("kit_absent", "no module")):
        (line,) = [line for line in listed.stderr.splitlines() if f" {name} " in line]
        assert "strange-kit 2.5" in line and word in line
    assert methods.get("kit-fine").name == "kit-fine" and len(registry.sha256_of("kit-fine")) == 64
    failing = call("methods", "kit-fails")
    assert failing.exit_code == 2 and "absent_module" in failing.output and "Warning" not in failing.output
    assert "kit-fine" in registry.usable() and "kit-fails" not in registry.usable()


def test_a_listing_runs_no_module_of_a_package(tmp_path, fresh, monkeypatch):
    package(tmp_path, "methods", kit_loud=SOURCE.replace("NAME", "kit-loud") + "\nraise SystemExit('was run')\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert methods.entries()["kit-loud"].module == "kit_loud"
    with pytest.raises(KeyError, match="was run"):
        methods.get("kit-loud")


def test_a_package_registers_tasks_and_a_broken_one_is_named_once_and_skipped(tmp_path, monkeypatch):
    package(
        tmp_path, "tasks", kit_suite=TASKS, kit_double=TASKS.replace('"other"', '"glue"'), kit_hollow="SUITE = 1",
        kit_leaves="raise SystemExit(3)",
    )  # fmt: skip
    monkeypatch.syspath_prepend(tmp_path)
    tasks.registry._all.cache_clear()
    try:
        listed = call("tasks")
        assert listed.exit_code == 0 and "other-rte" in listed.output
        for name, word in (
            ("kit_double", "taken"),
            ("kit_hollow", "SUITE"),
            ("kit_leaves", "SystemExit"),
            ("kit_absent", "kit_absent"),
        ):
            (line,) = [line for line in listed.stderr.splitlines() if f" {name} " in line]
            assert "strange-kit 2.5" in line and word in line
        assert tasks.get("other-rte").suite == "other" and "Warning" not in call("tasks", "other-rte").output
    finally:
        tasks.registry._all.cache_clear()


def cells(output, contract):
    line = next(line for line in output.splitlines() if line.startswith(contract))
    return line[len(contract) :].split()


def test_the_starting_file_passes_its_check_and_is_never_overwritten(tmp_path, fresh, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("new", "method", "my-own").exit_code == 0
    result = call("check", "./my_own.py", "--kinds", "gpt2,vision")
    assert result.exit_code == 0, result.output
    for contract in (*contracts.CHECKS, contracts.ANY_CONFIG):
        assert cells(result.output, contract) == ["holds", "holds"]
    (tmp_path / "my_own.py").write_text("mine")
    again = call("new", "method", "my-own")
    assert again.exit_code == 2 and "there already" in again.output
    assert (tmp_path / "my_own.py").read_text() == "mine"


@pytest.mark.parametrize(("name", "word"), [("lora", "taken"), ("My_Method", "lower-case"), ("../up", "lower-case")])
def test_a_new_method_needs_a_free_and_plain_name(tmp_path, fresh, monkeypatch, name, word):
    monkeypatch.chdir(tmp_path)
    result = call("new", "method", name)
    assert result.exit_code == 2 and word in result.output and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "contract"),
    [
        (("site.d_out for site", "site.d_in + 1 for site"), "count equals what trains"),
        (("torch.zeros(", "torch.ones("), "starts at the base, where it says so"),
        (("self.base(x) + ", "self.base(x) + x.mean(0, keepdim=True) + "), "rows do not see each other"),
        (("torch.zeros(len", "1e-3 * torch.rand(len"), "a saved adapter reloads"),
        (("    freeze(model)\n", ""), "count equals what trains"),
        (('formula="y =', 'formula="y" + " ='), "declaration is written out"),
        (("    search_space", "    merge=lambda model: model,\n    search_space"), "merging keeps the outputs"),
        (("scale: float = 0.5", "scale: float = 0.0"), "all that trains moves, nothing else"),
        (('{"learning_rate": (1e-2,)}', '{"rank": (1,)}'), "config is frozen and plain"),
    ],
)
def test_a_broken_promise_is_found(tmp_path, fresh, change, contract):
    assert change[0] in SOURCE
    if contract == "a saved adapter reloads":
        # A frozen draw that differs each time and that no file keeps
        change = (
            "self.base, self.scale = base, scale",
            "self.base, self.scale = base, scale + __import__('time').time() % 1",
        )
    result = call("check", write(tmp_path, "bad-one", SOURCE.replace(*change)), "--kinds", "encoder")
    assert result.exit_code == 1 and cells(result.output, contract) == ["does", "not"]
    assert any(line.startswith(contract) and ": does not hold: " in line for line in result.output.splitlines())


def test_a_refused_kind_is_told_with_its_reason_and_is_no_fault():
    result = call("check", "vpt", "--kinds", "encoder,gpt2")
    assert "encoder: not supported: " in result.output and result.exit_code == 1
    assert "supports none of encoder, gpt2" in result.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("lorra",), "lora"),
        (("lora", "--kinds", "bert"), "encoder"),
        (("lora", "--set", "lora.rank=3"), "no setting 'rank'"),
    ],
)
def test_a_check_of_what_is_not_there_is_one_sentence(words, sentence):
    result = call("check", *words)
    assert result.exit_code == 2 and sentence in result.output and "Traceback" not in result.output
