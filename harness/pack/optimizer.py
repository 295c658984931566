"""One AdamW and one clipping for all runs of a pack, with a rate and a norm for each: the same formulas as torch's, on
the stacks, so that a step of K runs starts as few operations as that of one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from harness.pack.stack import Stack

SAME = ("betas", "eps", "weight_decay", "amsgrad", "maximize")


def beside(values: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    """(K,) to stand beside (K, ...)"""
    return values.view(-1, *(1,) * (whole.ndim - 1))


@torch.no_grad()
def clip(stacks: Sequence[Stack], most: float) -> None:
    """Scales each run's gradients so that their norm over all tensors is at most `most`, as `clip_grad_norm_` does."""
    grads = [stack.whole.grad for stack in stacks if stack.whole.grad is not None]
    norms = torch.stack([torch.linalg.vector_norm(grad.flatten(1), dim=1) for grad in grads])
    share = (most / (torch.linalg.vector_norm(norms, dim=0) + 1e-6)).clamp(max=1.0)
    for grad in grads:
        grad.mul_(beside(share, grad))


class StackedAdamW:
    """What K optimizers of the class AdamW would do, each with the rates that stand in its groups at the time."""

    def __init__(self, stacks: Sequence[Stack], optimizers: Sequence[torch.optim.Optimizer]) -> None:
        """Raises ValueError if the optimizers differ in more than rates, or are not plain AdamW."""
        if any(type(each) is not torch.optim.AdamW for each in optimizers):
            raise ValueError("an optimizer is not AdamW")
        held = [{id(p): group for group in each.param_groups for p in group["params"]} for each in optimizers]
        self.parts = [(stack, self._groups(stack, held)) for stack in stacks]
        self.moments: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self.steps = 0

    @staticmethod
    def _groups(stack: Stack, held: Sequence[Mapping[int, dict[str, Any]]]) -> list[dict[str, Any]]:
        groups = [own[id(tensor)] for own, tensor in zip(held, stack.own, strict=True)]
        if any(group[name] != groups[0][name] for group in groups for name in SAME):
            raise ValueError("the runs' optimizers differ in more than rates")
        if groups[0]["amsgrad"] or groups[0]["maximize"]:
            raise ValueError("an optimizer is not plain AdamW")
        return groups

    @torch.no_grad()
    def step(self) -> None:
        """Kingma & Ba 2015, https://arxiv.org/abs/1412.6980, with the decay of https://arxiv.org/abs/1711.05101."""
        self.steps += 1
        rates: dict[tuple[float, ...], torch.Tensor] = {}
        for stack, groups in self.parts:
            whole, grad, group = stack.whole, stack.whole.grad, groups[0]
            if grad is None:
                continue
            key = tuple(each["lr"] for each in groups)
            if key not in rates:
                rates[key] = whole.new_tensor(key)
            rate = beside(rates[key], whole)
            mean, square = self.moments.setdefault(id(stack), (torch.zeros_like(whole), torch.zeros_like(whole)))
            first, second = group["betas"]
            whole.mul_(1 - rate * group["weight_decay"])
            mean.lerp_(grad, 1 - first)
            square.mul_(second).addcmul_(grad, grad, value=1 - second)
            size = (square.sqrt() / math.sqrt(1 - second**self.steps)).add_(group["eps"])
            whole.sub_(mean / size * (rate / (1 - first**self.steps)))
