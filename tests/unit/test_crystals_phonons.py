"""Phonons by finite displacements: a spring model's own dispersion, supercells, CHGNet, counts."""

import numpy as np
import pytest
from scipy.constants import atomic_mass, electron_volt

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.phonons import HEIGHT, MOST_ATOMS, lowest_frequency, repeats
from genbat.domains.crystals.relax import heights
from genbat.domains.crystals.structure import primitive
from genbat.domains.crystals.symmetry import space_group, space_group_number
from genbat.studio import metrics_phonons

EDGE = 4.1  # Å
IRON = 55.845  # u


def simple_cubic(number=26):
    return Cell(np.array([number]), np.zeros((1, 3)), EDGE * np.eye(3))


def springs(stiffness, residue=0.0):
    """Forces of springs (eV/Å²) between the six nearest atoms of a simple cubic crystal, pulling
    back in all directions alike, and of a residue that pushes each atom its own way."""

    def forces(cells):
        return [_pulled(cell, stiffness) + residue * np.sin(np.arange(len(cell.numbers)))[:, None]
                for cell in cells]  # fmt: skip

    return forces


def _pulled(cell, stiffness):
    signs = np.sign(np.diag(cell.lattice))  # an axis may point either way
    sites = np.rint(signs * cell.positions / EDGE).astype(int)
    moved = np.zeros((*sites.max(0) + 1, 3))
    moved[tuple(sites.T)] = cell.positions - signs * EDGE * sites
    around = sum(np.roll(moved, step, axis) for axis in range(3) for step in (1, -1))
    return (stiffness * (around - 6 * moved))[tuple(sites.T)]


def test_springs_that_push_away_give_their_own_imaginary_frequency():
    """omega(q)² = 2 k / m sum_i (1 - cos q_i a), whose extreme is 12 k / m at the zone's corner."""
    omega = np.sqrt(12 * 0.5 * electron_volt / 1e-20 / (IRON * atomic_mass))
    found = lowest_frequency(simple_cubic(), springs(-0.5))
    assert found == pytest.approx(-omega / (2 * np.pi) / 1e12, rel=1e-4)


@pytest.mark.parametrize("residue", [0.0, 0.05])
def test_springs_that_pull_back_leave_the_shifts_of_the_whole_as_the_lowest(residue):
    assert lowest_frequency(simple_cubic(), springs(0.5, residue)) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    ("edges", "atoms", "wanted"),
    [
        ((4, 4, 4), 1, (2, 2, 2)),
        ((9, 9, 9), 1, (1, 1, 1)),
        ((3, 3, 20), 2, (3, 3, 1)),
        ((4, 4, 4), 30, (1, 2, 2)),
        ((4, 4, 4), 100, (1, 1, 1)),
    ],
)
def test_supercells_are_as_high_as_their_atoms_allow(edges, atoms, wanted):
    cell = Cell(np.full(atoms, 3), np.zeros((atoms, 3)), np.diag(np.array(edges, float)))
    found = repeats(cell)
    assert sorted(found) == sorted(wanted)
    high = heights(cell.lattice) * found
    assert atoms * np.prod(found) <= MOST_ATOMS
    assert high.min() > HEIGHT - 1e-6 or atoms * np.prod(found) * 2 > MOST_ATOMS


def test_too_many_atoms_are_named():
    rng = np.random.default_rng(0)
    many = Cell(np.full(200, 3), 20 * rng.random((200, 3)), 20 * np.eye(3))
    with pytest.raises(ValueError, match=f"200 atoms; legal are up to {MOST_ATOMS}"):
        lowest_frequency(many)
    assert np.isnan(metrics_phonons.lowest_of([many])).all()


def test_chgnet_knows_that_cubic_barium_titanate_is_a_saddle():
    scaled = np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    titanate = Cell(np.array([56, 22, 8, 8, 8]), 4.03 * scaled, 4.03 * np.eye(3))
    assert lowest_frequency(titanate) < -3
    corners = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    salt = Cell(
        np.repeat([11, 17], 4), 5.66 * np.concatenate([corners, corners + 0.5]), 5.66 * np.eye(3)
    )
    assert lowest_frequency(salt) > -0.1


def test_symmetry_that_fails_is_none_after_phonopy_too():
    """phonopy makes spglib raise, for the whole process."""
    lowest_frequency(simple_cubic(), springs(0.5))
    close = Cell(
        np.array([3, 3, 8]), np.array([[0, 0, 0], [0, 0, 1e-4], [2, 2, 2.0]]), 4 * np.eye(3)
    )
    assert space_group_number(close) == 1 and space_group(close).symbol == "P1"
    assert len(primitive(close).numbers) == 3


# ---------------------------------------------------------------------- counted
def test_counts_are_of_those_that_have_a_frequency():
    found = metrics_phonons.counted([0.0, -0.05, -0.2, np.nan, -3.0])
    assert found == {"phonon_stable": 0.5, "phonon_lowest": pytest.approx(-0.125),
                     "phonon_judged": 4}  # fmt: skip
    none = metrics_phonons.counted([np.nan])
    assert none["phonon_judged"] == 0 and np.isnan(none["phonon_stable"])


def test_frequencies_are_kept_in_the_log(tmp_path, monkeypatch):
    asked = []

    def slow(cell):
        asked.append(cell)
        return -1.5

    monkeypatch.setattr(metrics_phonons, "lowest_frequency", slow)
    cells, log = [simple_cubic(26), simple_cubic(27)], tmp_path / "log.jsonl"
    assert metrics_phonons.lowest_of(cells[:1], log) == [-1.5]
    assert metrics_phonons.lowest_of(cells, log) == [-1.5, -1.5]
    assert [cell.numbers[0] for cell in asked] == [26, 27]
