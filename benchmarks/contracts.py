"""Every method held to every promise of the contract on every kind of tiny model, as one table.

    python benchmarks/contracts.py [--jobs 2] [--methods lora,dora] [--out results/reference/contracts.md]

Some minutes on two cores. `peftbench check NAME` shows one method's part with the reasons.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from _page import put_table

import methods
from harness.contract import ANY_CONFIG, CHECKS, PLAIN, WORKS, WRITTEN_OUT, Verdict, verdicts
from harness.tiny import KINDS
from harness.trial import config_of

PAGE = Path(__file__).parent.parent / "results" / "reference" / "contracts.md"
LETTERS = dict(zip(KINDS, "EDGVCS", strict=True))
ALONE = (WRITTEN_OUT, PLAIN)
SHORT = {ANY_CONFIG: "any config", "attaches": "attaches"} | dict(
    zip(
        CHECKS,
        ("start", "gradients", "count", "learns", "moves", "seed", "rows", "reload", "merge"),
        strict=True,
    )
)


def held(name: str) -> tuple[str, list[Verdict]]:
    import torch

    torch.set_num_threads(1)
    return name, list(verdicts(name, config=config_of(name)))


def row(name: str, found: Sequence[Verdict]) -> str:
    """The kinds on which each promise holds, those on which it does not behind an exclamation mark."""
    alone = [verdict for verdict in found if not verdict.kind]
    cells = ["yes" if all(v.state == "holds" for v in alone if v.contract in ALONE) else "**no**"]
    for contract in SHORT:
        asked = [verdict for verdict in found if verdict.contract == contract]
        good = "".join(LETTERS[v.kind] for v in asked if v.state == "holds")
        bad = "".join(LETTERS[v.kind] for v in asked if v.state == "does not")
        cells.append(good + (f" **!{bad}**" if bad else "") or "-")
    return f"| {name} | " + " | ".join(cells) + " |"


def table(found: dict[str, list[Verdict]]) -> str:
    heads = ["method", "declared", *SHORT.values()]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += [row(name, one) for name, one in found.items()]
    refused: dict[str, list[str]] = {}
    broken = []
    for name, one in found.items():
        for verdict in one:
            if verdict.state == "not supported":
                refused.setdefault(verdict.reason, []).append(f"{name} {LETTERS[verdict.kind]}")
            elif verdict.state == "does not" and verdict.contract != WORKS:
                broken.append(f"- {name}, {verdict.kind or 'alone'}, {verdict.contract}: {verdict.reason}")
    every = sum(v.state in {"holds", "does not"} for one in found.values() for v in one)
    lines += ["", f"{len(found)} methods, {every} promises asked, {len(broken)} do not hold.", *broken, ""]
    lines += ["Not supported:", ""] + [f"- {reason}: {', '.join(names)}" for reason, names in sorted(refused.items())]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--methods", default="")
    parser.add_argument("--out", type=Path, default=PAGE)
    options = parser.parse_args()
    names = [name for name in options.methods.split(",") if name] or methods.names()
    found = {}
    with ProcessPoolExecutor(options.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for at, (name, one) in enumerate(pool.map(held, names), 1):
            found[name] = one
            wrong = sum(verdict.state == "does not" for verdict in one)
            print(f"[{at}/{len(names)}] {name}: {len(one)} asked, {wrong} do not hold", file=sys.stderr, flush=True)
    put_table(options.out, table(found))


if __name__ == "__main__":
    main()
