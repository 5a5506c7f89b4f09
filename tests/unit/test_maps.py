"""The map: placing, lifting, its file, and the measure of its distortion."""

import json
import sys
import zipfile

import numpy as np
import pytest

from genbat.latent.maps import LatentMap, trustworthiness


def rotation(d, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]


@pytest.fixture
def flat():
    """A plane in six dimensions with its own coordinates as the map."""
    rng = np.random.default_rng(1)
    xy = rng.uniform(-1, 1, (4_000, 2)).astype(np.float32)
    frame = rotation(6)[:2]
    return LatentMap((xy @ frame + 3).astype(np.float32), xy, 0.9, seed=5, versions={"u": "1"})


def barycentre(points, values, x, k=8):
    """The formula written again: weights 1/distance of the k nearest."""
    out = []
    for query in x.astype(np.float64):
        distances = np.linalg.norm(points.astype(np.float64) - query, axis=1)
        near = np.argsort(distances, kind="stable")[:k]
        weights = 1 / distances[near]
        out.append(weights @ values[near].astype(np.float64) / weights.sum())
    return np.array(out)


def test_place_and_lift_are_the_formula(flat):
    rng = np.random.default_rng(2)
    z = flat.latents[:20] + rng.standard_normal((20, 6)).astype(np.float32)
    xy = rng.uniform(-1.5, 1.5, (20, 2))
    np.testing.assert_allclose(flat.place(z), barycentre(flat.latents, flat.xy, z), rtol=2e-5)
    np.testing.assert_allclose(flat.lift(xy), barycentre(flat.xy, flat.latents, xy), rtol=2e-5)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_data_points_land_exactly(flat, dtype):
    stored = LatentMap(flat.latents.astype(dtype), flat.xy, 1.0)
    assert stored.latents.dtype == dtype
    if dtype == np.float32:
        np.testing.assert_array_equal(stored.place(stored.latents[:500]), flat.xy[:500])
    np.testing.assert_array_equal(stored.lift(flat.xy[:500]), stored.latents[:500])
    place = stored.place(stored.latents[:500])
    unique = (np.abs(place - flat.xy[:500]) < 1e-7).all(axis=1)
    assert unique.mean() > 0.95  # float16 makes a few points one


def test_points_that_coincide_share_their_middle():
    latents = np.array([[0, 0, 0], [0, 0, 0], [1, 1, 1]], np.float32)
    both = LatentMap(latents, np.array([[0, 0], [2, 4], [9, 9]], np.float32), 1.0)
    np.testing.assert_array_equal(both.place(np.zeros((1, 3))), [[1, 2]])


def test_place_is_continuous_at_data_points(flat):
    step = np.full((50, 6), 1e-6, np.float32)
    assert np.abs(flat.place(flat.latents[:50] + step) - flat.xy[:50]).max() < 1e-3


def test_round_trip(flat):
    xy = np.random.default_rng(3).uniform(-0.9, 0.9, (200, 2))
    back = flat.place(flat.lift(xy))
    assert back.shape == (200, 2) and back.dtype == np.float32
    assert np.abs(back - xy).max() < 0.05  # of a span of 2, with a point every 0.03


def test_places_stay_inside_the_map(flat):
    far = flat.place(1e3 * np.random.default_rng(4).standard_normal((20, 6)))
    assert (far >= flat.xy.min(0) - 1e-6).all() and (far <= flat.xy.max(0) + 1e-6).all()


def test_rotation_translation_and_order_change_nothing(flat):
    z = flat.latents[:100].astype(np.float64) + 0.1
    turn, order = rotation(6, 7), np.random.default_rng(8).permutation(len(flat.xy))
    turned = LatentMap((flat.latents @ turn + 2).astype(np.float32), flat.xy, 1.0)
    np.testing.assert_allclose(turned.place(z @ turn + 2), flat.place(z), atol=1e-4)
    shuffled = LatentMap(flat.latents[order], flat.xy[order], 1.0)
    np.testing.assert_allclose(shuffled.place(z), flat.place(z), atol=1e-7)
    np.testing.assert_allclose(shuffled.lift(flat.xy[:50] + 0.01), flat.lift(flat.xy[:50] + 0.01))


def test_fewer_points_than_neighbours():
    tiny = LatentMap(np.eye(3, dtype=np.float32), np.zeros((3, 2)), 1.0)
    assert tiny.lift(np.zeros((1, 2))).shape == (1, 3)


