"""Context-aware prompt tuning: f([E(c) + d; E(x)]); c are training examples with their answers, d, (l, width), trains where c is
no answer, each of its rows kept within a distance. The loss asks for the answers in c too.

Blau et al. 2024, https://arxiv.org/abs/2410.17222. With PEFT's prompt and its loss, up to a factor: here the text's own loss keeps
its weight and that of the context is added. An example's weighs decay^k, k = 1 for the one next to the text. The distance is
epsilon sqrt(width / 2048). The paper's few-shot tasks put all their training rows into c. Here it is as many as fit l tokens, of
the one farthest from the text the end; what all questions begin with or end in is taken for the template.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from methods.answers import Pair, pairs, template
from methods.spec import Method, ModelKind, Paper, Shape, Site, TaskKind

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Config:
    """Distances and decay as in PEFT's example."""

    tokens: int = 256
    """l; these positions are taken from the model's longest input"""
    epsilon: float = 0.2
    """how far a token of an example may move"""
    template_epsilon: float = 0.1
    """how far a token of the template may move"""
    decay: float = 0.95
    """1 lets all examples weigh the same"""


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    from peft import CPTConfig

    from methods.layers import replace
    from methods.peft_backend import NAME, device_of_shapes
    from methods.prompt._context import Context
    from methods.prompt._peft import attach_prompt

    settings = CPTConfig(
        task_type="CAUSAL_LM",
        cpt_token_ids=[0] * config.tokens,
        opt_projection_epsilon=config.epsilon,
        opt_projection_format_epsilon=config.template_epsilon,
    )
    wrapped = attach_prompt(model, settings)
    with device_of_shapes(model):
        context = Context(settings, model.get_input_embeddings())
    replace(wrapped, f"prompt_encoder.{NAME}", context)

    def keep(module: nn.Module, args: Any, output: Any) -> None:
        # They are the same in every row, since nothing before them differs.
        context.logits = output.logits[0, : config.tokens] if module.training else None

    model.register_forward_hook(keep)
    return wrapped


def count(shape: Shape, config: Config) -> int:
    """l d"""
    return config.tokens * shape.hidden


def laid_out(rows: list[Pair], length: int) -> tuple[list[int], list[int]]:
    """(ids, types) of the `length` last tokens of some rows, the first row last; types as PEFT numbers them. Raises
    ValueError if they have fewer."""
    from methods.prompt._context import INPUT, KINDS, TEMPLATE_AFTER, TEMPLATE_BEFORE

    front, back = template([question for question, _ in rows])
    found: list[list[tuple[int, int]]] = []
    for question, answer in rows:
        inner = len(question) - front - back
        kinds = [TEMPLATE_BEFORE] * front + [INPUT] * inner + [TEMPLATE_AFTER] * back + [KINDS] * len(answer)
        row = list(zip(question + answer, kinds, strict=True))
        missing = length - sum(map(len, found))
        if missing > 0:
            found.insert(0, row[-missing:])
    if sum(map(len, found)) < length:
        raise ValueError(f"the training rows looked at have fewer than the {length} tokens of cpt.tokens; lower it")
    tokens = [(token, kind + KINDS * at) for at, row in enumerate(found) for token, kind in row]
    return [token for token, _ in tokens], [kind for _, kind in tokens]


def calibrate(model: nn.Module, batches: Iterable[Mapping[str, torch.Tensor]], config: Config) -> None:
    """Raises Unsupported if the rows' answers cannot be told, ValueError if they hold fewer than l tokens."""
    words = model.base_model.get_input_embeddings()
    model.prompt_encoder.default.fill(*laid_out(pairs(batches), config.tokens), words)


def after_step(model: nn.Module, config: Config, step: int, total_steps: int) -> None:
    model.prompt_encoder.default.hold()


def loss_term(model: nn.Module, config: Config) -> torch.Tensor | None:
    return model.prompt_encoder.default.term(config.decay)


def extra_state(model: nn.Module) -> Mapping[str, torch.Tensor]:
    state, at = model.prompt_encoder.default.state_dict(), "prompt_encoder.default"
    return {f"{at}.{name}": state[name] for name in ("ids", "types", "embedding.weight")}


def supports(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    if model_kind != "decoder" or task_kind not in {"generate", "choice"}:
        return "its context holds answers as text, which only a language model that writes its answers learns from"
    return None


METHOD = Method(
    name="cpt",
    family="prompt",
    paper=Paper(
        "Context-aware Prompt Tuning: Advancing In-Context Learning with Adversarial Methods",
        "Blau, Kimhi, Belinkov, Bronstein, Baskin",
        2024,
        "https://arxiv.org/abs/2410.17222",
    ),
    formula="y = f([E(c) + d; E(x)]), c examples with answers, |d_i| <= epsilon sqrt(width / 2048), d trains but at answers",
    backend="peft",
    # Not from the paper; prompt tuning's.
    learning_rate=1e-3,
    aliases=("context-aware-prompt-tuning",),
    config=Config,
    attach=attach,
    count=count,
    calibrate=calibrate,
    positions=lambda config: config.tokens,
    after_step=after_step,
    loss_term=loss_term,
    starts_at_base=False,
    supports=supports,
    extra_state=extra_state,
    search_space={
        "learning_rate": (1e-4, 3e-4, 1e-3, 3e-3),
        "tokens": (64, 256, 512),
        "epsilon": (0.1, 0.2),
        "template_epsilon": (0.1, 0.2),
    },
)
