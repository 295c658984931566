"""Scores on the way, against steps."""

from __future__ import annotations

from harness.report.figures.scene import Ask, Scene, Shown
from harness.report.figures.training import draw, evaluations

__all__ = ["draw", "frame"]


def frame(scene: Scene, ask: Ask) -> Shown:
    """task, variant, method, step, value (score x100), low, high, seeds."""
    return evaluations(scene)
