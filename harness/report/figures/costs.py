"""What a row costs, one number a row, and a log axis for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from harness.record import RunRecord
from harness.report import style
from harness.report.caption import hardware
from harness.report.figures.scene import NothingToShow, Scene
from harness.report.render import short_number


@dataclass(frozen=True)
class Counter:
    """A field of a record, and how its numbers of several tasks become one."""

    field: str
    title: str
    over_tasks: Callable[[Sequence[float]], float]
    unit: float = 1.0
    """The axis shows the field's numbers divided by this."""
    parameters: bool = False


@dataclass(frozen=True)
class Cost:
    what: str
    """As in `No row has ...`."""
    counters: tuple[Counter, ...]
    """The one that most rows have is drawn: numbers of two counters never share an axis."""
    more_is_better: bool = False


COSTS: Mapping[str, Cost] = {
    "trainable": Cost(
        "a parameter count",
        (Counter("trainable", "Trainable parameters, task head apart", max, parameters=True),),
    ),
    "memory": Cost(
        "a peak memory of training",
        (
            Counter("train_peak_allocated_bytes", "Memory in training, GB (peak CUDA allocated)", max, 1e9),
            Counter("train_peak_resident_bytes", "Memory in training, GB (peak RSS)", max, 1e9),
            Counter("hf_peft_process_peak_reserved_bytes", "Memory of the process, GB (peak CUDA reserved)", max, 1e9),
        ),
    ),
    "time": Cost(
        "a training time",
        (
            Counter("train_seconds", "Training time, s (step loop, sum over tasks)", sum),
            Counter("hf_peft_step_seconds_with_warmup", "Training time, s (sum of steps, warm-up included)", sum),
        ),
    ),
    "energy": Cost(
        "a training energy",
        (
            Counter("train_gpu_energy_joules", "GPU energy in training, kJ (sum over tasks)", sum, 1e3),
            Counter("train_cpu_energy_joules", "CPU energy in training, kJ (sum over tasks)", sum, 1e3),
        ),
    ),
    "speed": Cost(
        "a training speed",
        (
            Counter("train_tokens_per_second", "Training speed, tokens/s without padding", fmean),
            Counter("hf_peft_tokens_per_second_with_warmup", "Training speed, tokens/s, warm-up included", fmean),
        ),
        more_is_better=True,
    ),
}


def _of_row(runs: Sequence[RunRecord], counter: Counter) -> float | None:
    """Mean over seeds, then over tasks; None where runs lack the number, or a measured one comes from two machines."""
    by_task: dict[str, list[float | None]] = {}
    done = [run for run in runs if run.status == "done"]
    for run in done:
        value = (run.parameters if counter.parameters else run.costs).get(counter.field)
        by_task.setdefault(run.spec.task, []).append(value)
    means = []
    for values in by_task.values():
        known = [value for value in values if value is not None]
        if not known:
            return None
        means.append(fmean(known))
    if not means or (not counter.parameters and len({hardware(run) for run in done}) > 1):
        return None
    return counter.over_tasks(means)


def values(scene: Scene, cost: str) -> tuple[Counter, dict[str, float]]:
    """The counter that most rows have, and label -> number. Raises NothingToShow if none has one."""
    counters = COSTS[cost].counters
    found = [
        (counter, {label: value for label, own in scene.runs.items() if (value := _of_row(own, counter)) is not None})
        for counter in counters
    ]
    counter, known = max(found, key=lambda pair: len(pair[1]))
    if not known:
        raise NothingToShow(f"No row has {COSTS[cost].what} of one machine.")
    return counter, known


def _ticks(low: float, high: float) -> list[float]:
    if high / low < 5:
        places = MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        return [float(place) for place in places if low <= place <= high]
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1,) if high / low >= 200 else (1, 3) if high / low >= 50 else (1, 2, 5)
    ticks = [m * 10.0**d for d in decades for m in steps if low <= m * 10.0**d <= high]
    return ticks[:: 2 if len(ticks) > 8 else 1]


def _number(value: float) -> str:
    return short_number(value) if value >= 1000 else f"{value:.3g}"


def log_axis(ax: Axes, numbers: Sequence[float], more: float = 1.0) -> list[float]:
    """Scales the horizontal axis; zeros stand left of a break. Returns where the numbers stand on it. `more`: the
    room at the right as a multiple of that at the left, for names."""
    positive = [number for number in numbers if number > 0] or [1.0]
    low, high = min(positive), max(positive)
    has_zero = any(number <= 0 for number in numbers)
    zero = low / max(3.0, (high / low) ** 0.15)
    left = zero if has_zero else low
    room = max((high / left) ** 0.12, 1.04)
    ax.set_xscale("log")
    ax.set_xlim(left / room, high * room**more)
    ticks = _ticks(low / math.sqrt(room), high * room**more)
    if has_zero:
        ax.axvline(math.sqrt(zero * low), color=style.GREY, linewidth=0.5, linestyle=(0, (1, 3)))
        ticks = [zero, *(tick for tick in ticks if tick > math.sqrt(zero * low))]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: "0" if has_zero and x == zero else _number(x)))
    return [number if number > 0 else zero for number in numbers]
