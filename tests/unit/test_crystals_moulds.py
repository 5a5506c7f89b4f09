"""Moulds: the symmetry of a crystal without its types, free coordinates and axes."""

import numpy as np
import pytest
from known_crystals import KNOWN, ROCK_SALT, RUTILE, ZINC_BLENDE

from genbat.domains.crystals import codec
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.moulds import Mould, packed, unpacked
from genbat.domains.crystals.symmetry import fractional, space_group_number


@pytest.mark.parametrize("name", KNOWN)
def test_group_orbits_and_free_coordinates(name):
    cell, group, orbits, free = KNOWN[name]
    mould = Mould.of(cell)
    assert mould.group == group
    assert sorted(mould.orbits) == sorted(orbits)
    columns, counts = mould.ways
    assert columns.shape == (len(cell.numbers), 3, free)
    assert len(counts) == free
    flat = columns.reshape(3 * len(cell.numbers), free)
    np.testing.assert_allclose(flat.T @ flat, np.eye(free), atol=1e-9)


@pytest.mark.parametrize("name", KNOWN)
def test_operations_map_the_places_onto_one_another(name):
    mould = Mould.of(KNOWN[name][0])
    for turn, shift, partner in zip(mould.turns, mould.shifts, mould.partners, strict=True):
        away = mould.places @ turn.T + shift - mould.places[partner]
        np.testing.assert_allclose(away, np.round(away), atol=1e-9)


def test_a_move_along_the_ways_keeps_the_group_and_another_does_not():
    mould = Mould.of(RUTILE)
    way = mould.ways[0][..., 0]
    rng = np.random.default_rng(0)
    other = rng.normal(size=way.shape)
    other -= (other * way).sum() * way
    for move, kept in ((0.04 * way, True), (0.02 * other, False)):
        places = mould.places + move
        moved = Cell(RUTILE.numbers, places @ RUTILE.lattice, RUTILE.lattice)
        assert (space_group_number(moved, 1e-3) == 136) == kept


def test_equal_whatever_the_elements_size_origin_and_free_coordinates():
    mould = Mould.of(RUTILE)
    way = mould.ways[0][..., 0]
    places = mould.places + 0.03 * way + np.array([0.1, 0.2, 0.3])
    lattice = 1.2 * RUTILE.lattice
    other = Cell(np.where(RUTILE.numbers == 8, 9, 25), places % 1.0 @ lattice, lattice)
    assert Mould.of(other).key == mould.key
    assert len({Mould.of(KNOWN[name][0]).key for name in KNOWN}) == len(KNOWN)


def test_sites_of_equal_symmetry_are_told_apart():
    """Zinc blende and its axes with the second atom on the octahedral site instead."""
    places = fractional(ZINC_BLENDE)
    places[1] = places[0] + 0.5
    other = Cell(ZINC_BLENDE.numbers, places % 1.0 @ ROCK_SALT.lattice, ROCK_SALT.lattice)
    assert Mould.of(other).key != Mould.of(ZINC_BLENDE).key


def test_packed_and_unpacked():
    moulds = [Mould.of(cell) for cell, *_ in KNOWN.values()]
    for old, new in zip(moulds, unpacked(packed(moulds)), strict=True):
        assert new.group == old.group
        assert (new.turns == old.turns).all()
        assert (new.partners == old.partners).all()
        away = new.places - old.places
        np.testing.assert_allclose(away, np.round(away), atol=1e-4)
        assert new.key == old.key


def test_without_symmetry_everything_may_move():
    rng = np.random.default_rng(1)
    lattice = codec.lattice_of(rng.normal(size=6) / 5 + [1.5, 1.6, 1.7, 0, 0, 0])
    cell = Cell(np.array([3, 8, 16]), rng.random((3, 3)) @ lattice, lattice)
    for mould in (Mould.of(cell), Mould.free(3)):
        assert mould.group == 1
        assert mould.orbits == [1, 1, 1]
        assert mould.ways[0].shape == (3, 3, 9)
