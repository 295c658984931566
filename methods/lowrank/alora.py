"""aLoRA: y_t = W0 x_t + b + 1[t >= s] (alpha / r) B (A x_t), s where the invocation tokens stand last in the text: what stands
before them goes through the pretrained weights, so that its keys and values are those of the base model.

Greenewald et al. 2025, https://arxiv.org/abs/2504.12397. Same outputs as PEFT's. In their work a developer chooses the
invocation, with which a chat template opens the answer. Here it is `invocation`, or what all questions of some training rows
end in; of the latter the first token is left out where there are more, since it may hold the end of a row's own text, and no
more than the last LONGEST are taken. In a text without them nothing is adapted. A is drawn as LoRA draws it, B starts at 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from methods.answers import pairs, template
from methods.linear import LowRankAdapted, adapt, adapted, as_lora_draws
from methods.peft_backend import count_lora
from methods.spec import Method, ModelKind, Paper, Site, TaskKind, Unsupported

LONGEST, ANY = 16, -1
NONE_SHARED = (
    "the texts before the answers end in no common tokens; set alora.invocation to ids that stand in every text"
)


@dataclass(frozen=True)
class Config:
    """The authors' settings: ranks above LoRA's, since fewer tokens are adapted."""

    r: int = 32
    alpha: int = 32
    """the update is scaled by alpha / r"""
    dropout: float = 0.05
    invocation: tuple[int, ...] = ()
    """token ids; none: found in the training rows"""
    targets: tuple[str, ...] = ("query", "key", "value")

    def __post_init__(self) -> None:
        try:
            found = tuple(int(token) for token in self.invocation)
        except ValueError:
            raise ValueError(f"alora.invocation={self.invocation} is not a list of token ids such as 27,48") from None
        if len(found) > LONGEST or any(token < 0 for token in found):
            raise ValueError(f"alora.invocation={found}: at most {LONGEST} ids, none negative, are expected")
        object.__setattr__(self, "invocation", found)


class Watch(nn.Module):
    """Where the adapted tokens of the text in work are: `active` (rows, tokens)."""

    def __init__(self, invocation: tuple[int, ...], device: torch.device) -> None:
        super().__init__()
        # Of fixed length, so that one that was found can be read back into a model that has not looked for it.
        ids = [ANY] * (LONGEST - len(invocation)) + list(invocation)
        self.register_buffer("invocation", torch.tensor(ids, device=device))
        self.active: torch.Tensor | None = None

    def starts(self, ids: torch.Tensor) -> torch.Tensor:
        """ids (rows, tokens) -> (rows, 1) where the last occurrence of the invocation begins; `tokens` if nowhere."""
        known = self.invocation >= 0
        windows = nn.functional.pad(ids, (LONGEST - 1, 0), value=ANY).unfold(1, LONGEST, 1)
        ends = ((windows == self.invocation) | ~known).all(-1) & known.any()
        places = torch.arange(ids.shape[1], device=ids.device)
        last = torch.where(ends, places, ANY).amax(1, keepdim=True)
        return torch.where(last >= 0, last + 1 - known.sum(), ids.shape[1])

    def look(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        ids = kwargs.get("input_ids", args[0] if args else None)
        if ids is None:
            raise ValueError("aLoRA finds its invocation among token ids: give the model input_ids, not embeddings")
        cache = kwargs.get("past_key_values")
        if cache is not None and cache.get_seq_length():
            # What is generated comes after the invocation, in those rows that had one.
            assert self.active is not None
            self.active = self.active[:, -1:].expand_as(ids)
        else:
            self.active = torch.arange(ids.shape[1], device=ids.device) >= self.starts(ids)


class Layer(LowRankAdapted):
    def __init__(self, base: nn.Module, config: Config, watch: Watch) -> None:
        super().__init__(base, config.alpha / config.r, config.dropout)
        # Past nn.Module's bookkeeping: there is one for all layers.
        self.__dict__["watch"] = watch
        self.A = nn.Parameter(as_lora_draws(self.empty(config.r, self.d_in)))
        self.B = self.trained(self.d_out, config.r)

    def update(self, x: torch.Tensor) -> torch.Tensor:
        change = super().update(x)
        return change * self.watch.active.view(*x.shape[:-1], 1).to(change.dtype)


def attach(model: nn.Module, sites: tuple[Site, ...], config: Config) -> nn.Module:
    vocabulary = model.get_input_embeddings().num_embeddings
    if any(token >= vocabulary for token in config.invocation):
        raise ValueError(
            f"alora.invocation={config.invocation}, and the model has {vocabulary} tokens; choose lower ids"
        )
    watch = Watch(config.invocation, model.get_submodule(sites[0].name).weight.device)
    adapt(model, sites, lambda base: Layer(base, config, watch))
    model.alora = watch
    model.register_forward_pre_hook(watch.look, with_kwargs=True)
    return model


def calibrate(model: nn.Module, batches: Iterable[Mapping[str, torch.Tensor]], config: Config) -> None:
    """Raises Unsupported if no training text has the invocation, or none can be found."""
    watch = model.alora
    if config.invocation:
        if not any(bool((watch.starts(batch["input_ids"]) < batch["input_ids"].shape[1]).any()) for batch in batches):
            raise Unsupported(f"alora.invocation={config.invocation} stands in none of the training texts looked at")
        return
    questions = [question for question, _ in pairs(batches)]
    shared = template(questions)[1]
    if not shared:
        raise Unsupported(NONE_SHARED)
    taken = min(LONGEST, max(1, shared - 1))
    watch.invocation.copy_(Watch(tuple(questions[0][-taken:]), watch.invocation.device).invocation)


def extra_state(model: nn.Module) -> Mapping[str, torch.Tensor]:
    return {"alora.invocation": model.alora.invocation} if any(adapted(model, Layer)) else {}


def supports(model_kind: ModelKind, task_kind: TaskKind) -> str | None:
    if model_kind != "decoder":
        return "only a decoder reads what stands before the invocation without seeing what follows"
    if task_kind not in {"generate", "choice"}:
        return "a text to be classified is read as it is, without a template whose tokens could invoke it"
    return None


METHOD = Method(
    name="alora",
    family="lowrank",
    paper=Paper(
        "Activated LoRA: Fine-tuned LLMs for Intrinsics",
        "Greenewald, Lastras, Parnell, Shah, Popa, Zizzo, Gunasekara, Rawat, Cox",
        2025,
        "https://arxiv.org/abs/2504.12397",
    ),
    formula="y_t = W0 x_t + 1[t >= s] (alpha / r) B A x_t, s where the invocation tokens begin",
    backend="native",
    # Of the authors' example for a model of 8B parameters.
    learning_rate=6e-5,
    aliases=("activated-lora",),
    config=Config,
    attach=attach,
    count=count_lora,
    calibrate=calibrate,
    extra_state=extra_state,
    supports=supports,
    search_space={"learning_rate": (6e-5, 2e-4, 4e-4, 1e-3), "r": (8, 16, 32)},
)
