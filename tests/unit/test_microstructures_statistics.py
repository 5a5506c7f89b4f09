"""Counting voxels against closed forms: slabs, channels, chequers, overlapping spheres."""

import numpy as np
import pytest

from genbat.domains.microstructures import statistics as s
from genbat.domains.microstructures.generator import smooth_noise
from genbat.domains.microstructures.volume import Volume

N = 24


def slabs(axis=0, widths=(4, 8), n=N, periodic=True):
    """Layers of two phases across an axis."""
    line = np.tile(np.repeat([0, 1], widths), n // sum(widths)).astype(np.uint8)
    shape = [1, 1, 1]
    shape[axis] = n
    return Volume(np.broadcast_to(line.reshape(shape), (n, n, n)).copy(), ("a", "b"),
                  periodic=periodic)  # fmt: skip


def spheres(n, radius, density, seed):
    """Overlapping spheres at random places of a periodic box."""
    rng = np.random.default_rng(seed)
    axis = np.arange(n) + 0.5
    mask = np.zeros((n, n, n), bool)
    for centre in rng.random((rng.poisson(density * n**3), 3)) * n:
        d = [np.abs(axis - c) for c in centre]
        d = [np.minimum(one, n - one) ** 2 for one in d]
        mask |= d[0][:, None, None] + d[1][None, :, None] + d[2][None, None, :] < radius**2
    return mask


@pytest.mark.parametrize("axis", range(3))
def test_slabs(axis):
    volume = slabs(axis)
    assert s.fractions(volume) == pytest.approx([1 / 3, 2 / 3])
    assert s.surfaces(volume)[0, 1] == pytest.approx(2 / 12)  # two faces every 12 voxels
    assert s.specific_surface(volume) == pytest.approx([2 / 12, 2 / 12])
    assert s.triple_line(volume) == 0
    lags = s.two_point(volume.mask(0), 12, periodic=True)
    expected = [max(0.0, (4 - r) / 12) + max(0.0, (r - 8) / 12) for r in range(13)]
    assert lags[axis] == pytest.approx(expected, abs=1e-6)
    for other in {0, 1, 2} - {axis}:
        assert lags[other] == pytest.approx([1 / 3] * 13, abs=1e-6)


def test_surfaces_follow_the_size_of_a_voxel():
    volume = Volume(slabs(0).labels, ("a", "b"), (0.5, 1.0, 1.0), True)
    assert s.surfaces(volume)[0, 1] == pytest.approx(2 / 6)  # every 6 μm


def test_a_border_adds_nothing_where_it_is_not_periodic():
    volume = slabs(0, (12, 12), periodic=False)
    assert s.surfaces(volume)[0, 1] == pytest.approx(1 / 24)
    assert s.surfaces(slabs(0, (12, 12)))[0, 1] == pytest.approx(2 / 24)


def test_triple_line_of_a_corner():
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[:, 4:, :] = 1
    labels[:, 4:, 4:] = 2
    volume = Volume(labels, ("a", "b", "c"), (1.0, 0.5, 0.5))
    assert s.triple_line(volume) == pytest.approx(8 / (8 * 4 * 4))  # μm of line over μm³


def test_pairs_of_surfaces_are_counted_one_by_one():
    rng = np.random.default_rng(0)
    volume = Volume(rng.integers(0, 3, (6, 7, 8)).astype(np.uint8), ("a", "b", "c"))
    counted = np.zeros((3, 3))
    for axis in range(3):
        moved = np.moveaxis(volume.labels, axis, 0)
        for one, two in zip(moved[:-1].ravel(), moved[1:].ravel(), strict=True):
            if one != two:
                counted[one, two] += 1 / volume.labels.size
                counted[two, one] += 1 / volume.labels.size
    assert s.surfaces(volume) == pytest.approx(counted)


def test_two_point_is_the_count_of_pairs():
    mask = np.random.default_rng(1).random((9, 10, 11)) < 0.4
    for axis, lags in enumerate(s.two_point(mask, 5)):
        lines = np.moveaxis(mask, axis, 0)
        counted = [np.mean(lines[: len(lines) - r] & lines[r:]) for r in range(6)]
        assert lags == pytest.approx(counted, abs=1e-6)


def test_two_point_of_overlapping_spheres():
    """S2 of the void between them is exp(-density * volume of two spheres r apart), Torquato 2002,
    Eq. 5.14."""
    radius, density, n = 8.0, 3e-4, 96
    found = np.mean(
        [s.two_point(~spheres(n, radius, density, k), 20, True).mean(0) for k in range(6)], 0
    )
    r = np.arange(21.0)
    ball = 4 / 3 * np.pi * radius**3
    shared = np.where(r < 2 * radius, 1 - 3 * r / (4 * radius) + (r / radius) ** 3 / 16, 0.0)
    expected = np.exp(-density * ball * (2 - shared))
    assert found == pytest.approx(expected, abs=0.02)


def test_a_lag_beyond_the_volume_is_refused():
    with pytest.raises(ValueError, match="legal is up to 23"):
        s.two_point(np.ones((N, N, N), bool), N)


def test_chords_of_slabs():
    chords = s.chords(slabs(0).mask(1), 0)
    assert set(chords) == {8.0}
    assert len(chords) == N * N  # the second run of a line ends at the border
    assert len(s.chords(slabs(0).mask(1), 1)) == 0


def test_only_what_touches_both_faces_percolates():
    mask = np.zeros((6, 6, 6), bool)
    mask[:, 2, 2] = True  # a channel
    mask[0:3, 4, 4] = True  # a dead end
    mask[3, 0, 0] = True  # an island
    assert s.percolated_share(mask, 0) == pytest.approx(6 / 10)
    assert s.percolated_share(mask, 1) == 0.0
    mask[3, 5, 5] = mask[4, 4, 5] = True  # touch by an edge only
    assert s.percolating(mask, 0).sum() == 6
    assert s.percolated_share(np.zeros((3, 3, 3), bool), 0) == 0.0


def test_faces_of_a_periodic_volume_match_like_neighbours():
    field = smooth_noise(N, 3.0, np.random.default_rng(0))
    faces, inside = s.face_mismatch(Volume((field > 0).astype(np.uint8), ("a", "b")))
    assert faces == pytest.approx(inside, rel=0.5)
    cut = Volume((field[:15, :15, :15] > 0).astype(np.uint8), ("a", "b"))
    faces, inside = s.face_mismatch(cut)
    assert faces > 3 * inside
