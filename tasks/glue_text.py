"""GLUE as text in, text out, for encoder-decoders: T5's practice as papers on parameter-efficient tuning report it.

Protocol `glue-text-dev`, after the code of Compacter, Karimi Mahabadi et al. 2021, https://arxiv.org/abs/2106.04647,
https://github.com/rabeehk/compacter, which LST uses too, Sung et al. 2022, https://arxiv.org/abs/2206.06522,
https://github.com/ylsung/Ladder-Side-Tuning. The encoder reads `mrpc sentence1: ... sentence2: ...`; the decoder writes
the label's index (`0`, `1`), or STS-B's value with one decimal (`3.8`). The answer is generated greedily and its whole
text counts: what is no index is wrong (F1: the wrong one of the two classes), what is no number counts as -1. STS-B's
correlations are with the values as written, rounded. MNLI's `hypothesis` has no colon, as in their code.
T5's own code writes words (`equivalent`) and rounds STS-B to the nearest 0.2: another protocol, whose scores differ.

Where this differs from theirs:
- they choose the best epoch on a half of dev (or on 1,000 training rows where there are 10,000 or more) and report the
  other half (or dev); here the last epoch is reported on the whole dev set, as for encoders (`--select best` chooses on
  rows carved from train), and MNLI on both parts, not on the matched one alone;
- their code leaves the task's name out of the prompt for adapters; here it stands there for every method;
- Compacter trains the large tasks for 3 epochs, LST for 10: here 10.
T5's first checkpoints (t5-small, t5-base, t5-large) were trained on GLUE's training sets among others, in words.

Preset `paper`: T5-base, batches of 100, rate 3e-4, 500 steps of warm-up, linear decay, 128 tokens. A rate is given for
the methods that the two papers' settings name; others use their own default. Preset `quick`: T5-small, three epochs;
its rates were set by hand, not tuned. Preset `mini`: the rows of glue-mini, which need no download; a T5 does.
"""

from __future__ import annotations

from dataclasses import replace

from tasks import glue
from tasks._glue_as_text import as_text
from tasks.spec import Recipe, Suite

SMALL = {"cola", "mrpc", "stsb", "rte", "wnli"}
RATES = {"full-ft": 3e-4, "lora": 3e-4, "adapter-houlsby": 3e-4, "compacter": 3e-3}
# LST's settings. An adapter of 48 is a sixteenth of T5-base's width; theirs stand behind self-attention and feed-forward,
# here behind cross-attention too. Its code gives every T5 biases, which train beside LoRA; here LoRA is alone.
SETTINGS = {
    "lora": {"r": 32, "alpha": 32, "dropout": 0.1, "targets": ["query", "value"]},
    "adapter-houlsby": {"bottleneck": 48, "targets": ["output", "down"]},
}
PAPER = Recipe(
    batch_size=100,
    epochs=20.0,
    learning_rates=RATES,
    settings=SETTINGS,
    schedule="linear",
    warmup_steps=500,
    weight_decay=0.0,
    max_length=128,
    eval_every_epoch=True,
)
QUICK = Recipe(
    batch_size=16,
    epochs=3.0,
    learning_rates={"full-ft": 3e-4, "lora": 1e-3, "dora": 1e-3},
    weight_decay=0.0,
    max_length=128,
    group_by_length=True,
)

TASKS = tuple(
    as_text(
        task,
        task.name,
        "glue-text",
        "glue-text-dev",
        "1",
        {"paper": PAPER if task.name in SMALL else replace(PAPER, epochs=10.0), "quick": QUICK},
    )
    for task in glue.TASKS
)
SUITE = Suite(
    name="glue-text",
    title="GLUE for encoder-decoders: text in, text out",
    tasks=tuple(task.name for task in TASKS),
    average=tuple(task.name for task in TASKS if task.name != "wnli-text"),
    models={"paper": "t5-base", "quick": "t5-small"},
    presets={"mini": "glue-text-mini"},
)
