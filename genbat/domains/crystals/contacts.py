"""How near the atoms of a compound of metals with one anion are to each other.

Distances are in sums of covalent radii (Cordero et al., Dalton Trans. 2008, 2832), so that small
and large metals are judged alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats, find_bonds
from genbat.domains.crystals.hosts import symbols
from genbat.domains.crystals.ions import covalent_radius

REACH = 6.0  # Å; an atom without a partner within it counts as being so far from one
OUTSIDE = 0.01  # share of known crystals on either side of a limit


@dataclass(frozen=True)
class Contacts:
    """Distances in sums of covalent radii: from each atom to its nearest partner (n,), a metal's
    being an anion and the other way around; and the shortest between two metals and between two
    anions, infinite where there are none within REACH."""

    partners: Floats
    metals: float
    anions: float


@dataclass(frozen=True)
class Limits:
    """What is legal: the nearest partner not below `low` nor beyond `high`, two metals not nearer
    than `metals`, two anions not nearer than `anions`."""

    low: float
    high: float
    metals: float
    anions: float

    def hold(self, found: Contacts) -> bool:
        """Whether a crystal's contacts are legal."""
        near = bool(((found.partners >= self.low) & (found.partners <= self.high)).all())
        return near and found.metals >= self.metals and found.anions >= self.anions


def contacts(cell: Cell, anion: int) -> Contacts:
    """Contacts of a crystal whose anion has this atomic number; all other atoms count as metals."""
    negative = cell.numbers == anion
    radii = np.array([covalent_radius(name) for name in symbols(cell)])
    bonds = find_bonds(cell.positions, cell.lattice, REACH)
    ratio = bonds.distance / (radii[bonds.center] + radii[bonds.other])
    kinds = negative[bonds.center].astype(int) + negative[bonds.other]
    partners = REACH / (2 * radii)
    np.minimum.at(partners, bonds.center[kinds == 1], ratio[kinds == 1])
    least = [float(ratio[kinds == k].min(initial=np.inf)) for k in (0, 2)]
    return Contacts(partners, *least)


def limits_of(cells: Iterable[Cell], anion: int) -> Limits:
    """Limits that all but OUTSIDE of some known crystals' contacts keep, each by itself.

    Raises
    ------
    ValueError : there is no crystal.
    """
    found = [contacts(cell, anion) for cell in cells]
    if not found:
        raise ValueError(f"limits: no crystal with the anion {anion}")
    nearest = [float(c.partners.min()) for c in found]
    farthest = [float(c.partners.max()) for c in found]
    least = lambda values: float(np.quantile([min(v, REACH) for v in values], OUTSIDE))  # noqa: E731
    return Limits(
        least(nearest), float(np.quantile(farthest, 1 - OUTSIDE)),
        least([c.metals for c in found]), least([c.anions for c in found]),
    )  # fmt: skip
