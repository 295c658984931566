"""`peftbench estimate`: costs of a training step from shapes alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
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
    for method in chosen:
        config = configure(method, given.get(method.name, {}))
        label = " ".join([method.name, *(f"{k}={v}" for k, v in given.get(method.name, {}).items())])
        if budget and shape:
            fit = match(method, shape, share_of(budget, shape.parameters), config)
            if fit is None:
                notes.append(f"{method.name} has no size that could be matched.")
                continue
            config, label = fit.config, f"{method.name} {fit.field}={fit.value}"
        found.append(Sized(method, config, label))
    return found, notes


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
    from harness.estimate import estimate, largest_batch

    if device is not None and device not in DEVICES:
        raise UserError(f"There is no device {device!r}; there are: {', '.join(DEVICES)}.")
    if load.batch < 1 or load.length < 2:
        raise UserError("--batch must be at least 1 and --seq-len at least 2.")
    room = size_of(fits) if fits else None
    for name in models:
        base = registered(name)
        chosen, notes = sized(names, settings, base, budget)
        rows: list[tuple[str, Estimate | None]] = []
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=console, transient=True) as progress:
            line = progress.add_task("")
            for at, one in enumerate(chosen):
                progress.update(line, description=f"{one.label} on {name}, {len(chosen) - at - 1} more")
                try:
                    if room is None:
                        rows.append((one.label, estimate(base, one.method, one.config, load)))
                    else:
                        rows.append((one.label, largest_batch(base, one.method, one.config, load, room)[1]))
                        if rows[-1][1] is None:
                            notes.append(f"{one.label}: not even one row fits in {fits}.")
                except ValueError as error:  # Unsupported, or a size that does not fit the model
                    notes.append(f"{one.label}: {str(error).rstrip('.')}.")
        _show(base, load, rows, notes, DEVICES[device] if device else None, room is not None, console)


def _gigabytes(value: float) -> str:
    return f"{value / 1e9:.2f}" if value < 1e11 else f"{value / 1e9:.0f}"


def _show(
    base: BaseModel,
    load: Load,
    rows: Sequence[tuple[str, Estimate | None]],
    notes: Sequence[str],
    device: Device | None,
    fitted: bool,
    console: Console,
) -> None:
    from harness.estimate import seconds

    what = f"{load.length} tokens a row, {load.precision}" + (
        ", gradient checkpointing" if load.gradient_checkpointing else ""
    )
    batch = "largest batch that fits" if fitted else f"batch {load.batch}"
    console.print(
        f"{base.name} ({base.parameters / 1e9:.2f} B parameters), one training step, {batch}, {what}; GB of 10^9 bytes",
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    heads = [
        *(["batch"] if fitted else []),
        "train.",
        "%",
        "peak",
        *SHORT.values(),
        "TFLOP",
        *(["ms"] if device else []),
    ]
    table.add_column("method", overflow="fold", min_width=12)
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for label, found in rows:
        if found is None:
            continue
        cells = [label, *([str(found.load.batch)] if fitted else []), short_number(found.trainable)]
        cells += [f"{100 * found.trainable / base.parameters:.2g}", _gigabytes(found.memory.total)]
        cells += [_gigabytes(found.memory.parts[name]) for name in SHORT]
        cells.append(f"{found.flops / 1e12:.2f}")
        cells += [f">{1000 * seconds(found, device):.0f}"] if device else []
        table.add_row(*cells)
    console.print(table)
    for note in notes:
        console.print(f"Note: {note}", soft_wrap=True, markup=False)
    console.print(
        "Bytes of tensors alive at the worst moment of a step; a device's context, its allocator's rounding and library "
        "workspaces come on top. Head apart in trainable."
        + (f" ms: a lower bound on {device.name}, from its peak rates." if device else ""),
        style="dim",
    )
