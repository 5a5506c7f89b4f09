"""One setting of each crystal: however it is written down, the same comes out."""

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.codec import turned
from genbat.domains.crystals.ions import Ion
from genbat.domains.crystals.prototypes import prototype
from genbat.domains.crystals.setting import settled
from genbat.domains.crystals.structure import structure_of
from genbat.domains.crystals.substitution import fill
from genbat.domains.crystals.symmetry import fractional

IONS = {"A": Ion("Li", 1), "M": Ion("Co", 3), "X": Ion("O", -2)}
NAMES = ("o3", "perovskite", "half-Heusler", "spinel", "p2")
# Changes of axes that a reduced lattice of the kind may be written in.
SWAPS = {
    "perovskite": [[0, 1, 0], [0, 0, 1], [-1, 0, 0]],
    "half-Heusler": [[0, 0, 1], [1, 0, 0], [0, 1, 0]],
    "p2": [[0, 1, 0], [-1, -1, 0], [0, 0, 1]],
}


def known(name):
    return fill(prototype(name), IONS)


def gaps(one, two):
    """Differences of fractional coordinates, the shortest way around."""
    away = fractional(one) - fractional(two)
    return np.abs(away - np.round(away))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_turned_shifted_and_shuffled_is_the_same(name, seed):
    cell = known(name)
    one, two = settled(cell), settled(turned(cell, seed))
    assert (one.numbers == two.numbers).all()
    assert gaps(one, two).max() < 1e-6
    np.testing.assert_allclose(one.lattice @ one.lattice.T, two.lattice @ two.lattice.T, atol=1e-6)


@pytest.mark.parametrize("name", sorted(SWAPS))
def test_symmetric_axes_are_the_same(name):
    cell = known(name)
    axes = np.array(SWAPS[name], float)
    points = fractional(cell) @ np.linalg.inv(axes)
    other = Cell(cell.numbers, points @ (axes @ cell.lattice), axes @ cell.lattice)
    assert gaps(settled(cell), settled(other)).max() < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_it_is_still_the_same_crystal(name):
    cell = known(name)
    found = settled(turned(cell, 5))
    assert StructureMatcher(primitive_cell=False, scale=False, stol=0.01).fit(
        structure_of(cell), structure_of(found)
    )
    assert abs(np.linalg.det(found.lattice)) == pytest.approx(abs(np.linalg.det(cell.lattice)))


def test_origin_is_an_atom_of_the_rarest_and_least_electronegative_element():
    found = settled(turned(known("perovskite"), 3))
    assert int(found.numbers[0]) == 3  # Li and Co are as rare; Li pulls less
    assert np.abs(fractional(found)[0] - np.round(fractional(found)[0])).max() < 1e-9
    assert found.numbers.tolist() == [3, 27, 8, 8, 8]
