"""BitFit: y = W x + b; every b of the model trains, the norms' included, and no W.

Ben-Zaken et al. 2021, https://arxiv.org/abs/2106.10199
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from methods.layers import freeze, unchanged
from methods.spec import Method, Paper, Shape, Site, Unsupported


@dataclass(frozen=True)
class Config:
    """There is nothing to choose."""


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises Unsupported on a model whose blocks have no bias at all."""
    freeze(model)
    biases = [p for name, p in model.named_parameters() if name.endswith(".bias")]
    if not biases or not any(site.bias for site in sites):
        raise Unsupported("BitFit trains biases, and this model's layers have none, as in Llama-style decoders")
    for bias in biases:
        bias.requires_grad_(True)
    return model


def count(shape: Shape, config: Config) -> int:
    return shape.biases


METHOD = Method(
    name="bitfit",
    family="bias",
    paper=Paper(
        "BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked Language-models",
        "Ben-Zaken, Ravfogel, Goldberg",
        2021,
        "https://arxiv.org/abs/2106.10199",
    ),
    formula="y = W x + b, b trains",
    backend="native",
    learning_rate=4e-4,
    config=Config,
    attach=attach,
    count=count,
    merge=unchanged,
    packs=(),
    search_space={"learning_rate": (1e-4, 4e-4, 7e-4, 1e-3, 3e-3)},
)
