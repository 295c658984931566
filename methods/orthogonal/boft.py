"""BOFT: y = W0 (R' x), R = R_1 ... R_m, each R_i block-diagonal in an order of the inputs that a butterfly gives.

Liu et al. 2023, https://arxiv.org/abs/2311.06243. A block is (I - Q) (I + Q)^-1, Q skew-symmetric and zero at the
start. Factor i pairs runs of b / 2 inputs at a distance of 2^(i-1) runs, so that m factors mix b 2^(m-1) inputs. Not
PEFT's: without its compiled CUDA extension that falls back to one factor, which is OFT, without failing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from methods.linear import Adapted, adapt, lifted, matrix, merge
from methods.spec import Method, Paper, Shape, Site


@dataclass(frozen=True)
class Config:
    block: int = 8
    """b, even"""
    factors: int = 2
    """m"""
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


def order(width: int, block: int, factor: int) -> torch.Tensor:
    """The inputs' order before factor 0, 1, ...: each run of b / 2 beside the one that is 2^factor runs away."""
    return torch.arange(width, device="cpu").view(-1, 2, 2**factor, block // 2).transpose(1, 2).reshape(-1)


class Butterfly(Adapted):
    """y = W (R' x) + bias"""

    def __init__(self, base: nn.Module, config: Config) -> None:
        super().__init__(base)
        b = config.block
        self.angles = self.trained(config.factors, self.d_in // b, b * (b - 1) // 2)
        self.orders = [order(self.d_in, b, factor) for factor in range(config.factors)]
        self.block = b

    def turn(self, x: torch.Tensor) -> torch.Tensor:
        """R' x for each x, (..., d_in)"""
        b, upper = self.block, torch.triu_indices(self.block, self.block, 1, device=x.device)
        eye = torch.eye(b, device=x.device)
        for angles, forward in zip(self.angles, self.orders, strict=True):
            half = eye.new_zeros(len(angles), b, b)
            half[:, upper[0], upper[1]] = angles
            q = half - half.transpose(1, 2)
            blocks = torch.linalg.solve(eye + q, eye - q)
            # In these products each block meets its inputs as a row: x' R.
            runs = x[..., forward].unflatten(-1, (-1, b))
            turned = torch.einsum("...nb,nbc->...nc", runs, blocks.to(x.dtype)).flatten(-2)
            x = turned[..., forward.argsort()]
        return x

    def delta(self) -> torch.Tensor:
        w = matrix(self.base).float()
        return self.turn(torch.eye(self.d_in, device=w.device)).mm(w.T).T - w

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.base(self.turn(lifted(x)).to(x.dtype))


def _check(sites: tuple[Site, ...], config: Config) -> None:
    span = config.block * 2 ** (config.factors - 1)
    for site in sites:
        if config.block < 2 or config.block % 2 or config.factors < 1 or site.d_in % span:
            raise ValueError(
                f"BOFT needs an even block, and block 2^(factors - 1) = {span} must divide d_in={site.d_in} of {site.name}"
            )


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    """Raises ValueError for a width that the butterfly does not divide."""
    _check(sites, config)
    return adapt(model, sites, lambda base: Butterfly(base, config))


def count(shape: Shape, config: Config) -> int:
    """m d_in (b - 1) / 2 angles a matrix."""
    sites = shape.select(config.targets)
    _check(sites, config)
    return sum(config.factors * site.d_in * (config.block - 1) // 2 for site in sites)


METHOD = Method(
    name="boft",
    family="orthogonal",
    paper=Paper(
        "Parameter-Efficient Orthogonal Finetuning via Butterfly Factorization",
        "Liu, Qiu, Feng, Xiu, Xue, Yu, Feng, Liu, Heo, Peng, Wen, Black, Weller, Schoelkopf",
        2023,
        "https://arxiv.org/abs/2311.06243",
    ),
    formula="y = W0 (R_1 ... R_m)' x, R_i butterfly-ordered blocks (I - Q)(I + Q)^-1, Q' = -Q",
    backend="native",
    # LoRA's rate; the paper tunes it for each task of GLUE.
    learning_rate=4e-4,
    config=Config,
    attach=attach,
    count=count,
    merge=merge,
    encoder_decoders=True,
    search_space={"learning_rate": (1e-4, 2e-4, 4e-4, 1e-3, 2e-3), "block": (4, 8), "factors": (1, 2, 4)},
)
