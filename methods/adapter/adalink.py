"""AdaLink: e <- e + W_up W_down e between the embedding of the input and the first block; the model itself is untouched.

Wang et al. 2023, https://arxiv.org/abs/2310.12100: r = 64, two projections without biases (2 d r values for each kind of
input, as many as the paper counts). e is a word's embedding before positions are added, or a patch's; W_up starts at zero.
Without a nonlinearity in between, the update can be folded into the table of words or the convolution of the patches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from methods.layers import freeze
from methods.linear import as_lora_draws, lifted
from methods.spec import Method, ModelKind, Paper, Shape, Site, TaskKind, Unsupported


@dataclass(frozen=True)
class Config:
    r: int = 64


class Link(nn.Module):
    """(..., d) -> (..., d), without the residual"""

    def __init__(self, width: int, r: int, like: torch.Tensor) -> None:
        super().__init__()
        self.down = nn.Parameter(as_lora_draws(torch.empty(r, width, device=like.device)))
        self.up = nn.Parameter(torch.zeros(width, r, device=like.device))

    def forward(self, e: torch.Tensor) -> torch.Tensor:
        inner = nn.functional.linear(lifted(e), self.down)
        return nn.functional.linear(inner, self.up).to(e.dtype)


def place(model: nn.Module) -> nn.Module:
    """The table of words, or the convolution of the patches. Raises Unsupported if its width is not the model's."""
    if model.main_input_name == "pixel_values":
        found = next((module for module in model.modules() if isinstance(module, nn.Conv2d)), None)
        width = None if found is None else found.out_channels
    else:
        found = model.get_input_embeddings()
        width = found.weight.shape[1]
    if found is None or width != model.config.hidden_size:
        raise Unsupported("AdaLink changes embeddings as wide as the model, and this model has none")
    return found


def _add(module: nn.Module, args: Any, output: torch.Tensor) -> torch.Tensor:
    if isinstance(module, nn.Conv2d):
        return output + module.link(output.movedim(1, -1)).movedim(-1, 1)
    return output + module.link(output)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises Unsupported if the embeddings are not as wide as the model."""
    found = place(model)
    freeze(model)
    found.link = Link(model.config.hidden_size, config.r, found.weight)
    found.hook = found.register_forward_hook(_add)
    return model


def count(shape: Shape, config: Config) -> int:
    """2 d r"""
    return 2 * shape.hidden * config.r


@torch.no_grad()
def merge(model: nn.Module) -> nn.Module:
    """Raises ValueError if the table of words is the language model's head too, which must not change."""
    found = place(model)
    if sum(parameter is found.weight for _, parameter in model.named_parameters(remove_duplicate=False)) > 1:
        raise ValueError(
            "AdaLink cannot be merged where the table of words is the head too; keep the adapter beside it"
        )
    change = (found.link.up @ found.link.down).to(found.weight.dtype)
    if isinstance(found, nn.Conv2d):
        found.weight += torch.einsum("oi,i...->o...", change, found.weight)
        if found.bias is not None:
            found.bias += change @ found.bias
    else:
        found.weight += found.weight @ change.T
    found.hook.remove()
    del found.link, found.hook
    return model


def supports(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    return "adapters of an encoder-decoder's two inputs are not implemented" if model_kind == "seq2seq" else None


METHOD = Method(
    name="adalink",
    family="adapter",
    paper=Paper(
        "Non-Intrusive Adaptation: Input-Centric Parameter-efficient Fine-Tuning for Versatile Multimodal Modeling",
        "Wang, Wu, Dabral, Zhang, Brown, Lu, Liu, Liang, Pang, Bendersky, Soricut",
        2023,
        "https://arxiv.org/abs/2310.12100",
    ),
    formula="e <- e + W_up W_down e on the embeddings of the input",
    backend="native",
    # Not from the paper, whose models are T5 and PaLI-X; as for prompt tuning, the other method outside of the model.
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    supports=supports,
    search_space={"learning_rate": (3e-4, 1e-3, 3e-3, 1e-2), "r": (4, 16, 64, 256)},
)
