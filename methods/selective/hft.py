"""HFT: half of every kind of matrix trains, the other half stays: of a block's query, key, value and output matrices two,
of its three feed-forward matrices two in one half of the blocks and one in the other, of its norms half; embeddings and
whatever lies outside of the blocks train.

Hui et al. 2024, https://arxiv.org/abs/2404.18466 (its category-level choice). The choice is random and, as in the paper,
drawn once for a round of fine-tuning; here it follows from `draw`, so that the formula can count it. A bias goes with its
matrix. Where a kind has an odd number of matrices, one more trains in the first half of the blocks, in random order.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn

from methods.layers import is_norm, unchanged
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    draw: int = 0
    """seed of the choice"""


def block_of(site: Site) -> str:
    return site.name.partition(f".{site.block}.")[0] + f".{site.block}."


def frozen(sites: Iterable[Site], norms: Iterable[str], draw: int) -> set[str]:
    """Names of the layers that stay as they are; `norms` are those of the model."""
    sites, generator = tuple(sites), random.Random(draw)
    blocks = list(dict.fromkeys(map(block_of, sites)))
    kinds = [
        {block: [site.name for site in sites if block_of(site) == block and site.part == part] for block in blocks}
        for part in ("attention", "cross", "ffn")
    ]
    kinds.append({block: [name for name in norms if name.startswith(block)] for block in blocks})
    still: set[str] = set()
    for kind in kinds:
        order = generator.sample(blocks, len(blocks))
        for at, block in enumerate(order):
            more = 1 if 2 * at < len(order) else 0
            train = (len(kind[block]) + more) // 2
            still.update(generator.sample(kind[block], len(kind[block]) - train))
    return still


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    model.requires_grad_(True)
    norms = [name for name, module in model.named_modules() if is_norm(module)]
    for name in frozen(sites, norms, config.draw):
        model.get_submodule(name).requires_grad_(False)
    return model


def count(shape: Shape, config: Config) -> int:
    """All parameters but those of the layers that stay: about half of the blocks'."""
    still = frozen(shape.sites, [norm.name for norm in shape.norms], config.draw)
    matrices = sum(site.d_in * site.d_out + site.bias * site.d_out for site in shape.sites if site.name in still)
    return shape.parameters - matrices - sum(norm.size * (1 + norm.bias) for norm in shape.norms if norm.name in still)


METHOD = Method(
    name="hft",
    family="selective",
    paper=Paper(
        "HFT: Half Fine-Tuning for Large Language Models",
        "Hui, Zhang, Wang, Xu, Sun, Wu",
        2024,
        "https://arxiv.org/abs/2404.18466",
    ),
    formula="W = W0 + M dW, M = 1 for a random half of each kind of matrix",
    backend="native",
    # As for full fine-tuning, which it stands in for.
    learning_rate=2e-5,
    aliases=("half-fine-tuning",),
    config=Config,
    attach=attach,
    count=count,
    merge=unchanged,
    search_space={"learning_rate": (1e-5, 2e-5, 3e-5, 5e-5, 1e-4)},
)
