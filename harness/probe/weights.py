"""How training changed the adaptable matrices: size, rank and intruder dimensions of Delta W = W_tuned - W_base.

W_tuned is what the method's own `merge` gives, in float32 whatever the run's precision, so that rounding to bf16 does
not count as change; it is compared matrix by matrix, (d_out, d_in), head and embeddings apart.

Effective rank: exp of the Shannon entropy of the singular values divided by their sum (Roy and Vetterli 2007, "The
effective rank: a measure of effective dimensionality"). Stable rank: squared Frobenius over squared spectral norm.
Intruder dimensions (Shuttleworth et al. 2024, https://arxiv.org/abs/2410.21228, algorithm 1, and the authors'
find_intruder_dimensions.py): of the k = 10 left singular vectors of W_tuned with the largest singular values, those
whose largest |cosine| with any left singular vector of W_base is below epsilon = 0.5.

Two singular value decompositions of each changed matrix: seconds for models of 100M parameters, an hour or more for 7B.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

import torch

from harness import adapter
from harness.probe.context import Context, Found, Probe
from methods.linear import matrix

TOP, EPSILON = 10, 0.5
"""k and epsilon, as the authors' code has them"""
ROUNDINGS = 4
"""How many float32 roundings of W a merge may leave behind."""


@dataclass(frozen=True)
class Change:
    """Of one matrix. Relative: over the same norm of W_base. The ranks are None where nothing changed."""

    site: str
    role: str
    block: int
    frobenius: float
    frobenius_base: float
    frobenius_relative: float
    spectral: float
    spectral_relative: float
    effective_rank: float | None
    stable_rank: float | None
    intruder_dimensions: int

    @property
    def changed(self) -> bool:
        return self.spectral > 0


def effective_rank(values: torch.Tensor) -> float:
    """exp(-sum p log p), p = values / sum(values), of singular values (n,) that are not all 0."""
    shares = values / values.sum()
    return float(torch.special.entr(shares).sum().exp())


def stable_rank(values: torch.Tensor) -> float:
    """sum(values^2) / max(values)^2 of singular values (n,) that are not all 0."""
    return float((values / values.max()).square().sum())


def intruder_dimensions(base: torch.Tensor, tuned: torch.Tensor, k: int = TOP, epsilon: float = EPSILON) -> int:
    """How many of the k leading left singular vectors of `tuned` (d_out, d_in) have no like among those of `base`."""
    before, _, _ = torch.linalg.svd(base, full_matrices=False)
    after, _, _ = torch.linalg.svd(tuned, full_matrices=False)
    nearest = (after[:, :k].T @ before).abs().max(dim=1).values
    return int((nearest < epsilon).sum())


def rounding(base: torch.Tensor) -> float:
    """A singular value (d_out, d_in) that errors in the last bit of each entry reach: the spectral norm of a random
    matrix of standard deviation s is about s (sqrt(d_out) + sqrt(d_in))."""
    rms = float(base.square().mean().sqrt())
    return ROUNDINGS * torch.finfo(torch.float32).eps * rms * sum(math.sqrt(size) for size in base.shape)


def compare(base: torch.Tensor, tuned: torch.Tensor, site: str = "", role: str = "", block: int = 0) -> Change:
    """Of W_base and W_tuned, both (d_out, d_in) float32."""
    values = torch.linalg.svdvals(tuned - base)
    values = torch.where(values > rounding(base), values, 0.0).double()
    changed = bool(values.any())
    frobenius, spectral = float(values.square().sum().sqrt()), float(values.max())
    frobenius_base = float(torch.linalg.matrix_norm(base))
    return Change(
        site,
        role,
        block,
        frobenius,
        frobenius_base,
        frobenius / frobenius_base,
        spectral,
        spectral / float(torch.linalg.matrix_norm(base, 2)),
        effective_rank(values) if changed else None,
        stable_rank(values) if changed else None,
        intruder_dimensions(base, tuned) if changed else 0,
    )


@torch.no_grad()
def changes(context: Context) -> Iterator[Change]:
    """One for each adaptable matrix; the method must have a `merge`."""
    assert context.method.merge is not None
    merged = context.attached("fp32")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tuned.safetensors"
        adapter.save(context.model, context.method, file)
        adapter.load(merged, file)
    merged = context.method.merge(merged)
    base = context.base()
    for site in context.shape.sites:
        before = matrix(base.get_submodule(site.name)).to(context.device)
        after = matrix(merged.get_submodule(site.name))
        yield compare(before, after, site.name, site.role, site.block)


MEANS = ("frobenius_relative", "spectral_relative", "effective_rank", "stable_rank")
FIELDS = (
    "change_matrices",
    "change_matrices_changed",
    "change_frobenius",
    "change_frobenius_relative",
    "change_spectral_max",
    *(f"change_{name}_{how}" for name in MEANS for how in ("mean", "max")),
    "intruder_dimensions",
    "intruder_dimensions_per_matrix",
    "intruder_dimensions_max",
)


def summary(found: Sequence[Change]) -> dict[str, float | int | None]:
    """Norms and counts over all adaptable matrices; means and maxima over those that changed, None if none did."""
    changed = [change for change in found if change.changed]
    whole = math.hypot(*(change.frobenius for change in found))
    costs: dict[str, float | int | None] = {
        "change_matrices": len(found),
        "change_matrices_changed": len(changed),
        "change_frobenius": whole,
        "change_frobenius_relative": whole / math.hypot(*(change.frobenius_base for change in found)),
        "change_spectral_max": max(change.spectral for change in found),
        "intruder_dimensions": sum(change.intruder_dimensions for change in found),
        "intruder_dimensions_per_matrix": fmean(c.intruder_dimensions for c in changed) if changed else None,
        "intruder_dimensions_max": max(change.intruder_dimensions for change in found),
    }
    for name in MEANS:
        values = [getattr(change, name) for change in changed]
        costs[f"change_{name}_mean"] = fmean(values) if values else None
        costs[f"change_{name}_max"] = max(values, default=None)
    return costs


def measure(context: Context) -> Found:
    if context.method.merge is None:
        return Found(notes=[f"what {context.method.name} learns is no change of the model's matrices: it has no merge"])
    found = list(changes(context))
    rows = [asdict(change) | {"changed": change.changed} for change in found]
    notes = [] if any(change.changed for change in found) else ["no adaptable matrix changed, so there are no ranks"]
    return Found(summary(found), notes, {"weights": rows})


PROBE = Probe("weights", "norms, ranks and intruder dimensions of the change", lambda context: FIELDS, measure)
