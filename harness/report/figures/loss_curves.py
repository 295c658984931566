"""Training loss against steps."""

from __future__ import annotations

from harness.report.figures.scene import Ask, Scene, Shown
from harness.report.figures.training import draw, losses

__all__ = ["draw", "frame"]


def frame(scene: Scene, ask: Ask) -> Shown:
    """task, variant, method, step, value, low, high, seeds."""
    return losses(scene)
