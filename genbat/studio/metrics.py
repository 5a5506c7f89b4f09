"""What all evaluations share: the form of a metric."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Progress = Callable[[float, str], None]
Metrics = dict[str, dict[str, Any]]
REAL = "real, held out"  # what a comparison calls the row of real objects


def metric(
    value: float,
    unit: str = "",
    *,
    baselines: dict[str, float] | None = None,
    real: float | None = None,
    bar: float | list[float] | None = None,
) -> dict[str, Any]:
    """One entry of the result; numbers that are none become None, as JSON wants it."""
    return {
        "value": finite(value),
        "unit": unit,
        "baselines": {name: finite(number) for name, number in (baselines or {}).items()},
        "real": None if real is None else finite(real),
        "bar": [float(end) for end in bar] if isinstance(bar, list) else bar,
    }


def finite(value: float) -> float | None:
    """A plain float, None for NaN and infinity."""
    return float(value) if math.isfinite(value) else None
