"""PERP: of a pruned model only a few things are retrained: biases, norms, and y = (W + s (B A) * (W != 0)) x + b on every
matrix, so that after merging the zeros are still zeros (MaskLoRA).

Zimmer et al. 2023, https://arxiv.org/abs/2312.15230. Which of the subsets train is the config, as in the authors' code
(there a LoRA on a language model's head may join; it is left out here, a classifier's head trains anyway). Each matrix
loses the `sparsity` of its weights that are smallest in size when the method is attached; 0 retrains a model that was
pruned before, whose zeros are found as well. r, s, the sparsity and the rate are the defaults of the authors' code.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from methods.change import Changed
from methods.layers import is_norm
from methods.linear import adapt, as_lora_draws, known, matrix, merge
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    biases: bool = True
    """all of the model's, the norms' too"""
    norms: bool = True
    lora: bool = True
    r: int = 16
    alpha: int = 32
    """s = alpha / r"""
    sparsity: float = 0.5
    """share of each target matrix that is pruned first"""
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")

    def __post_init__(self) -> None:
        if not (self.biases or self.norms or self.lora):
            raise ValueError("PERP retrains biases, norms or masked LoRAs: switch at least one of them on")
        if not 0 <= self.sparsity < 1:
            raise ValueError(f"PERP's sparsity={self.sparsity} is a share of the weights: choose from 0 up to below 1")


class Masked(Changed):
    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base)
        self.scale = config.alpha / config.r
        self.A = nn.Parameter(as_lora_draws(self.empty(config.r, self.d_in)))
        self.B = self.trained(self.d_out, config.r)

    def change(self) -> torch.Tensor:
        return self.scale * (self.B @ self.A).masked_fill(matrix(self.base) == 0, 0.0)


@torch.no_grad()
def prune(layer: nn.Module, sparsity: float) -> None:
    """Zeroes the smallest weights of the layer; on a tie those that come first."""
    weight = matrix(layer)
    number = int(sparsity * weight.numel())
    if number and known(weight):
        smallest = weight.abs().flatten().sort(stable=True).indices[:number]
        flat = weight.flatten()
        flat[smallest] = 0
        weight.copy_(flat.view_as(weight))


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    for site in sites:
        prune(model.get_submodule(site.name), config.sparsity)
    norms = [module for module in model.modules() if is_norm(module)]
    biases = [parameter for name, parameter in model.named_parameters() if name.endswith("bias")]
    adapt(model, sites if config.lora else (), lambda base: Masked(base, config))
    for trained in (norms if config.norms else []) + (biases if config.biases else []):
        trained.requires_grad_(True)
    return model


def count(shape: Shape, config: Config) -> int:
    """The biases, the norms' other values, and r (d_in + d_out) a matrix."""
    biases = shape.biases if config.biases else 0
    norms = sum(norm.size * (1 + (norm.bias and not config.biases)) for norm in shape.norms) if config.norms else 0
    sites = shape.select(config.targets) if config.lora else ()
    return biases + norms + sum(config.r * (site.d_in + site.d_out) for site in sites)


METHOD = Method(
    name="perp",
    family="selective",
    paper=Paper(
        "PERP: Rethinking the Prune-Retrain Paradigm in the Era of LLMs",
        "Zimmer, Andoni, Spiegel, Pokutta",
        2023,
        "https://arxiv.org/abs/2312.15230",
    ),
    formula="y = (W + (alpha / r) (B A) * (W != 0)) x + b on pruned W; A, B, b and norms train",
    backend="native",
    learning_rate=5e-4,
    aliases=("masklora",),
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    starts_at_base=False,
    search_space={
        "learning_rate": (5e-5, 1e-4, 5e-4, 1e-3),
        "lora": (True, False),
        "biases": (False, True),
        "sparsity": (0.0, 0.5, 0.7),
    },
)
