"""Methods trained by one process and by several, compared; each of the several runs this script.

    python spread_methods.py FOLDER RANK PROCESSES ddp|fsdp NAME ...

The folder gets RANK.json: method -> {alone, losses: those of one process and of several; apart: the trained values'
largest difference, relative to how far training moved them; same: whether the same ones train}, or {error}.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

import tiny  # noqa: E402
import torch  # noqa: E402
from torch import distributed  # noqa: E402
from tuned import attached, calibrate, config_of  # noqa: E402

import methods  # noqa: E402
from harness.data import Batch, Targets  # noqa: E402
from harness.spread import ALONE, Replicated, Sharded  # noqa: E402
from harness.train import train  # noqa: E402
from methods.layers import trainable  # noqa: E402
from methods.spec import Unsupported  # noqa: E402
from tasks.spec import Recipe  # noqa: E402

STEPS, ROWS, SIZE = 6, 11, 5


def undropped(config):
    """Processes draw other masks for their rows than one process does for all."""
    return dataclasses.replace(config, dropout=0.0) if hasattr(config, "dropout") else config


def in_model(name):
    """(kind, method, config, model): in a language model where the method takes one, else in the first kind it takes."""
    for kind in ("causal", *(kind for kind in tiny.KINDS if kind != "causal")):
        if not methods.get(name).supports(*tiny.KINDS[kind]):
            try:
                method, config, _, model = attached(name, kind, config=undropped(config_of(name)))
            except Unsupported:
                continue
            return kind, method, config, model
    raise AssertionError(f"{name} works on none of the tiny models")


def batches(kind):
    """Endless epochs of eleven rows in batches of five: the last has a single row. Texts ask for different numbers of
    tokens."""
    inputs, labels = tiny.task(kind, ROWS)
    if kind == "causal":
        for row in range(ROWS):
            labels[row, -1 - row % 4 :] = inputs["input_ids"][row, -1 - row % 4 :]
    while True:
        for start in range(0, ROWS, SIZE):
            rows = slice(start, min(ROWS, start + SIZE))
            own = {key: value[rows] for key, value in inputs.items()}
            index = list(range(rows.start, rows.stop))
            targets = Targets.of(labels[rows]) if kind == "causal" else None
            yield Batch(own, labels[rows], len(index), index, targets)


def whole(tensor):
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def trained(name, spread, dtype=torch.double):
    """(losses, {name: (value before, value after)}) of what trains"""
    kind, method, config, model = in_model(name)
    calibrate(method, config, model, kind)
    model.to(dtype)
    before = {key: value.detach().clone() for key, value in trainable(model).items()}
    spread.over(model)
    recipe = Recipe(batch_size=SIZE, max_steps=STEPS, gradient_accumulation=2, weight_decay=0.1, max_grad_norm=0.5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        losses = train(
            model, method, config, recipe, 1e-2, batches(kind), ROWS, torch.device("cpu"), spread=spread
        ).losses
    spread.check(model)
    return losses, {k: (before.get(k), whole(v.detach())) for k, v in trainable(model).items()}


def compared(name, spread):
    dtype = torch.double
    try:
        losses, alone = trained(name, ALONE)
    except RuntimeError:
        # Some methods make float32 tensors of their own.
        dtype = torch.float
        losses, alone = trained(name, ALONE, dtype)
    found, values = trained(name, spread, dtype)
    if values.keys() != alone.keys():
        return {"error": "other values train"}
    moved = max(float((b - a).abs().max()) for a, b in alone.values() if a is not None)
    apart = max(float((values[key][1] - b).abs().max()) for key, (_, b) in alone.items())
    return {"alone": losses, "losses": found, "apart": apart / moved}


def main(folder, rank, processes, kind, names):
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    distributed.init_process_group(
        "gloo", init_method=(folder / "store").as_uri(), rank=rank, world_size=processes, timeout=timedelta(seconds=300)
    )
    found = {}
    for name in names:
        try:
            found[name] = compared(name, Replicated() if kind == "ddp" else Sharded())
        except Exception as error:
            found[name] = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        (folder / f"{rank}.json").write_text(json.dumps(found))
        print(rank, name, found[name].get("error") or found[name]["apart"], flush=True)
    os._exit(0)


def run(folder, kind, names, processes=2):
    """What the first process found."""
    words = [sys.executable, str(HERE), str(folder)]
    ranks = [
        subprocess.Popen([*words, str(rank), str(processes), kind, *names], stdout=subprocess.DEVNULL)
        for rank in range(processes)
    ]
    try:
        assert [rank.wait(600) for rank in ranks] == [0] * processes
    finally:
        for rank in ranks:
            rank.kill()
            rank.wait()
    return json.loads((folder / "0.json").read_text())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5:])
