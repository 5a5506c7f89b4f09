"""Remoteness, its percentile among the data, and pulling points back."""

import numpy as np
import pytest

from genbat.latent.density import SAMPLE, Manifold
from genbat.latent.graph import sample_rows


def rotation(d, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]


def blobs(n=2_000, d=6, seed=0):
    rng = np.random.default_rng(seed)
    return 6 * rng.integers(0, 2, (n, 1)) + rng.standard_normal((n, d))


def mean_nearest(points, x, k):
    """Mean distance to the k nearest, from all distances."""
    return np.sort(np.linalg.norm(x[:, None] - points[None], axis=2), axis=1)[:, :k].mean(axis=1)


@pytest.mark.parametrize("k", [1, 8, 20])
def test_remoteness_and_percentile_by_hand(k):
    data = blobs(600)
    z = np.random.default_rng(1).normal(3, 4, (80, 6))
    manifold = Manifold(data, k)
    remote = mean_nearest(data, z, k)
    np.testing.assert_allclose(manifold.remoteness(z), remote, rtol=1e-12)
    own = [mean_nearest(np.delete(data, i, 0), data[i : i + 1], k)[0] for i in range(600)]
    expected = [100 * np.mean(np.array(own) < r) for r in remote]
    np.testing.assert_allclose(manifold.percentile(z), expected, atol=1e-9)


def test_fresh_data_spread_evenly_over_the_percentiles():
    both = blobs(4_000)
    ranks = Manifold(both[:3_000]).percentile(both[3_000:])
    assert 45 < ranks.mean() < 55
    assert 85 < 100 * np.mean(ranks <= 90) < 95


def test_percentile_rises_outwards():
    manifold = Manifold(blobs())
    walk = manifold.percentile(np.outer(np.linspace(0, 30, 40), np.eye(6)[0]) + 3)
    assert walk[-1] == 100 and walk.min() >= 0
    out = np.linspace(8, 50, 20)[:, None] * np.ones(6)
    assert (np.diff(manifold.percentile(out)) >= 0).all()


@pytest.mark.parametrize(
    ("percentile", "words"),
    [(0, "inside the data"), (90, "inside the data"), (90.1, "at the edge of the data"),
     (99, "at the edge of the data"), (99.1, "far from anything the model has seen"),
     (100, "far from anything the model has seen")],
)  # fmt: skip
def test_words(percentile, words):
    assert Manifold.words(percentile) == words


def test_rotation_translation_and_order_change_nothing():
    data, turn = blobs(), rotation(6, 1)
    z = np.random.default_rng(2).normal(3, 3, (60, 6))
    plain = Manifold(data)
    turned, shuffled = (
        Manifold(data @ turn - 40),
        Manifold(np.random.default_rng(3).permutation(data)),
    )
    np.testing.assert_allclose(turned.remoteness(z @ turn - 40), plain.remoteness(z), rtol=1e-9)
    np.testing.assert_allclose(turned.percentile(z @ turn - 40), plain.percentile(z), atol=0.11)
    np.testing.assert_allclose(shuffled.percentile(z), plain.percentile(z), atol=1e-9)
    np.testing.assert_allclose(turned.pull(z @ turn - 40), plain.pull(z) @ turn - 40, atol=1e-6)


def test_a_sample_serves_for_many():
    data = blobs(3 * SAMPLE, 3)
    z = np.random.default_rng(4).normal(3, 4, (50, 3))
    plain = Manifold(data)
    assert len(plain._own[0]) == SAMPLE
    shuffled = Manifold(np.random.default_rng(5).permutation(data))
    np.testing.assert_array_equal(plain.percentile(z), shuffled.percentile(z))
    other = Manifold(data, seed=1).percentile(z)
    assert 0 < np.abs(other - plain.percentile(z)).max() < 4


def test_sample_rows():
    data = blobs(5_000, 4).astype(np.float32)
    rows = sample_rows(data, 700, 0)
    assert len(set(rows)) == 700 and (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, sample_rows(data, 700, 0))
    assert len(set(rows) & set(sample_rows(data, 700, 1))) < 200
    order = np.random.default_rng(6).permutation(5_000)
    assert set(order[sample_rows(data[order], 700, 0)]) == set(rows)
    assert abs(rows.mean() - 2_500) < 250  # evenly over the data
    np.testing.assert_array_equal(sample_rows(data, 5_000, 0), np.arange(5_000))


@pytest.mark.parametrize("limit", [0, 50, 90, 99])
@pytest.mark.parametrize("strength", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pull_reaches_the_limit(limit, strength, dtype):
    manifold = Manifold(blobs(800).astype(dtype))
    z = np.random.default_rng(7).normal(3, 9, (60, 6)).astype(dtype)
    pulled = manifold.pull(z, strength, limit)
    assert pulled.dtype == dtype
    assert (manifold.percentile(pulled) <= limit).all()


def test_pull_leaves_what_is_inside_and_its_argument():
    data = blobs()
    manifold, z = Manifold(data), np.vstack([data[:30], data[:30] + 15])
    kept, before = z.copy(), manifold.percentile(z)
    pulled = manifold.pull(z)
    np.testing.assert_array_equal(z, kept)
    np.testing.assert_array_equal(pulled[before <= 90], z[before <= 90])
    assert (np.abs(pulled[before > 90] - z[before > 90]).max(axis=1) > 0).all()


def test_first_step_of_pull_is_towards_the_barycentre(monkeypatch):
    data, z = blobs(), np.full((1, 6), 9.0)
    manifold = Manifold(data)
    seen = []
    real = manifold.percentile
    monkeypatch.setattr(manifold, "percentile", lambda p: seen.append(p.copy()) or real(p))
    manifold.pull(z, 0.25)
    near = np.argsort(np.linalg.norm(data - z, axis=1))[:8]
    np.testing.assert_allclose(seen[1], z + 0.25 * (data[near].mean(axis=0) - z))


def test_pull_escapes_a_nest_of_outliers():
    rng = np.random.default_rng(8)
    nest = 50 + 5 * rng.standard_normal((9, 6))
    manifold = Manifold(np.vstack([blobs(3_000), nest]))
    pulled = manifold.pull(nest[:1] + 1, limit=90)
    assert manifold.percentile(pulled)[0] <= 90
    assert manifold.neighbours.query(pulled, 1)[0][0, 0] > 0  # on the way, not on a data point


def test_two_points_and_copies():
    two = Manifold(np.array([[0.0, 0], [1, 0]]))
    assert two.k == 1
    np.testing.assert_allclose(two.remoteness(np.array([[3.0, 0]])), [2])
    same = Manifold(np.zeros((50, 3)))
    np.testing.assert_array_equal(same.percentile(np.array([[0.0, 0, 0], [1, 0, 0]])), [0, 100])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda m: Manifold(np.zeros((1, 3))), "latents: got 1 row"),
        (lambda m: Manifold(np.zeros((9, 3)), k=0), "k: got 0"),
        (lambda m: m.remoteness(np.zeros((2, 5))), r"z: got shape \(2, 5\); legal is \(n, 6\)"),
        (lambda m: m.pull(np.zeros((1, 6)), 0), "strength: got 0; legal is above 0"),
        (lambda m: m.pull(np.zeros((1, 6)), 1.1), "strength: got 1.1"),
        (lambda m: m.pull(np.zeros((1, 6)), 1, 101), "limit: got 101; legal is 0 to 100"),
    ],
)
def test_errors(call, said):
    with pytest.raises(ValueError, match=said):
        call(Manifold(blobs(100)))
