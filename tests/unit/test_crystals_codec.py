"""Crystals survive the way into arrays and back; what is forgotten is the orientation alone."""

import numpy as np
import pytest

from genbat.domains.crystals.candidates import Start, build_cell
from genbat.domains.crystals.chgnet_graph import neighbours
from genbat.domains.crystals.codec import decode, encode, lattice_of, stretch_of, turned

NAMES = ("o3|A=Li+1|M=Co+3|X=O-2", "V2O5|M=V+5|X=O-2", "Li2MnO3|A=Li+1|M=Mn+4|X=O-2")


def lengths(cell):
    return np.sort(neighbours(cell.positions, cell.lattice).distance)


@pytest.fixture
def cells():
    return [build_cell(Start(name, "")) for name in NAMES]


def test_round_trip(cells):
    batch = encode([turned(cell, k) for k, cell in enumerate(cells)])
    assert len(batch) == 3
    assert batch.fractions.min() >= 0 > batch.fractions.max() - 1
    for cell, back in zip(cells, decode(batch), strict=True):
        assert sorted(cell.numbers) == sorted(back.numbers)
        np.testing.assert_allclose(lengths(cell), lengths(back), atol=1e-6)


def test_orientation_is_forgotten(cells):
    for cell in cells:
        stretch = stretch_of(cell.lattice)
        np.testing.assert_allclose(stretch_of(turned(cell, 3).lattice), stretch, atol=1e-9)


def test_any_numbers_are_a_lattice():
    for seed in range(20):
        stretch = np.random.default_rng(seed).normal(1.0, 0.8, 6)
        lattice = lattice_of(stretch)
        assert np.linalg.det(lattice) > 0
        np.testing.assert_allclose(stretch_of(lattice), stretch, atol=1e-8)


def test_turning_keeps_distances(cells):
    for cell in cells:
        np.testing.assert_allclose(lengths(turned(cell, 5)), lengths(cell), atol=1e-6)
        assert np.linalg.det(turned(cell, 5).lattice) * np.linalg.det(cell.lattice) > 0
