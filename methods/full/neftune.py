"""NEFTune: full fine-tuning with noise on the embeddings in training: E(x) + (alpha / sqrt(l d)) U, U uniform in [-1, 1].

Jain et al. 2023, https://arxiv.org/abs/2310.05914. l counts a row's real tokens and d the embedding's width; padding gets
no noise. Outside of training the model is the one that full fine-tuning gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from methods.layers import unchanged
from methods.spec import Method, ModelKind, Paper, Shape, Site, TaskKind


@dataclass(frozen=True)
class Config:
    alpha: float = 5.0
    """strength of the noise; the paper tries 5, 10 and 15"""


def noise(embedded: torch.Tensor, mask: torch.Tensor | None, alpha: float) -> torch.Tensor:
    """For embedded (rows, tokens, d); mask (rows, tokens): 1 where a token is real, None: everywhere."""
    rows, tokens, width = embedded.shape
    real = embedded.new_ones(rows, tokens) if mask is None else mask.to(embedded.dtype)
    size = alpha / (real.sum(1) * width).clamp_min(1).sqrt()
    return torch.empty_like(embedded).uniform_(-1, 1) * (real * size[:, None]).unsqueeze(-1)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    masks: list[torch.Tensor | None] = [None]

    def begin(module: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        masks[0] = kwargs.get("attention_mask")

    def disturb(module: nn.Module, args: Any, embedded: torch.Tensor) -> torch.Tensor:
        return embedded + noise(embedded.detach(), masks[0], config.alpha) if model.training else embedded

    model.register_forward_pre_hook(begin, with_kwargs=True)
    model.get_input_embeddings().register_forward_hook(disturb)
    return model.requires_grad_(True)


def count(shape: Shape, config: Config) -> int:
    return shape.parameters


def supports(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    if model_kind == "vision":
        return "its noise falls on the embeddings of words, and a picture has none"
    if model_kind == "seq2seq":
        return "an encoder-decoder embeds two texts of different lengths with one table"
    return None


METHOD = Method(
    name="neftune",
    family="full",
    paper=Paper(
        "NEFTune: Noisy Embeddings Improve Instruction Finetuning",
        "Jain, Chiang, Wen, Kirchenbauer, Chu, Somepalli, Bartoldson et al.",
        2023,
        "https://arxiv.org/abs/2310.05914",
    ),
    formula="W = W0 + dW, dW free; E(x) + (alpha / sqrt(l d)) U(-1, 1) in training",
    backend="native",
    # As for full fine-tuning of an encoder; the paper's rates are for 7B decoders.
    learning_rate=2e-5,
    config=Config,
    attach=attach,
    count=count,
    merge=unchanged,
    supports=supports,
    search_space={"learning_rate": (1e-5, 2e-5, 3e-5, 5e-5, 1e-4), "alpha": (5.0, 10.0, 15.0)},
)
