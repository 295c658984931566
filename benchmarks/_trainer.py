"""One run as people write it today: Hugging Face's Trainer and PEFT's LoRA on two JSON-lines files; prints the accuracy.

python benchmarks/_trainer.py MODEL TRAIN EVAL RATE SEED STEPS BATCH LENGTH FIELD
"""

from __future__ import annotations

import sys
import tempfile

import numpy as np
from datasets import load_dataset
from peft import LoraConfig, TaskType, get_peft_model
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    EvalPrediction,
    Trainer,
    TrainingArguments,
    set_seed,
)


def main(
    path: str, train: str, held: str, rate: float, seed: int, steps: int, batch: int, length: int, field: str
) -> None:
    set_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForSequenceClassification.from_pretrained(path, num_labels=2)
    model = get_peft_model(
        model,
        LoraConfig(task_type=TaskType.SEQ_CLS, r=8, lora_alpha=16, target_modules=["query", "value"], lora_dropout=0.0),
    )
    rows = load_dataset("json", data_files={"train": train, "eval": held})
    rows = rows.map(lambda row: tokenizer(row[field], truncation=True, max_length=length), batched=True)
    with tempfile.TemporaryDirectory() as out:
        arguments = TrainingArguments(
            out, max_steps=steps, per_device_train_batch_size=batch, per_device_eval_batch_size=64, learning_rate=rate,
            lr_scheduler_type="linear", warmup_steps=max(1, round(0.06 * steps)), weight_decay=0.1, seed=seed, report_to=[],
            save_strategy="no", disable_tqdm=True, logging_steps=steps,
        )  # fmt: skip
        trainer = Trainer(
            model, arguments, train_dataset=rows["train"], eval_dataset=rows["eval"],
            data_collator=DataCollatorWithPadding(tokenizer), compute_metrics=accuracy,
        )  # fmt: skip
        trainer.train()
        print("accuracy", trainer.evaluate()["eval_accuracy"])


def accuracy(found: EvalPrediction) -> dict[str, float]:
    return {"accuracy": float((np.argmax(found.predictions, -1) == found.label_ids).mean())}


if __name__ == "__main__":
    given = sys.argv[1:]
    main(*given[:3], float(given[3]), *map(int, given[4:8]), given[8])
