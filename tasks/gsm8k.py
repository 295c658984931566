"""GSM8K: grade school word problems. The same 1,319 test problems in four published protocols, never averaged.

Cobbe et al. 2021, https://arxiv.org/abs/2110.14168; https://github.com/openai/grade-school-math
Every record holds the accuracy by the protocol's own rule and, beside it, by the robust one (tasks/rules.py).

`gsm8k`: trained on GSM8K's own 7,473 solutions, calculator marks included. Prompt as in lm-evaluation-harness
(https://github.com/EleutherAI/lm-evaluation-harness), zero shot. Preset `paper` is LoftQ's run of 16-bit LoRA
(https://github.com/yxli2123/LoftQ, scripts/train_gsm8k.sh: rank 64, alpha 16), whose prompt is another one.

`gsm8k-llm-adapters`: Hu et al. 2023, https://arxiv.org/abs/2304.01933; https://github.com/AGI-Edgerunners/LLM-Adapters.
Trained on math_10k, loss over prompt and answer, reported with a prompt that differs in white space, four beams. Paper's
LoRA: rank 32, alpha 64, dropout 0.05 on query, key, value, up and down. math_10k lies in its repository's
ft-training_set and on no hub. It holds MAWPS problems of AddSub, MultiArith and SingleEq, so those are no tests for it.
Differences: its base model is in float16; here bfloat16. Some of its runs hold out 120 rows and keep the checkpoint with
the lowest loss on them; its LoRA run (math_running_commands) does not, nor does this. A row with an `input`, which its
code gives another template, is refused.

`gsm8k-metamath`: PiSSA's protocol, Meng et al. 2024, https://arxiv.org/abs/2404.02948;
https://github.com/GraphPKU/PiSSA. Trained on the first 100,000 rows of MetaMathQA (Yu et al. 2023,
https://arxiv.org/abs/2309.12284) and reported with MetaMath's test prompt, which adds `Let's think step by step.` Paper:
rank and alpha 128 on all seven linear maps, no dropout. Its generation ends at words such as `Question`; here its rule
cuts the text there, which is the same. Later states of its repository add a line feed to each solution and take rows
and test prompts from a data set of their own.

`gsm8k-hf-peft`: https://github.com/huggingface/peft, method_comparison/MetaMathQA. Trained on MetaMathQA without rows
longer than 1,300 characters, loss over prompt and answer; its 5,000 steps read the first 20,000 such rows, and those are
the training rows here. Differences: it reads them in order, in groups of 80 sorted by length, here shuffled; the longest
row of a batch has no end of text there; adapters compute in float32 there, in bfloat16 here; and it leaves `do_sample`
unset, for which transformers 5 takes the model's own settings, and Llama-3.2's say to sample; here greedy.
It watches 50 rows of GSM8K's training split (numpy's first 50 after seed 0) without choosing by them; here they are not
used. Methods with a rate of their own mostly have AdamW's default weight decay there, 0.01, or none; here all have 0.1.

Local files: `train.jsonl` and `test.jsonl` as OpenAI publishes them, `math_10k.json`, `MetaMathQA-395K.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tasks.rules import GSM8K, HF_PEFT, LLM_ADAPTERS, METAMATH, ROBUST
from tasks.spec import Generation, Hub, Json, Recipe, Row, Rule, Suite, Task

LONGEST = 1300
INDENT = " " * 16
ALPACA = "Below is an instruction that describes a task. Write a response that appropriately completes the request."
BASELINES = ("lora", "rslora", "dora", "lora-fa", "adalora", "bone", "boft", "fourierft", "ln-tuning", "loha", "oft")


def _texts(row: Mapping[str, Any], *columns: str) -> list[str]:
    """Raises KeyError for a column that is missing, ValueError for one that holds no text."""
    for column in columns:
        if not isinstance(row[column], str):
            raise ValueError(f"{column!r} is no text")
    return [row[column] for column in columns]


def solved(row: Mapping[str, Any]) -> Row:
    """A row of GSM8K. Raises ValueError if its solution does not end in `#### ` and a number."""
    question, solution = _texts(row, "question", "answer")
    _, mark, answer = solution.rpartition("#### ")
    if not mark or GSM8K.find(answer) != answer.strip():
        raise ValueError("'answer' does not end in `#### ` and a number")
    return {"question": question, "solution": solution, "answer": answer.strip()}


def instructed(row: Mapping[str, Any]) -> Row:
    """A row of math_10k; its answer is a number or, of a question with options, a letter."""
    question, solution = _texts(row, "instruction", "output")
    if row.get("input"):
        raise ValueError("'input' is not empty, and this protocol's template has no place for it")
    return {"question": question, "solution": solution, "answer": str(row.get("answer", ""))}


def augmented(row: Mapping[str, Any]) -> Row:
    """A row of MetaMathQA."""
    question, solution = _texts(row, "query", "response")
    return {"question": question, "solution": solution, "answer": solution.rpartition("The answer is: ")[2].strip()}


def short(row: Mapping[str, Any]) -> Row | None:
    """The same; None if question, a space and solution are too long."""
    made = augmented(row)
    return made if len(made["question"]) + 1 + len(made["solution"]) <= LONGEST else None


def _rules(published: Rule) -> dict[str, Rule]:
    return {"accuracy": published, "robust_accuracy": ROBUST}


OWN = Task(
    name="gsm8k",
    suite="gsm8k",
    kind="generate",
    title="Word problems, trained on GSM8K's own solutions",
    url="https://arxiv.org/abs/2110.14168",
    fields=("question", "solution", "answer"),
    metrics=("accuracy", "robust_accuracy"),
    splits={"train": ("train",), "eval": ("test",)},
    sizes={"train": 7473, "test": 1319},
    hub=Hub("openai/gsm8k", "main", "740312add88f781978c0658806c59bc2815b9866", row=solved),
    json=Json({"train": "train.jsonl", "test": "test.jsonl"}, solved),
    prompt="Question: {question}\nAnswer:",
    target=" {solution}",
    generation=Generation(max_new_tokens=256),
    rules=_rules(GSM8K),
    recipes={
        "paper": Recipe(
            batch_size=64,
            epochs=6.0,
            learning_rates={"lora": 3e-4},
            schedule="cosine",
            warmup_ratio=0.03,
            weight_decay=0.1,
            max_length=512,
            precision="bf16",
        ),
        "quick": Recipe(
            batch_size=16,
            epochs=1.0,
            learning_rates={"lora": 1e-3, "dora": 1e-3, "full-ft": 1e-4},
            schedule="cosine",
            warmup_ratio=0.03,
            weight_decay=0.0,
            max_length=256,
            max_eval=200,
            eval_before=True,
        ),
    },
    protocol="gsm8k",
    version="1",
)

# The README's command: finetune.py with its defaults (4.2M parameters on LLaMA-7B, as its table says).
LLM_ADAPTERS_LORA = {"r": 8, "alpha": 16, "dropout": 0.05, "targets": ["query", "value"]}
PISSA_LORA = {
    "r": 128,
    "alpha": 128,
    "dropout": 0.0,
    "targets": ["query", "key", "value", "output", "up", "gate", "down"],
}
MATH_10K = replace(
    OWN,
    name="gsm8k-llm-adapters",
    title="Word problems, trained on math_10k as in LLM-Adapters",
    url="https://arxiv.org/abs/2304.01933",
    sizes={"test": 1319},
    hub=None,
    train_json=Json({"train": "math_10k.json"}, instructed),
    prompt=f"{ALPACA}  \n\n{INDENT}### Instruction:\n{INDENT}{{question}}\n{INDENT}\n{INDENT}### Response:\n{INDENT}",
    eval_prompt=f"{ALPACA} \n\n{INDENT}### Instruction:\n{INDENT}{{question}}\n\n{INDENT}### Response:\n{INDENT}",
    target="{solution}",
    generation=Generation(max_new_tokens=256, beams=4),
    rules=_rules(LLM_ADAPTERS),
    recipes={
        "paper": Recipe(
            batch_size=16,
            epochs=3.0,
            learning_rates={"lora": 3e-4, "series-adapter": 3e-4},
            settings={"lora": LLM_ADAPTERS_LORA},
            schedule="linear",
            warmup_steps=100,
            weight_decay=0.0,
            max_length=256,
            mask_prompt=False,
            precision="bf16",
        )
    },
    models={"paper": "llama-7b"},
    protocol="llm-adapters",
)

METAMATHQA = replace(
    OWN,
    name="gsm8k-metamath",
    title="Word problems, trained on 100,000 rows of MetaMathQA as in PiSSA",
    url="https://arxiv.org/abs/2404.02948",
    sizes={"train": 395000, "test": 1319},
    train_hub=Hub("meta-math/MetaMathQA", revision="aa4f34d3d2d3231299b5b03d9b3e5a20da45aa18", row=augmented),
    train_json=Json({"train": "MetaMathQA-395K.json"}, augmented),
    first={"train": 100000},
    prompt=f"{ALPACA}\n\n### Instruction:\n{{question}}\n\n### Response:",
    eval_prompt=f"{ALPACA}\n\n### Instruction:\n{{question}}\n\n### Response: Let's think step by step.",
    target="{solution}",
    generation=Generation(max_new_tokens=1024),
    rules=_rules(METAMATH),
    recipes={
        "paper": Recipe(
            batch_size=128,
            epochs=1.0,
            learning_rates={"lora": 2e-5, "pissa": 2e-5, "full-ft": 2e-5},
            settings={"lora": PISSA_LORA, "pissa": PISSA_LORA},
            schedule="cosine",
            warmup_ratio=0.03,
            weight_decay=0.0,
            max_length=512,
            precision="bf16",
        )
    },
    protocol="metamath",
)

METHOD_COMPARISON = replace(
    METAMATHQA,
    name="gsm8k-hf-peft",
    title="Word problems, trained on 20,000 rows of MetaMathQA as in Hugging Face PEFT's method comparison",
    url="https://github.com/huggingface/peft/tree/main/method_comparison/MetaMathQA",
    train_hub=Hub("meta-math/MetaMathQA", revision="aa4f34d3d2d3231299b5b03d9b3e5a20da45aa18", row=short),
    train_json=Json({"train": "MetaMathQA-395K.json"}, short),
    first={"train": 20000},
    prompt="Question: {question} Think step by step.\nAnswer:",
    eval_prompt="",
    generation=Generation(max_new_tokens=300),
    rules=_rules(HF_PEFT),
    recipes={
        "paper": Recipe(
            batch_size=4,
            max_steps=5000,
            learning_rates={
                **dict.fromkeys(BASELINES, 1e-4),
                **dict.fromkeys(("randlora", "unilora", "vblora", "waveft"), 1e-4),
                **dict.fromkeys(("ia3", "prefix-tuning", "prompt-tuning", "tinylora", "vera"), 1e-3),
                **{"full-ft": 1e-5, "lokr": 3e-3, "pvera": 3e-3, "hira": 4.5e-3},
            },
            schedule="cosine",
            warmup_ratio=0.1,
            weight_decay=0.1,
            max_length=768,
            mask_prompt=False,
            precision="bf16",
        )
    },
    models={"paper": "llama-3.2-3b"},
    protocol="hf-peft",
)

TASKS = (OWN, MATH_10K, METAMATHQA, METHOD_COMPARISON)
SUITE = Suite(
    name="gsm8k",
    title="GSM8K, grade school word problems",
    tasks=("gsm8k",),
    average=("gsm8k",),
    models={"paper": "llama-2-7b", "quick": "smollm2-135m"},
    presets={"mini": "gsm-mini"},
)
