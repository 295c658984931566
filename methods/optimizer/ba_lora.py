"""BA-LoRA: PiSSA's LoRA with three more terms in the loss, from the outputs Z (rows, outputs) of a batch and Z0,
those of the model before training: l1 mean (z / ||z|| - z0 / ||z0||)^2, which keeps to the pretrained model; l2 /
outputs times the sum of squares beside the diagonal of Z's covariance, against outputs that say the same; -l3 times
the share of Z's k largest singular values in their sum, against noise.

Chang et al. 2024, https://arxiv.org/abs/2408.04556, in its form for language understanding. For generated text the
terms are others, over the answer's tokens, which a method is not told here: not supported. Z0 takes a second forward
pass, without dropout, through the weights, head included, as they were before the first step: B A then completes W0.
The three weights are those of the authors' first code; k = 1, since of two classes there are two values. The paper's
later schedules of the weights are for text. The rate is PiSSA's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from methods.peft_backend import LowRank, attach_lora, count_lora, merge, on_meta
from methods.spec import Method, ModelKind, Paper, Site, TaskKind

if TYPE_CHECKING:
    import torch
    from torch import nn

TINY = 1e-10


@dataclass(frozen=True)
class Config(LowRank):
    alpha: int = 8
    """equal to r, so that the update is not scaled, as the paper has it"""
    l1: float = 1e-4
    """weight of the term that keeps to the pretrained outputs"""
    l2: float = 3e-4
    """weight of the term for outputs that differ from each other"""
    l3: float = 1e-4
    """weight of the term for few large singular values"""
    k: int = 1
    """how many singular values count as large"""
    targets: tuple[str, ...] = ("query", "key", "value", "output", "up", "gate", "down")


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    # Shapes have nothing to decompose.
    model = attach_lora(model, sites, config, init_lora_weights=not on_meta(model) and "pissa")
    model.__dict__["_first"], model.__dict__["_outputs"] = {}, None
    model.register_forward_hook(_listen, with_kwargs=True)
    return model


def _listen(model: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
    """Keeps the outputs of a training step and those of the model before training."""
    import torch

    if not model.training or not torch.is_grad_enabled():
        return
    first = model.__dict__["_first"]
    if not first:
        first.update({name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad})
    model.eval()
    with torch.no_grad():
        before = torch.func.functional_call(model, first, args, kwargs).logits
    model.train()
    model.__dict__["_outputs"] = (output.logits, before)


def loss_term(model: nn.Module, config: Config) -> torch.Tensor | None:
    import torch
    from torch.nn import functional

    outputs, model.__dict__["_outputs"] = model.__dict__["_outputs"], None
    if outputs is None:
        return None
    z, z0 = (each.float() for each in outputs)
    kept = functional.mse_loss(functional.normalize(z, dim=-1), functional.normalize(z0, dim=-1))
    centred = z - z.mean(0)
    covariance = centred.T @ centred / max(1, len(z) - 1)
    alike = (covariance.square().sum() - covariance.diagonal().square().sum()) / z.shape[1]
    values = torch.linalg.svdvals(z)
    large = values[: config.k].sum() / (values.sum() + TINY)
    return config.l1 * kept + config.l2 * alike - config.l3 * large


def supports(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    if task_kind in {"generate", "choice"}:
        return "its terms for generated text are taken over the answer's tokens, which a method is not told"
    return None


METHOD = Method(
    name="ba-lora",
    family="optimizer",
    paper=Paper(
        "BA-LoRA: Bias-Alleviating Low-Rank Adaptation to Mitigate Catastrophic Inheritance in Large Language Models",
        "Chang, Chang, Wu",
        2024,
        "https://arxiv.org/abs/2408.04556",
    ),
    formula="PiSSA; loss + l1 |z/|z| - z0/|z0||^2 + l2 off-diagonal covariance^2 - l3 share of k singular values",
    backend="peft",
    learning_rate=2e-4,
    config=Config,
    attach=attach,
    count=count_lora,
    loss_term=loss_term,
    merge=merge,
    supports=supports,
    search_space={"learning_rate": (2e-5, 5e-5, 1e-4, 2e-4, 5e-4), "r": (4, 8, 16, 32), "l2": (1e-4, 3e-4)},
)
