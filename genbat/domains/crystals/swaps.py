"""The trivial generator to beat: a known crystal with other elements in it, its cell rescaled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from pymatgen.core import Element

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import find_bonds
from genbat.domains.crystals.hosts import symbols
from genbat.domains.crystals.ions import anions, cations, covalent_radius
from genbat.domains.crystals.measures import smact_valid

REACH = 6.0  # Å, in which every atom has its nearest neighbour
TRIES = 20  # for a composition that SMACT accepts; the last one stands


def replaced(cell: Cell, mapping: Mapping[str, str]) -> Cell:
    """The cell with its elements exchanged, its edges scaled so that each atom's nearest contact
    keeps its length in sums of covalent radii, on average."""
    old = symbols(cell)
    new = [mapping.get(name, name) for name in old]
    before = np.array([covalent_radius(name) for name in old])
    after = np.array([covalent_radius(name) for name in new])
    bonds = find_bonds(cell.positions, cell.lattice, REACH)
    scales = []
    for k in range(len(old)):
        mine = bonds.center == k
        if mine.any():
            other = bonds.other[mine][np.argmin(bonds.distance[mine])]
            scales.append((after[k] + after[other]) / (before[k] + before[other]))
    scale = float(np.mean(scales)) if scales else 1.0
    numbers = np.array([Element(name).Z for name in new], np.int64)
    return Cell(numbers, cell.positions * scale, cell.lattice * scale)


def partners(elements: Sequence[str]) -> dict[str, list[str]]:
    """For each element those of the list that form ions of one charge with it, itself left out."""
    charges: dict[str, set[float]] = {element: set() for element in elements}
    for ion in (*cations(), *anions()):
        if ion.element in charges:
            charges[ion.element].add(ion.charge)
    return {
        one: [other for other in sorted(charges) if other != one and charges[one] & charges[other]]
        for one in sorted(charges)
    }


def substituted(cells: Sequence[Cell], n: int, seed: int) -> Iterator[Cell]:
    """n random crystals of a list, every element exchanged for one that forms the same ions.

    Of up to TRIES compositions the first that SMACT accepts is taken. An element without partner
    stays.
    """
    rng = np.random.default_rng(seed)
    possible = partners(sorted({name for cell in cells for name in symbols(cell)}))
    for row in rng.integers(len(cells), size=n):
        made = cells[int(row)]
        names = sorted(set(symbols(made)))
        for _ in range(TRIES):
            made = replaced(cells[int(row)], _exchange(names, possible, rng))
            if smact_valid(made):
                break
        yield made


def _exchange(
    names: Sequence[str], possible: Mapping[str, list[str]], rng: np.random.Generator
) -> dict[str, str]:
    """Another element for each, no two the same."""
    taken: dict[str, str] = {}
    for name in names:
        free = [other for other in possible[name] if other not in taken.values()]
        taken[name] = str(rng.choice(free)) if free else name
    return taken if len(set(taken.values())) == len(names) else {name: name for name in names}
