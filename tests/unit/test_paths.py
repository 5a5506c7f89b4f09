"""Paths: formulas, exact ends, and geodesics that keep to the data."""

import numpy as np
import pytest

from genbat.latent.density import Manifold
from genbat.latent.graph import Graph
from genbat.latent.paths import (
    KINDS,
    choose_steps,
    distinct,
    even_steps,
    linear,
    make_path,
    slerp,
    smooth,
)


def rotation(d, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]


def swiss_roll(n, rng):
    t = 1.5 * np.pi * (1 + 2 * rng.random(n))
    return np.stack([t * np.cos(t), 20 * rng.random(n), t * np.sin(t)], axis=1)


def half_moons(n, rng):
    t, first = np.pi * rng.random(n), rng.random((n, 1)) < 0.5
    upper = np.stack([np.cos(t), np.sin(t)], axis=1)
    lower = np.stack([1 - np.cos(t), 0.5 - np.sin(t)], axis=1)
    return np.where(first, upper, lower) + 0.05 * rng.standard_normal((n, 2))


def clusters(n, rng):
    centres = 4 * rng.standard_normal((12, 64))
    return centres[rng.integers(12, size=n)] + 0.5 * rng.standard_normal((n, 64))


def folded_sheet(n, rng):
    """Four dimensions bent through sixty-four."""
    bend = rng.standard_normal((4, 64)) * 1.5
    return 2 * np.sin(rng.standard_normal((n, 4)) @ bend) + 0.1 * rng.standard_normal((n, 64))


SHAPES = (swiss_roll, half_moons, clusters, folded_sheet)


@pytest.fixture(scope="module")
def made():
    """Each shape's manifold."""
    return {f.__name__: Manifold(f(3_000, np.random.default_rng(1))) for f in SHAPES}


def pairs(manifold, count=12, seed=2):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield manifold.latents[rng.choice(len(manifold.latents), 2, replace=False)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [2, 3, 50, 200])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_what_every_path_is(made, kind, steps, dtype):
    manifold = made["folded_sheet"]
    a, b = np.random.default_rng(3).standard_normal((2, 64)).astype(dtype)
    path = make_path(a, b, steps, kind, manifold)
    assert path.points.shape == (steps, 64) and path.kind == kind
    assert path.points[0].astype(dtype).tobytes() == a.tobytes()
    assert path.points[-1].astype(dtype).tobytes() == b.tobytes()
    np.testing.assert_array_equal(path.remoteness, manifold.remoteness(path.points))
    gaps = np.diff(path.points.astype(np.float64), axis=0)
    assert path.length == pytest.approx(np.sqrt((gaps**2).sum(axis=1)).sum())
    again = make_path(a, b, steps, kind, manifold)
    np.testing.assert_array_equal(path.points, again.points)


def test_linear_is_even():
    a, b = np.random.default_rng(4).standard_normal((2, 9))
    points = linear(a, b, 7)
    np.testing.assert_allclose(points, [a + i / 6 * (b - a) for i in range(7)], atol=1e-14)


def test_slerp_is_shoemakes_formula():
    a, b = np.random.default_rng(5).standard_normal((2, 9))
    angle = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    for t, point in zip(np.linspace(0, 1, 11), slerp(a, b, 11), strict=True):
        mixed = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
        np.testing.assert_allclose(point, mixed, atol=1e-12)


@pytest.mark.parametrize("closeness", [2.0, 1e-3, 1e-5, 1e-9])
def test_slerp_keeps_the_norm_and_turns_evenly(closeness):
    rng = np.random.default_rng(6)
    a = rng.standard_normal(32)
    b = a + closeness * rng.standard_normal(32)
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    points = slerp(a, b, 25)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), np.linalg.norm(a), rtol=1e-9)
    turns = np.linalg.norm(np.diff(points, axis=0), axis=1)
    np.testing.assert_allclose(turns, turns.mean(), rtol=1e-4)


