"""QLoRA: y = W' x + b + (alpha / r) B (A x); W' is W0 in 4-bit NormalFloat with double quantisation, frozen, and read back
whenever it is used; A and B train in 32 bit.

Dettmers et al. 2023, https://arxiv.org/abs/2305.14314. The adapted matrices are the quantised ones, by default all of the
blocks'; embeddings, norms, biases and head stay as they are. W' is kept packed, 4.13 bits a value, on any device: memory
is measured as it is. It is read back by plain tensor operations, not by the authors' kernels, so that a step's time says
nothing about theirs, and their paged optimizer is left out. A is drawn as LoRA draws it, B starts at 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from methods.linear import LowRankAdapted, adapt, as_lora_draws
from methods.peft_backend import count_lora
from methods.quantised._nf4 import Quantised, merge, moving_exponent, normal_levels
from methods.spec import Method, Paper, Site


@dataclass(frozen=True)
class Config:
    """The authors' settings for LLaMA-7B."""

    r: int = 64
    alpha: int = 16
    """the update is scaled by alpha / r"""
    dropout: float = 0.1
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


class Layer(LowRankAdapted):
    base: Quantised

    def __init__(self, base: Quantised, config: Config) -> None:
        super().__init__(base, config.alpha / config.r, config.dropout)
        self.A = nn.Parameter(as_lora_draws(self.empty(config.r, self.d_in)))
        self.B = self.trained(self.d_out, config.r)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    device = model.get_submodule(sites[0].name).weight.device
    # One table for all layers.
    levels, floats = normal_levels(device), moving_exponent(device)
    return adapt(model, sites, lambda layer: Layer(Quantised(layer, levels, floats), config))


METHOD = Method(
    name="qlora",
    family="quantised",
    paper=Paper(
        "QLoRA: Efficient Finetuning of Quantized LLMs",
        "Dettmers, Pagnoni, Holtzman, Zettlemoyer",
        2023,
        "https://arxiv.org/abs/2305.14314",
    ),
    formula="y = NF4(W0) x + (alpha / r) B A x",
    backend="native",
    learning_rate=2e-4,
    config=Config,
    attach=attach,
    count=count_lora,
    merge=merge,
    starts_at_base=False,
    encoder_decoders=True,
    search_space={"learning_rate": (1e-4, 2e-4, 4e-4, 1e-3), "r": (8, 16, 64)},
)
