"""WTA-CRS: full fine-tuning; for a map's weight gradient, dZ^T X over n tokens, only k of the tokens are kept: those of
largest p as they are, and from the others some drawn by p and weighed so that the estimate has no bias,
dW = sum_{i in C} dZ_i^T X_i + (1 - p(C)) / (k - |C|) sum_j dZ_j^T X_j / p_j, p_i ~ ||X_i|| ||dZ_i||.

Liu et al. 2023, https://arxiv.org/abs/2305.15265. |C| is what makes (1 - p(C)) / (k - |C|) smallest. Output and the
gradients of input and bias are exact. As dZ is not known in the forward pass, its norms are those that the same row had
when it was last seen, kept on the host; a row is known by its content. Ours: a row that is new takes the mean of the
known ones, and in a batch of new rows p_i ~ ||X_i||. As in the authors' script for BERT, the attention's output and the
feed-forward maps are sampled, with k = 0.3 n; their sampling of the attention's own two products is left out, whose
kernel here is fused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from methods.layers import replace
from methods.linear import Adapted, adapted, known, matrix, transposed
from methods.spec import Method, ModelKind, Paper, Shape, Site, TaskKind

TINY = 1e-8
FEWEST = 10
"""Least k."""


@dataclass(frozen=True)
class Config:
    ratio: float = 0.3
    """k / n"""
    targets: tuple[str, ...] = ("output", "up", "gate", "down")

    def __post_init__(self) -> None:
        if not 0 < self.ratio <= 1:
            raise ValueError(f"ratio={self.ratio} must be above 0 and at most 1")


class Rows:
    """What is known of the rows of the batch: for each layer the norm of each token's dZ."""

    def __init__(self, layers: int, seed: int) -> None:
        self.layers, self.seed = layers, seed
        self.generator: torch.Generator | None = None
        self.kept: dict[bytes, Any] = {}
        self.names: list[bytes] = []
        self.real: torch.Tensor | None = None
        self.norms: dict[int, torch.Tensor] = {}

    def begin(self, inputs: Mapping[str, Any]) -> None:
        """Keeps the norms of the last batch and names the rows of the next one."""
        if self.names and len(self.norms) == self.layers:
            found = torch.stack([self.norms[at] for at in range(self.layers)], dim=1).bfloat16().cpu()
            masks = [slice(None)] * len(self.names) if self.real is None else self.real
            self.kept |= {
                name: norms[:, mask].view(torch.int16).numpy()
                for name, norms, mask in zip(self.names, found, masks, strict=True)
            }
        content = next(value for value in inputs.values() if isinstance(value, torch.Tensor))
        mask = inputs.get("attention_mask")
        self.names, self.norms = [], {}
        if known(content):
            self.real = None if mask is None else mask.bool().cpu()
            rows = content.detach().cpu()
            parts = rows if self.real is None else [row[real] for row, real in zip(rows, self.real, strict=True)]
            self.names = [
                hashlib.blake2b(part.contiguous().numpy().tobytes(), digest_size=8).digest() for part in parts
            ]

    def of(self, layer: int, rows: int, tokens: int, device: torch.device) -> torch.Tensor:
        """(rows * tokens) norms when last seen; ones where no row of the batch was seen."""
        seen = [at for at, name in enumerate(self.names) if name in self.kept]
        if not seen:
            return torch.ones(rows * tokens, device=device)
        found = torch.full((rows, tokens), torch.nan)
        for at in seen:
            norms = torch.from_numpy(self.kept[self.names[at]][layer]).view(torch.bfloat16)
            found[at, slice(None) if self.real is None else self.real[at]] = norms.float()
        return found.nan_to_num(nan=float(found.nanmean())).flatten().to(device)


