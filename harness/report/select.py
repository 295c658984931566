"""Which records a table is made of: by suite, task, model, preset, method, and how they were tuned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.record import RunRecord, UserError
from methods.registry import resolve

UNTUNED = "none"


def tuning_of(record: RunRecord) -> str:
    """`none`, or `x12`: the trials of the search."""
    return f"x{record.spec.tuning.get('trials')}" if record.spec.tuning else UNTUNED


FIELDS: Mapping[str, Callable[[RunRecord], str]] = {
    "suite": lambda record: record.spec.suite,
    "task": lambda record: record.spec.task,
    "model": lambda record: record.spec.model,
    "preset": lambda record: record.spec.preset,
    "method": lambda record: record.spec.method,
    "tuning": tuning_of,
}


def _wanted(option: str, words: Sequence[str], there: set[str]) -> set[str]:
    found = set()
    for word in words:
        name = word
        if option == "method" and word not in there:
            try:
                name = resolve(word)
            except KeyError:
                name = word
        elif option == "tuning":
            name = f"x{word}" if word.isdigit() else word
        if option == "tuning" and word == "tuned":
            found |= there - {UNTUNED}
        elif name in there:
            found.add(name)
        else:
            raise UserError(f"--{option} {word}: no record here has it; there are: {', '.join(sorted(there))}.")
    return found


def select(records: Iterable[RunRecord], **given: Sequence[str]) -> list[RunRecord]:
    """Those that fit every option of FIELDS given; an option without words takes all. `tuning`: none, tuned, or a number
    of trials. Raises UserError, with what there is, for a word that no record has, or where none fits all options."""
    found = list(records)
    everything = found
    for option, words in given.items():
        if words:
            of = FIELDS[option]
            wanted = _wanted(option, words, {of(record) for record in everything})
            found = [record for record in found if of(record) in wanted]
    if everything and not found:
        said = " ".join(f"--{option} {','.join(words)}" for option, words in given.items() if words)
        raise UserError(f"No record fits {said} together.")
    return found
