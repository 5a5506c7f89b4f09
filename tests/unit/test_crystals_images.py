"""Crystals as images: formulas written anew, the way back, and views that do not matter."""

import numpy as np
import pytest

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.codec import turned
from genbat.domains.crystals.images import Raster, count, draw, find, refined
from genbat.domains.crystals.similarity import same_structure
from genbat.domains.crystals.symmetry import fractional
from genbat.domains.crystals.views import TURNS, random_view, seen_from, settled, settled_turns

RASTER = Raster(side=12, width=0.9)


def cubic(n=6, seed=0):
    """Atoms at random, each at least 1.9 Å from the others, in a skewed cell of six ångströms."""
    rng = np.random.default_rng(seed)
    lattice = 6 * np.eye(3) + rng.normal(0, 0.3, (3, 3))
    points = np.empty((0, 3))
    while len(points) < n:
        new = rng.uniform(size=3)
        away = points - new
        away -= np.round(away)
        if np.linalg.norm(away @ lattice, axis=1).min(initial=9) > 1.9:
            points = np.vstack([points, new])
    return Cell(np.array([23, 23, 8, 8, 8, 8][:n]), points @ lattice, lattice)


def near(found, true):
    """Largest distance of a place to its partner, in fractions, periodic."""
    away = found[:, None] - true[None]
    away = np.linalg.norm(away - np.round(away), axis=2)
    return max(away.min(0).max(), away.min(1).max())


def test_a_bump_is_the_sum_over_its_periodic_images():
    place = np.array([0.98, 0.5, 0.03])
    image = draw(place[None], RASTER)
    voxel = (11, 6, 1)
    total = 0.0
    for shift in np.ndindex(3, 3, 3):
        away = np.array(voxel) - 12 * (place + np.array(shift) - 1)
        total += np.exp(-(away @ away) / (2 * 0.9**2))
    assert image[voxel] == pytest.approx(total, abs=1e-6)


def test_the_sum_counts_the_atoms():
    fractions = fractional(cubic())
    for n in range(len(fractions) + 1):
        image = draw(fractions[:n], RASTER)
        assert image.sum() == pytest.approx(n * RASTER.mass, rel=1e-4)
        assert count(image, RASTER) == n


@pytest.mark.parametrize("seed", range(4))
def test_atoms_are_found_again(seed):
    fractions = fractional(cubic(seed=seed))
    found = find(draw(fractions, RASTER), RASTER)
    assert len(found) == len(fractions)
    assert near(found, fractions) < 1e-3


def test_a_shift_of_the_crystal_shifts_the_image():
    fractions = fractional(cubic())
    moved = draw(fractions + np.array([3, 0, 5]) / 12, RASTER)
    np.testing.assert_allclose(
        moved, np.roll(draw(fractions, RASTER), (3, 0, 5), (0, 1, 2)), atol=1e-9
    )


def test_order_does_not_matter():
    fractions = fractional(cubic())
    np.testing.assert_allclose(draw(fractions[::-1], RASTER), draw(fractions, RASTER))


def test_noise_moves_atoms_little():
    fractions = fractional(cubic())
    image = draw(fractions, RASTER)
    noisy = image + np.random.default_rng(0).normal(0, 0.05, image.shape)
    assert near(find(noisy, RASTER, len(fractions)), fractions) * 12 < 0.3  # voxels


def test_refining_lowers_the_error():
    fractions = fractional(cubic())
    image = draw(fractions, RASTER)
    start = fractions + np.random.default_rng(1).normal(0, 0.02, fractions.shape)
    errors = [
        ((draw(f, RASTER) - image) ** 2).sum() for f in (start, refined(start, image, RASTER))
    ]
    assert errors[1] < 1e-3 * errors[0]


def test_nothing_is_found_in_an_empty_image():
    assert find(np.zeros((12, 12, 12)), RASTER).shape == (0, 3)


# ---------------------------------------------------------------------- views
def test_turns_are_all_signed_orders_of_the_axes():
    assert len({tuple(t.ravel()) for t in TURNS}) == 48
    np.testing.assert_allclose(TURNS @ TURNS.transpose(0, 2, 1), np.tile(np.eye(3), (48, 1, 1)))


def test_a_view_is_the_same_crystal_with_an_atom_at_its_origin():
    cell = cubic()
    for k in (1, 17, 40):
        view = seen_from(cell, 1, TURNS[k])
        assert same_structure(cell, view)
        away = fractional(view)[1]
        assert np.abs(away - np.round(away)).max() < 1e-9
        assert abs(np.linalg.det(view.lattice)) == pytest.approx(abs(np.linalg.det(cell.lattice)))


@pytest.mark.parametrize("seed", range(3))
def test_the_settled_view_forgets_how_the_crystal_was_given(seed):
    cell, rng = cubic(seed=seed), np.random.default_rng(seed)
    ours = settled(cell, 23)
    given = [turned(cell, seed), random_view(cell, 23, rng, 0.0), random_view(cell, 23, rng, 1.0)]
    for other in given:
        view = settled(other, 23)
        for number in (23, 8):
            images = [draw(fractional(c)[c.numbers == number], RASTER) for c in (ours, view)]
            np.testing.assert_allclose(*images, atol=1e-6)
        metrics = [c.lattice @ c.lattice.T for c in (ours, view)]
        np.testing.assert_allclose(*metrics, atol=1e-6)


def test_a_symmetric_lattice_has_several_settled_turns():
    cell = cubic()
    cube = Cell(cell.numbers, fractional(cell) * 6, 6 * np.eye(3))
    assert len(settled_turns(cube)) == 48
    assert len(settled_turns(cell)) < 48


def test_random_views_have_the_first_element_at_the_origin():
    rng = np.random.default_rng(0)
    views = [random_view(cubic(), 23, rng, 0.5) for _ in range(6)]
    assert all(draw(fractional(v)[v.numbers == 23], RASTER)[0, 0, 0] > 0.99 for v in views)
    metals = {round(float(v.lattice[0, 0]), 6) for v in views}
    assert len(metals) > 1
