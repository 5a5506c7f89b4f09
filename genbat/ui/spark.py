"""Sparks: a tiny histogram of what is known, with a needle where one value lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS, HEIGHT = 18, 20
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
        corners = [f"{100 * (k + 0.5) / BINS:.0f}% {top:.0f}px" for k, top in enumerate(tops)]
        return cls(good, low, high, f"polygon(0 100%,{','.join(corners)},100% 100%)")

    def share_below(self, value: float) -> float:
        """Share of the known values below this one, in %."""
        return 100 * float(np.searchsorted(self.values, value)) / max(1, len(self.values))

    def html(self, value: float) -> str:
        """The spark, "" where too little is known. No SVG: st.html takes that out."""
        if not self.outline:
            return ""
        x = 100 * min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        words = f"higher than {self.share_below(value):.0f} % of {len(self.values):,} known ones"
        return (
            f"<div class='gb-spark' title='{words}'><i style='clip-path:{self.outline}'></i>"
            f"<b style='left:{x:.0f}%'></b></div>"
        )
