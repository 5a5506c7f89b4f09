"""Phonons by finite displacements: whether a relaxed crystal is a minimum, and not a saddle.

phonopy (Togo, J. Phys. Soc. Jpn. 2023, 92, 012001) moves every atom that symmetry does not make of
another in a supercell; the forces on all atoms, here CHGNet's, give the force constants. Only the
wave vectors that fit into the supercell are looked at: between them frequencies are interpolated.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from genbat.domains.crystals.chgnet_batch import Cell, evaluator
from genbat.domains.crystals.chgnet_graph import Floats
from genbat.domains.crystals.relax import heights
from genbat.domains.crystals.structure import primitive
from genbat.domains.crystals.symmetry import as_spglib

if TYPE_CHECKING:  # phonopy takes a second to import
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms

SHIFT = 0.03  # Å that an atom is moved
HEIGHT = 8.0  # Å between the faces of a supercell, where its atoms are not too many then
MOST_ATOMS = 160  # of a supercell
STABLE_THZ = -0.1  # an imaginary frequency, written as a negative one, may be so large
SYMPREC = 0.05  # Å
BATCH = 4  # supercells evaluated at once

Forces = Callable[[Sequence[Cell]], Sequence[Floats]]


def lowest_frequency(cell: Cell, forces: Forces | None = None) -> float:
    """Lowest frequency of a relaxed crystal in THz, imaginary ones negative; 0 where the three
    shifts of the whole crystal are the lowest.

    Parameters
    ----------
    forces : cells -> forces (n, 3) in eV/Å of each; CHGNet's by default.

    Raises
    ------
    ValueError : the primitive cell has more than MOST_ATOMS atoms.
    """
    from phonopy import Phonopy

    start = primitive(cell, SYMPREC)
    if len(start.numbers) > MOST_ATOMS:
        raise ValueError(f"cell: {len(start.numbers)} atoms; legal are up to {MOST_ATOMS}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        phonon = Phonopy(_atoms(start), np.diag(repeats(start)), primitive_matrix=np.eye(3))
        phonon.generate_displacements(distance=SHIFT)
        moved = [phonon.supercell, *(phonon.supercells_with_displacements or [])]
        rest, *found = (forces or chgnet_forces)([_cell(atoms) for atoms in moved])
        phonon.forces = [each - rest for each in found]  # what is left of them is no curvature
        phonon.produce_force_constants()
        phonon.symmetrize_force_constants()
        return float(_frequencies(phonon).min())


def repeats(cell: Cell) -> tuple[int, int, int]:
    """How often a cell is repeated along its axes: until its faces lie HEIGHT apart, or for as many
    atoms as are legal, along its thinnest axis first."""
    high, most = heights(cell.lattice).round(6), MOST_ATOMS // len(cell.numbers)
    times = np.ones(3, int)
    while True:
        thin = int(np.argmin(high * times))
        if high[thin] * times[thin] >= HEIGHT:
            break
        times[thin] += 1
        if times.prod() > most:
            times[thin] -= 1
            break
    return int(times[0]), int(times[1]), int(times[2])


def chgnet_forces(cells: Sequence[Cell]) -> list[Floats]:
    """CHGNet's forces (n, 3) in eV/Å on the atoms of some cells."""
    parts = (cells[k : k + BATCH] for k in range(0, len(cells), BATCH))
    return [found.forces for part in parts for found in evaluator()(part)]


def _frequencies(phonon: Phonopy) -> Floats:
    """At the wave vectors that fit into the supercell (q, 3 n)."""
    from phonopy.harmonic.dynmat_to_fc import get_commensurate_points

    points = get_commensurate_points(phonon.supercell_matrix)
    return np.asarray(phonon.run_qpoints(points).frequencies)


def _atoms(cell: Cell) -> PhonopyAtoms:
    from phonopy.structure.atoms import PhonopyAtoms

    lattice, scaled, numbers = as_spglib(cell)
    return PhonopyAtoms(numbers=numbers, cell=lattice, scaled_positions=scaled)


def _cell(atoms: PhonopyAtoms) -> Cell:
    return Cell(np.asarray(atoms.numbers, np.int64), atoms.positions, np.array(atoms.cell))
