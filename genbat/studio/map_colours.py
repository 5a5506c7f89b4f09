"""Colours of the map that a system adds to the domain's properties and categories."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from genbat.studio import registry


@dataclass(frozen=True)
class Colour:
    """A number of every row: its label and unit, the system that gives it, module and function."""

    label: str
    unit: str
    system: str
    module: str
    function: str


COLOURS: dict[str, dict[str, Colour]] = {
    "crystals": {
        "stable": Colour("Near hull (iMatGen)", "probability of ≤ 0.2 eV/atom",
                         "imatgen", "crystal_images", "stability"),
    },
}  # fmt: skip


def added(domain: str) -> dict[str, Colour]:
    """Those whose systems are here, by key."""
    known = COLOURS.get(domain, {})
    return {key: one for key, one in known.items() if registry.trained(one.system)}


def values(place: Any, key: str) -> np.ndarray:
    """One of all rows of an atlas, NaN where there is none (n,)."""
    one = COLOURS[place.rooms.domain][key]
    found: np.ndarray = getattr(import_module(f"genbat.studio.{one.module}"), one.function)(place)
    return found
