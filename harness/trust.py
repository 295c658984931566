"""What of a model's files is read or run beyond plain weights: nothing, unless the command line says so."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.record import UserError

READ_PICKLES = "--allow-pickle reads them: their plain tensors only, no code of such a file is run"
"""What the option means; hub.py keeps to it"""


@dataclass(frozen=True)
class Trust:
    """No field is a part of a run's key: weights and code are the same, however they may be read."""

    pickle: bool = False
    """pickled weights are turned into safetensors, by the unpickler of torch that makes tensors and nothing else"""
    code: bool = False
    """Python files of the model's own are run, where transformers has no class for it"""


NOTHING = Trust()


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def own_code(name: str, folder: Path, trust: Trust) -> tuple[str, ...]:
    """Which of model and tokenizer are made by Python files in `folder`, because transformers has no class for them.

    Raises UserError if there is one and `trust` does not allow it, or the files are another repository's.
    """
    config, tokenizer = _json(folder / "config.json"), _json(folder / "tokenizer_config.json")
    found = {
        part: refers
        for part, refers, known in (
            ("model", _refers(config), lambda: _has_config(config.get("model_type"))),
            (
                "tokenizer",
                _refers(tokenizer).get("AutoTokenizer"),
                lambda: _has_class(tokenizer.get("tokenizer_class")),
            ),
        )
        if refers and not known()
    }
    if not found:
        return ()
    if not trust.code:
        raise UserError(
            f"{name} comes with Python code of its own for its {' and '.join(found)} (auto_map in its configuration), which "
            f"only --trust-remote-code runs; read it before you say so."
        )
    if "--" in json.dumps(list(found.values())):
        raise UserError(
            f"{name} runs code of another repository, of which no revision is pinned: give --model a local folder with that "
            f"code in it."
        )
    return tuple(found)


def _refers(config: dict[str, Any]) -> dict[str, Any]:
    """auto_map: name of a transformers class -> where the code for it stands"""
    found = config.get("auto_map")
    return found if isinstance(found, dict) else {}


def _has_config(model_type: Any) -> bool:
    from transformers import CONFIG_MAPPING

    return isinstance(model_type, str) and model_type in CONFIG_MAPPING


def _has_class(name: Any) -> bool:
    import transformers

    return isinstance(name, str) and name.isidentifier() and hasattr(transformers, name)
