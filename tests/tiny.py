"""The package's tiny models (harness/tiny.py, where NARROW stands), a spec that nobody ran, tiny tokenizers and folders."""

from __future__ import annotations

from harness.record import RunSpec
from harness.tiny import IGNORED, KINDS, LABELS, NARROW, VOCAB, WIDTH, batch, model, task

__all__ = ["IGNORED", "KINDS", "LABELS", "NARROW", "VOCAB", "WIDTH", "batch", "model", "task"]


def spec(**change) -> RunSpec:
    """A spec of a run that nobody ran."""
    values = {
        "method": "lora",
        "config": {"r": 8, "targets": ["query", "value"]},
        "task": "rte",
        "task_version": "1",
        "protocol": "glue",
        "data": {"kind": "local", "id": "RTE", "revision": None, "sha256": "ab"},
        "model": "minilm-l6",
        "model_source": {"kind": "package", "sha256": "cd"},
        "recipe": {"learning_rate": 1e-3, "epochs": 3.0},
        "seed": 0,
        "suite": "glue",
        "preset": "quick",
    }
    return RunSpec(**values | change)


def tokenizer(words):
    """A BERT tokenizer over whole words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {word: i for i, word in enumerate([*special, *sorted(set(words))])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return BertTokenizerFast(tokenizer_object=inner)


def t5_tokenizer(words):
    """Whole words with T5's special tokens: an end of text behind every text."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "</s>", "<unk>"]
    vocabulary = {word: i for i, word in enumerate([*special, *sorted(set(words))])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")


def saved_model(folder, words, kind: str = "encoder"):
    """A tiny pretrained-looking model folder: config, safetensors, tokenizer."""
    model(kind).save_pretrained(folder)
    (t5_tokenizer if kind == "seq2seq" else tokenizer)(words).save_pretrained(folder)
    return folder
