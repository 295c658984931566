"""Puts PEFT's prompt encoders before a text model; only the prompt trains."""

from __future__ import annotations

import warnings

import torch
from peft import PeftConfig, PeftModel, PeftModelForCausalLM, PeftModelForSequenceClassification, PeftType
from peft.utils import ModulesToSaveWrapper
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput

from methods.layers import freeze, replace
from methods.peft_backend import NAME, device_of_shapes


class LastTokenClassifier(PeftModelForSequenceClassification):
    """A decoder that classifies by its last real token.

    Its own forward pass finds that token by its id, and a prompt comes without ids: the last position
    would be read, which is padding in all rows but the longest.
    """

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> SequenceClassifierOutput:
        """input_ids, attention_mask (rows, length) -> logits (rows, labels)."""
        rows = len(input_ids)
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        words = self.word_embeddings(input_ids)
        prompt = self.get_prompt(batch_size=rows).to(words.dtype)
        mask = torch.cat([mask.new_ones(prompt.shape[:2]), mask], dim=1)
        hidden = self.base_model.base_model(
            inputs_embeds=torch.cat([prompt, words], dim=1), attention_mask=mask
        ).last_hidden_state
        last = (mask * torch.arange(mask.shape[1], device=mask.device)).argmax(dim=1)
        head = self.base_model.get_submodule(self.cls_layer_name)
        return SequenceClassifierOutput(logits=head(hidden[torch.arange(rows, device=mask.device), last]))


def attach_prompt(model: nn.Module, settings: PeftConfig) -> PeftModel:
    """The model behind PEFT's prompt encoder. The head stays the model's own: PEFT's copy of it is taken out."""
    kind: type[PeftModel] = PeftModelForSequenceClassification
    if type(model).__name__.endswith("ForCausalLM"):
        kind = PeftModelForCausalLM
    elif hasattr(model, "score") and settings.peft_type == PeftType.PROMPT_TUNING:
        kind = LastTokenClassifier
    settings.task_type = "CAUSAL_LM" if kind is PeftModelForCausalLM else "SEQ_CLS"
    freeze(model)
    with device_of_shapes(model), warnings.catch_warnings():
        # PEFT 0.21 asks transformers 5 for a property by its old name.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        wrapped = kind(model, settings, NAME)
    for name, module in list(model.named_modules()):
        if isinstance(module, ModulesToSaveWrapper):
            replace(model, name, module.original_module)
    freeze(wrapped)
    wrapped.prompt_encoder.requires_grad_(True)
    return wrapped
