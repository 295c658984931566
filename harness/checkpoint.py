"""Checkpoints inside a run: its whole state at a step, as one safetensors file, from which the same run goes on.

What a state is, harness/graph.py finds out; nothing of a file is ever run. A run that goes on from a checkpoint gives the
scores, the curve and the weights that it would have given in one go; what it says of time, energy and peak memory of
the training would be of a part of it, and is left out.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from harness import provenance
from harness.changes import Base, Changes
from harness.execute.job import Job
from harness.graph import Unsaved
from harness.record import RunRecord, UserError
from harness.stop import STOP, Stop
from harness.store import make_folder, replacing

FORMAT = 1
NAME = "peftbench"
"""Of the JSON in the file's metadata"""
OTHER, RANDOM, BUILD = "other.", "random.", "build."
"""How names of tensors begin"""
OF_TRAINING = (
    "train_", "step_seconds_", "forward_seconds_", "backward_seconds_", "optimizer_seconds_", "data_wait_", "epoch_eval_",
    "timed_steps", "dropped_steps", "model_flops_utilisation", "wall_seconds",
)  # fmt: skip
"""How the costs begin that a run measures over its training"""
BROKEN = (OSError, SafetensorError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)
"""What reading a file that is no checkpoint of ours may raise"""


class Losses(Protocol):
    """What the training loop counts."""

    losses: list[float]
    learning_rates: list[float]


class Other(Protocol):
    """What has a state beside the build."""

    def state(self) -> tuple[Any, dict[str, torch.Tensor]]:
        """(JSON, tensors)"""
        ...

    def put_back(self, told: Any, tensors: Mapping[str, torch.Tensor]) -> None: ...


class Found(NamedTuple):
    """A checkpoint as it was read."""

    told: dict[str, Any]
    tensors: dict[str, torch.Tensor]

    def under(self, start: str) -> dict[str, torch.Tensor]:
        return {name.removeprefix(start): t for name, t in self.tensors.items() if name.startswith(start)}


class Keeper:
    """Writes a run's state every so many steps, and where it is asked to stop; finds it again."""

    def __init__(
        self,
        path: Path,
        every: int,
        origin: Mapping[str, Any],
        other: Other,
        skip: Callable[[int], object],
        aside: Callable[[], AbstractContextManager[None]],
        least: int = 1,
        unresumable: str = "",
        stop: Stop = STOP,
    ) -> None:
        """origin: what must be the same for a checkpoint to be this run's, as JSON has it. skip: leaves out that many
        batches. aside: around what is not training. least: steps before which nothing is written. unresumable: why this
        run can have no checkpoint."""
        self.path, self.every, self.origin, self.other = path, every, dict(origin), other
        self.skip, self.aside, self.least, self.unresumable, self.stop = skip, aside, least, unresumable, stop
        self.notes: list[str] = []
        self.resumed_at = 0
        self.counted: dict[str, float | int | None] = {}
        """costs that are counted in the first steps"""
        self._base: Base | None = None

    def begin(self, build: Sequence[Any], optimizer: torch.optim.Optimizer, result: Losses) -> int:
        """Looks at the build before its first step and puts it where a checkpoint left it; the number of steps done.

        Raises UserError for a checkpoint that turns out broken when it is too late; it is removed."""
        with self.aside():
            return self._begin(build, optimizer, result)

    def _begin(self, build: Sequence[Any], optimizer: torch.optim.Optimizer, result: Losses) -> int:
        for left in self.path.parent.glob(f".{self.path.name}.*.tmp"):
            with suppress(OSError):
                left.unlink()

        def cleared() -> set[int]:
            return {id(p) for group in optimizer.param_groups for p in group["params"]}

        try:
            if self.unresumable:
                raise Unsaved(self.unresumable)
            self._base = Base(build, cleared)
        except Unsaved as reason:
            self._note(f"no checkpoint: {reason}")
            return 0
        found = self._read()
        if found is None:
            return 0
        try:
            self._restore(self._base, found, result)
        except (*BROKEN, RuntimeError) as error:
            self._drop()
            raise UserError(
                f"The checkpoint {self.path} is broken ({type(error).__name__}) and was removed; run the command again."
            ) from None
        return self.resumed_at

    def due(self, done: int) -> bool:
        """Whether `save` is to be called after so many steps."""
        return bool(self.stop) or done % self.every == 0

    def save(self, done: int, result: Losses, counted: Callable[[], dict[str, float | int | None]]) -> None:
        """Writes the state after `done` steps; what stands in the way is noted and the run goes on. Raises Stopped if it
        was asked to stop."""
        if self._base is not None and done >= self.least:
            with self.aside():
                self.counted = self.counted or counted()
                try:
                    self._write(self._base, done, result)
                except Unsaved as reason:
                    self._base = None
                    self._note(f"no checkpoint: {reason}")
                except (OSError, SafetensorError, UserError) as error:
                    self._note(f"no checkpoint after step {done}: {str(error).splitlines()[0]}")
        self.stop.obey()

    def end(self, record: RunRecord) -> None:
        """Lets go of the build, and says in the record what is to be known."""
        self._base = None
        if self.notes:
            record.provenance["checkpoint_notes"] = self.notes
        if self.resumed_at:
            record.provenance["resumed_at_step"] = self.resumed_at

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    def _drop(self) -> None:
        with suppress(OSError):
            self.path.unlink()

    def _write(self, base: Base, done: int, result: Losses) -> None:
        changes = base.changes()
        other, tensors = self.other.state()
        told = {
            "origin": self.origin,
            "done": done,
            "losses": result.losses,
            "learning_rates": result.learning_rates,
            "counted": self.counted,
            "other": other,
            "random": _draws(),
            "rest": changes.rest,
            "contents": {str(number): content for number, content in changes.contents.items()},
        }
        named = {OTHER: tensors, RANDOM: _torch_draws(), BUILD: changes.data}
        flat = {start + name: t.cpu() for start, group in named.items() for name, t in group.items()}
        make_folder(self.path.parent)
        with replacing(self.path) as temporary:
            save_file(flat, temporary, {NAME: json.dumps(told)})

    def _read(self) -> Found | None:
        """The checkpoint, if there is one that is this run's; another one is removed."""
        if not self.path.is_file():
            return None
        try:
            with safe_open(self.path, "pt") as file:
                told, names = json.loads(file.metadata()[NAME]), file.keys()
                if told["origin"] == self.origin:
                    return Found(told, {name: file.get_tensor(name) for name in names})
            reason = "it is of another version of the run or its code"
        except BROKEN:
            reason = "it cannot be read"
        self._refuse(reason)
        return None

    def _refuse(self, reason: str) -> None:
        self._note(f"a checkpoint was found and not used: {reason}")
        self._drop()

    def _restore(self, base: Base, found: Found, result: Losses) -> None:
        told = found.told
        contents = {int(number): content for number, content in told["contents"].items()}
        changes = Changes(told["rest"], contents, found.under(BUILD))
        if not base.fits(changes):
            self._refuse("the run did not begin with the same values this time")
            return
        base.apply(changes)
        self.other.put_back(told["other"], found.under(OTHER))
        result.losses[:], result.learning_rates[:] = told["losses"], told["learning_rates"]
        self.counted, self.resumed_at = told["counted"], told["done"]
        self.skip(told["done"])
        _redraw(told["random"], found.under(RANDOM))