class Sampled(torch.autograd.Function):
    """(x, W, b, layer) -> y; keeps k tokens of x."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, layer: Layer
    ) -> torch.Tensor:
        y = layer.base(x)
        index, share = layer.choose(x)
        some = x.flatten(0, -2)[index] * share[:, None].to(x.dtype)
        ctx.save_for_backward(some.to(y.dtype), index, weight)
        ctx.layer, ctx.dtype, ctx.bias = layer, x.dtype, bias is not None
        return y

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        some, index, weight = ctx.saved_tensors
        layer, flat = ctx.layer, grad.flatten(0, -2)
        layer.rows.norms[layer.at] = grad.float().norm(dim=-1)
        to_x = (grad @ matrix(layer.base).to(grad.dtype)).to(ctx.dtype) if ctx.needs_input_grad[0] else None
        picked = flat[index]
        to_w = some.T @ picked if transposed(layer.base) else picked.T @ some
        return to_x, to_w.to(weight.dtype), flat.sum(0).to(weight.dtype) if ctx.bias else None, None


class Layer(Adapted):
    """The layer, its own parameters free, with a sampled weight gradient."""

    def __init__(self, base: nn.Module, rows: Rows, at: int, ratio: float) -> None:
        super().__init__(base)
        self.rows, self.at, self.ratio = rows, at, ratio

    @torch.no_grad()
    def choose(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(tokens that are kept, what each is multiplied by), (k) each"""
        sizes = x.flatten(0, -2).float().norm(dim=1)
        sizes = sizes * self.rows.of(self.at, x.shape[0], len(sizes) // x.shape[0], x.device)
        k = min(max(int(self.ratio * len(sizes)), FEWEST), len(sizes))
        if self.rows.generator is None and known(x):
            self.rows.generator = torch.Generator(x.device).manual_seed(self.rows.seed)
        return winners(sizes, k, self.rows.generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or not torch.is_grad_enabled():
            return self.base(x)
        return Sampled.apply(x, self.base.weight, self.base.bias, self)


def winners(sizes: torch.Tensor, k: int, generator: torch.Generator | None) -> tuple[torch.Tensor, torch.Tensor]:
    """k of n tokens, p ~ sizes (n), and their shares: 1 for those taken as they are, else what makes the draw unbiased."""
    p, order = (sizes + TINY).sort(descending=True)
    p = p / p.sum()
    if k == len(p):
        return order, torch.ones_like(p)
    slots = torch.arange(len(p), device=p.device)
    left = (1 - p.cumsum(0) + p).clamp_min(0)[:k]  # 1 - p(C) for |C| = 0, 1, ..., k - 1
    best = (left / (k - slots[:k])).argmin()
    drawn = torch.multinomial(torch.where(slots < best, 0.0, p), k, replacement=True, generator=generator)
    taken = slots[:k] < best
    share = left.index_select(0, best.view(1)) / ((k - best) * p[drawn])
    return order[torch.where(taken, slots[:k], drawn)], torch.where(taken, 1.0, share)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    rows = Rows(len(sites), int(torch.randint(2**31, (1,), device="cpu")))
    for at, site in enumerate(sites):
        replace(model, site.name, Layer(model.get_submodule(site.name), rows, at, config.ratio))

    def begin(module: nn.Module, args: Any, kwargs: Mapping[str, Any]) -> None:
        if module.training and torch.is_grad_enabled():
            rows.begin(dict(enumerate(args)) | dict(kwargs))

    model.register_forward_pre_hook(begin, with_kwargs=True)
    return model.requires_grad_(True)


def count(shape: Shape, config: Config) -> int:
    """Every parameter."""
    return shape.parameters


def merge(model: nn.Module) -> nn.Module:
    """Takes the sampling out again."""
    for name, layer in list(adapted(model, Layer)):
        replace(model, name, layer.base)
    return model


def supports(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    if model_kind == "seq2seq":
        return "an encoder-decoder has tokens of two lengths, of which the sampling here follows only one"
    return None


METHOD = Method(
    name="wta-crs",
    family="optimizer",
    paper=Paper(
        "Winner-Take-All Column Row Sampling for Memory Efficient Adaptation of Language Model",
        "Liu, Wang, Zhong, Xu, Zha, Tang, Jiang, Zhou, Chaudhary, Xu, Hu",
        2023,
        "https://arxiv.org/abs/2305.15265",
    ),
    formula="dW = sum_{i in C} dZ_i^T X_i + (1 - p(C)) / (k - |C|) sum_j dZ_j^T X_j / p_j, p_i ~ ||X_i|| ||dZ_i||",
    backend="native",
    learning_rate=2e-5,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    supports=supports,
    search_space={"learning_rate": (1e-5, 2e-5, 5e-5, 1e-4), "ratio": (0.1, 0.3)},
)
