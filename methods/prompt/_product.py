"""A prompt made of two trained matrices, in the place of PEFT's table of vectors."""

from __future__ import annotations

from collections.abc import Callable

import torch
from peft import PromptTuningConfig
from torch import nn

from methods.layers import freeze
from methods.linear import as_lora_draws
from methods.peft_backend import NAME
from methods.prompt._peft import attach_prompt


class Product(nn.Module):
    """What PEFT reads off an embedding: its weight, (l, d), here A B."""

    def __init__(self, tokens: int, inner: int, width: int, like: torch.Tensor) -> None:
        super().__init__()
        self.A = nn.Parameter(torch.empty(tokens, inner, device=like.device))
        self.B = nn.Parameter(torch.empty(inner, width, device=like.device))

    @property
    def weight(self) -> torch.Tensor:
        return self.A @ self.B


class Projected(nn.Module):
    """The same with a weight relu(X U) V, of which X (l, d) is frozen."""

    def __init__(self, words: torch.Tensor, inner: int) -> None:
        super().__init__()
        self.register_buffer("X", words.detach().float())
        width = words.shape[1]
        self.U = nn.Parameter(as_lora_draws(torch.empty(inner, width, device=words.device)).T.contiguous())
        self.V = nn.Parameter(as_lora_draws(torch.empty(width, inner, device=words.device)).T.contiguous())

    @property
    def weight(self) -> torch.Tensor:
        return torch.relu(self.X @ self.U) @ self.V


class ProductPrompt(nn.Module):
    """The prompt encoder that PEFT calls with the tokens' numbers, (rows, l) -> (rows, l, d)."""

    def __init__(self, embedding: Product | Projected) -> None:
        super().__init__()
        self.embedding = embedding

    def forward(self, indices: torch.Tensor) -> torch.Tensor:
        return self.embedding.weight[indices]


def attach_product(model: nn.Module, tokens: int, inner: int, draw: Callable[[nn.Parameter], object]) -> nn.Module:
    """The model behind a prompt A B of which `draw` fills each factor; only A and B train."""
    wrapped = attach_prompt(model, PromptTuningConfig(num_virtual_tokens=tokens, prompt_tuning_init="RANDOM"))
    like = wrapped.prompt_encoder[NAME].embedding.weight
    product = Product(tokens, inner, like.shape[1], like)
    for factor in (product.A, product.B):
        draw(factor)
    freeze(wrapped)
    wrapped.prompt_encoder[NAME] = ProductPrompt(product)
    return wrapped


def attach_projected(model: nn.Module, tokens: int, inner: int) -> nn.Module:
    """The model behind a prompt relu(X U) V of which X are the embeddings of random words; only U and V train."""
    wrapped = attach_prompt(model, PromptTuningConfig(num_virtual_tokens=tokens, prompt_tuning_init="SAMPLE_VOCAB"))
    prompt = Projected(wrapped.prompt_encoder[NAME].embedding.weight, inner)
    freeze(wrapped)
    wrapped.prompt_encoder[NAME] = ProductPrompt(prompt)
    return wrapped
