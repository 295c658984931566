"""The models and tokenizers that a living worker keeps (harness/reuse.py), and what it tells of them."""

from __future__ import annotations

import copy
import functools
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xxhash

from harness.kept import KeptModel, NotAlike, NotClean
from harness.leftovers import Surroundings
from harness.reuse import POOL

MOST_KEPT = 4
"""Models, and tokenizers"""
LARGE = 1000


class Pool:
    """What is kept; of use inside `kept`."""

    def __init__(self, reason: str) -> None:
        """`reason`: why this process took over from another, if one did."""
        self.models: OrderedDict[Hashable, KeptModel] = OrderedDict()
        self.tokenizers: OrderedDict[Hashable, KeptTokenizer] = OrderedDict()
        self.refused: dict[Hashable, str] = {}
        self.surroundings = Surroundings()
        self.reason = reason
        self.told: dict[str, str] = {}
        self.left: list[str] = []

    @contextmanager
    def run(self) -> Iterator[dict[str, str]]:
        """Around a run, or a pack of them: what it says of its base model belongs in the records' provenance."""
        self.told = {}
        for model in self.models.values():
            model.lent = False
        self.surroundings.extend()
        token = POOL.set(self)
        try:
            yield self.told
        finally:
            POOL.reset(token)
            self.surroundings.restore_generators()
            self.left = self.surroundings.differences()

    def clear(self) -> None:
        self.models.clear()
        self.tokenizers.clear()

    def leftovers(self) -> str | None:
        """One sentence on what the last run left behind in this process, which no other should be made in; None if it
        left nothing."""
        return f"the run before left behind: {', '.join(self.left)}" if self.left else None

    def load(self, load: Callable[..., Any], values: dict[str, Any]) -> Any:
        """What `load(**values)` gives."""
        source = values["source"]
        rest = repr([(name, value) for name, value in values.items() if name not in {"source", "seed"}])
        key = (load.__name__, stamp(source.path), source.sha256, rest)
        if load.__name__ == "load_tokenizer":
            return self._tokenizer(key, functools.partial(load, **values))
        return self._model(key, load, values)

    def _model(self, key: Hashable, load: Callable[..., Any], values: dict[str, Any]) -> Any:
        def fresh(seed: int | None) -> Any:
            return load(**(values if seed is None else {**values, "seed": seed}))

        seed, there, reason = values.get("seed"), self.models.pop(key, None), self.refused.get(key, "")
        try:
            if there is not None:
                there.prove(fresh, seed)
                model = there.handed(seed)
                self.models[key] = there
                self.told.setdefault("base_model", "reused")
                return model
        except NotClean as error:
            reason = self._refuse(key, error)
        model = fresh(seed)
        try:
            if key not in self.refused:
                keep(self.models, key, KeptModel(model, seed, values["source"].path))
        except NotClean as error:
            reason = reason or self._refuse(key, error)
        self.told["base_model"] = "loaded"
        self._say(reason or self.reason)
        self.reason = ""
        return model

    def _refuse(self, key: Hashable, error: NotClean) -> str:
        if isinstance(error, NotAlike):
            self.refused[key] = str(error)
        return str(error)

    def _say(self, reason: str) -> None:
        if reason:
            self.told.setdefault("reload_reason", reason)

    def _tokenizer(self, key: Hashable, load: Callable[[], Any]) -> Any:
        there = self.tokenizers.pop(key, None)
        if there is not None:
            made = there.handed()
            if made is not None:
                self.tokenizers[key] = there
                return made
            self._say("a run changed the tokenizer")
        tokenizer = load()
        if getattr(tokenizer, "backend_tokenizer", None) is not None:
            keep(self.tokenizers, key, KeptTokenizer(tokenizer))
        return tokenizer


class KeptTokenizer:
    """A fast tokenizer; the part of it that is not Python's is held once, since a copy takes as long as a load."""

    def __init__(self, tokenizer: Any) -> None:
        inner = tokenizer.backend_tokenizer
        self.truncation, self.padding = inner.truncation, inner.padding
        self.tokenizer = self._own(tokenizer)
        self.digest = self._clean()

    @staticmethod
    def _own(tokenizer: Any) -> Any:
        """Another object over the same vocabulary: what a run sets on it ends with the run."""
        inner = tokenizer.backend_tokenizer
        # Vocabularies: of strings and numbers, so that another dictionary is copy enough.
        large = {id(v): copy.copy(v) for v in vars(tokenizer).values() if isinstance(v, dict | list) and len(v) > LARGE}
        return copy.deepcopy(tokenizer, {id(inner): inner, **large})

    def _clean(self) -> str:
        """Puts truncation and padding back, which calls leave behind; the digest of all that decides what the tokenizer
        makes of a text."""
        inner = self.tokenizer.backend_tokenizer
        inner.no_truncation()
        inner.no_padding()
        found = xxhash.xxh3_128_hexdigest(inner.to_str().encode())
        if self.truncation is not None:
            inner.enable_truncation(**self.truncation)
        if self.padding is not None:
            inner.enable_padding(**self.padding)
        return found

    def handed(self) -> Any | None:
        """None if a run changed it."""
        return self._own(self.tokenizer) if self._clean() == self.digest else None


def keep(kept: OrderedDict[Hashable, Any], key: Hashable, value: Any) -> None:
    """The one that was not used for longest makes room."""
    kept[key] = value
    while len(kept) > MOST_KEPT:
        kept.popitem(last=False)


def stamp(folder: Path) -> tuple[tuple[Any, ...], ...]:
    """What tells the folder's files from others put in their place."""
    stats = [(path, path.stat()) for path in sorted(Path(folder).iterdir()) if path.is_file()]
    return tuple((str(path), s.st_size, s.st_mtime_ns, s.st_ino) for path, s in stats)
