"""The periodic table of the domain: names, places, and which elements batteries are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pymatgen.core import Element

from genbat.domains.crystals.colours import long_name
from genbat.domains.crystals.wishes import ELEMENTS

# What electrodes, electrolytes and coatings in use or under study are made of.
_BATTERY = (
    "H Li B C N O F Na Mg Al Si P S Cl K Ca Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge Se Br Y Zr Nb Mo In "
    "Sn Sb I La Ta W Bi"
)
LANTHANUM, LUTETIUM, LANTHANIDES = 57, 71, 8  # the latter's row, below a gap


@dataclass(frozen=True)
class ElementRow:
    """An element: symbol, English name, atomic number, row and column (from 1) of its place."""

    symbol: str
    name: str
    number: int
    row: int
    column: int
    battery: bool


@cache
def rows() -> tuple[ElementRow, ...]:
    """The elements of the domain by atomic number; lanthanides in row 8."""
    return tuple(sorted(map(_row, ELEMENTS), key=lambda row: row.number))


def _row(symbol: str) -> ElementRow:
    element = Element(symbol)
    number = int(element.Z)
    rare = LANTHANUM <= number <= LUTETIUM
    row = LANTHANIDES if rare else int(element.row)
    column = 3 + number - LANTHANUM if rare else int(element.group)
    return ElementRow(symbol, long_name(symbol), number, row, column, symbol in _BATTERY.split())
