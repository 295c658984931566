"""Swap layers; freeze and list parameters. Shared by all methods."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from methods.spec import Site, Unsupported

NORM_TYPES = ("LayerNorm", "RMSNorm", "LayerNorm1D")


def freeze(model: nn.Module) -> None:
    """Stops every parameter of the model from training."""
    for parameter in model.parameters():
        parameter.requires_grad_(False)


def replace(model: nn.Module, name: str, new: nn.Module) -> None:
    """Puts `new` where the dotted path `name` points. Raises AttributeError if there is no such module."""
    parent, _, child = name.rpartition(".")
    owner = model.get_submodule(parent)
    getattr(owner, child)
    setattr(owner, child, new)


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Name -> parameter, of those that train; a tied parameter comes once."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def is_norm(module: nn.Module) -> bool:
    """Whether the module is a LayerNorm or RMSNorm with a weight; by type name, as each model brings its own class."""
    return type(module).__name__.endswith(NORM_TYPES) and getattr(module, "weight", None) is not None


def train_norms(model: nn.Module) -> None:
    """Lets the weight and the bias of every norm train. Raises Unsupported if the model has none."""
    norms = [module for module in model.modules() if is_norm(module)]
    if not norms:
        raise Unsupported("the model has no LayerNorm or RMSNorm with a weight to train")
    for norm in norms:
        norm.requires_grad_(True)


def blocks_of(sites: Sequence[Site]) -> list[str]:
    """Dotted paths of the blocks that the sites lie in: stack after stack as the sites come, the first block first."""
    found = {(site.name.partition(f".{site.block}.")[0], site.block): None for site in sites}
    stacks = list(dict.fromkeys(stack for stack, _ in found))
    return [f"{stack}.{block}" for stack, block in sorted(found, key=lambda at: (stacks.index(at[0]), at[1]))]


def unchanged(model: nn.Module) -> nn.Module:
    """The merge of a method that trains the model's own parameters: there is nothing to fold in."""
    return model
