"""`peftbench import`: other tools' result files into a results folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from harness.foreign import IMPORTED, hf_peft, lm_eval
from harness.record import RunRecord, UserError, canonical_json
from harness.store import Store

Reader = Callable[[Path], tuple[list[RunRecord], list[str]]]


def files(paths: Sequence[Path], pattern: str) -> list[Path]:
    """The files themselves, and of each folder those that fit the pattern, sorted. Raises UserError if there are none."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise UserError(f"There is no {path}; name a result file or a folder of them.")
        found += sorted(p for p in path.glob(pattern) if p.is_file()) if path.is_dir() else [path]
    if not found:
        raise UserError(f"{', '.join(map(str, paths))} holds no result files ({pattern}); name the folder they lie in.")
    return found


def _row(record: RunRecord) -> str:
    """What a table shows of an imported run: two files with the same would be taken for one run."""
    spec = record.spec
    recipe = {name: value for name, value in spec.recipe.items() if name != "learning_rate"}
    experiment = spec.config.get("experiment")
    parts = (spec.method, experiment, spec.model, spec.model_source, spec.task, spec.protocol, recipe, spec.seed)
    return canonical_json(parts)


def _origin(record: RunRecord) -> tuple[str, str]:
    """The name and the checksum of the file that it came from."""
    found = record.provenance.get(IMPORTED) or {}
    return str(found.get("file")), str(found.get("sha256"))


def bring(read: Reader, paths: Sequence[Path], out: Path, console: Console) -> None:
    """Imports what can be read and names what cannot. Raises UserError if nothing could be read."""
    store, problems, kept = Store(out), [], 0
    there = {_row(record): record for record in store.records() if record.spec.preset == IMPORTED}
    for path in paths:
        try:
            records, notes = read(path)
        except (OSError, ValueError) as error:
            problems.append(f"{path}: {error.strerror if isinstance(error, OSError) else error}")
            continue
        problems += [f"{path}: {note}" for note in notes]
        for record in records:
            other = there.setdefault(_row(record), record)
            if other is not record and _origin(other)[1] != _origin(record)[1]:
                problems.append(
                    f"{path}: {_origin(other)[0]} gave this run already; import this one into another folder"
                )
                continue
            store.put(record)
            kept += 1
    for problem in problems:
        console.print(f"Passed over: {problem}", markup=False, soft_wrap=True)
    if not kept:
        raise UserError(f"None of {len(paths)} files could be imported; what is wrong with each stands above.")
    console.print(f"Imported {kept} runs from {len(paths)} files into {out}.", markup=False, soft_wrap=True)


def hf_peft_folder(folder: Path, out: Path, console: Console) -> None:
    bring(hf_peft.read, files([folder], "*.json"), out, console)


def lm_eval_files(paths: Sequence[Path], method: str, seed: int, out: Path, console: Console) -> None:
    found = files(paths, "**/results*.json")
    bring(lambda path: lm_eval.read(path, method, seed), found, out, console)