def test_file_round_trip_without_pickle(flat, tmp_path):
    path = tmp_path / "map.npz"
    flat.save(path)
    again = LatentMap.load(path)
    np.testing.assert_array_equal(again.latents, flat.latents)
    np.testing.assert_array_equal(again.xy, flat.xy)
    assert (again.trustworthiness, again.k, again.seed) == (0.9, 8, 5)
    assert again.versions == {"u": "1"}
    with np.load(path, allow_pickle=False) as data:
        assert {name: data[name].dtype.hasobject for name in data} == {
            "latents": False, "xy": False, "meta": False,
        }  # fmt: skip
        assert json.loads(str(data["meta"]))["versions"] == {"u": "1"}
    assert zipfile.is_zipfile(path)


def test_same_map_same_bytes(flat, tmp_path):
    flat.save(tmp_path / "a.npz")
    flat.save(str(tmp_path / "b.npz"))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_pickled_files_are_refused(tmp_path):
    evil = np.array([{"a": 1}], dtype=object)
    np.savez(tmp_path / "x.npz", latents=evil, xy=evil, meta=evil)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        LatentMap.load(tmp_path / "x.npz")


def test_errors(flat, tmp_path):
    with pytest.raises(ValueError, match=r"legal are names that end in \.npz"):
        flat.save(tmp_path / "map.pkl")
    with pytest.raises(ValueError, match="xy: got 2 rows; legal are 3"):
        LatentMap(np.zeros((3, 4)), np.zeros((2, 2)), 1.0)
    with pytest.raises(ValueError, match="k: got 0"):
        LatentMap(np.zeros((3, 4)), np.zeros((3, 2)), 1.0, k=0)
    with pytest.raises(ValueError, match=r"x: got shape \(3, 5\)"):
        flat.place(np.zeros((3, 5)))
    np.savez(tmp_path / "half.npz", xy=flat.xy)
    with pytest.raises(ValueError, match=r"lacks \['latents', 'meta'\]"):
        LatentMap.load(tmp_path / "half.npz")
    with pytest.raises(ValueError, match="n_neighbors: got 15; legal are whole numbers from 2 to"):
        LatentMap.fit(np.zeros((10, 3)))


def by_ranks(latents, xy, k):
    """Venna and Kaski's measure from full rank matrices."""
    n = len(latents)
    ranks = []
    for points in (latents, xy):
        distances = np.linalg.norm(points[:, None] - points[None], axis=2)
        np.fill_diagonal(distances, -1)
        ranks.append(np.argsort(np.argsort(distances, axis=1, kind="stable"), axis=1))
    latent_rank, map_rank = ranks
    wrong = (map_rank >= 1) & (map_rank <= k) & (latent_rank > k)
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * (latent_rank[wrong] - k).sum()


@pytest.mark.parametrize("k", [1, 5, 15])
def test_trustworthiness_is_the_formula(k):
    rng = np.random.default_rng(9)
    latents = rng.standard_normal((120, 5))
    xy = latents[:, :2] + 0.3 * rng.standard_normal((120, 2))
    assert trustworthiness(latents, xy, k=k) == pytest.approx(by_ranks(latents, xy, k), abs=1e-6)


def test_trustworthiness_knows_good_from_bad(flat):
    assert trustworthiness(flat.latents, flat.xy, sample=500) > 0.999
    noise = np.random.default_rng(10).standard_normal(flat.xy.shape)
    assert trustworthiness(flat.latents, noise, sample=500) < 0.6
    same = [trustworthiness(flat.latents, noise, sample=300, seed=3) for _ in range(2)]
    assert same[0] == same[1]
    with pytest.raises(ValueError, match="k: got 150; legal are whole numbers from 1 to 149"):
        trustworthiness(flat.latents, noise, k=150, sample=300)


@pytest.mark.parametrize(
    ("module", "line", "call"),
    [
        ("umap", "pip install umap-learn", LatentMap.fit),
        ("sklearn.manifold", "pip install scikit-learn", lambda p: trustworthiness(p, p[:, :2])),
    ],
)
def test_missing_packages_name_the_pip_line(monkeypatch, module, line, call):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=line):
        call(np.random.default_rng(0).standard_normal((40, 3)))


@pytest.mark.slow
def test_fit_lays_clusters_apart():
    pytest.importorskip("umap")
    rng = np.random.default_rng(11)
    latents = np.concatenate([rng.standard_normal((100, 8)) + 12 * i for i in range(3)])
    fitted = LatentMap.fit(latents, seed=4)
    assert fitted.xy.shape == (300, 2) and fitted.xy.dtype == np.float32
    assert fitted.trustworthiness > 0.85
    assert {"umap-learn", "numba", "numpy"} <= set(fitted.versions)
    centres = fitted.xy.reshape(3, 100, 2).mean(axis=1)
    own = np.linalg.norm(fitted.xy[:, None] - centres, axis=2).argmin(axis=1)
    assert (own == np.repeat(range(3), 100)).mean() > 0.98
    np.testing.assert_array_equal(LatentMap.fit(latents, seed=4).xy, fitted.xy)
