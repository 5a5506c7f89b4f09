"""Space groups by spglib."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats

FIRST_CUBIC = 195
# Space groups of each crystal system (International Tables A).
CRYSTAL_SYSTEMS = {
    "triclinic": range(1, 3),
    "monoclinic": range(3, 16),
    "orthorhombic": range(16, 75),
    "tetragonal": range(75, 143),
    "trigonal": range(143, 168),
    "hexagonal": range(168, FIRST_CUBIC),
    "cubic": range(FIRST_CUBIC, 231),
}
SYMPREC = 0.1  # Å, the tolerance of every space group in the tables


def ask_spglib(function: str, *arguments: Any, **options: Any) -> Any:
    """What a function of spglib gives; None where it fails, whether it says so or raises: which of
    both it does is a setting of the whole process, and phonopy changes it."""
    import spglib
    from spglib.error import SpglibError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return getattr(spglib, function)(*arguments, **options)
        except SpglibError:
            return None


def space_group_number(cell: Cell, symprec: float = SYMPREC) -> int:
    """International number, 1 to 230; 1 where spglib finds none at this tolerance in Å."""
    found = ask_spglib("get_symmetry_dataset", as_spglib(cell), symprec=symprec)
    return 1 if found is None else int(found.number)


@dataclass(frozen=True)
class SpaceGroup:
    """International number and short symbol ("R-3m"), crystal system, point group."""

    number: int
    symbol: str
    system: str
    point_group: str


def space_group(cell: Cell, symprec: float = SYMPREC) -> SpaceGroup:
    """The space group at a tolerance in Å; P1 where spglib finds none."""
    found = ask_spglib("get_symmetry_dataset", as_spglib(cell), symprec=symprec)
    if found is None:
        return SpaceGroup(1, "P1", "triclinic", "1")
    number = int(found.number)
    return SpaceGroup(number, str(found.international), crystal_system(number), found.pointgroup)


def crystal_system(number: int) -> str:
    """The crystal system of a space group number."""
    return next(name for name, groups in CRYSTAL_SYSTEMS.items() if number in groups)


def as_spglib(cell: Cell) -> tuple[Floats, Floats, list[int]]:
    """(lattice rows, fractional positions, atomic numbers)."""
    return cell.lattice, fractional(cell), [int(z) for z in cell.numbers]


def fractional(cell: Cell) -> Floats:
    """Fractional positions (n, 3), in [0, 1)."""
    return np.asarray(np.linalg.solve(cell.lattice.T, cell.positions.T).T % 1.0, float)
