"""The part of Design's sentence of domains where windows say everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genbat.core.condition import Condition
from genbat.studio.explore import Atlas


@dataclass(frozen=True)
class Windows:
    """A domain's own part, as `design_draft.part` gives it."""

    FIRST: Sequence[tuple[str, str, float] | tuple[str, str, float, float]]
    USUAL: Mapping[str, float]
    LEAST_WISHES: int = 1
    PARTS: Sequence[Callable[[dict[str, Any]], str]] = ()

    def fresh(self, asked: bool) -> dict[str, Any]:
        """Nothing: a link holds windows only."""
        return {}

    def taken(self, condition: Condition) -> dict[str, Any]:
        """The same of a condition."""
        return {}

    def link(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What goes into the address."""
        return {}

    def wishes(self, asked: dict[str, Any], place: Atlas | None = None) -> dict[str, Any]:
        """Discrete wishes of a draft: none."""
        return {}

    def forbidden(self, asked: dict[str, Any]) -> list[str]:
        """Keys of the wishes that only forbid: none."""
        return []


# An electrode for fast charging, and how long it may take.
MICROSTRUCTURES = Windows(
    (("porosity", "between", 0.35, 0.4), ("tau_z", "below", 2.5)), {"minutes": 3.0, "count": 12}
)
# A thin, dense one.
INTERPHASES = Windows(
    (("thickness", "below", 8.0), ("porosity", "below", 0.2)), {"minutes": 1.0, "count": 48}
)
# A polymer that conducts better than most simulated ones and can be made.
POLYMERS = Windows(
    (("log_conductivity", "above", -3.9), ("sa_score", "below", 4.0)),
    {"minutes": 2.0, "count": 100},
)
