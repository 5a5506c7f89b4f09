"""Space groups by spglib."""

from __future__ import annotations

import warnings

import numpy as np

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats

FIRST_CUBIC = 195
SYMPREC = 0.1  # Å, the tolerance of every space group in the tables


def space_group_number(cell: Cell, symprec: float = SYMPREC) -> int:
    """International number, 1 to 230; 1 where spglib finds none at this tolerance in Å."""
    import spglib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = spglib.get_symmetry_dataset(as_spglib(cell), symprec=symprec)
    return 1 if found is None else int(found.number)


def as_spglib(cell: Cell) -> tuple[Floats, Floats, list[int]]:
    """(lattice rows, fractional positions, atomic numbers)."""
    return cell.lattice, fractional(cell), [int(z) for z in cell.numbers]


def fractional(cell: Cell) -> Floats:
    """Fractional positions (n, 3), in [0, 1)."""
    return np.asarray(np.linalg.solve(cell.lattice.T, cell.positions.T).T % 1.0, float)
