"""What the harness adds to a training step: our loop, with metering and without, against a bare hand-written one.

    python benchmarks/overhead.py [--rounds 15] [--steps 12]

All loops train LoRA r=8 (query, value) on a randomly initialised 6 x 384 BERT, batch 16 x 64 tokens,
from the same tokenised rows (collating included in all). They take turns, and ratios are formed round
by round, so that a machine whose speed drifts does not decide them. Metering is what goes on during timed
steps: the parts of a step, peak memory and energy; following the first two steps operation by operation
happens outside of them and is printed apart.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

import methods
from harness.attach import attach
from harness.data import Encoded, training_batches
from harness.meter import FirstSteps, PhaseMeter, StepParts
from harness.shape import describe, head_names
from harness.train import train
from tasks.spec import Recipe

CPU = torch.device("cpu")
ROWS, LENGTH, BATCH, RATE = 256, 64, 16, 5e-4


def rows() -> Encoded:
    ids = np.random.default_rng(0).integers(4, 3000, (ROWS, LENGTH))
    columns = {"input_ids": ids.tolist(), "attention_mask": np.ones_like(ids).tolist()}
    return Encoded(columns, (ids[:, 0] % 2).astype(np.int64), None, {"input_ids": 0, "attention_mask": 0}, 0)


def model_with_lora() -> nn.Module:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=3000, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
    )
    model = BertForSequenceClassification(config)
    method = methods.get("lora")
    return attach(model, method, method.config(), describe(model), head_names(model), 0)


def bare(model: nn.Module, data: Encoded, steps: int) -> None:
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(0)).tolist()
    model.train()
    for step in range(steps):
        start = step * BATCH % len(data)
        batch = data.collate(order[start : start + BATCH])
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(**batch.inputs).logits, batch.labels)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()


def ours(
    model: nn.Module, data: Encoded, steps: int, first: FirstSteps | None = None, parts: StepParts | None = None
) -> None:
    method, recipe = methods.get("lora"), Recipe(batch_size=BATCH, max_steps=steps)
    batches = training_batches(data, BATCH, 0)
    train(model, method, method.config(), recipe, RATE, batches, len(data), CPU, first=first, parts=parts)


def metered(model: nn.Module, data: Encoded, steps: int) -> None:
    meter = PhaseMeter(CPU, own_process=True)
    meter.begin("train")
    ours(model, data, steps, parts=StepParts(CPU, steps))
    meter.end()


def followed(model: nn.Module, data: Encoded, steps: int) -> None:
    ours(model, data, steps, first=FirstSteps(model))


LOOPS = {"bare": bare, "ours": ours, "metered": metered}


def say(name: str, ratios: list[float]) -> None:
    low, high = min(ratios), max(ratios)
    print(
        f"{name}: median {statistics.median(ratios):.3f} (lowest {low:.3f}, highest {high:.3f}, {len(ratios)} rounds)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=12)
    options = parser.parse_args()
    data, model = rows(), model_with_lora()
    seconds: dict[str, list[float]] = {name: [] for name in LOOPS}
    for turn in range(options.rounds + 1):
        names = list(LOOPS)
        for name in names[turn % 3 :] + names[: turn % 3]:
            started = time.perf_counter()
            LOOPS[name](model, data, options.steps)
            if turn:  # the first round warms up
                seconds[name].append((time.perf_counter() - started) / options.steps)
    for name, values in seconds.items():
        print(f"{name}: median {statistics.median(values) * 1e3:.1f} ms a step")
    say("ours / bare", [a / b for a, b in zip(seconds["ours"], seconds["bare"], strict=True)])
    say("metered / ours", [a / b for a, b in zip(seconds["metered"], seconds["ours"], strict=True)])
    started = time.perf_counter()
    followed(model, data, FirstSteps.STEPS)
    extra = time.perf_counter() - started - FirstSteps.STEPS * statistics.median(seconds["ours"])
    print(f"following the first {FirstSteps.STEPS} steps: {extra:.2f} s once a run")


if __name__ == "__main__":
    main()
