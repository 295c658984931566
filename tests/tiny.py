"""Tiny randomly initialised models and a learnable toy task, made from configurations: no download."""

from __future__ import annotations

import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from harness.record import RunSpec

VOCAB, WIDTH, LABELS = 64, 32, 2


def model(kind: str, seed: int = 0, labels: int = LABELS):
    """kind: encoder (BERT) | roberta | decoder (Llama with grouped-query attention)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if kind in {"encoder", "roberta"}:
            config_class, model_class = {
                "encoder": (BertConfig, BertForSequenceClassification),
                "roberta": (RobertaConfig, RobertaForSequenceClassification),
            }[kind]
            config = config_class(
                vocab_size=VOCAB,
                hidden_size=WIDTH,
                num_hidden_layers=2,
                num_attention_heads=4,
                intermediate_size=48,
                max_position_embeddings=40,
                num_labels=labels,
                hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.0,
                pad_token_id=0,
            )
            return model_class(config).eval()
        config = LlamaConfig(
            vocab_size=VOCAB,
            hidden_size=WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            intermediate_size=48,
            max_position_embeddings=40,
            num_labels=labels,
            pad_token_id=0,
        )
        return LlamaForSequenceClassification(config).eval()


def batch(rows: int = 16, length: int = 12, seed: int = 0):
    """Token ids and labels of a task that can be learned: does a token above the middle of the vocabulary stand first?"""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(4, VOCAB, (rows, length), generator=generator)
    labels = (ids[:, 0] > VOCAB // 2).long()
    # The last real token repeats the first, so that a decoder's last position sees it too.
    ids[:, -1] = ids[:, 0]
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}


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


def saved_model(folder, words, kind: str = "encoder"):
    """A tiny pretrained-looking model folder: config, safetensors, tokenizer."""
    model(kind).save_pretrained(folder)
    tokenizer(words).save_pretrained(folder)
    return folder
