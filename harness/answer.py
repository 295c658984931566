"""How a language model answers: by generating, or by the likelihood of each option."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn

from harness.data import evaluation_batches
from harness.seq2seq import decoder_start
from harness.text import Texts
from harness.train import asked_logits, autocast
from tasks.spec import Generation


def _chunks(prompts: Sequence[Sequence[int]], size: int, equal: bool) -> Iterator[list[int]]:
    """Row numbers, longest prompt first, so that memory peaks at once; with `equal`, of one length only."""
    order = sorted(range(len(prompts)), key=lambda i: -len(prompts[i]))
    chunk: list[int] = []
    for i in order:
        if chunk and (len(chunk) == size or (equal and len(prompts[chunk[0]]) != len(prompts[i]))):
            yield chunk
            chunk = []
        chunk.append(i)
    if chunk:
        yield chunk


@torch.inference_mode()
def generate(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    settings: Generation,
    end: int,
    pad: int,
    device: torch.device,
    precision: str,
    batch: int,
    equal: bool = False,
) -> list[list[int]]:
    """What the model adds to each prompt up to the end of text, as token ids, in the prompts' order.

    Greedy, or beam search; padded on the left (an encoder-decoder on the right: its answer starts a text of its own),
    pads masked and not counted as positions. With `equal` no pads are used: for methods whose own tokens stand before
    the text, which PEFT would put before the pads.
    """
    from transformers import GenerationConfig

    model.eval()
    apart = getattr(model.config, "is_encoder_decoder", False)
    config = GenerationConfig(
        max_new_tokens=settings.max_new_tokens,
        num_beams=settings.beams,
        do_sample=False,
        eos_token_id=end,
        pad_token_id=pad,
        use_cache=True,
        decoder_start_token_id=decoder_start(model) if apart else None,
    )
    found: list[list[int]] = [[] for _ in prompts]
    for chunk in _chunks(prompts, batch, equal):
        longest = max(len(prompts[i]) for i in chunk)
        ids = torch.full((len(chunk), longest), pad)
        mask = torch.zeros_like(ids)
        for at, i in enumerate(chunk):
            where = slice(len(prompts[i])) if apart else slice(longest - len(prompts[i]), None)
            ids[at, where] = torch.tensor(prompts[i])
            mask[at, where] = 1
        with autocast(device, precision):
            out = model.generate(
                input_ids=ids.to(device), attention_mask=mask.to(device), generation_config=config
            ).tolist()
        for i, row in zip(chunk, out, strict=True):
            new = row[1:] if apart else row[longest:]
            found[i] = new[: new.index(end)] if end in new else new
    return found


@torch.inference_mode()
def log_likelihoods(model: nn.Module, texts: Texts, device: torch.device, precision: str, batch: int) -> np.ndarray:
    """(sequences,) the summed log probability of each target after its prompt, float64; 0 for an empty target."""
    model.eval()
    found = np.zeros(len(texts))
    for part in evaluation_batches(texts, batch):
        asked = part.targets
        assert asked is not None
        inputs = {name: value.to(device) for name, value in part.inputs.items()}
        with autocast(device, precision):
            logits = model(**inputs).logits
        values = torch.log_softmax(asked_logits(logits, asked, part.labels.shape[1]), dim=-1)
        values = values.gather(1, asked.tokens.to(device)[:, None])[:, 0].double().cpu()
        sums = torch.zeros(len(part.index), dtype=torch.float64).index_add_(0, asked.rows, values)
        found[part.index] = sums.numpy()
    return found