def keeper_for(
    job: Job,
    device: torch.device,
    unresumable: str,
    other: Other,
    skip: Callable[[int], object],
    aside: Callable[[], AbstractContextManager[None]],
    least: int,
) -> Keeper | None:
    """The keeper of a run that is to have checkpoints; None if it is not to. `unresumable`: why this run cannot have any,
    which its keeper notes."""
    if job.checkpoint is None or job.checkpoint_every is None:
        return None
    path = job.checkpoint
    if job.parts is not None:
        # Not bit for bit the run that it is a second attempt of.
        path = path.with_name(f"{path.stem}.parts{job.parts}{path.suffix}")
    origin = {
        "format": FORMAT,
        "key": job.spec.key,
        "versions": provenance.versions(),
        "commit": provenance.commit(),
        "device": device.type,
    }
    return Keeper(path, job.checkpoint_every, origin, other, skip, aside, least, unresumable)


def unpriced(record: RunRecord) -> None:
    """Takes what was measured over a part of the training only out of a complete record."""
    step = record.provenance.get("resumed_at_step")
    if step:
        why = f"time, energy and peak memory are not those of one run: it went on from a checkpoint after step {step}"
        record.provenance["counters"] = {**record.provenance.get("counters", {}), "training": why}
        record.costs = {k: None if k.startswith(OF_TRAINING) else v for k, v in record.costs.items()}


def _draws() -> list[Any]:
    """Where Python's and NumPy's own generators are."""
    of_numpy: Any = np.random.get_state()  # noqa: NPY002
    kind, keys, *rest = of_numpy
    return [random.getstate(), [kind, keys.tolist(), *rest]]


def _torch_draws() -> dict[str, torch.Tensor]:
    found = {"cpu": torch.get_rng_state()}
    return found | {f"cuda{at}": state for at, state in enumerate(torch.cuda.get_rng_state_all())}


def _redraw(told: Any, tensors: Mapping[str, torch.Tensor]) -> None:
    (version, state, gauss), (kind, keys, *rest) = told
    random.setstate((version, tuple(state), gauss))
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(tensors["cpu"])
    for at in range(torch.cuda.device_count()):
        torch.cuda.set_rng_state(tensors[f"cuda{at}"], at)
