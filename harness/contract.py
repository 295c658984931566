"""The contract of a method, one check a promise, held on tiny models that are made from configurations: no download.

`tests/test_methods.py` holds every registered method to it; `peftbench check` holds any one, also from a file.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import methods
from harness import adapter, tiny
from harness.trial import Run, attached, base, config_of, fell, inputs, logits, own, shape_of
from methods.registry import file_of, read_entry
from methods.spec import Unsupported

OTHER_TARGETS = (("query",), ("key", "output"), ("up", "down"))
DECLARED = ("name", "family", "formula", "backend", "paper", "learning_rate", "aliases")
FEW = 3


class Broken(AssertionError):
    """A promise that does not hold; the message is one line and says how."""


def _hold(condition: object, reason: str) -> None:
    if not condition:
        raise Broken(reason)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:FEW]) + (f" and {len(names) - FEW} more" if len(names) > FEW else "")


def _close(found: torch.Tensor, expected: torch.Tensor, what: str, tolerance: float = 1e-4) -> None:
    _hold(found.shape == expected.shape, f"{what}: shape {tuple(found.shape)} instead of {tuple(expected.shape)}")
    far = float((found - expected).abs().max())
    # A NaN is close to nothing.
    _hold(torch.allclose(found, expected, atol=tolerance, rtol=tolerance), f"{what}: they differ by up to {far:.2g}")


def declaration_is_written_out(name: str) -> None:
    """What listings read from a file without running it is what the method says."""
    path, method = file_of(name), methods.get(name)
    assert path is not None, "for methods that were given by their path"
    entry = read_entry(path)
    for field in DECLARED:
        told, meant = getattr(entry, field), getattr(method, field)
        _hold(told == meant, f"{field} reads {told!r} in the file and is {meant!r}")


def config_is_plain(name: str) -> None:
    """The config is frozen and survives JSON; `search_space` names its fields and `learning_rate`."""
    method = methods.get(name)
    config = method.config()
    _hold(type(config).__dataclass_params__.frozen, "the config is not frozen")
    try:
        json.dumps(dataclasses.asdict(config))
    except TypeError as error:
        raise Broken(f"the config cannot be written as JSON: {error}") from None
    unknown = set(method.search_space) - {field.name for field in dataclasses.fields(config)} - {"learning_rate"}
    _hold(not unknown, f"search_space names what the config lacks: {_some(sorted(unknown))}")
    _hold(method.search_space.get("learning_rate"), "search_space gives no values of learning_rate")


def variants(name: str, config: Any = None) -> Iterator[Any]:
    """The config that serves; then each has other targets and a next value of every field that a search may vary."""
    method, config = methods.get(name), config or config_of(name)
    space = {key: values for key, values in method.search_space.items() if key != "learning_rate"}
    if hasattr(config, "targets"):
        space["targets"] = OTHER_TARGETS
    longest = max(map(len, space.values()), default=0)
    yield config
    for at in range(longest):
        yield dataclasses.replace(config, **{key: values[at % len(values)] for key, values in space.items()})


def counts_in_any_config(name: str, kind: str, config: Any = None) -> None:
    """`count` equals what trains, head apart, in every variant, on the meta device; what it refuses `attach` refuses.
    Raises Unsupported where `attach` does."""
    method, shape = methods.get(name), shape_of(kind)
    for at, one in enumerate(variants(name, config)):
        try:
            expected = method.count(shape, one)
        except ValueError as error:
            _hold(at, f"count refuses the default config: {error}")
            try:
                attached(name, kind, config=one, device="meta")
            except ValueError as refusal:
                _hold(len(str(refusal).split()) > 2, f"attach refuses {one} without a sentence: {refusal!r}")
                continue
            raise Broken(f"count refuses {one} ({error}), and attach does not") from None
        try:
            _, _, _, model = attached(name, kind, config=one, device="meta")
        except Unsupported:
            # A variant that does not fit this model says nothing of the method.
            if at:
                continue
            raise
        real = [n for n, tensor in [*model.named_parameters(), *model.named_buffers()] if not tensor.is_meta]
        _hold(not real, f"on the meta device these tensors have values: {_some(real)}")
        found = sum(p.numel() for p in own(kind, model).values())
        _hold(expected == found, f"count says {expected}, {found} values train, with {one}")


def starts_at_base(run: Run) -> None:
    """The first outputs are finite and shaped like the base's, and the base's where `starts_at_base` says so."""
    expected = logits(base(run.kind), run.kind)
    _hold(run.start_outputs.isfinite().all(), "the first outputs are not finite")
    _hold(run.start_outputs.shape == expected.shape, "the first outputs have another shape than the base's")
    if run.method.starts_at_base:
        _close(run.start_outputs, expected, "outputs before the first step against the base's")


def gradients(run: Run) -> None:
    """One backward pass reaches something, and only what is free to train."""
    free, graded = run.gradients()
    _hold(graded, "the backward pass gives no gradient")
    _hold(graded <= free, f"frozen parameters get gradients: {_some(sorted(graded - free))}")


def counts(run: Run) -> None:
    """`count` equals what trains, head apart, on a model with values."""
    expected = run.method.count(run.shape, run.config)
    found = sum(p.numel() for p in own(run.kind, run.model).values())
    _hold(expected == found, f"count says {expected}, {found} values train")


def learns(run: Run) -> None:
    """The loss of a toy task falls with the head held."""
    losses = run.trained.losses
    _hold(fell(losses), f"no rate of those tried lowers the loss by a fifth: {losses[0]:.3f} to {losses[-1]:.3f}")


def moves(run: Run) -> None:
    """All that trains moves, and nothing else but what the method says that a reload needs."""
    still = sorted(run.trained.freed - run.trained.changed)
    moved = sorted(run.trained.changed - run.trained.freed - set(run.method.extra_state(run.model)))
    _hold(not still, f"these train and never move: {_some(still)}")
    _hold(not moved, f"these are frozen and move: {_some(moved)}")


def repeats(run: Run) -> None:
    """The same seed gives the same weights, at the start and after some steps."""
    for when, found, expected in zip(
        ("at the start", "after steps"), run.again(), (run.start, run.trained.early), strict=True
    ):
        differing = [name for name, value in expected.items() if not torch.equal(value, found[name])]
        _hold(not differing, f"{when} these differ with the same seed: {_some(differing)}")


def rows_are_alone(run: Run) -> None:
    """A row gets the outputs that it gets, whichever rows stand beside it."""
    expected = run.trained.outputs[:1]
    alone = {name: value[:1] for name, value in inputs(kind=run.kind).items()}
    with torch.no_grad():
        found = run.model.eval()(**alone).logits
    _close(found if found.ndim == 2 else found[:, -2], expected, "a row's outputs alone against in its batch")


def reloads(run: Run) -> None:
    """A saved adapter gives a new model the trained outputs, which are not those of the start."""
    expected = run.trained.outputs
    _hold(not torch.allclose(expected, run.start_outputs, atol=1e-2), "training left the outputs as they were")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1234)
        _, _, _, model = attached(run.name, run.kind, config=run.config)
    adapter.load(model, run.trained.file)
    _close(logits(model, run.kind), expected, "outputs after a reload against before", 1e-5)


def merges(run: Run) -> None:
    """The outputs stay and only the base's tensors are left. Changes the model; for methods with a `merge` only."""
    assert run.method.merge is not None
    expected = run.trained.outputs
    merged = run.method.merge(run.model)
    differing = sorted(set(merged.state_dict()) ^ set(base(run.kind).state_dict()))
    _hold(not differing, f"the merged model and the base differ in {_some(differing)}")
    _close(logits(merged, run.kind), expected, "outputs after merging against before", 1e-3)


