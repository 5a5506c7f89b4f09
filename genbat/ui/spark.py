"""Sparks: a tiny histogram of what is known, with a needle where one value lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS, WIDTH, HEIGHT = 24, 74, 20
FEWEST = 20  # values that make a distribution


@dataclass(frozen=True)
class Distribution:
    """Known values of a property, sorted, and the outline of their histogram."""

    values: np.ndarray
    low: float = 0.0
    high: float = 0.0
    outline: str = ""

    @classmethod
    def of(cls, values: np.ndarray) -> Distribution:
        """From values (n,), NaN = unknown; without an outline where there are too few."""
        good = np.sort(values[np.isfinite(values)])
        if len(good) < FEWEST:
            return cls(good)
        low, high = (float(v) for v in np.percentile(good, [0.5, 99.5]))
        if not high > low:
            return cls(good)
        counts = np.histogram(good, BINS, (low, high))[0]
        tops = HEIGHT * (1 - 0.95 * counts / counts.max())
        step = WIDTH / BINS
        # A staircase in relative moves: the shortest way to write it.
        moves = "".join(f"V{top:.0f}h{step:.2f}" for top in tops)
        return cls(good, low, high, f"M0 {HEIGHT}{moves}V{HEIGHT}z")

    def share_below(self, value: float) -> float:
        """Share of the known values below this one, in %."""
        return 100 * float(np.searchsorted(self.values, value)) / max(1, len(self.values))

    def svg(self, value: float) -> str:
        """The spark, "" where too little is known."""
        if not self.outline:
            return ""
        x = WIDTH * min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        words = f"higher than {self.share_below(value):.0f} % of {len(self.values):,} known ones"
        return (
            f"<svg width='{WIDTH}' height='{HEIGHT}' role='img'><title>{words}</title>"
            f"<path d='{self.outline}' class='gb-spark'/>"
            f"<path d='M{x:.1f} 0v{HEIGHT}' class='gb-needle'/></svg>"
        )
