"""The fingerprint that finds the nearest known crystals: invariant, telling, and quick."""

import time

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from genbat.domains.crystals import data
from genbat.domains.crystals.similarity import STRUCTURE, Nearest, features, same_structure
from genbat.domains.crystals.structure import cell_of, structure_of, to_text
from genbat.studio import crystal_neighbours


def salt(a, one="Na", two="Cl"):
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(a), [one, two], [[0] * 3, [0.5] * 3])


def print_of(structure):
    return features([cell_of(structure)])[0]


def apart(one, two, part=slice(None)):
    return float(np.linalg.norm((print_of(one) - print_of(two))[part]))


@pytest.fixture(scope="module")
def some():
    known = data.load()
    return [known.cell(k) for k in range(0, len(known), max(1, len(known) // 300))]


def test_invariant_to_the_choice_of_cell():
    base = salt(5.64)
    small = base.get_primitive_structure()
    big = small.copy()
    big.make_supercell([[2, 1, 0], [0, 1, 0], [0, -1, 2]])
    moved = base.copy()
    moved.translate_sites(range(8), [0.1, 0.3, 0.7])
    turned = Structure(Lattice.from_parameters(*base.lattice.parameters), base.species[::-1],
                       base.frac_coords[::-1])  # fmt: skip
    for other in (small, big, moved, turned):
        assert apart(base, other) < 1e-4


def test_a_lattice_constant_does_not_matter_but_elements_do():
    assert apart(salt(5.64), salt(5.9)) < 1e-4
    structure = slice(0, STRUCTURE)
    other = apart(salt(5.64), salt(6.3, "K", "Cl"), structure)
    cscl = Structure(Lattice.cubic(4.1), ["Na", "Cl"], [[0] * 3, [0.5] * 3])
    assert other < 0.3 * apart(salt(5.64), cscl, structure)
    assert 0 < apart(salt(5.64), salt(6.3, "K", "Cl")) < apart(salt(5.64), salt(4.2, "Mg", "O"))


def test_ordering_of_unlike_atoms_shows():
    """Two orderings of one f.c.c. lattice: layers along [001] and along [111]."""
    fcc = Lattice.cubic(4.0)
    sites = [[0] * 3, [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    l10 = Structure(fcc, ["Li", "Li", "Au", "Au"], sites)
    hexagonal = Lattice.hexagonal(4 / 2**0.5, 2 * 4 / 3**0.5 * 3)
    l11 = Structure(hexagonal, ["Li", "Au"] * 3,
                    [[0, 0, 0], [2 / 3, 1 / 3, 1 / 6], [1 / 3, 2 / 3, 2 / 6], [0, 0, 0.5],
                     [2 / 3, 1 / 3, 4 / 6], [1 / 3, 2 / 3, 5 / 6]])  # fmt: skip
    assert apart(l10, l11) > 0.02


def test_nearest_is_brute_force(some):
    known = features(some)
    index = Nearest(known)
    for k in (0, 7, 50):
        found = index.find(some[k], 5)
        d = np.linalg.norm(known - features([some[k]]), axis=1)
        assert found[0].row == k
        assert [n.distance for n in found] == pytest.approx(sorted(d)[:5], abs=2e-3)


def test_quick_enough_for_twenty_thousand(some):
    many = np.tile(features(some), (20_000 // len(some) + 1, 1))
    index = Nearest(many)
    index.find(some[0], 4)
    start = time.perf_counter()
    for cell in some[:10]:
        index.find(cell, 4)
    assert (time.perf_counter() - start) / 10 < 0.2


def test_neighbours_of_a_known_crystal_leave_it_out():
    known = data.load()
    row = int(np.flatnonzero(known.table["formula"] == "LiCoO2")[0])
    text = to_text(known.cell(row))
    found = crystal_neighbours.nearest(text, 4)
    assert len(found) == 4
    assert text not in {one.text for one in found}
    assert [one.distance for one in found] == sorted(one.distance for one in found)
    assert {"Li", "Co", "O"} == set(crystal_neighbours.moments(text))


def test_a_new_copy_of_a_known_crystal_is_called_the_same():
    known = data.load()
    row = int(np.flatnonzero(known.table["formula"] == "LiCoO2")[0])
    copy = structure_of(known.cell(row))
    copy.apply_strain(0.01)
    (first, *_) = crystal_neighbours.nearest(to_text(cell_of(copy)), 4)
    assert (first.formula, first.words) == ("LiCoO2", "same structure")
    assert same_structure(cell_of(copy), known.cell(row))


def test_moments_of_unknown_crystals_are_not_guessed():
    assert crystal_neighbours.moments(to_text(cell_of(salt(5.0, "Cs", "I")))) == {}
