"""PLoRA: y_t = W0 x_t + b + 1[t is an image token] (alpha / r) B (A x_t): LoRA at the tokens of one modality only.

Dong et al. 2024, https://arxiv.org/abs/2401.16420 (InternLM-XComposer2), where it spares what a language model does with
text. Here it is held on vision transformers: patches are image tokens, the class token (and what else stands before the
patches) is none and goes through the pretrained weights, so that the change cannot be folded into them. Of the last block
only keys and values are adapted, as nothing else that it does with patches reaches the class token. A is drawn as LoRA
draws it, B starts at 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from methods.linear import LowRankAdapted, adapt, as_lora_draws
from methods.spec import Method, ModelKind, Paper, Shape, Site, TaskKind, Unsupported


@dataclass(frozen=True)
class Config:
    """The defaults of the authors' layer."""

    r: int = 8
    alpha: int = 16
    """the update is scaled by alpha / r"""
    dropout: float = 0.05
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


class Layer(LowRankAdapted):
    def __init__(self, base: nn.Module, config: Config, leading: int) -> None:
        super().__init__(base, config.alpha / config.r, config.dropout)
        self.leading = leading
        self.A = nn.Parameter(as_lora_draws(self.empty(config.r, self.d_in)))
        self.B = self.trained(self.d_out, config.r)

    def update(self, x: torch.Tensor) -> torch.Tensor:
        """x (rows, tokens, d_in)"""
        return nn.functional.pad(super().update(x[:, self.leading :]), (0, 0, self.leading, 0))


def leading_tokens(model: nn.Module) -> int:
    """How many tokens stand before the patches: class, distillation and register tokens."""
    names = ("cls_token", "distillation_token", "register_tokens")
    return sum(p.shape[1] for name, p in model.named_parameters() if name.rpartition(".")[2] in names)


def reaching(sites: Sequence[Site]) -> list[Site]:
    """Those whose outputs at patches can change what the class token becomes."""
    last = max(site.block for site in sites)
    return [site for site in sites if site.block < last or site.role in {"key", "value", "qkv"}]


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises Unsupported for a model whose tokens all are patches."""
    leading = leading_tokens(model)
    if not leading:
        raise Unsupported("every token of this model is an image token, so partial LoRA would be LoRA")
    return adapt(model, reaching(sites), lambda base: Layer(base, config, leading))


def count(shape: Shape, config: Config) -> int:
    """r (d_in + d_out) values an adapted matrix."""
    return sum(config.r * (site.d_in + site.d_out) for site in reaching(shape.select(config.targets)))


def supports(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    return None if model_kind == "vision" else "it adapts the tokens of a picture, and a text alone has none"


METHOD = Method(
    name="plora",
    family="lowrank",
    paper=Paper(
        "InternLM-XComposer2: Mastering Free-form Text-Image Composition and Comprehension in Vision-Language Large Model",
        "Dong, Zhang, Zang, Cao, Wang et al.",
        2024,
        "https://arxiv.org/abs/2401.16420",
    ),
    formula="y_t = W0 x_t + 1[t is an image token] (alpha / r) B A x_t",
    backend="native",
    # The paper trains it with a whole language model; LoRA's rate.
    learning_rate=4e-4,
    aliases=("partial-lora",),
    config=Config,
    attach=attach,
    count=count,
    supports=supports,
    search_space={"learning_rate": (1e-4, 2e-4, 4e-4, 1e-3, 3e-3), "r": (4, 8, 16)},
)
