"""The volumes' part of Design's sentence: windows say everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genbat.core.condition import Condition
from genbat.studio.explore import Atlas

# An electrode for fast charging, and how long it may take.
FIRST = (("porosity", "between", 0.35, 0.4), ("tau_z", "below", 2.0))
USUAL = {"minutes": 3.0, "count": 12}
LEAST_WISHES = 1
PARTS: tuple[Callable[[dict[str, Any]], str], ...] = ()


def fresh(asked: bool) -> dict[str, Any]:
    """Nothing: a link holds windows only."""
    return {}


def taken(condition: Condition) -> dict[str, Any]:
    """The same of a condition."""
    return {}


def link(asked: dict[str, Any]) -> dict[str, Any]:
    """What goes into the address."""
    return {}


def wishes(asked: dict[str, Any], place: Atlas | None = None) -> dict[str, Any]:
    """Discrete wishes of a draft: none."""
    return {}


def forbidden(asked: dict[str, Any]) -> list[str]:
    """Keys of the wishes that only forbid: none."""
    return []
