"""MPT: f([P * (u v'); E(x)]); P (l, d) is to be shared by tasks, u (l, r) and v (r, d) belong to one; all three train.

Wang et al. 2023, https://arxiv.org/abs/2303.02861. Here on one task at a time: the paper first distils P from prompts of many tasks
and then tunes it with u and v on another, and that first stage is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from methods.prompt._texts import only_texts
from methods.spec import Method, Paper, Shape, Site

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Config:
    tokens: int = 20
    """l"""
    r: int = 1


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    from peft import MultitaskPromptTuningConfig

    from methods.prompt._peft import attach_prompt

    settings = MultitaskPromptTuningConfig(
        num_virtual_tokens=config.tokens, num_tasks=1, num_ranks=config.r, prompt_tuning_init="RANDOM"
    )
    model = attach_prompt(model, settings)
    model.prompt_encoder.default.register_forward_pre_hook(_of_the_task)
    return model


def _of_the_task(module: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """PEFT wants a task's number for every row; there is one task."""
    places, _ = given
    return places, places.new_zeros(len(places))


def count(shape: Shape, config: Config) -> int:
    """l d + r (l + d)"""
    return config.tokens * shape.hidden + config.r * (config.tokens + shape.hidden)


METHOD = Method(
    name="multitask-prompt-tuning",
    family="prompt",
    paper=Paper(
        "Multitask Prompt Tuning Enables Parameter-Efficient Transfer Learning",
        "Wang, Panda, Karlinsky, Feris, Sun, Kim",
        2023,
        "https://arxiv.org/abs/2303.02861",
    ),
    formula="y = f([P * (u v'); E(x)]), P, u and v train",
    backend="peft",
    # Not from the paper, whose 0.3 is for Adafactor on T5.
    learning_rate=1e-2,
    config=Config,
    attach=attach,
    count=count,
    aliases=("mpt",),
    positions=lambda config: config.tokens,
    starts_at_base=False,
    supports=only_texts,
    search_space={"learning_rate": (1e-3, 3e-3, 1e-2, 3e-2), "tokens": (5, 20, 50), "r": (1, 4)},
)
