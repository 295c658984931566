"""Whether a method's memory and operations follow its idea: a step of every method against LoRA's, on one model.

    python benchmarks/method_costs.py [--methods all] [--model roberta-base] [--batch 16] [--length 128] [--page FILE]

Bytes by category and operations are those of `peftbench estimate`, which equal the account of a real step; no weights
and no device are needed. `--seconds ROUNDS` also takes real steps on this machine, with random weights, each method in
turn with LoRA, and prints the median ratio of their times.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from _page import put_table
from gpu_costs import real_batch

import methods
from harness.estimate import Estimate, Load, estimate, prepared
from harness.models import REGISTRY, BaseModel
from harness.train import make_optimizer, one_step
from methods.layers import trainable
from methods.spec import Method, Unsupported
from tasks.spec import Recipe

REFERENCE = "lora"
PARTS = ("gradients", "optimizer", "activations")


class Steps:
    """Real steps of one method on a model with random weights, on the CPU."""

    def __init__(self, base: BaseModel, method: Method, load: Load) -> None:
        self.method, self.config = method, method.config()
        self.model, _, _ = prepared(base, method, self.config, load, "cpu")
        self.model.train()
        self.recipe = Recipe(batch_size=load.batch, precision=load.precision)  # type: ignore[arg-type]
        self.optimizer = make_optimizer(self.model, method, self.config, 1e-5, 0.0)
        self.batch = real_batch(base, self.model, load)
        self.step = 0

    def seconds(self) -> float:
        started, parameters = time.perf_counter(), list(trainable(self.model).values())
        one_step(
            self.model, self.method, self.config, self.recipe, self.batch, self.optimizer, parameters, self.step, 1000
        )
        self.step += 1
        return time.perf_counter() - started


def ratio(base: BaseModel, method: Method, load: Load, rounds: int) -> float:
    """Median over rounds of the method's step time by LoRA's, in turns."""
    own, other = Steps(base, method, load), Steps(base, methods.get(REFERENCE), load)
    own.seconds(), other.seconds()
    return statistics.median(own.seconds() / other.seconds() for _ in range(rounds))


def row(name: str, found: Estimate, lora: Estimate, speed: float | None) -> str:
    def megabytes(part: str) -> str:
        return f"{found.memory.parts[part] / 1e6:,.1f}"

    cells = [
        name,
        f"{found.trainable:,}",
        *(megabytes(part) for part in PARTS),
        f"{found.memory.total / 1e6:,.0f}",
        f"{100 * (found.memory.total / lora.memory.total - 1):+.0f} %",
        f"{100 * (found.memory.parts['activations'] / lora.memory.parts['activations'] - 1):+.0f} %",
        f"{found.flops / lora.flops:.2f}",
        *([] if speed is None else [f"{speed:.2f}"]),
    ]
    return f"| {' | '.join(cells)} |"


def table(options: argparse.Namespace) -> str:
    base = REGISTRY[options.model]
    load = Load(options.batch, options.length, options.precision)
    wanted = methods.names() if options.methods == "all" else options.methods.split(",")
    lora = estimate(base, methods.get(REFERENCE), methods.get(REFERENCE).config(), load)
    titles = ["method", "trainable", *(f"{p} MB" for p in PARTS), "peak MB", "peak", "activations", "FLOPs"]
    titles += ["time"] if options.seconds else []
    lines, reasons = [f"| {' | '.join(titles)} |", "|---" + "|---:" * (len(titles) - 1) + "|"], []
    for at, name in enumerate(wanted):
        method: Any = methods.get(name)
        try:
            found = estimate(base, method, method.config(), load)
            speed = ratio(base, method, load, options.seconds) if options.seconds else None
        except (Unsupported, ValueError) as reason:
            reasons.append(f"{name}: {reason}")
            continue
        lines.append(row(name, found, lora, speed))
        print(f"[{at + 1}/{len(wanted)}] {lines[-1]}", flush=True)
        gc.collect()
    return "\n".join([*lines, "", *(f"Not on {options.model}: {reason}." for reason in reasons)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", default="all")
    parser.add_argument("--model", default="roberta-base")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--seconds", type=int, default=0, metavar="ROUNDS", help="also time so many real steps")
    parser.add_argument("--page", type=Path, help="a markdown file whose table is replaced")
    options = parser.parse_args()
    torch.manual_seed(0)
    found = table(options)
    print(found)
    if options.page:
        put_table(options.page, found)


if __name__ == "__main__":
    main()
