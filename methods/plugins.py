"""Methods from outside the repository: a file given by its path, or modules that installed packages name by entry points."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from functools import cache
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from methods.spec import Method

GROUP = "peftbench.methods"
OF_FILE = "peftbench_file_"
"""How the name begins under which a method's file stands among the modules"""
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Unusable(KeyError):
    """A method from outside that cannot be had; args[0] is one sentence. Caught like an unknown name."""


@dataclass(frozen=True)
class Outside:
    """A method from a file, and what tells one edition of it from another."""

    method: Method
    path: Path
    sha256: str


@dataclass(frozen=True)
class Plugin:
    """A module that a package names by an entry point; nothing of it has run yet."""

    name: str
    """of the entry point"""
    package: str
    """with its version"""
    module: str
    path: Path

    def load(self) -> Method:
        """Raises Unusable."""
        try:
            return checked(getattr(import_module(self.module), "METHOD", None))
        except (Exception, SystemExit) as error:
            raise Unusable(f"The plug-in {self.name} of {self.package} cannot be used: {told(error)}") from None

    @property
    def sha256(self) -> str:
        """Of the package's version and the module's text."""
        return hashlib.sha256(self.package.encode() + b"\n" + self.path.read_bytes()).hexdigest()


def told(error: BaseException) -> str:
    """The error as the end of a sentence."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    plain = isinstance(error, Unusable | ValueError) and not isinstance(error, UnicodeError)
    return (text if plain else f"{type(error).__name__}: {text}").strip().splitlines()[0].rstrip(".") + "."


def is_path(name: str) -> bool:
    """Whether a word names a file and not a registered method."""
    return name.endswith(".py") or "/" in name or os.sep in name


def checked(found: Any) -> Method:
    """The method, if it is one. Raises ValueError."""
    if not isinstance(found, Method):
        raise ValueError("it has no `METHOD = Method(...)` at the top level (see methods/spec.py)")
    for name in (found.name, *found.aliases):
        if not NAME.fullmatch(str(name)):
            raise ValueError(f"its name {name!r} must be lower-case letters and digits with single hyphens between")
    if not (is_dataclass(found.config) and found.config.__dataclass_params__.frozen):  # type: ignore[attr-defined]
        raise ValueError("its config must be a class with @dataclass(frozen=True)")
    if not (callable(found.attach) and callable(found.count)):
        raise ValueError("its attach and count must be functions")
    return found


def read_file(path: Path) -> Outside:
    """Runs a method's file, always as it stands on disk now. Raises Unusable."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise Unusable(f"The method file {path} cannot be read: {error.strerror}.") from None
    sha256 = hashlib.sha256(text).hexdigest()
    module = ModuleType(f"{OF_FILE}{path.stem}_{sha256[:12]}")
    module.__file__ = str(path)
    # Dataclasses look their module up while they are made.
    sys.modules[module.__name__] = module
    try:
        # Compiled here and not by an import, which would take an older edition's bytecode for this one.
        exec(compile(text, str(path), "exec"), module.__dict__)
        return Outside(checked(getattr(module, "METHOD", None)), path, sha256)
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        raise Unusable(f"The method file {path} cannot be used: {told(error)}") from None


def plugins() -> Iterator[Plugin]:
    """What installed packages name, in order of their names; what cannot be found is told and left out."""
    for point in sorted(metadata.entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        package = f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown package"
        try:
            spec = find_spec(point.module)
            if spec is None or not spec.origin:
                raise ValueError(f"there is no module {point.module}")
            yield Plugin(point.name, package, point.module, Path(spec.origin))
        except (Exception, SystemExit) as error:
            warn(f"The plug-in {point.name} of {package} is skipped: {told(error)}")


@cache
def warn(sentence: str) -> None:
    """Says it on stderr, once; a run's own process leaves that to the one that asked for the run."""
    if multiprocessing.parent_process() is None:
        print(f"Warning: {sentence}", file=sys.stderr)
