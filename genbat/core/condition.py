"""What a user asks of a system: windows on properties plus a domain's discrete wishes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_TARGET = re.compile(rf"^\s*(\w+)\s*(<=|>=|<|>|=)\s*({_NUMBER})\s*$", re.ASCII)


@dataclass(frozen=True)
class Window:
    """A wished interval `low <= value <= high`, open where infinite; `weight` > 0."""

    low: float = -math.inf
    high: float = math.inf
    weight: float = 1.0

    def __post_init__(self) -> None:
        if math.isnan(self.low) or math.isnan(self.high) or self.low > self.high:
            raise ValueError(f"window: got {self.low} to {self.high}; low must not exceed high")
        if not self.weight > 0:
            raise ValueError(f"weight: got {self.weight}; it must be above 0")

    def holds(self, value: float) -> bool:
        """Whether a value lies in the window (NaN never does)."""
        return self.low <= value <= self.high

    def miss(self, value: float) -> float:
        """Distance to the window in the property's unit; 0 inside, NaN for NaN."""
        if math.isnan(value):
            return math.nan
        return max(self.low - value, value - self.high, 0.0)

    def text(self) -> str:
        """`below -7`, `above 15`, `3 to 4`."""
        if math.isinf(self.low) and math.isinf(self.high):
            return "any value"
        if math.isinf(self.low):
            return f"below {self.high:g}"
        return f"above {self.low:g}" if math.isinf(self.high) else f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Condition:
    """One small type for every system.

    Attributes
    ----------
    windows : property key -> Window.
    wishes : the domain's discrete wishes, JSON values ("elements", "substructure", "start", ...).
    """

    windows: Mapping[str, Window] = field(default_factory=dict)
    wishes: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; infinite ends become null."""
        ends = lambda v: None if math.isinf(v) else v  # noqa: E731
        windows = {k: [ends(w.low), ends(w.high), w.weight] for k, w in self.windows.items()}
        return {"windows": windows, "wishes": dict(self.wishes)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Condition:
        """Inverse of `to_json`."""
        windows = {
            key: Window(
                -math.inf if low is None else low, math.inf if high is None else high, weight
            )
            for key, (low, high, weight) in data.get("windows", {}).items()
        }
        return cls(windows, dict(data.get("wishes", {})))


def parse_targets(targets: list[str], legal: set[str]) -> dict[str, Window]:
    """`["lumo_ev<=-8", "vip_ev>15"]` -> windows; two lines on one property intersect.

    Raises
    ------
    ValueError : naming the text, what is wrong and the legal property keys.
    """
    windows: dict[str, Window] = {}
    for text in targets:
        match = _TARGET.match(text)
        if not match or not math.isfinite(float(match[3])):
            raise ValueError(
                f"target: got {text[:60]!r}; write property<=number or property>=number"
            )
        key, sign, number = match[1], match[2], float(match[3])
        if key not in legal:
            raise ValueError(f"target: unknown property {key[:60]!r}; legal are {sorted(legal)}")
        old = windows.get(key, Window())
        low = max(old.low, number) if sign in (">", ">=", "=") else old.low
        high = min(old.high, number) if sign in ("<", "<=", "=") else old.high
        windows[key] = Window(low, high)
    return windows
