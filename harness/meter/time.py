"""Time of the step loop alone: the first steps dropped, evaluations left out, the device synchronised at both ends."""

from __future__ import annotations

import statistics
import time

import torch


class StepClock:
    """Counts from the end of the warm-up steps; `pause` and `resume` leave out what is not training."""

    def __init__(self, device: torch.device, total_steps: int) -> None:
        self.device = device
        self.warmup = min(3, total_steps // 4)
        self.steps = self.tokens = self.padded = self.samples = 0
        self.elapsed = 0.0
        self.waited = 0.0
        self._seen = 0
        self._durations: list[float] = []
        self._started: float | None = None
        self._last = 0.0
        self.resume()

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    def resume(self) -> None:
        """Starts counting, unless the warm-up is still going on."""
        if self._seen >= self.warmup:
            self._started = self._last = self._now()

    def pause(self) -> None:
        if self._started is not None:
            self.elapsed += self._now() - self._started
            self._started = None

    @property
    def counting(self) -> bool:
        return self._started is not None

    def wait(self, seconds: float) -> None:
        """So long a counted step waited for its batch."""
        if self._started is not None:
            self.waited += seconds

    def step(self, tokens: int, padded: int, samples: int) -> None:
        """One step ended; `padded` is tokens with padding."""
        self._seen += 1
        if self._started is None:
            self.resume()
            return
        now = time.perf_counter()
        self._durations.append(now - self._last)
        self._last = now
        self.steps += 1
        self.tokens, self.padded, self.samples = self.tokens + tokens, self.padded + padded, self.samples + samples

    def costs(self) -> dict[str, float | int | None]:
        """Rates over the counted steps. Quantiles are of host times, so only the CPU has them."""
        rate = 1 / self.elapsed if self.elapsed and self.steps else None
        cuts: list[float | None] = [None] * 9
        if len(self._durations) > 1 and self.device.type == "cpu":
            cuts = [*statistics.quantiles(self._durations, n=10, method="inclusive")]
        return {
            "train_tokens_per_second": self.tokens * rate if rate else None,
            "train_padded_tokens_per_second": self.padded * rate if rate else None,
            "train_samples_per_second": self.samples * rate if rate else None,
            "step_seconds_mean": self.elapsed / self.steps if rate else None,
            "step_seconds_p10": cuts[0],
            "step_seconds_median": cuts[4],
            "step_seconds_p90": cuts[8],
            "data_wait_seconds_mean": self.waited / self.steps if rate else None,
            "timed_steps": self.steps,
            "dropped_steps": self._seen - self.steps,
        }
