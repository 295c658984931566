"""Heavy probes of a tuned model, run once after scoring and outside the timed steps.

serving: what it costs to ship and to serve. weights: how the matrices changed. forgetting: what it does to general
inputs. Each measures in twins that it builds itself, and leaves the tuned model as it found it.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Sequence

from torch import nn

from harness.model import seeded
from harness.probe import forgetting, serving, weights
from harness.probe.context import Context, Found, Probe
from harness.record import UserError

__all__ = ["PROBES", "Context", "Found", "Probe", "check", "run"]

PROBES: dict[str, Probe] = {probe.name: probe for probe in (serving.PROBE, weights.PROBE, forgetting.PROBE)}


def check(names: Sequence[str]) -> None:
    """Raises UserError for a name that is no probe's."""
    for name in names:
        if name not in PROBES:
            raise UserError(f"There is no probe {name!r}; the probes are {', '.join(PROBES)}.")


def run(names: Sequence[str], context: Context) -> Found:
    """The figures of the named probes, each with `probe_<name>_seconds`, how long it took.

    What could not be measured is None and a note says why; so it is where a probe breaks, since the run that it
    follows was paid for. Raises UserError for a name that is no probe's.
    """
    check(names)
    found = Found()
    for name in names:
        probe, started = PROBES[name], time.perf_counter()
        costs = dict.fromkeys(probe.fields(context))
        try:
            with _undisturbed(context.model), seeded(context.seed):
                part = probe.measure(context)
        except Exception as error:
            first, *_ = f"{type(error).__name__}: {error}".splitlines()
            part = Found(notes=[f"the probe failed: {first}"])
        costs |= part.costs | {f"probe_{name}_seconds": time.perf_counter() - started}
        for key, value in costs.items():
            if isinstance(value, float) and not math.isfinite(value):
                costs[key] = None
                part.notes.append(f"{key} is not finite")
        found.costs |= costs
        found.notes += [f"{name}: {note}" for note in part.notes]
        found.tables |= part.tables
    return found


@contextlib.contextmanager
def _undisturbed(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; each module's own mode after it."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
