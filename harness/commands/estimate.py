"""`peftbench estimate`: costs of a training step from shapes alone."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from harness.devices import DEVICES, Device
from harness.models import REGISTRY, BaseModel
from harness.plan import configure, split_settings
from harness.record import UserError
from harness.report.render import short_number

if TYPE_CHECKING:
    from harness.estimate import Estimate, Load
    from methods.spec import Method

SHORT = {
    "weights": "weights",
    "trainable": "train.",
    "gradients": "grads",
    "optimizer": "optim.",
    "activations": "activ.",
    "temporaries": "temp.",
}
UNITS = {"gib": 2**30, "gb": 10**9, "mib": 2**20, "mb": 10**6}


@dataclass(frozen=True)
class Sized:
    """A method with its config and a word on how it differs from the defaults."""

    name: str
    """as asked for: a name or a file"""
    method: Method
    config: Any
    label: str


def size_of(text: str) -> int:
    """ "24GiB" -> bytes. Raises UserError."""
    found = re.fullmatch(r"\s*([0-9.]+)\s*([GgMm][Ii]?[Bb])\s*", text)
    if not found:
        raise UserError(f"--fits {text}: a size such as 24GiB or 80GB is expected.")
    return int(float(found[1]) * UNITS[found[2].lower()])


def registered(name: str) -> BaseModel:
    """Raises UserError for a model without a declared configuration."""
    if name not in REGISTRY:
        raise UserError(f"There is no registered model {name!r}; `peftbench models` lists those that can be estimated.")
    if not REGISTRY[name].config:
        raise UserError(f"{name} declares no configuration, so that it cannot be estimated.")
    return REGISTRY[name]


def sized(
    names: Sequence[str], settings: dict[str, Any], base: BaseModel, budget: str | None
) -> tuple[list[Sized], list[str]]:
    """The methods as asked for, and a sentence for each that has no size to match."""
    import methods
    from harness.match import match, share_of
    from harness.models.build import build
    from harness.shape import describe
    from methods.registry import resolve

    try:
        chosen = [methods.get(resolve(name)) for name in names]
    except KeyError as error:
        raise UserError(error.args[0]) from None
    given = split_settings(settings, resolve, [method.name for method in chosen])
    found, notes = [], []
    shape = describe(build(base)) if budget else None
    for name, method in zip(names, chosen, strict=True):
        config = configure(method, given.get(method.name, {}))
        label = " ".join([method.name, *(f"{k}={v}" for k, v in given.get(method.name, {}).items())])
        if budget and shape:
            fit = match(method, shape, share_of(budget, shape.parameters), config)
            if fit is None:
                notes.append(f"{method.name} has no size that could be matched.")
                continue
            config, label = fit.config, f"{method.name} {fit.field}={fit.value}"
        found.append(Sized(name, method, config, label))
    return found, notes


def _trace(model: str, method: str, config: dict[str, Any], load: Load, room: int | None) -> Estimate | None:
    """None if not even one row fits in `room`. Raises ValueError where the method does not work on the model."""
    import methods
    from harness.estimate import estimate, largest_batch

    found = methods.get(method)
    settings = found.config(**config)
    if room is None:
        return estimate(REGISTRY[model], found, settings, load)
    return largest_batch(REGISTRY[model], found, settings, load, room)[1]


def _pool(traces: int, bases: Sequence[BaseModel]) -> ProcessPoolExecutor | None:
    """Tracing is one core's work: several methods go side by side, each in a process that has loaded already what all of
    them need and leaves that alone when it looks for garbage."""
    workers = min(traces, os.cpu_count() or 1)
    if workers < 2:
        return None
    context = multiprocessing.get_context("forkserver")
    kinds = {base.config["model_type"] for base in bases}
    models = [f"transformers.models.{kind}.modeling_{kind}" for kind in sorted(kinds)]
    context.set_forkserver_preload(["harness.estimate", "peft", *models])
    return ProcessPoolExecutor(workers, mp_context=context, initializer=gc.freeze)


def run(
    names: Sequence[str],
    models: Sequence[str],
    load: Load,
    settings: dict[str, Any],
    device: str | None,
    fits: str | None,
    budget: str | None,
    console: Console,
) -> None:
    """Raises UserError for names and sizes that cannot be."""
    if device is not None and device not in DEVICES:
        raise UserError(f"There is no device {device!r}; there are: {', '.join(DEVICES)}.")
    if load.batch < 1 or load.length < 2:
        raise UserError("--batch must be at least 1 and --seq-len at least 2.")
    room = size_of(fits) if fits else None
    bases = [registered(name) for name in models]
    with contextlib.ExitStack() as stack:
        pool = _pool(len(names) * len(models), bases)
        if pool:
            stack.enter_context(pool)
        for base in bases:
            chosen, notes = sized(names, settings, base, budget)
            rows: list[tuple[str, Estimate | None]] = []
            for one, result in _traced(base, chosen, load, room, pool, console):
                try:
                    rows.append((one.label, result()))
                except ValueError as error:  # Unsupported, or a size that does not fit the model
                    notes.append(f"{one.label}: {str(error).rstrip('.')}.")
                    continue
                found = rows[-1][1]
                if found is None:
                    notes.append(f"{one.label}: not even one row fits in {fits}.")
                elif found.assumes:
                    notes.append(f"{one.label}: {found.assumes}{choice_range(found)}.")
            _show(base, load, rows, notes, DEVICES[device] if device else None, room is not None, console)


def _traced(
    base: BaseModel,
    chosen: Sequence[Sized],
    load: Load,
    room: int | None,
    pool: ProcessPoolExecutor | None,
    console: Console,
) -> Iterator[tuple[Sized, Callable[[], Estimate | None]]]:
    """Each method with what gives its result, in the order asked for."""
    calls = [(base.name, one.name, asdict(one.config), load, room) for one in chosen]
    futures = [pool.submit(_trace, *call) for call in calls] if pool else []
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=console, transient=True) as progress:
        line = progress.add_task("")
        for at, one in enumerate(chosen):
            progress.update(line, description=f"{one.label} on {base.name}, {len(chosen) - at - 1} more")
            yield one, futures[at].result if pool else partial(_trace, *calls[at])


def choice_range(found: Estimate) -> str:
    """Where the data choose, what the peak may be."""
    if not found.between:
        return ""
    low, high = map(_gigabytes, found.between)
    return f"; the peak is between {low} and {high} GB by what they choose"


def _gigabytes(value: float) -> str:
    return f"{value / 1e9:.2f}" if value < 1e11 else f"{value / 1e9:.0f}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share >= 0.1 else f"{100 * share:.2g}"


def _cells(base: BaseModel, found: Estimate, device: Device | None, fitted: bool) -> dict[str, str]:
    """Column -> what stands there."""
    from harness.estimate import seconds

    cells = {"batch": str(found.load.batch)} if fitted else {}
    cells |= {"params": short_number(found.trainable), "%": _percent(found.trainable / base.parameters)}
    cells |= {"peak": _gigabytes(found.memory.total)}
    cells |= {head: _gigabytes(found.memory.parts[name]) for name, head in SHORT.items()}
    cells |= {"TFLOP": f"{found.flops / 1e12:.2f}"}
    return cells | ({"ms": f">{1000 * seconds(found, device):.0f}"} if device else {})


def _grid(lines: Sequence[tuple[str, dict[str, str]]], heads: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    longest = max((len(label) for label, _ in lines), default=0)
    table.add_column("method", overflow="fold", min_width=min(longest, 16))
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for label, cells in lines:
        table.add_row(label, *(cells[head] for head in heads))
    return table


def _show(
    base: BaseModel,
    load: Load,
    rows: Sequence[tuple[str, Estimate | None]],
    notes: Sequence[str],
    device: Device | None,
    fitted: bool,
    console: Console,
) -> None:
    what = f"{load.length} tokens a row{' of the encoder and of the decoder' if base.kind == 'seq2seq' else ''}"
    what += f", {load.precision}" + (", gradient checkpointing" if load.gradient_checkpointing else "")
    batch = "largest batch that fits" if fitted else f"batch {load.batch}"
    console.print(
        f"{base.name} ({base.parameters / 1e9:.2f} B parameters), one training step, {batch}, {what}; GB of 10^9 bytes",
        soft_wrap=True,
    )
    lines = [(label, _cells(base, found, device, fitted)) for label, found in rows if found is not None]
    heads = list(lines[0][1]) if lines else []
    parts = [head for head in heads if head in SHORT.values()]
    whole = _grid(lines, heads)
    if console.measure(whole, options=console.options.update(width=10_000)).maximum <= console.width:
        console.print(whole)
    else:
        # What sums it up above, the categories below.
        console.print(_grid(lines, [head for head in heads if head not in parts]))
        console.print(_grid(lines, parts))
    for note in notes:
        console.print(f"Note: {note}", soft_wrap=True, markup=False)
    console.print(
        "Bytes of tensors alive at the worst moment of a step; a device's context, its allocator's rounding and library "
        "workspaces come on top. params: what trains, head apart."
        + (f" ms: a lower bound on {device.name}, from its peak rates." if device else ""),
        style="dim",
    )