CHECKS: Mapping[str, Callable[[Run], None]] = {
    "starts at the base, where it says so": starts_at_base,
    "only what trains gets gradients": gradients,
    "count equals what trains": counts,
    "learns a toy task": learns,
    "all that trains moves, nothing else": moves,
    "same seed, same weights": repeats,
    "rows do not see each other": rows_are_alone,
    "a saved adapter reloads": reloads,
    "merging keeps the outputs": merges,
}
"""In this order: the last one changes the model."""
ANY_CONFIG = "count in any config, without values"
WRITTEN_OUT = "declaration is written out"
PLAIN = "config is frozen and plain"
WORKS = "works on some kind of model"


@dataclass(frozen=True)
class Verdict:
    contract: str
    kind: str
    """a kind of tiny model; empty for what concerns the method alone"""
    state: str
    """holds | does not | not supported | - where an earlier one already tells"""
    reason: str = ""


def _tried(contract: str, kind: str, check: Callable[[], None]) -> Verdict:
    try:
        check()
    except Unsupported as error:
        return Verdict(contract, kind, "not supported", str(error))
    except Broken as error:
        return Verdict(contract, kind, "does not", str(error))
    except Exception as error:
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        return Verdict(contract, kind, "does not", text)
    return Verdict(contract, kind, "holds")


def _on(name: str, kind: str, folder: Path, config: Any) -> Iterator[Verdict]:
    refusal = methods.get(name).supports(*tiny.KINDS[kind])
    if refusal is not None:
        yield Verdict(ANY_CONFIG, kind, "not supported", refusal)
        return
    first = _tried(ANY_CONFIG, kind, lambda: counts_in_any_config(name, kind, config))
    yield first
    if first.state == "not supported":
        return
    made: list[Run] = []
    attaches = _tried("attaches", kind, lambda: made.append(Run(name, kind, folder, config)))
    yield attaches
    if made:
        for contract, check in CHECKS.items():
            if check is merges and made[0].method.merge is None:
                continue
            yield _tried(contract, kind, lambda check=check: check(made[0]))  # type: ignore[misc]


def verdicts(name: str, kinds: Sequence[str] = tuple(tiny.KINDS), config: Any = None) -> Iterator[Verdict]:
    """Every contract on every kind, as they are found; config: else the default, narrowed where a tiny model needs it."""
    if file_of(name) is not None:
        yield _tried(WRITTEN_OUT, "", lambda: declaration_is_written_out(name))
    yield _tried(PLAIN, "", lambda: config_is_plain(name))
    refused = 0
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            for verdict in _on(name, kind, Path(folder), config):
                refused += verdict.state == "not supported"
                yield verdict
    if refused == len(kinds):
        yield Verdict(WORKS, "", "does not", f"it supports none of {', '.join(kinds)}")
