"""VPT-deep: [x_i, _, E_i] = L_i([x_{i-1}, P_{i-1}, E_{i-1}]); every block is given p trained tokens of its own between
the class token and the patches, in place of what became of the block's before.

Jia et al. 2022, https://arxiv.org/abs/2203.12119. Each P_i starts uniformly within sqrt(6 / (3 patch^2 + d)), as its
authors' code has it.
"""

from __future__ import annotations

from torch import nn

from methods.prompt._visual import attach_visual, only_pictures
from methods.prompt.vpt import Config
from methods.spec import Method, Paper, Shape, Site


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises Unsupported for a model without a class token."""
    return attach_visual(model, sites, config.tokens, config.dropout, deep=True)


def count(shape: Shape, config: Config) -> int:
    """L p d"""
    return shape.blocks * config.tokens * shape.hidden


METHOD = Method(
    name="vpt-deep",
    family="prompt",
    paper=Paper(
        "Visual Prompt Tuning",
        "Jia, Tang, Chen, Cardie, Belongie, Hariharan, Lim",
        2022,
        "https://arxiv.org/abs/2203.12119",
    ),
    formula="[x_i, _, E_i] = L_i([x_{i-1}, P_{i-1}, E_{i-1}]), each P trains",
    backend="native",
    # The paper's rates are for SGD.
    learning_rate=1e-3,
    aliases=(),
    config=Config,
    attach=attach,
    count=count,
    starts_at_base=False,
    supports=only_pictures,
    search_space={"learning_rate": (1e-3, 3e-3, 1e-2, 3e-2), "tokens": (1, 5, 10, 50, 100)},
)
