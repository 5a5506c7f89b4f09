"""Crystals moved onto the symmetry they nearly have."""

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.structure import cell_of, formula_counts, structure_of
from genbat.domains.crystals.symmetry import idealised, space_group_number

KNOWN = {
    "perovskite": (221, Structure.from_spacegroup("Pm-3m", Lattice.cubic(3.9), ["Sr", "Ti", "O"],
                   [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]])),
    "rutile": (136, Structure.from_spacegroup("P4_2/mnm", Lattice.tetragonal(4.6, 2.96),
               ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]])),
    "layered": (166, Structure.from_spacegroup("R-3m", Lattice.hexagonal(2.82, 14.05),
                ["Li", "Co", "O"], [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.26]])),
}  # fmt: skip


def shaken(cell, far, seed):
    """Atoms moved by `far` Å, axes strained by a hundredth as much."""
    rng = np.random.default_rng(seed)
    lattice = cell.lattice @ (np.eye(3) + 0.01 * far * rng.normal(size=(3, 3)))
    points = np.linalg.solve(cell.lattice.T, cell.positions.T).T
    moves = rng.normal(size=points.shape)
    moves *= far / np.linalg.norm(moves, axis=1, keepdims=True)
    return Cell(cell.numbers, points @ lattice + moves, lattice)


@pytest.mark.parametrize("name", KNOWN)
def test_a_shaken_crystal_gets_its_symmetry_back(name):
    group, structure = KNOWN[name]
    ideal = cell_of(structure.get_primitive_structure())
    rough = shaken(ideal, 0.08, 1)
    assert space_group_number(rough) != group
    made = idealised(rough, 0.5)
    assert space_group_number(made, 0.001) == group
    assert formula_counts(made) == formula_counts(ideal)
    assert StructureMatcher().fit(structure_of(made), structure_of(ideal))
    volumes = [abs(np.linalg.det(c.lattice)) for c in (rough, made)]
    assert volumes[1] == pytest.approx(volumes[0], rel=0.02)


def test_what_has_no_symmetry_keeps_its_place():
    rng = np.random.default_rng(0)
    lattice = np.array([[5.0, 0, 0], [0.9, 6.1, 0], [0.4, 1.3, 7.2]])
    cell = Cell(np.array([3, 8, 16, 17]), rng.random((4, 3)) @ lattice, lattice)
    made = idealised(cell, 0.1)
    assert space_group_number(made) == 1
    assert StructureMatcher(scale=False).fit(structure_of(cell), structure_of(made))


def test_a_cell_that_would_lose_atoms_stays():
    ideal = cell_of(KNOWN["perovskite"][1].make_supercell([2, 1, 1], in_place=False))
    assert idealised(ideal, 0.1) is ideal
