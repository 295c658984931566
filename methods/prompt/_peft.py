"""Puts PEFT's prompt encoders before a text model; only the prompt trains."""

from __future__ import annotations

import warnings

import torch
from peft import (
    PeftConfig,
    PeftModel,
    PeftModelForCausalLM,
    PeftModelForSeq2SeqLM,
    PeftModelForSequenceClassification,
    PeftType,
)
from peft.utils import ModulesToSaveWrapper
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput

from methods.layers import freeze, replace
from methods.peft_backend import NAME, device_of_shapes

KEYS_AND_VALUES = {PeftType.PREFIX_TUNING, PeftType.CARTRIDGE}
"""Prompts that stand in every layer's attention, not before the text"""


class FirstTokenClassifier(PeftModelForSequenceClassification):
    """An encoder that classifies by its first token, which stays first: the prompt comes after it.

    Before it, PEFT's place, the head would read a vector of the prompt.
    """

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
    ) -> SequenceClassifierOutput:
        """Each input (rows, length) -> logits (rows, labels)."""
        words = self.word_embeddings(input_ids)
        prompt = self.get_prompt(batch_size=len(input_ids)).to(words.dtype)
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        more = {}
        if token_type_ids is not None:
            more["token_type_ids"] = _second(token_type_ids, token_type_ids.new_zeros(prompt.shape[:2]))
        return self.base_model(
            inputs_embeds=_second(words, prompt),
            attention_mask=_second(mask, mask.new_ones(prompt.shape[:2])),
            **more,
        )


class LastTokenClassifier(PeftModelForSequenceClassification):
    """A decoder that classifies by its last real token, wherever the padding stands.

    The decoder's own forward pass finds that token by its id, and a prompt comes without ids; and it
    counts positions from the first column, so that padding would stand between prompt and text.
    """

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> SequenceClassifierOutput:
        """input_ids, attention_mask (rows, length) -> logits (rows, labels)."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        if self.active_peft_config.peft_type in KEYS_AND_VALUES:
            return super().forward(input_ids, mask, position_ids=_positions(mask))
        rows = len(input_ids)
        words = self.word_embeddings(input_ids)
        prompt = self.get_prompt(batch_size=rows).to(words.dtype)
        mask = torch.cat([mask.new_ones(prompt.shape[:2]), mask], dim=1)
        body = self.base_model.base_model
        embedded = torch.cat([prompt, words], dim=1)
        hidden = body(
            inputs_embeds=embedded, attention_mask=mask, position_ids=_positions(mask), use_cache=False
        ).last_hidden_state
        last = (mask * torch.arange(mask.shape[1], device=mask.device)).argmax(dim=1)
        head = self.base_model.get_submodule(self.cls_layer_name)
        return SequenceClassifierOutput(logits=head(hidden[torch.arange(rows, device=mask.device), last]))


def _second(inputs: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
    """`added` (rows, l, ...) between the first and the second column of `inputs` (rows, length, ...)."""
    return torch.cat([inputs[:, :1], added, inputs[:, 1:]], dim=1)


def _positions(mask: torch.Tensor) -> torch.Tensor:
    """(rows, length) -> each real token's place among its row's real tokens."""
    return (mask.long().cumsum(dim=1) - 1).clamp(min=0)


def attach_prompt(model: nn.Module, settings: PeftConfig) -> PeftModel:
    """The model behind PEFT's prompt encoder. The head stays the model's own: PEFT's copy of it is taken out."""
    kind: type[PeftModel] = PeftModelForSequenceClassification
    if type(model).__name__.endswith("ForCausalLM"):
        kind = PeftModelForCausalLM
    elif hasattr(model, "score"):  # what transformers calls the head of every decoder
        kind = LastTokenClassifier
    elif settings.peft_type not in KEYS_AND_VALUES:
        kind = FirstTokenClassifier
    settings.task_type = "CAUSAL_LM" if kind is PeftModelForCausalLM else "SEQ_CLS"
    if getattr(model.config, "is_encoder_decoder", False):
        kind, settings.task_type = PeftModelForSeq2SeqLM, "SEQ_2_SEQ_LM"
        # Before the encoder's text alone; PEFT would also make vectors for the decoder, which it then leaves aside.
        settings.num_transformer_submodules = 1
    freeze(model)
    with device_of_shapes(model), warnings.catch_warnings():
        # PEFT 0.21 asks transformers 5 for a property by its old name.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        wrapped = kind(model, settings, NAME)
    for name, module in list(model.named_modules()):
        if isinstance(module, ModulesToSaveWrapper):
            replace(model, name, module.original_module)
    # A cartridge's first vectors are frozen by PEFT itself.
    fixed = {name for name, p in wrapped.prompt_encoder.named_parameters() if not p.requires_grad}
    freeze(wrapped)
    for name, parameter in wrapped.prompt_encoder.named_parameters():
        parameter.requires_grad_(name not in fixed)
    return wrapped
