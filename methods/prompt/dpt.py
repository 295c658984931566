"""Decomposed prompt tuning: y = f([P; E(x)]) with P = A B; A (l, b) and B (b, d) train.

Xiao et al. 2023, https://arxiv.org/abs/2310.10094. Not DePT, which keeps a whole short prompt and decomposes a change of the
words' embeddings. A and B start uniformly within 0.5, as in the authors' code. PEFT puts the prompt before the text; in an
encoder it stands after the first token, which the head reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.prompt._texts import only_texts
from methods.spec import Method, Paper, Shape, Site

if TYPE_CHECKING:
    from torch import nn

INITIAL_BOUND = 0.5


@dataclass(frozen=True)
class Config:
    tokens: int = 100
    """l; these positions are taken from the model's longest input"""
    bottleneck: int = 10
    """b"""


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    from torch.nn import init

    from methods.prompt._product import attach_product

    def draw(factor: nn.Parameter) -> None:
        init.uniform_(factor, -INITIAL_BOUND, INITIAL_BOUND)

    return attach_product(model, config.tokens, config.bottleneck, draw)


def count(shape: Shape, config: Config) -> int:
    """b (l + d)"""
    return config.bottleneck * (config.tokens + shape.hidden)


METHOD = Method(
    name="dpt",
    family="prompt",
    paper=Paper(
        "Decomposed Prompt Tuning via Low-Rank Reparameterization",
        "Xiao, Xu, Li, Lu, Li",
        2023,
        "https://arxiv.org/abs/2310.10094",
    ),
    formula="y = f([A B; E(x)]), A and B train",
    backend="peft",
    # The paper's 0.3 is for T5, whose embeddings are some hundred times larger than an encoder's; as for prompt tuning.
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    positions=lambda config: config.tokens,
    count=count,
    starts_at_base=False,
    supports=only_texts,
    search_space={"learning_rate": (1e-3, 3e-3, 1e-2, 3e-2), "tokens": (20, 100), "bottleneck": (4, 10, 20)},
)
