"""Base models from the hub or its cache. Weights that are pickled there are turned into safetensors once."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from harness.package import cache_folder, work_folder
from harness.record import UserError
from harness.trust import NOTHING, READ_PICKLES, Trust

FILES = ["*.json", "*.safetensors", "*.txt", "*.model"]
CODE = ["*.py"]
PICKLED = ["pytorch_model.bin", "pytorch_model-*.bin"]
SENTENCEPIECE = ("sentencepiece", "protobuf")
"""Distributions: transformers reads a SentencePiece file with both."""


def find(
    hub_id: str, revision: str | None, say: Callable[[str], None], download: bool, trust: Trust = NOTHING
) -> tuple[Path, str]:
    """(folder with the model's files, its commit), fetched if it is not in the hub's cache and `download` allows it.

    Raises UserError if it cannot be had; the sentence names the ways out.
    """
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    files = FILES + CODE if trust.code else FILES
    try:
        path = _snapshot(hub_id, revision, files, offline=True)
        there = bool(_safe(path) or pickled(path))
    except LocalEntryNotFoundError:
        there = False
    except HFValidationError:
        raise UserError(f"{hub_id!r} is no folder, and no id that the hub could have.") from None
    if not there:
        if not download:
            raise UserError(f"{hub_id} is not in the hub's cache; a run will fetch it.")
        say(f"Fetching {hub_id} from the hub")
        path = _fetch(hub_id, revision, files)
        if not _safe(path) and trust.pickle:
            path = _fetch(hub_id, revision, PICKLED)
    check_tokenizer(hub_id, path)
    if _safe(path):
        return path, path.name
    if not trust.pickle:
        raise UserError(
            f"{hub_id} has no *.safetensors; if it has pickled weights, {READ_PICKLES}. Or give --model a local folder "
            f"with *.safetensors."
        )
    if not pickled(path):
        raise UserError(f"{hub_id} has no weights that can be read; give --model a local folder with *.safetensors.")
    return unpickled(hub_id, path, f"{hub_id.replace('/', '--')}-{path.name}", say) if download else path, path.name


def check_tokenizer(name: str, folder: Path) -> None:
    """Raises UserError if the only tokenizer is a SentencePiece file and what reads it is not installed."""
    missing = [package for package in SENTENCEPIECE if not _installed(package)]
    if missing and any(folder.glob("*.model")) and not (folder / "tokenizer.json").is_file():
        raise UserError(f"The tokenizer of {name} is a SentencePiece file; to read it: pip install {' '.join(missing)}")


def _installed(package: str) -> bool:
    try:
        return bool(metadata.version(package))
    except metadata.PackageNotFoundError:
        return False


def _snapshot(hub_id: str, revision: str | None, patterns: list[str], offline: bool) -> Path:
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(hub_id, revision=revision, allow_patterns=patterns, local_files_only=offline))


def _fetch(hub_id: str, revision: str | None, patterns: list[str]) -> Path:
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError

    try:
        return _snapshot(hub_id, revision, patterns, offline=False)
    except (OSError, HfHubHTTPError, ValueError) as error:
        why = type(error).__name__
        if isinstance(error, GatedRepoError):
            why = "its licence must be accepted on its hub page first, and this machine logged in by `hf auth login`"
        raise UserError(
            f"{hub_id} is not in the hub's cache and the hub could not give it ({why}). Ways out: "
            f"--model with a local folder of its files; a network or a filled cache (HF_HOME); "
            f"--model minilm-l6, which comes from a Python package."
        ) from None


def _safe(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def pickled(folder: Path) -> list[Path]:
    return sorted(path for pattern in PICKLED for path in folder.glob(pattern))


def unpickled(name: str, folder: Path, there: str, say: Callable[[str], None]) -> Path:
    """A model's folder with its weights as safetensors: the folder `there` of our cache, which names their edition.

    The weights are read by torch's restricted unpickler, which runs no code of the file.
    """
    import torch
    from safetensors.torch import save_file

    target = cache_folder() / "models" / there
    if target.is_dir():
        return target
    say(f"Converting {name} from pickled weights to safetensors, once, into {target}")
    work = work_folder(target)
    try:
        files = work / "files"
        files.mkdir()
        weights: dict[str, torch.Tensor] = {}
        for path in pickled(folder):
            weights |= torch.load(path, map_location="cpu", weights_only=True)
        # Tied tensors share memory, which safetensors refuses.
        copies = {key: value.clone(memory_format=torch.contiguous_format) for key, value in weights.items()}
        save_file(copies, files / "model.safetensors", metadata={"format": "pt"})
        for pattern in FILES + CODE:
            for path in folder.glob(pattern):
                if not path.name.endswith(".index.json"):
                    shutil.copy(path, files / path.name)
        try:
            files.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{name}: its pickled weights hold more than plain tensors and were not read; "
            f"give --model a local folder with *.safetensors."
        ) from error
    except (RuntimeError, ValueError, OSError) as error:
        raise UserError(
            f"{name}: its pickled weights could not be converted ({str(error).splitlines()[0]})."
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target
