"""SST: y = U Sigma V^T x + b in place of W0 x + b, from the SVD of W0; all singular values train, and of the singular
vectors r at a time, drawn anew every `steps` steps with p_i = (1 / m + Sigma_i / sum Sigma) / 2.

Zhao et al. 2024, https://arxiv.org/abs/2405.15481. The gradient of u_i is (dL/dW) v_i and that of v_i is (dL/dW)^T u_i,
without the factor Sigma_i. After a step the vectors that train are set back to unit length and Sigma to at least 0. With a
new draw the optimizer's moments start anew; after ceil(m / r) draws U Sigma V^T is decomposed again. m = min(d_in, d_out).
The paper pretrains and lets the rate rise again over 20 steps after each draw; here the run's own schedule goes on. W0 is
not kept: a merge makes it from its parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from methods.layers import replace
from methods.linear import Adapted, adapt, adapted, buffers, known, matrix, singular, transposed
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    """The authors' rank for OPT-125M and their 200 steps for translation."""

    r: int = 64
    """singular vectors that train at a time, on each side"""
    steps: int = 200
    """between two draws"""
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


class Decoupled(torch.autograd.Function):
    """(x, V (r, d_in), S (r), U (d_out, r)) -> U (S * (V x)), with gradients of U and V as if S were 1."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, v: torch.Tensor, s: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        inner = x @ v.T
        ctx.save_for_backward(x, inner, v, s, u)
        return (inner * s) @ u.T

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, ...]:
        x, inner, v, s, u = ctx.saved_tensors
        back = grad @ u
        rows, tokens, firsts = grad.flatten(0, -2), x.flatten(0, -2), back.flatten(0, -2)
        to_u = rows.T @ inner.flatten(0, -2)
        to_s = (firsts * inner.flatten(0, -2)).sum(0)
        return (back * s) @ v, firsts.T @ tokens, to_s, to_u


class Layer(Adapted):
    """U = [U_1, U_2], V = [V_1; V_2], Sigma = S: the first r of each train, and all of S."""

    def __init__(self, base: nn.Module, config: Config, seed: int) -> None:
        """Takes W0 out of `base`. Raises ValueError if r is larger than W0."""
        super().__init__(base)
        weight = matrix(base)
        self.r, self.m = config.r, min(weight.shape)
        fits(config, self.m)
        u, s, vh = singular(weight, self.m)
        self.generator = torch.Generator().manual_seed(seed)
        self.kind = weight.dtype
        self.S = nn.Parameter(s)
        self.U_1, self.V_1 = (nn.Parameter(self.empty(*size)) for size in ((self.d_out, self.r), (self.r, self.d_in)))
        self.register_buffer("U_2", self.empty(self.d_out, self.m - self.r))
        self.register_buffer("V_2", self.empty(self.m - self.r, self.d_in))
        self.draws = 0
        self.arrange(u, s, vh)
        base.weight = nn.Parameter(weight.new_empty(0), requires_grad=False)

    @property
    def weight(self) -> torch.Tensor:
        """What model code reads off a linear layer, in the shape that the layer had."""
        whole = self.whole()
        return whole.T if transposed(self.base) else whole

    def whole(self) -> torch.Tensor:
        """U Sigma V^T, (d_out, d_in)"""
        u, vh = self.vectors()
        return (u * self.S) @ vh

    def vectors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """U (d_out, m) and V^T (m, d_in)"""
        return torch.cat([self.U_1, self.U_2], dim=1), torch.cat([self.V_1, self.V_2])

    @torch.no_grad()
    def arrange(self, u: torch.Tensor, s: torch.Tensor, vh: torch.Tensor) -> None:
        """Draws which of the singular vectors train, and puts them first."""
        if known(s):
            share = (1 / self.m + s / s.sum()) / 2
            drawn = torch.multinomial(share.cpu().double(), self.r, generator=self.generator)
            rest = torch.ones(self.m, dtype=torch.bool).index_fill(0, drawn, False).nonzero()[:, 0]
            order = torch.cat([drawn, rest]).to(s.device)
            u, s, vh = u[:, order], s[order], vh[order]
        self.S.copy_(s)
        self.U_1.copy_(u[:, : self.r])
        self.U_2.copy_(u[:, self.r :])
        self.V_1.copy_(vh[: self.r])
        self.V_2.copy_(vh[self.r :])

    def draw(self) -> None:
        """The next r vectors; after a round from a new decomposition."""
        self.draws += 1
        if self.draws % -(-self.m // self.r) == 0:
            self.arrange(*singular(self.whole(), self.m))
        else:
            u, vh = self.vectors()
            self.arrange(u, self.S.detach(), vh)

    def normalise(self) -> None:
        self.S.clamp_(min=0)
        self.U_1.copy_(functional.normalize(self.U_1, dim=0))
        self.V_1.copy_(functional.normalize(self.V_1, dim=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        device = x.device.type
        kind = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else self.S.dtype
        lift, v, s, u = (part.to(kind) for part in (x, self.V_1, self.S, self.U_1))
        y = Decoupled.apply(lift, v, s[: self.r], u)
        y = y + functional.linear(functional.linear(lift, self.V_2.to(kind)) * s[self.r :], self.U_2.to(kind))
        if self.bias is not None:
            y = y + self.bias
        return y.to(x.dtype)


def fits(config: Config, m: int) -> None:
    """Raises ValueError if a matrix has too few singular vectors."""
    if config.r > m:
        raise ValueError(f"rank {config.r} is larger than a layer with {m} singular values; lower r")


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    return adapt(model, sites, lambda base: Layer(base, config, int(torch.randint(2**31, (1,), device="cpu"))))


def count(shape: Shape, config: Config) -> int:
    """r (d_in + d_out) + min(d_in, d_out) values a matrix."""
    sites = shape.select(config.targets)
    for site in sites:
        fits(config, min(site.d_in, site.d_out))
    return sum(config.r * (site.d_in + site.d_out) + min(site.d_in, site.d_out) for site in sites)


class Restarted(torch.optim.AdamW):
    """AdamW that the parameters know, so that its moments can start anew."""

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        super().__init__(groups)
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.trained_by = self


def optimizer(groups: list[dict[str, Any]], config: Config) -> torch.optim.Optimizer:
    return Restarted(groups)


@torch.no_grad()
def after_step(model: nn.Module, config: Config, step: int, total_steps: int) -> None:
    for _, layer in adapted(model, Layer):
        layer.normalise()  # type: ignore[attr-defined]
        if (step + 1) % config.steps == 0 and step + 1 < total_steps:
            layer.draw()  # type: ignore[attr-defined]
            for parameter in (layer.U_1, layer.V_1, layer.S):
                parameter.trained_by.state.pop(parameter, None)


@torch.no_grad()
def merge(model: nn.Module) -> nn.Module:
    """Puts U Sigma V^T back as each layer's weight and takes the layer out again."""
    for name, layer in list(adapted(model, Layer)):
        layer.base.weight = nn.Parameter(layer.weight.to(layer.kind).contiguous(), requires_grad=False)
        replace(model, name, layer.base)
    return model


METHOD = Method(
    name="sst",
    family="spectral",
    paper=Paper(
        "Sparse Spectral Training and Inference on Euclidean and Hyperbolic Neural Networks",
        "Zhao, Zhang, Li, Liu, Cannistraci",
        2024,
        "https://arxiv.org/abs/2405.15481",
    ),
    formula="y = U Sigma V^T x, Sigma trains and r singular vectors at a time, drawn by Sigma",
    backend="native",
    # Not from the paper, which pretrains: the entries of unit vectors are small.
    learning_rate=1e-4,
    config=Config,
    attach=attach,
    count=count,
    optimizer=optimizer,
    after_step=after_step,
    merge=merge,
    extra_state=buffers("U_2", "V_2"),
    search_space={"learning_rate": (2e-5, 5e-5, 1e-4, 5e-4), "r": (16, 32, 64), "steps": (100, 200)},
)