@pytest.mark.parametrize(("a", "b"), [(1.0, 3.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (1.0, 1.0)])
def test_slerp_is_straight_where_there_is_no_angle(a, b):
    ends = np.ones(5) * a, np.ones(5) * b
    np.testing.assert_allclose(slerp(*ends, 6), linear(*ends, 6), atol=1e-14)


def test_slerp_between_opposite_ends_draws_a_plane():
    a = np.random.default_rng(7).standard_normal(12)
    one, same, other = (slerp(a, -2 * a, 21, seed=s) for s in (0, 0, 1))
    norm = np.linalg.norm(a)
    np.testing.assert_allclose(np.linalg.norm(one, axis=1), np.linspace(norm, 2 * norm, 21))
    np.testing.assert_allclose(one[[0, -1]], [a, -2 * a], atol=1e-12)
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.1
    assert np.isfinite(slerp(np.ones(1), -np.ones(1), 5)).all()


@pytest.mark.parametrize("shape", [f.__name__ for f in SHAPES])
def test_geodesic_keeps_nearer_to_the_data_than_the_line(made, shape):
    manifold = made[shape]
    for a, b in pairs(manifold):
        curved, straight = (
            make_path(a, b, 40, kind, manifold).remoteness for kind in ("geodesic", "linear")
        )
        assert curved.mean() < straight.mean()


def test_geodesic_between_points_off_the_data(made):
    rng = np.random.default_rng(8)
    for name, manifold in made.items():
        spread = 0.3 * manifold.latents.std(axis=0)
        for a, b in pairs(manifold, 6):
            ends = [end + spread * rng.standard_normal(len(end)) for end in (a, b)]
            curved, straight = (
                make_path(*ends, 40, kind, manifold).remoteness for kind in ("geodesic", "linear")
            )
            assert curved.mean() < straight.mean(), name


def test_geodesic_walks_round_the_roll(made):
    manifold = made["swiss_roll"]
    angle = np.hypot(manifold.latents[:, 0], manifold.latents[:, 2])  # the roll's own coordinate
    a, b = manifold.latents[[angle.argmin(), angle.argmax()]]
    path = make_path(a, b, 120, "geodesic", manifold)
    along = np.hypot(path.points[:, 0], path.points[:, 2])
    assert (np.diff(along) > -0.5).all()  # winds outwards, never back through the gap
    assert path.length > 4 * np.linalg.norm(b - a)
    gaps = np.linalg.norm(path.points[:, None] - manifold.latents[None], axis=2).min(axis=1)
    assert gaps.max() < 1.0  # sheets lie 6 apart


def test_geodesic_follows_one_moon(made):
    manifold = made["half_moons"]
    path = make_path(np.array([-1.0, 0.0]), np.array([0.95, 0.1]), 60, "geodesic", manifold)
    np.testing.assert_allclose(np.linalg.norm(path.points, axis=1), 1, atol=0.16)
    assert path.points[:, 1].max() > 0.85


def test_geodesic_steps_are_even(made):
    manifold = made["swiss_roll"]
    path = make_path(*manifold.latents[[0, 1]], 200, "geodesic", manifold)
    gaps = np.linalg.norm(np.diff(path.points, axis=0), axis=1)
    assert np.median(gaps) == pytest.approx(gaps.max(), rel=0.02)  # corners cut a little
    assert gaps.min() > 0.6 * gaps.max()


def test_rotation_translation_and_order_change_nothing(made):
    for name, manifold in made.items():
        data, width = manifold.latents, manifold.latents.shape[1]
        turn = rotation(width, 9)
        turned = Manifold(data @ turn + 5)
        shuffled = Manifold(np.random.default_rng(10).permutation(data))
        for a, b in pairs(manifold, 3):
            plain = make_path(a, b, 30, "geodesic", manifold).points
            moved = make_path(a @ turn + 5, b @ turn + 5, 30, "geodesic", turned).points
            np.testing.assert_allclose(moved, plain @ turn + 5, atol=1e-8, err_msg=name)
            other = make_path(a, b, 30, "geodesic", shuffled).points
            np.testing.assert_allclose(other, plain, atol=1e-8, err_msg=name)


def test_there_and_back_are_one_path(made):
    manifold = made["clusters"]
    for a, b in pairs(manifold, 4):
        there, back = (make_path(*e, 25, "geodesic", manifold).points for e in ((a, b), (b, a)))
        np.testing.assert_allclose(there, back[::-1], atol=1e-8)


def test_ends_that_are_one_point(made):
    point = made["clusters"].latents[3]
    for kind in KINDS:
        path = make_path(point, point, 5, kind, made["clusters"])
        np.testing.assert_allclose(path.points, np.tile(point, (5, 1)), atol=1e-12)
        assert path.length == pytest.approx(0, abs=1e-9)


def test_graph_is_built_once(made, monkeypatch):
    manifold = made["clusters"]
    first = manifold.graph
    monkeypatch.setattr(Graph, "build", None)
    assert manifold.graph is first


def test_smooth_is_the_binomial_mean():
    corners = np.random.default_rng(18).standard_normal((6, 3))
    once = smooth(corners, 1)
    np.testing.assert_allclose(once[2], (corners[1] + 2 * corners[2] + corners[3]) / 4)
    np.testing.assert_array_equal(once[[0, -1]], corners[[0, -1]])
    np.testing.assert_array_equal(smooth(corners, 0), corners)
    np.testing.assert_allclose(smooth(corners, 2), smooth(once, 1))


def test_distinct_drops_repetitions():
    corners = np.array([[0.0, 0], [1e-9, 0], [1, 0], [1, 1e-9], [2, 0], [2, 1e-9]])
    np.testing.assert_array_equal(distinct(corners), corners[[0, 2, 5]])
    np.testing.assert_array_equal(distinct(corners[[0, 0]]), corners[[0, 0]])


def test_even_steps_measure_along_the_line():
    corners = np.array([[0.0, 0], [3, 0], [3, 0], [3, 1]])
    expected = [[0, 0], [1, 0], [2, 0], [3, 0], [3, 1]]
    np.testing.assert_allclose(even_steps(corners, 5), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "curved"}, "kind: got 'curved'; legal are linear, slerp, geodesic"),
        ({"steps": 1}, "steps: got 1; legal are whole numbers from 2 to 200"),
        ({"steps": 201}, "steps: got 201"),
        ({"steps": 2.5}, "steps: got 2.5"),
        ({"a": np.zeros(3)}, r"a: got shape \(3,\); legal is \(64,\)"),
        ({"b": np.zeros((1, 64))}, r"b: got shape \(1, 64\)"),
        ({"b": np.full(64, np.nan)}, "b: got NaN"),
    ],
)
def test_errors_say_what_is_legal(made, change, said):
    asked = {"a": np.zeros(64), "b": np.ones(64), "steps": 5, "kind": "linear", **change}
    with pytest.raises(ValueError, match=said):
        make_path(**asked, manifold=made["clusters"])


