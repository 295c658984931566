"""A model of a registered shape without its weights, for whoever needs sizes only."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from harness.models import BaseModel
from methods.spec import ModelKind

OWN = {
    "encoder": "AutoModel",
    "vision": "AutoModel",
    "decoder": "AutoModelForCausalLM",
    "seq2seq": "AutoModelForSeq2SeqLM",
}
HEADS = {"classify": "AutoModelForSequenceClassification", "image": "AutoModelForImageClassification"}


def build(
    model: BaseModel, head: Literal["own", "classify", "image"] = "own", outputs: int = 2, device: str = "meta"
) -> Any:
    """The model of `model.config` on the meta device: shapes, no values, no network. Elsewhere: random values.

    `head`: "own" is the pretrained model itself, a language model with its language-model head;
    "classify" and "image" put a new head of `outputs` logits on it.
    """
    import torch
    import transformers

    config = transformers.AutoConfig.for_model(**model.config, **({} if head == "own" else {"num_labels": outputs}))
    name = OWN[model.kind] if head == "own" else HEADS[head]
    with torch.device(device):
        return getattr(transformers, name).from_config(config)


def build_of(folder: Path, kind: ModelKind) -> Any:
    """The pretrained model whose config.json lies in `folder`, on the meta device."""
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
    with torch.device("meta"):
        return getattr(transformers, OWN[kind]).from_config(config)
