"""What a work needs on another machine, and what comes back from there.

Small things travel: the file of a method goes with the work, per-item files come back with the records. Weights and data
do not: they must lie in the same place there, as they do on a file system that all machines share, and that is looked
at before the run begins.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.execute.job import Job, Work
from harness.record import RunRecord, UserError

SMALL = 1_000_000
"""Bytes up to which a file of a model is compared by its content; a larger one by its size"""
Listing = tuple[tuple[str, int, str], ...]
"""(name, bytes, sha256 or nothing) of the files of a folder, by name"""


@dataclass(frozen=True)
class Parcel:
    """A work and what it needs besides, for a machine that has the same code."""

    work: Work
    methods: Mapping[Path, bytes] = field(default_factory=dict)
    """the files of methods that are not registered, by their path on the machine that asks"""
    models: Mapping[Path, Listing] = field(default_factory=dict)
    """what must lie in the models' folders"""


@dataclass(frozen=True)
class Answer:
    """What comes back."""

    records: list[RunRecord] = field(default_factory=list)
    files: tuple[Mapping[str, bytes], ...] = ()
    """per-item files of each job: name -> content"""
    lacking: str = ""
    """one sentence if something that must be there is not; then there are no records"""
    leftovers: str = ""
    """what the work left in its process, which then ends"""


def listing(folder: Path) -> Listing:
    """Raises OSError if the folder cannot be read."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_file():
            size = path.stat().st_size
            found.append((path.name, size, hashlib.sha256(path.read_bytes()).hexdigest() if size <= SMALL else ""))
    return tuple(found)


def parcel(work: Work) -> Parcel:
    """Raises UserError if what the work names is gone."""
    try:
        return Parcel(
            work,
            {job.method_file: job.method_file.read_bytes() for job in work if job.method_file},
            {path: listing(path) for path in {job.model.path for job in work}},
        )
    except OSError as error:
        raise UserError(f"{error.filename} cannot be read: {error.strerror}.") from None


def make(sent: Parcel, place: str, do: Callable[[Work], list[RunRecord]], root: Path) -> Answer:
    """Makes a work on the machine that it was sent to.

    `place`: that machine as a sentence names it; `root`: a folder of this worker alone, the same for all of its works,
    since a method's file that is read again is known by its path.
    """
    lacking = lacks(sent, place)
    if lacking:
        return Answer(lacking=lacking)
    with tempfile.TemporaryDirectory(dir=root) as items:
        jobs = tuple(_here(job, sent, Path(items) / str(at), root) for at, job in enumerate(sent.work))
        records = do(jobs)
        for job, here, record in zip(sent.work, jobs, records, strict=True):
            if here.checkpoint != job.checkpoint:
                note = f"no checkpoint: {place} has no {results_of(job)}, where the sweep's are"
                record.provenance.setdefault("checkpoint_notes", []).append(note)
        files = tuple(
            {path.name: path.read_bytes() for path in sorted((Path(items) / str(at)).glob("*"))}
            for at in range(len(jobs))
        )
    return Answer(records, files)


def lacks(sent: Parcel, place: str) -> str:
    """One sentence if a folder that the work names is not here or holds something else; empty if all is well."""
    mend = "put it on a file system that all machines share, or in the same place on each."
    for job in sent.work:
        path, wanted = job.model.path, sent.models[job.model.path]
        try:
            if listing(path) != wanted:
                return f"{path} on {place} does not hold the model {job.model.name} that the sweep was planned with; {mend}"
        except OSError:
            return f"{place} has no {path}, where the model {job.model.name} lies; {mend}"
        if job.data_dir is not None and not job.data_dir.is_dir():
            return f"{place} has no {job.data_dir} (--data-dir); {mend}"
    return ""


def _here(job: Job, sent: Parcel, items: Path, root: Path) -> Job:
    """The job with the paths of this machine."""
    items.mkdir()
    file = job.method_file
    if file is not None and not _holds(file, sent.methods[file]):
        copy = root / hashlib.sha256(str(file).encode("utf-8", "surrogateescape")).hexdigest()[:16] / file.name
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(sent.methods[file])
        file = copy
    folder = results_of(job)
    return replace(
        job,
        items_path=job.items_path and items / job.items_path.name,
        method_file=file,
        # One that only this machine sees would be lost with it, or be met again much later.
        checkpoint=job.checkpoint if folder and folder.is_dir() else None,
    )


def results_of(job: Job) -> Path | None:
    """The folder of records that the job's checkpoint lies in: <folder>/checkpoints/<2 hex>/<file>."""
    return job.checkpoint and job.checkpoint.parents[2]


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def unpack(answer: Answer, work: Work) -> list[RunRecord]:
    """The records, their per-item files written where the jobs want them. Raises UserError if something was lacking.

    A file is taken by its name alone, and only one that a run of that key has; where it cannot be written the record is
    a failed one.
    """
    from harness.store import replacing

    if answer.lacking:
        raise UserError(answer.lacking)
    for job, record, files in zip(work, answer.records, answer.files, strict=True):
        for name, content in files.items():
            if job.items_path is None or Path(name).name != name or not name.startswith(f"{job.spec.key}.items."):
                continue
            try:
                with replacing(job.items_path.with_name(name)) as temporary:
                    temporary.write_bytes(content)
            except OSError as error:
                record.status, record.reason = "failed", f"its per-item file could not be written: {error}"
    return answer.records
