"""What a run costs: memory and time. Every figure names its counter; what cannot be measured is None."""

from harness.meter.memory import MemoryMeter
from harness.meter.time import StepClock

__all__ = ["MemoryMeter", "StepClock"]
