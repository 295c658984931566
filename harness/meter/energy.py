"""Energy of a phase: the card's counter, and the processor's where the kernel shows it (powercap, RAPL)."""

from __future__ import annotations

from pathlib import Path

from harness.meter.driver import Driver

POWERCAP = Path("/sys/class/powercap")


class Processor:
    """The packages' energy counters, which wrap round at a range of their own."""

    def __init__(self, folder: Path = POWERCAP) -> None:
        self._packages: list[tuple[Path, int]] = []
        self.reason = ""
        for zone in sorted(folder.glob("intel-rapl:*")):
            # "intel-rapl:0" is a package; "intel-rapl:0:1" is a part of it.
            if zone.name.count(":") != 1:
                continue
            try:
                counter = zone / "energy_uj"
                int(counter.read_text())
                self._packages.append((counter, int((zone / "max_energy_range_uj").read_text())))
            except (OSError, ValueError):
                self.reason = "the kernel's energy counter is not readable by this user"
        if not self._packages and not self.reason:
            self.reason = "the kernel shows no energy counter"

    def read(self) -> list[int]:
        """Microjoules by package."""
        return [int(counter.read_text()) for counter, _ in self._packages]

    def joules(self, before: list[int], after: list[int]) -> float | None:
        """Between two readings less than a wrap apart."""
        if not self._packages:
            return None
        pairs = zip(before, after, self._packages, strict=True)
        return sum((b - a) % (span + 1) if b < a else b - a for a, b, (_, span) in pairs) / 1e6


class EnergyMeter:
    """`begin()` ... `end()` -> (the card's joules, the processors' joules), None where there is no counter. Both count
    what else runs on them."""

    def __init__(self, driver: Driver, processor: Processor) -> None:
        self.driver, self.processor = driver, processor
        self._card: float | None = None
        self._packages: list[int] = []

    def begin(self) -> None:
        self._card, self._packages = self.driver.energy_joules(), self.processor.read()

    def end(self) -> tuple[float | None, float | None]:
        now = self.driver.energy_joules()
        card = None if now is None or self._card is None else now - self._card
        return card, self.processor.joules(self._packages, self.processor.read())
