"""One sweep at a time makes a run: a claim is a lock that the kernel holds for a process on a file in `<results>/claims`.

The kernel gives it back when the process ends, however it ends, so that a dead owner blocks nobody and no clock is asked.
Where a file system keeps no locks, every claim is granted: a run may then be made twice, which costs time and no record.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from harness.store import Store, make_folder

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]  # Windows

FOLDER = "claims"
TEMPORARY = re.compile(r"\.(\d+)-[0-9a-f]+\.tmp$")


class Lock:
    """A lock on the file `path`, which is made for it and removed with it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    @property
    def is_real(self) -> bool:
        """Whether the kernel holds it, so that no other process may have it too."""
        return self._file is not None

    def take(self) -> bool:
        """False if another process has it."""
        while fcntl is not None:
            try:
                file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            except OSError:
                return True
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                return False
            except OSError:
                os.close(file)
                self._remove()
                return True
            # Between opening and locking, its last owner may have removed it: then this one locks nothing that others see.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file), os.stat(self.path)):
                    self._file = file
                    return True
            os.close(file)
        return True

    def release(self) -> None:
        if self._file is not None:
            self._remove()
            os.close(self._file)
            self._file = None

    def _remove(self) -> None:
        with suppress(OSError):
            self.path.unlink()


def is_held(path: Path) -> bool | None:
    """Whether a process has the lock on that file; None if that cannot be told."""
    if fcntl is None:
        return None
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(file)
    return False


class Claims:
    """The runs of a store that this process has to itself; leaving the block gives all of them back."""

    def __init__(self, store: Store) -> None:
        self.store, self.folder = store, store.folder / FOLDER
        self._held: dict[str, Lock] = {}

    def __enter__(self) -> Claims:
        with suppress(OSError):
            for path in self.folder.glob("*.lock"):
                lock = Lock(path)
                # Of a sweep that was killed; releasing it removes the file.
                if lock.take():
                    lock.release()
        return self

    def __exit__(self, *error: object) -> None:
        for key in list(self._held):
            self.release(key)

    def take(self, key: str) -> bool:
        """False if another sweep has the run. Raises UserError if the store cannot be written to."""
        record = self.store.path(key)
        make_folder(record.parent)
        make_folder(self.folder)
        lock = Lock(self.folder / f"{key}.lock")
        if not lock.take():
            return False
        if lock.is_real:
            self._held[key] = lock
            _clear(record.parent, key)
        return True

    def release(self, key: str) -> None:
        lock = self._held.pop(key, None)
        if lock is not None:
            lock.release()


def _clear(folder: Path, key: str) -> None:
    """Removes what a killed owner of that run had begun to write."""
    for path in folder.glob(f".{key}.*"):
        writer = TEMPORARY.search(path.name)
        if not (writer and _is_alive(int(writer[1]))):
            with suppress(OSError):
                path.unlink()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return not _is_zombie(process)


def _is_zombie(process: int) -> bool:
    """Dead, and still listed since nobody has asked how it ended; False where that cannot be read."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, ValueError, IndexError):
        return False
