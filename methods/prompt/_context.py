"""PEFT's prompt of context-aware prompt tuning, what it stands for kept as buffers: they are known after it is made."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from peft import CPTConfig, CPTEmbedding
from torch import nn
from torch.nn import functional

TEMPLATE_BEFORE, INPUT, TEMPLATE_AFTER, ANSWER, KINDS = 1, 2, 3, 0, 4
"""PEFT's kinds of tokens: number modulo 4; each example's are 4 above those of the one before"""
UNMOVED = 1e-10


class Context(CPTEmbedding):
    """E[ids] + delta; each row of delta (l, d) within a distance of its own."""

    def __init__(self, config: CPTConfig, words: nn.Module) -> None:
        super().__init__(config, words)
        device, length = words.weight.device, config.num_virtual_tokens
        self.register_buffer("ids", torch.zeros(length, dtype=torch.long, device=device))
        self.register_buffer("types", torch.full((length,), INPUT, device=device))
        self.logits: torch.Tensor | None = None
        """(l, vocabulary) what the model predicts after each of these tokens, of the last pass in training"""

    def fill(self, ids: Sequence[int], types: Sequence[int], words: nn.Module) -> None:
        with torch.no_grad():
            self.ids.copy_(torch.tensor(ids))
            self.types.copy_(torch.tensor(types))
            self.embedding.weight.copy_(words(self.ids))

    def forward(self, indices: torch.Tensor) -> torch.Tensor:
        """(...) -> (..., d)"""
        return self.embedding(indices) + self.delta_embedding(indices)

    @torch.no_grad()
    def hold(self) -> None:
        """Brings delta back within its distances. PEFT does so at the next pass, so that an evaluation changes weights."""
        self.delta_embedding.weight.copy_(self.get_projection())

    def set_updated_tokens(self) -> None:
        self.delta_embedding.weight.register_hook(lambda grad: grad * (self.types % KINDS != ANSWER).to(grad)[:, None])

    def get_epsilon(self) -> torch.Tensor:
        """(l)"""
        scale = math.sqrt(self.config.token_dim / 2048)
        inner, outer = self.config.opt_projection_epsilon * scale, self.config.opt_projection_format_epsilon * scale
        kinds = self.types % KINDS
        found = torch.where(kinds == INPUT, inner, outer)
        return torch.where(kinds == ANSWER, UNMOVED, found)

    def get_projection(self) -> torch.Tensor:
        # PEFT looks whether any row has moved; without, a step can be traced that has no values.
        with torch.no_grad():
            delta, epsilon = self.delta_embedding.weight, self.get_epsilon()
            return delta * (epsilon / delta.norm(dim=1).clamp(min=epsilon))[:, None]

    def term(self, decay: float) -> torch.Tensor | None:
        """The loss on the context's answers, as often as there are examples: of each the sum over its tokens times
        decay^k, k = 1 for the last, divided by the mean length of an answer. None after a pass without training."""
        if self.logits is None:
            return None
        asked, examples = (self.types % KINDS == ANSWER)[1:].float(), (self.types[1:] - 1) // KINDS
        losses = functional.cross_entropy(self.logits[:-1].float(), self.ids[1:], reduction="none")
        self.logits = None
        weights = asked * decay ** (examples.max() + 1 - examples).float()
        answers = torch.zeros_like(asked).scatter_reduce(0, examples, asked, "amax").sum()
        return (losses * weights).sum() * answers / asked.sum().clamp(min=1)
