"""The project's own promises: what README says is what is run, and rooms import in one direction."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(p for room in ("methods", "tasks", "harness") for p in (ROOT / room).rglob("*.py"))
LIGHT = ["harness/record.py", "harness/plan.py", "harness/store.py", "methods/spec.py", "tasks/spec.py"]
HEAVY = {"torch", "transformers", "peft", "datasets", "evaluate"}


def imports(path, top_only=False):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path):
    room = path.relative_to(ROOT).parts[0]
    forbidden = {"methods": {"tasks", "harness"}, "tasks": {"methods", "harness"}, "harness": set()}[room]
    assert not {name.split(".")[0] for name in imports(path)} & forbidden


@pytest.mark.parametrize(
    "name",
    LIGHT + [str(p.relative_to(ROOT)) for room in ("report", "cli") for p in (ROOT / "harness" / room).glob("*.py")],
)
def test_light_modules_import_nothing_heavy(name):
    assert not {module.split(".")[0] for module in imports(ROOT / name, top_only=True)} & HEAVY


def test_the_record_imports_nothing_of_ours():
    assert not {m.split(".")[0] for m in imports(ROOT / "harness/record.py")} & {"harness", "methods", "tasks"}


def test_continuous_integration_calls_the_test_command_of_the_readme():
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (command,) = [block.strip() for block in blocks if "pytest" in block]
    assert command in (ROOT / ".ci/run").read_text(encoding="utf-8").replace(" --quiet", "")


def test_the_tested_versions_are_pinned():
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "torch==2.13.0\n" in pins
    declared = re.findall(r'^    "([a-z0-9-]+)', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    for name in declared:
        assert re.search(rf"^{re.escape(name)}==", pins, re.MULTILINE | re.IGNORECASE), f"{name} has no tested version"
