"""What a run costs: memory, energy, time, operations. Every figure names its counter; what cannot be measured is None."""

from harness.meter.account import Account, Tracker, accounted
from harness.meter.first import FirstSteps, StepWatch
from harness.meter.parts import StepParts
from harness.meter.phase import PhaseMeter
from harness.meter.time import StepClock

__all__ = ["Account", "FirstSteps", "PhaseMeter", "StepClock", "StepParts", "StepWatch", "Tracker", "accounted"]
