"""What the card of a crystal says beyond its properties: symmetry, charges, cost, diffraction."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from genbat.domains.crystals import draw, periodic
from genbat.domains.crystals.periodic import ElementRow
from genbat.domains.crystals.structure import from_text

__all__ = ["ElementRow", "elements", "scene", "thumbnail"]


@cache
def elements() -> tuple[ElementRow, ...]:
    """The elements of the domain with their place in the periodic table."""
    return periodic.rows()


@lru_cache(maxsize=256)
def scene(text: str) -> dict[str, Any]:
    """What the crystal viewer draws of a CIF; ValueError where it is none. Do not change it."""
    return draw.scene(from_text(text))


@lru_cache(maxsize=4096)
def thumbnail(text: str, width: int = 150, height: int = 100, dark: bool = False) -> str:
    """A crystal as SVG; ValueError where the CIF cannot be read."""
    return draw.svg(from_text(text), width, height, dark)
