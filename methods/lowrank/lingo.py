"""Lingo's adaptive rank sampling: AdaLoRA, y = W0 x + (alpha / k) P (E (Q x)), whose cuts are random: a triplet of E, P
and Q that falls below the cut is still kept with probability `chance`, one above it is pruned with the same probability.

Zhan et al. 2024, https://arxiv.org/abs/2402.08075. Pruned triplets keep their vectors and so may come back at a later cut.
The authors' code sets all triplets below the cut to 0 before it draws which of them to keep, so that none is; here those
are kept, as the paper says. The paper's other half, a sentence before each DNA sequence, is a matter of the task's
template. A run ends with about as many triplets as AdaLoRA's: with k = 2 r just as many are brought back as are lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from methods.lowrank.adalora import Config as AdaLoRA
from methods.lowrank.adalora import after_step, count, loss_term
from methods.lowrank.adalora import attach as attach_adalora
from methods.peft_backend import drawn_seed, merge, tuner_of
from methods.spec import Method, Paper, Site

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Config(AdaLoRA):
    """The authors' settings for OPT-350m. Raises ValueError for what is no probability, and as AdaLoRA's."""

    r: int = 4
    r_start: int = 8
    alpha: int = 32
    dropout: float = 0.05
    gamma: float = 0.5
    warmup: float = 0.03
    final: float = 0.03
    interval: float = 0.67
    chance: float = 0.1
    """of a triplet to go against its score at a cut"""
    targets: tuple[str, ...] = ("query", "key", "value", "up", "gate", "down")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.chance <= 1:
            raise ValueError(f"chance={self.chance} is no probability; give a value from 0 to 1")


def sampled(allocator: Any, chance: float, generator: torch.Generator) -> None:
    """Makes the cuts of PEFT's rank allocator random."""
    import torch

    cut = allocator.mask_to_budget

    def mask_to_budget(model: nn.Module, budget: int) -> dict[str, list[bool]]:
        """Name of an E -> which of its entries are kept; the others become 0."""
        values = {name: p.detach().clone() for name, p in model.named_parameters() if ".lora_E." in name}
        kept = cut(model, budget)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name in kept:
                    against = torch.rand(len(kept[name]), generator=generator) < chance
                    mask = torch.tensor(kept[name]) ^ against
                    parameter.copy_(values[name] * mask.to(parameter.device).view_as(parameter))
                    kept[name] = mask.tolist()
        return kept

    allocator.mask_to_budget = mask_to_budget


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    import torch

    model = attach_adalora(model, sites, config)
    sampled(tuner_of(model).rankallocator, config.chance, torch.Generator().manual_seed(drawn_seed()))
    return model


METHOD = Method(
    name="lingo",
    family="lowrank",
    paper=Paper(
        "Efficient and Scalable Fine-Tune of Language Models for Genome Understanding",
        "Zhan, Wu, Zhang",
        2024,
        "https://arxiv.org/abs/2402.08075",
    ),
    formula="y = W0 x + (alpha / k) P E Q x, E diagonal, pruned by score and at random",
    backend="peft",
    learning_rate=3e-5,
    config=Config,
    attach=attach,
    count=count,
    after_step=after_step,
    loss_term=loss_term,
    merge=merge,
    search_space={"learning_rate": (3e-5, 1e-4, 3e-4, 1e-3), "chance": (0.05, 0.1, 0.2)},
)
