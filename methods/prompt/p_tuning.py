"""P-tuning: f([P; E(x)]); P = MLP(LSTM(p_1 .. p_l)): the l vectors p, the recurrent network and the MLP train, f and E do not.

Liu et al. 2021, https://arxiv.org/abs/2103.10385. The LSTM has two layers and runs both ways; with `lstm` off an MLP of three
layers alone stands in its place. In an encoder P stands after the first token, which the head reads. No anchor words.
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
    """l"""
    lstm: bool = True
    inner: int = 0
    """width of the LSTM in each direction, or of the MLP; 0 takes half the model's width, or all of it for the MLP"""


LAYERS = 2


def _inner(hidden: int, config: Config) -> int:
    return config.inner or (hidden // 2 if config.lstm else hidden)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    from peft import PromptEncoderConfig

    from methods.prompt._peft import attach_prompt

    settings = PromptEncoderConfig(
        num_virtual_tokens=config.tokens,
        encoder_reparameterization_type="LSTM" if config.lstm else "MLP",
        encoder_num_layers=LAYERS,
        encoder_hidden_size=_inner(model.get_input_embeddings().weight.shape[1], config),
    )
    return attach_prompt(model, settings)


def count(shape: Shape, config: Config) -> int:
    """l d for p; in the LSTM 8 h (inputs + h + 2) a layer, then two layers of 2 h and d outputs; or an MLP's three."""
    d, h = shape.hidden, _inner(shape.hidden, config)
    if not config.lstm:
        return config.tokens * d + (d + 1) * h + (h + 1) * h + (h + 1) * d
    recurrent = sum(8 * h * (inputs + h + 2) for inputs in (d, *[2 * h] * (LAYERS - 1)))
    return config.tokens * d + recurrent + (2 * h + 1) * 2 * h + (2 * h + 1) * d


METHOD = Method(
    name="p-tuning",
    family="prompt",
    paper=Paper(
        "GPT Understands, Too",
        "Liu, Zheng, Du, Ding, Qian, Yang, Tang",
        2021,
        "https://arxiv.org/abs/2103.10385",
    ),
    formula="y = f([P; E(x)]), P = MLP(LSTM(p)), p and both networks train",
    backend="peft",
    # As in PEFT's example for RoBERTa.
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    positions=lambda config: config.tokens,
    starts_at_base=False,
    supports=only_texts,
    assumes="the workspace that the LSTM keeps for the backward pass is counted as oneDNN lays it out on a CPU; a GPU's library has its own layout",
    search_space={"learning_rate": (1e-4, 3e-4, 1e-3, 3e-3), "tokens": (5, 20, 50), "lstm": (True, False)},
)
