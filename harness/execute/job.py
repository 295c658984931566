"""What an executor hands to run.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.record import RunSpec

if TYPE_CHECKING:
    from harness.model import ModelSource


OnOom = Literal["fail", "accumulate"]


@dataclass(frozen=True)
class Job:
    """A spec and where this machine keeps what it names."""

    spec: RunSpec
    model: ModelSource
    data_dir: Path | None
    items_path: Path | None
    """where per-item predictions go; None: nowhere"""
    own_process: bool = False
    method_file: Path | None = None
    """where a method that is not registered stands"""
    probes: tuple[str, ...] = ()
    """names of harness.probe, run after scoring"""
    checkpoint: Path | None = None
    """where the run's state goes on the way, and is found again; None: nowhere"""
    checkpoint_every: int | None = None
    """steps between two checkpoints"""
    on_oom: OnOom = "fail"
    """what becomes of a run whose training finds too little memory (harness/oom.py)"""
    parts: int | None = None
    """a batch goes through the model in so many parts; None: in as many as the recipe says"""

    @property
    def stops_well(self) -> bool:
        """Whether it may write its state before it ends, so that it is to be asked to stop and waited for."""
        kept = self.checkpoint is not None and self.checkpoint_every is not None
        return kept and not self.spec.recipe.get("distributed")


Work = tuple[Job, ...]
"""The runs that a worker makes together: one, or a pack"""


def stops_well(work: Work) -> bool:
    """Whether it is to be asked to stop and waited for; a pack keeps no state."""
    return len(work) == 1 and work[0].stops_well