@pytest.mark.parametrize(
    ("names", "steps", "rows"),
    [
        ("aabccdd", 4, [0, 2, 4, 6]),  # every object once
        ("aabbbbb", 2, [0, 6]),
        ("aaaaaab", 4, [0, 2, 4, 6]),  # nothing between: even gaps
        ("abcdefghi", 5, [0, 2, 4, 6, 8]),  # more objects than steps
        ("a--b--c", 3, [0, 3, 6]),
        ("a-----c", 3, [0, 3, 6]),  # nothing valid is left
        ("abba", 3, [0, 2, 3]),
        ("acbbacccb", 3, [0, 6, 8]),  # the longest stretch stands for an object
    ],
)
def test_steps_stand_where_the_object_changes(names, steps, rows):
    assert choose_steps([None if n == "-" else n for n in names], steps) == rows


@pytest.mark.parametrize("seed", range(20))
def test_chosen_steps_lose_no_object_without_need(seed):
    rng = np.random.default_rng(seed)
    names = [None if rng.random() < 0.2 else str(k) for k in np.sort(rng.integers(9, size=60))]
    names[0], names[-1] = "first", "last"
    steps = int(rng.integers(2, 20))
    rows = choose_steps(names, steps)
    assert rows == sorted(set(rows))
    assert (rows[0], rows[-1], len(rows)) == (0, 59, steps)
    there = set(names) - {None}
    assert len({names[k] for k in rows}) == min(steps, len(there))
    assert all(names[k] for k in rows)


def test_a_path_stands_at_some_of_its_points():
    path = make_path(np.zeros(2), np.ones(2), 5, "linear", Manifold(np.eye(2)))
    some = path.at([0, 3, 4])
    assert some.along.tolist() == [0, 0.75, 1]
    assert some.points[1].tolist() == [0.75, 0.75]
    assert some.length == path.length
