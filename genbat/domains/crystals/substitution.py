"""A prototype with ions in its slots, scaled until the ions touch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from pymatgen.core import Element

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats, find_bonds
from genbat.domains.crystals.ions import Ion, covalent_radius, radius
from genbat.domains.crystals.prototypes import Prototype, prototype

CLOSEST = 0.75  # smallest distance of like ions, in sums of covalent radii
MOST_SWELL = 1.25  # of the edge, to part like ions


@lru_cache(maxsize=512)
def distances(name: str) -> Floats:
    """Shortest distance between each two sites of a prototype or their images (n, n), Å.

    A site's distance to itself is that to its own image.
    """
    pattern = prototype(name)
    positions = pattern.positions @ pattern.lattice
    n = len(positions)
    reach = float(np.cbrt(abs(np.linalg.det(pattern.lattice)))) + 2.5  # Å; what lies beyond is far
    bonds = find_bonds(positions, pattern.lattice, reach)
    shortest = np.full((n, n), reach)
    np.minimum.at(shortest, (bonds.center, bonds.other), bonds.distance)
    return shortest


def fill(pattern: Prototype, ions: Mapping[str, Ion]) -> Cell:
    """Crystal with `ions[slot]` on each site, its edges scaled to touching radii.

    Every atom has one tightest contact to an atom of opposite charge (in an alloy: to any); the
    scale is where these contacts equal the sums of radii on average. Like ions that would then
    come too close swell the cell further.
    """
    species = [ions[slot] for slot in pattern.slots]
    charges = np.array([ion.charge for ion in species])
    radii = np.array([radius(ion) for ion in species])
    covalent = np.array([covalent_radius(ion.element) for ion in species])
    shortest = distances(pattern.name)
    opposite = np.outer(charges, charges) < 0
    touching = opposite if opposite.any() else np.ones_like(opposite)
    wanted = np.where(touching, radii[:, None] + radii, 0.0) / shortest
    contacts = wanted.max(axis=1)
    scale = contacts[contacts > 0].mean()
    least = (CLOSEST * (covalent[:, None] + covalent) / shortest).max()
    scale *= np.clip(least / scale, 1.0, MOST_SWELL)
    numbers = np.array([Element(ion.element).Z for ion in species], np.int64)
    lattice = pattern.lattice * scale
    return Cell(numbers, pattern.positions @ lattice, lattice)
