"""Puts Hugging Face PEFT tuners on exactly the named layers, in place, with everything else frozen.

The model keeps its class and its own layers' names; only an adapted layer becomes a PEFT layer
around a `base_layer`. PEFT's default targets and its copies of the head (`modules_to_save`) are
never used.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from methods.spec import Shape, Site, Unsupported

if TYPE_CHECKING:
    import torch
    from peft import PeftConfig
    from peft.tuners.tuners_utils import BaseTuner
    from torch import nn

NAME = "default"
TUNER = "_peft_tuner"


@dataclass(frozen=True)
class LowRank:
    """LoRA's settings for RoBERTa-base on GLUE (Hu et al. 2021, table 9), which LoRA's variants share."""

    r: int = 8
    """inner width of the update"""
    alpha: int = 16
    """the update is scaled by alpha / r"""
    dropout: float = 0.0
    """on the update's input"""
    targets: tuple[str, ...] = ("query", "value")


def exactly(names: Iterable[str]) -> str:
    """A pattern for PEFT that only these full module paths match; in a list, PEFT would match suffixes too."""
    return "|".join(map(re.escape, names))


def on_meta(model: nn.Module) -> bool:
    """Whether the model has shapes but no values."""
    return next(model.parameters()).is_meta


def device_of_shapes(model: nn.Module) -> contextlib.AbstractContextManager[Any]:
    """Makes new tensors shapes only if the model is; else leaves the default device."""
    import torch

    return torch.device("meta") if on_meta(model) else contextlib.nullcontext()


def inject(model: nn.Module, sites: Iterable[Site], settings: PeftConfig, values_on_cpu: bool = False) -> nn.Module:
    """The same model with a PEFT tuner on `sites`, the rest frozen, new parameters in at least float32.

    `values_on_cpu`: on the meta device PEFT makes its parameters on the CPU, because it computes with values on the
    way, and they become shapes afterwards. Raises Unsupported if there is no site, if PEFT does not take its type of
    layer or finds nothing to train in it; ValueError if PEFT did not adapt just those sites.
    """
    import torch
    from peft.mapping import PEFT_TYPE_TO_TUNER_MAPPING

    names = [site.name for site in sites]
    if not names:
        raise Unsupported("the model has no layer of the roles that the method adapts")
    settings.target_modules = exactly(names)
    transposed = type(model.get_submodule(names[0])).__name__ == "Conv1D"
    if hasattr(settings, "fan_in_fan_out"):
        # GPT-2's Conv1D keeps its weight as (in, out).
        settings.fan_in_fan_out = transposed
    refused = f"{settings.peft_type.value} in PEFT takes no layers of type Conv1D, which GPT-2 has"
    try:
        with contextlib.nullcontext() if values_on_cpu else device_of_shapes(model), warnings.catch_warnings():
            # Methods that PEFT cannot merge without a bias declare no merge here.
            warnings.filterwarnings("ignore", ".*has no bias")
            tuner = PEFT_TYPE_TO_TUNER_MAPPING[settings.peft_type](model, {NAME: settings}, NAME)
    except (TypeError, ValueError, NotImplementedError) as error:
        if transposed and "support" in str(error):
            raise Unsupported(refused) from None
        raise
    if set(tuner.targeted_module_names) != set(names):
        raise ValueError(f"PEFT adapted {len(tuner.targeted_module_names)} layers, {len(names)} were named")
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise Unsupported(refused)
    if values_on_cpu and any(parameter.is_meta for parameter in model.parameters()):
        model.to("meta")
    for parameter in model.parameters():
        if parameter.requires_grad and parameter.dtype in {torch.float16, torch.bfloat16}:
            parameter.data = parameter.data.float()
    # Past nn.Module's own bookkeeping: the tuner holds the model, so as a submodule it would be a cycle.
    model.__dict__[TUNER] = tuner
    return model


def tuner_of(model: nn.Module) -> BaseTuner:
    """The tuner that `inject` made. Raises KeyError if the model has none."""
    return model.__dict__[TUNER]


def merge(model: nn.Module) -> nn.Module:
    """Folds the update into the base weights and takes PEFT's layers out again."""
    tuner = model.__dict__.pop(TUNER)
    return tuner.merge_and_unload()


def drawn_seed() -> int:
    """A seed from torch's default generator, for what PEFT draws from a generator of its own."""
    import torch

    return int(torch.randint(2**31, (1,)))


def frozen_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """What the tuner's layers hold beside the base and what trains, by state_dict name, a shared tensor once."""
    found: dict[str, torch.Tensor] = {}
    for site in tuner_of(model).targeted_module_names:
        layer = model.get_submodule(site)
        for name, value in layer.state_dict(keep_vars=True).items():
            if not value.requires_grad and not name.startswith("base_layer."):
                found.setdefault(f"{site}.{name}", value)
    unique = {id(value): name for name, value in reversed(found.items())}
    return {name: found[name].detach() for name in found if name in unique.values()}


def total(shape: Shape, config: Any, values: Callable[[Site], int]) -> int:
    """The sum of `values` over the sites that the config targets."""
    return sum(values(site) for site in shape.select(config.targets))


def rates(
    model: nn.Module, learning_rate: float, weight_decay: float, shares: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Parameter groups in which a parameter trains at a share of the rate if its name holds one of the keys (the first
    that it holds; "" stands for any). Matrices decay, vectors do not."""
    groups: dict[tuple[float, bool], list[Any]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            share = next(share for key, share in shares.items() if key in name)
            groups.setdefault((share, parameter.ndim > 1), []).append(parameter)
    return [
        {"params": found, "lr": share * learning_rate, "weight_decay": weight_decay if matrices else 0.0}
        for (share, matrices), found in groups.items()
    ]


def attach_lora(
    model: nn.Module, sites: Iterable[Site], config: LowRank, values_on_cpu: bool = False, **flags: Any
) -> nn.Module:
    """PEFT's LoRA on `sites`; `flags` are further fields of its LoraConfig, `values_on_cpu` as for `inject`."""
    from peft import LoraConfig

    settings = LoraConfig(r=config.r, lora_alpha=config.alpha, lora_dropout=config.dropout, bias="none", **flags)
    return inject(model, sites, settings, values_on_cpu)


def count_lora(shape: Shape, config: Any) -> int:
    """r (d_in + d_out) values a matrix, for a config that has `r` and `targets`."""
    return sum(config.r * (site.d_in + site.d_out) for site in shape.select(config.targets))
