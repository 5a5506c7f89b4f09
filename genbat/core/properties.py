"""What a property is, and one value of it: number, uncertainty, unit, method, kind."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["measured", "computed", "predicted"]

KIND_MARKS: dict[Kind, str] = {"measured": "●", "computed": "◆", "predicted": "○"}


@dataclass(frozen=True)
class Property:
    """A property of a domain's objects.

    Attributes
    ----------
    key : name in tables, conditions and links, unit included ("lumo_ev").
    label, unit : as drawn on axes and cards.
    help : one or two sentences for someone who never met the property.
    kind : how the domain's own value comes about.
    better : +1 higher is usually wanted, -1 lower, 0 neither.
    floor : smallest uncertainty worth showing, in `unit`; sets the digits when none is known.
    """

    key: str
    label: str
    unit: str
    help: str
    kind: Kind
    better: int = 0
    floor: float = 0.01

    @property
    def axis(self) -> str:
        """Axis title: label and unit."""
        return f"{self.label} / {self.unit}" if self.unit else self.label


@dataclass(frozen=True)
class Measurement:
    """One value with its story.

    Attributes
    ----------
    uncertainty : half the width of the 90 % interval, in `unit`.
    interval : its two ends where the value is not their middle (logarithmic quantities).
    """

    value: float
    unit: str
    method: str
    kind: Kind
    uncertainty: float | None = None
    note: str = ""
    interval: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.interval is not None:  # JSON makes it a list
            object.__setattr__(self, "interval", tuple(self.interval))

    @property
    def ends(self) -> tuple[float, float]:
        """Ends of the 90 % interval; twice the value where none is known."""
        half = self.uncertainty or 0.0
        low, high = self.interval or (self.value - half, self.value + half)
        return low, high

    def number(self, floor: float = 0.01) -> str:
        """`−6.74 ± 0.20`, or `10 (3 to 29)` where the interval is lopsided."""
        if self.interval is None or not all(map(math.isfinite, (self.value, *self.interval))):
            return format_value(self.value, self.uncertainty, floor)
        low, high = self.interval
        places = digits(min(self.value - low, high - self.value))
        shown = (f"{v:.{places}f}".replace("-", "−") for v in (self.value, low, high))
        return "{} ({} to {})".format(*shown)

    def text(self, floor: float = 0.01) -> str:
        """`−6.74 ± 0.20 eV · GFN2-xTB`, digits following the uncertainty."""
        return " ".join(part for part in (self.number(floor), self.unit) if part) + (
            f" · {self.method}"
        )


def digits(uncertainty: float) -> int:
    """Decimals so that an uncertainty keeps one significant figure (two below 2)."""
    if not math.isfinite(uncertainty) or uncertainty <= 0:
        return 2
    exponent = math.floor(math.log10(uncertainty))
    lead = uncertainty / 10**exponent
    return max(0, -exponent + (1 if lead < 2 else 0))


def format_value(value: float, uncertainty: float | None = None, floor: float = 0.01) -> str:
    """Value and, where known, its uncertainty with matching digits."""
    if not math.isfinite(value):
        return "not available"
    places = digits(uncertainty if uncertainty else floor)
    shown = f"{value:.{places}f}"
    shown = shown.replace("-", "−") if float(shown) else shown.lstrip("-")
    return f"{shown} ± {uncertainty:.{places}f}" if uncertainty else shown
