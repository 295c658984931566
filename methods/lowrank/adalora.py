"""AdaLoRA: y = W0 x + (alpha / k) P (E (Q x)); E is diagonal and its least important entries are set to 0.

Zhang et al. 2023, https://arxiv.org/abs/2303.10512. k is the starting rank. P, Q are kept near
orthogonal by a loss term: gamma times the mean of ||P'P - I|| and ||QQ' - I|| over all matrices. The
budget of non-zero entries falls along a cubic from `r_start` to `r` a matrix, on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.peft_backend import NAME, inject, merge, tuner_of
from methods.spec import Method, Paper, Shape, Site

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Config:
    """Raises ValueError if there is nothing to prune or no time for it."""

    r: int = 8
    """average rank at the end"""
    r_start: int = 12
    """rank of every matrix at the start: 1.5 r in the paper"""
    alpha: int = 32
    dropout: float = 0.0
    gamma: float = 0.1
    """weight of the orthogonality term"""
    beta1: float = 0.85
    """smoothing of the importance"""
    beta2: float = 0.85
    """smoothing of its uncertainty"""
    warmup: float = 0.1
    """share of the steps before the first cut: 0.09 to 0.15 in the authors' GLUE scripts"""
    final: float = 0.5
    """share of the steps after the last cut: 0.46 to 0.58 there"""
    interval: float = 0.001
    """share of the steps between two cuts, at least one step"""
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")

    def __post_init__(self) -> None:
        if not 0 < self.r < self.r_start:
            raise ValueError(f"AdaLoRA prunes from r_start to r: r_start={self.r_start} must exceed r={self.r} > 0")
        if self.warmup + self.final >= 1:
            raise ValueError(f"warmup + final = {self.warmup + self.final} leaves no steps to prune in")


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    from peft import AdaLoraConfig

    settings = AdaLoraConfig(
        init_r=config.r_start,
        target_r=config.r,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        orth_reg_weight=config.gamma,
        beta1=config.beta1,
        beta2=config.beta2,
        total_step=1,  # a stand-in: the length is known at the first step
    )
    return inject(model, sites, settings)


def count(shape: Shape, config: Config) -> int:
    """What trains at the start: r_start (d_in + d_out + 1) values a matrix."""
    return sum(config.r_start * (site.d_in + site.d_out + 1) for site in shape.select(config.targets))


def after_step(model: nn.Module, config: Config, step: int, total_steps: int) -> None:
    tuner = tuner_of(model)
    settings = tuner.peft_config[NAME]
    settings.total_step = total_steps
    settings.tinit = int(config.warmup * total_steps)
    settings.tfinal = int(config.final * total_steps)
    settings.deltaT = max(1, round(config.interval * total_steps))
    tuner.update_and_allocate(step)


def loss_term(model: nn.Module, config: Config) -> torch.Tensor:
    import torch

    gaps = []
    for layer in tuner_of(model).model.modules():
        if hasattr(layer, "lora_E"):
            q, p = layer.lora_A[NAME], layer.lora_B[NAME]
            eye = torch.eye(len(q), device=q.device, dtype=q.dtype)
            gaps += [torch.linalg.norm(q @ q.T - eye), torch.linalg.norm(p.T @ p - eye)]
    return config.gamma * torch.stack(gaps).mean()


METHOD = Method(
    name="adalora",
    family="lowrank",
    paper=Paper(
        "AdaLoRA: Adaptive Budget Allocation for Parameter-Efficient Fine-Tuning",
        "Zhang, Chen, Bukharin, Karampatziakis, He, Cheng, Chen, Zhao",
        2023,
        "https://arxiv.org/abs/2303.10512",
    ),
    formula="y = W0 x + (alpha / k) P E Q x, E diagonal and pruned",
    backend="peft",
    learning_rate=8e-4,
    config=Config,
    attach=attach,
    count=count,
    after_step=after_step,
    loss_term=loss_term,
    merge=merge,
    encoder_decoders=True,
    search_space={"learning_rate": (2e-4, 5e-4, 8e-4, 1.2e-3, 2e-3), "gamma": (0.1, 0.3)},
)
