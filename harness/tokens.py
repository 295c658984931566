"""Token ids on disk: what a tokenizer made of texts is kept under what decides it, the texts and the tokenizer.

A file is named by the digest of the call: every text, every option, the tokenizer's files and settings, the versions of
the libraries. So a task whose rows, prompt, sampling or length differs finds nothing, and one that has the same texts
need not be the same task. Several processes may share the folder: a file appears whole, by a rename, and one that is
damaged is made again. The folder stays under MOST_BYTES; what was not used for longest goes first. A cache that cannot
be written is none.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import os
import tempfile
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

MOST_BYTES = 2 << 30
SMALL = 20_000
"""Characters of texts that are tokenised about as fast as looked up"""
FORMAT = 1
FILES = {".json", ".txt", ".model"}
"""How the files end that a tokenizer is made from"""
PLACES = {"name_or_path", "vocab_file", "merges_file", "tokenizer_file"}


class Tokens(dict[str, list[list[int]]]):
    """input_ids and the like -> each text's; read as what a tokenizer gives."""

    def __init__(self, columns: dict[str, list[list[int]]], truncated: int) -> None:
        super().__init__(columns)
        self.truncated = truncated
        """texts that were cut"""


def truncated(done: Any) -> int:
    """How many texts a tokenizer cut, from what it gave."""
    if isinstance(done, Tokens):
        return done.truncated
    return sum(1 for encoding in done.encodings if encoding.overflowing)


class CachedTokenizer:
    """A tokenizer that looks long lists of texts up first; in all else the tokenizer itself."""

    def __init__(self, tokenizer: Any, folder: Path, cache: Path) -> None:
        """`folder`: what the tokenizer was loaded from."""
        self._tokenizer, self._folder, self._cache = tokenizer, folder, cache / "tokens"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._tokenizer, name)

    def __call__(self, *texts: Any, **options: Any) -> Any:
        """As the tokenizer; a list of texts gives `Tokens`."""
        given = [text for part in (*texts, *options.values()) if isinstance(part, list) for text in part]
        usual = all(isinstance(text, str) for text in given) and "return_tensors" not in options
        if not usual or sum(map(len, given)) < SMALL:
            return self._tokenizer(*texts, **options)
        path = self._cache / f"{self._key(texts, options)}.safetensors"
        found = read(path)
        if found is None:
            done = self._tokenizer(*texts, **options)
            found = Tokens(dict(done), truncated(done) if options.get("truncation") else 0)
            write(path, found)
        return found

    def _key(self, texts: tuple[Any, ...], options: dict[str, Any]) -> str:
        asked = json.dumps([texts, options], sort_keys=True)
        return hashlib.blake2b((self._identity + asked).encode(), digest_size=20).hexdigest()

    @functools.cached_property
    def _identity(self) -> str:
        """All that decides what the tokenizer makes of a text, as JSON."""
        plain = {
            name: value
            for name, value in vars(self._tokenizer).items()
            if isinstance(value, bool | int | str | None) and name not in PLACES
        }
        files = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self._folder.iterdir())
            if path.suffix in FILES
        }
        versions = {name: metadata.version(name) for name in ("tokenizers", "transformers")}
        kind = f"{type(self._tokenizer).__module__}.{type(self._tokenizer).__qualname__}"
        return json.dumps([FORMAT, kind, len(self._tokenizer), plain, files, versions], sort_keys=True, default=str)


def read(path: Path) -> Tokens | None:
    """None for a file that is not there or not whole."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            about = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in json.loads(about["columns"])}
            lengths = file.get_tensor("lengths")
        if about["digest"] != _digest(arrays, lengths, int(about["truncated"])):
            return None
        # The time of use decides what goes first when the folder is full.
        with suppress(OSError):
            os.utime(path)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        return None
    ends = np.cumsum(lengths).tolist()
    starts = [0, *ends[:-1]]
    columns = {}
    for name, array in arrays.items():
        flat = array.tolist()
        columns[name] = [flat[a:b] for a, b in zip(starts, ends, strict=True)]
    return Tokens(columns, int(about["truncated"]))


def write(path: Path, tokens: Tokens) -> None:
    """Keeps what can be kept: columns of whole numbers whose rows are of one length."""
    from safetensors.numpy import save

    lengths = np.array([len(row) for row in next(iter(tokens.values()), [])], dtype=np.int64)
    if any([len(row) for row in rows] != lengths.tolist() for rows in tokens.values()):
        return
    arrays = {name: _flat(rows) for name, rows in tokens.items()}
    about = {
        "columns": json.dumps(list(arrays)),
        "truncated": str(tokens.truncated),
        "digest": _digest(arrays, lengths, tokens.truncated),
    }
    content = save({**arrays, "lengths": lengths}, about)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        _put(path, content)
        _shorten(path.parent)


def _flat(rows: list[list[int]]) -> np.ndarray:
    """In the smallest type that holds them."""
    values = np.array(list(itertools.chain.from_iterable(rows)), dtype=np.int64)
    return values.astype(np.min_scalar_type(int(values.max())) if values.size and values.min() >= 0 else np.int64)


def _digest(arrays: dict[str, np.ndarray], lengths: np.ndarray, truncated: int) -> str:
    found = xxhash.xxh3_128(f"{list(arrays)} {truncated}".encode())
    for array in (lengths, *arrays.values()):
        found.update(f"{array.dtype} {array.shape}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def _put(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _shorten(folder: Path) -> None:
    """Deletes what was not used for longest until the folder is small enough."""
    files = []
    for path in folder.iterdir():
        # Another process may have deleted it.
        with suppress(OSError):
            stat = path.stat()
            files.append((stat.st_mtime_ns, stat.st_size, path))
    size = sum(size for _, size, _ in files)
    for _, bytes_, path in sorted(files):
        if size <= MOST_BYTES:
            break
        with suppress(OSError):
            path.unlink()
            size -= bytes_
