"""LoPT: y = f([P; E(x)]) with P = relu(X U) V; the n rows of X (n, d) are the embeddings of random words and frozen, U (d, r)
and V (r, d) train, 2 d r values in place of n d.

Guo et al. 2024, https://arxiv.org/abs/2406.19486: its second form. Its first, P = U V, is what `dpt` computes. n = 20 and
r between 2 and 5 are the best of the paper's ablation. The paper calls the nonlinearity a thresholding; that it is
relu, and that X holds words and stays, is our reading (the paper counts 2 d r). U and V start as torch draws linear layers.
PEFT puts the prompt before the text; in an encoder it stands after the first token, which the head reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.prompt._texts import only_texts
from methods.spec import Method, Paper, Shape, Site

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Config:
    tokens: int = 20
    """n"""
    r: int = 4


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    from methods.prompt._product import attach_projected

    return attach_projected(model, config.tokens, config.r)


def count(shape: Shape, config: Config) -> int:
    """2 d r"""
    return 2 * shape.hidden * config.r


def extra_state(model: nn.Module) -> Mapping[str, torch.Tensor]:
    return {name: tensor for name, tensor in model.named_buffers() if name.endswith("embedding.X")}


METHOD = Method(
    name="lopt",
    family="prompt",
    paper=Paper(
        "LoPT: Low-Rank Prompt Tuning for Parameter Efficient Language Models",
        "Guo, Damani, Chang",
        2024,
        "https://arxiv.org/abs/2406.19486",
    ),
    formula="y = f([relu(X U) V; E(x)]), U and V train",
    backend="peft",
    # Not from the paper, whose models are GPT-2 large and T5; as for prompt tuning.
    learning_rate=1e-3,
    aliases=("lopt-2",),
    config=Config,
    attach=attach,
    positions=lambda config: config.tokens,
    count=count,
    starts_at_base=False,
    extra_state=extra_state,
    supports=only_texts,
    search_space={"learning_rate": (1e-3, 3e-3, 1e-2, 3e-2), "tokens": (10, 20), "r": (2, 4, 5)},
)
