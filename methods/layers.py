"""Find and swap layers; freeze and list parameters. Shared by all methods."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from methods.spec import Site


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


def wrap(model: nn.Module, sites: Sequence[Site], make: Callable[[nn.Module, Site], nn.Module]) -> None:
    """Replaces each site's layer with `make(layer, site)`. Raises ValueError if there is no site."""
    if not sites:
        raise ValueError("the model has no layer of the roles that the method adapts")
    for site in sites:
        replace(model, site.name, make(model.get_submodule(site.name), site))


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Name -> parameter, of those that train; a tied parameter comes once."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}
