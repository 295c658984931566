"""READ: a recurrent cell reads what the frozen blocks give out, one after the other, and its last state corrects what the
head reads: H_i = GRU(n(z_i), H_{i-1}), H_0 = 0; z_N <- z_N + U H_N + u.

Nguyen, Wang et al. 2023, https://arxiv.org/abs/2305.15348. z_i is the output of block i, n an RMS norm with a weight; the
cell is shared by all blocks, so that its size does not depend on their number. It goes through the depth at each token by
itself. As the correction is added behind the last block, no gradient passes through any block and none of their
activations is kept. The paper's joiner of two stacks (T5) is not here. What is left open is taken from code that its
authors published: a GRU of width 256 and the norm's place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from methods.layers import blocks_of, freeze
from methods.linear import lifted
from methods.spec import Method, ModelKind, Paper, Shape, Site, TaskKind, Unsupported


@dataclass(frozen=True)
class Config:
    inner: int = 256
    """width of the cell"""


class Reader(nn.Module):
    """z_1, ..., z_N, each (rows, tokens, width), one by one -> the correction of z_N."""

    def __init__(self, width: int, inner: int, device: torch.device) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width, device=device))
        self.cell = nn.GRUCell(width, inner, device=device)
        self.up = nn.Linear(inner, width, device=device)
        self.state: torch.Tensor | None = None

    def read(self, z: torch.Tensor) -> None:
        flat = functional.rms_norm(lifted(z).flatten(0, -2), z.shape[-1:], self.scale, 1e-6)
        self.state = self.cell(flat, self.state)

    def correction(self, z: torch.Tensor) -> torch.Tensor:
        """The shape of z; the state is then gone."""
        state, self.state = self.state, None
        return self.up(state).view(z.shape).to(z.dtype)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    reading = next((site for site in sites if site.role in {"query", "key", "value", "qkv"}), None)
    if reading is None:
        raise Unsupported("the model's blocks have no attention whose input's width could be read")
    freeze(model)
    blocks = [model.get_submodule(name) for name in blocks_of(sites)]
    device = model.get_submodule(reading.name).weight.device
    model.reader = Reader(reading.d_in, config.inner, device)

    def begin(module: nn.Module, args: Any) -> None:
        model.reader.state = None

    def read(module: nn.Module, args: Any, output: Any) -> None:
        model.reader.read(output[0] if isinstance(output, tuple) else output)

    def correct(module: nn.Module, args: Any, output: Any) -> Any:
        z = output[0] if isinstance(output, tuple) else output
        z = z + model.reader.correction(z)
        return (z, *output[1:]) if isinstance(output, tuple) else z

    blocks[0].register_forward_pre_hook(begin)
    for block in blocks:
        block.register_forward_hook(read)
    blocks[-1].register_forward_hook(correct)
    return model


def count(shape: Shape, config: Config) -> int:
    """3 (d h + h^2 + 2 h) in the cell, h d + d in U and u, d in the norm."""
    d, h = shape.hidden, config.inner
    return 3 * (d * h + h * h + 2 * h) + (h * d + d) + d


def supports(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    if model_kind == "seq2seq":
        return "an encoder-decoder needs a cell for each stack and a joiner between them, which READ here does not have"
    return None


METHOD = Method(
    name="read",
    family="side",
    paper=Paper(
        "READ: Recurrent Adaptation of Large Transformers",
        "Nguyen, Wang, Li, Wu",
        2023,
        "https://arxiv.org/abs/2305.15348",
    ),
    formula="H_i = GRU(n(z_i), H_{i-1}), z_N <- z_N + U H_N + u",
    backend="native",
    # The paper searches it for T5, task by task; Adam's usual one.
    learning_rate=1e-3,
    config=Config,
    attach=attach,
    count=count,
    supports=supports,
    starts_at_base=False,
    search_space={"learning_rate": (3e-4, 1e-3, 3e-3), "inner": (128, 256)},
)
