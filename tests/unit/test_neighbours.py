"""Exact neighbours against brute force in float64."""

import subprocess
import sys

import numpy as np
import pytest

from genbat.latent import neighbours
from genbat.latent.neighbours import Neighbours


def brute(points, x, k):
    """All differences in float64, ordered by distance and then by index."""
    found = []
    for query in np.asarray(x, np.float64):
        distances = np.sqrt(((np.asarray(points, np.float64) - query) ** 2).sum(axis=1))
        order = np.lexsort((np.arange(len(points)), distances))[:k]
        found.append((distances[order], order))
    return np.array([d for d, _ in found]), np.array([i for _, i in found])


def cloud(n, d, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(dtype)


@pytest.mark.parametrize(
    ("n", "d", "m", "k"),
    [(1, 2, 3, 1), (2, 2, 5, 2), (9, 4, 3, 9), (500, 3, 7, 8), (20_000, 2, 20, 8),
     (12_000, 64, 20, 8), (3_000, 256, 5, 50), (30_000, 5, 4, 1)],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_equals_brute_force(n, d, m, k, dtype):
    points, x = cloud(n, d, 1, dtype), cloud(m, d, 2, dtype)
    distances, indices = Neighbours(points).query(x, k)
    expected, order = brute(points, x, k)
    np.testing.assert_allclose(distances, expected, rtol=1e-12, atol=1e-12)
    if dtype != np.float16:  # float16 has true ties, which the last bit of a sum may break
        np.testing.assert_array_equal(indices, order)
    assert distances.shape == indices.shape == (m, k)
    assert (np.diff(distances, axis=1) >= 0).all()


@pytest.mark.parametrize("shift", [0.0, 1e3, 1e7])
@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e25])
def test_neither_offset_nor_scale_costs_exactness(shift, scale):
    points = (cloud(4_000, 6, 3, np.float64) + shift) * scale
    x = (cloud(10, 6, 4, np.float64) + shift) * scale
    distances, indices = Neighbours(points).query(x, 8)
    expected, order = brute(points, x, 8)
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_allclose(distances, expected, rtol=1e-9)


def test_tight_clusters_far_apart():
    rng = np.random.default_rng(5)
    centres = 1e3 * rng.standard_normal((40, 8))
    points = centres[rng.integers(40, size=8_000)] + 1e-3 * rng.standard_normal((8_000, 8))
    distances, indices = Neighbours(points).query(points[:30], 8)
    expected, order = brute(points, points[:30], 8)
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_allclose(distances, expected, atol=1e-12)


def test_ties_go_by_index():
    grid = np.stack(np.meshgrid(*[np.arange(12.0)] * 3), axis=-1).reshape(-1, 3)
    points = np.random.default_rng(6).permutation(grid)
    distances, indices = Neighbours(points).query(grid[::17], 20)
    expected, order = brute(points, grid[::17], 20)
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_array_equal(distances, expected)


def test_copies_of_one_point():
    same = Neighbours(np.full((5_000, 4), 0.3, np.float32))
    distances, indices = same.query(np.full((2, 4), 0.3, np.float32), 5)
    assert not distances.any()
    np.testing.assert_array_equal(indices, [range(5), range(5)])
    distances, indices = same.others(np.array([3, 4_000]), 5)
    np.testing.assert_array_equal(indices, [[0, 1, 2, 4, 5], range(5)])


def test_others_leave_the_point_out():
    points = cloud(3_000, 7, 7)
    rows = np.array([5, 0, 2_999])
    distances, indices = Neighbours(points).others(rows, 6)
    expected, order = brute(points, points[rows], 7)
    np.testing.assert_array_equal(indices, order[:, 1:])
    np.testing.assert_allclose(distances, expected[:, 1:], rtol=1e-12)


def test_results_do_not_depend_on_the_blocks(monkeypatch):
    points, x = cloud(2_000, 5, 8), cloud(33, 5, 9)
    whole = Neighbours(points).query(x, 8)
    monkeypatch.setattr(neighbours, "_CELLS", 4_096)
    for a, b in zip(whole, Neighbours(points).query(x, 8), strict=True):
        np.testing.assert_array_equal(a, b)


def test_blocks_bound_the_memory(monkeypatch):
    monkeypatch.setattr(neighbours, "_CELLS", 1_000)
    parts = neighbours.blocks(77, 300)
    assert [p.start for p in parts[1:]] == [p.stop for p in parts[:-1]]
    assert parts[0].start == 0 and parts[-1].stop == 77
    assert max(p.stop - p.start for p in parts) * 300 <= 1_000


def test_upper_bound_is_one():
    values = cloud(6, 5_000, 10)
    for k in (1, 8, 40, 4_000):
        bound = neighbours._upper_bound(values, k)
        assert ((values <= bound[:, None]).sum(axis=1) >= k).all()


def test_absurdly_far_queries_still_find_someone():
    distances, indices = Neighbours(cloud(300, 3)).query(np.full((1, 3), 1e60), 4)
    assert np.isfinite(distances).all() and len(set(indices[0])) == 4


def test_permutation_of_the_data():
    points, x = cloud(6_000, 9, 11), cloud(12, 9, 12)
    order = np.random.default_rng(0).permutation(len(points))
    distances, indices = Neighbours(points).query(x, 8)
    again, moved = Neighbours(points[order]).query(x, 8)
    np.testing.assert_array_equal(order[moved], indices)
    np.testing.assert_allclose(again, distances, rtol=1e-14)


@pytest.mark.parametrize(
    ("points", "x", "k", "said"),
    [
        (np.zeros((0, 3)), None, 1, r"points: got shape \(0, 3\)"),
        (np.zeros(3), None, 1, r"points: got shape \(3,\)"),
        (np.array([[0.0, np.nan]]), None, 1, "points: got NaN"),
        (np.zeros((4, 3)), np.zeros((2, 2)), 1, r"x: got shape \(2, 2\); legal is \(n, 3\)"),
        (np.zeros((4, 3)), np.full((1, 3), np.inf), 1, "x: got NaN or infinity"),
        (np.zeros((4, 3)), np.zeros((1, 3)), 5, "k: got 5; legal are whole numbers from 1 to 4"),
        (np.zeros((4, 3)), np.zeros((1, 3)), 0, "k: got 0"),
        (np.zeros((4, 3)), np.zeros((1, 3)), 1.5, "k: got 1.5"),
    ],
)
def test_errors_say_what_is_legal(points, x, k, said):
    with pytest.raises(ValueError, match=said):
        Neighbours(points).query(x, k)


def test_the_ring_imports_nothing_heavy():
    code = (
        "import sys, genbat.latent.maps, genbat.latent.paths\n"
        "print([m for m in ('torch', 'rdkit', 'umap', 'numba', 'sklearn', 'streamlit', 'pandas')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
