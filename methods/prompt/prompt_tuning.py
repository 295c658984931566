"""Prompt tuning: f([P; E(x)]), the model f and its embedding E frozen; the l vectors of P train.

Lester et al. 2021, https://arxiv.org/abs/2104.08691. P starts as the embeddings of random words. In an
encoder P stands after the first token, which the head reads; of an encoder-decoder before the encoder's text, as there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.prompt._texts import only_texts
from methods.spec import Method, Paper, Shape, Site

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Config:
    tokens: int = 20
    """l; beyond 20 the paper finds small gains, and these positions are taken from the model's longest input"""


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    from peft import PromptTuningConfig

    from methods.prompt._peft import attach_prompt

    settings = PromptTuningConfig(num_virtual_tokens=config.tokens, prompt_tuning_init="SAMPLE_VOCAB")
    return attach_prompt(model, settings)


def count(shape: Shape, config: Config) -> int:
    return config.tokens * shape.hidden


METHOD = Method(
    name="prompt-tuning",
    family="prompt",
    paper=Paper(
        "The Power of Scale for Parameter-Efficient Prompt Tuning",
        "Lester, Al-Rfou, Constant",
        2021,
        "https://arxiv.org/abs/2104.08691",
    ),
    formula="y = f([P; E(x)]), P trains",
    backend="peft",
    # Not from the paper, whose 0.3 is for Adafactor on T5; as in PEFT's example for RoBERTa.
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    positions=lambda config: config.tokens,
    count=count,
    starts_at_base=False,
    supports=only_texts,
    packs=(),
    encoder_decoders=True,
    search_space={"learning_rate": (1e-3, 3e-3, 1e-2, 3e-2), "tokens": (5, 20, 50)},
)
