"""Walks between two latent points: a straight line, an arc, and one that follows the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from genbat.latent.density import Manifold
from genbat.latent.neighbours import as_count, as_points

KINDS = ("linear", "slerp", "geodesic")
_PARALLEL = 1e-6  # sine of the angle below which two directions are one
_SAME = 1e-6  # share of a path's length below which two corners are one
_SMOOTHINGS = (0, 1, 2, 4)  # rounds tried on a geodesic


@dataclass(frozen=True, eq=False)
class Path:
    """A walk from a to b.

    Attributes
    ----------
    points : (k, d); the first is a and the last is b, bit for bit.
    kind : "linear", "slerp" or "geodesic".
    remoteness : (k,), see `Manifold.remoteness`.
    along : (k,) share of the way done, 0 to 1.
    length : sum of the distances between successive points.
    """

    points: np.ndarray
    kind: str
    remoteness: np.ndarray
    along: np.ndarray
    length: float

    def at(self, rows: Sequence[int]) -> Path:
        """The same way, standing at some of its points only."""
        k = np.asarray(rows, int)
        return Path(self.points[k], self.kind, self.remoteness[k], self.along[k], self.length)


def make_path(
    a: np.ndarray, b: np.ndarray, steps: int, kind: str, manifold: Manifold, *, seed: int = 0
) -> Path:
    """The path of `steps` points from a (d,) to b (d,), both included.

    Parameters
    ----------
    steps : 2 to 200.
    kind : "linear" in even steps; "slerp" turning evenly; "geodesic" along the data.
    seed : draws the plane of an arc between opposite directions; nothing else is random.

    Examples
    --------
    >>> manifold = Manifold(np.eye(3))
    >>> make_path(np.zeros(3), np.ones(3), 3, "linear", manifold).points[1].tolist()
    [0.5, 0.5, 0.5]
    """
    if kind not in KINDS:
        raise ValueError(f"kind: got {kind!r}; legal are {', '.join(KINDS)}")
    steps = as_count("steps", steps, 2, 200)
    a, b = (_end(name, end, manifold.latents.shape[1]) for name, end in (("a", a), ("b", b)))
    start, stop = a.astype(np.float64), b.astype(np.float64)
    if kind == "linear":
        points = linear(start, stop, steps)
    elif kind == "slerp":
        points = slerp(start, stop, steps, seed=seed)
    else:
        points = geodesic(start, stop, steps, manifold)
    points = points.astype(np.result_type(a, b, np.float32))
    points[0], points[-1] = a, b
    length = np.linalg.norm(np.diff(points.astype(np.float64), axis=0), axis=1).sum()
    along = np.linspace(0, 1, steps)
    return Path(points, kind, manifold.remoteness(points), along, float(length))


def choose_steps(names: Sequence[str | None], steps: int) -> list[int]:
    """Where to stand on a finely decoded path so that the walk shows what there is to see.

    Every object of the way gets one step, in the middle of its longest stretch; if there are
    more objects than steps, evenly many are left out; steps to spare go where the gap is
    longest. Points where nothing valid was decoded are taken only if no other is left.

    Parameters
    ----------
    names : what was decoded at each point, the ends included; None where it was not valid.
    steps : 2 to len(names).

    Returns
    -------
    Rows in rising order; the first is 0 and the last is len(names) - 1.

    Examples
    --------
    >>> choose_steps(["a", "a", "b", None, "c", "c", "c", "d", "d"], 5)
    [0, 2, 4, 5, 8]
    """
    last = len(names) - 1
    middles = _middles(names)
    if len(middles) > steps - 2:
        keep = np.linspace(-1, len(middles), steps)[1:-1].round().astype(int)
        middles = [middles[k] for k in keep]
    chosen = {0, last, *middles}
    for place in _between(sorted(chosen), steps - len(chosen)):
        free = [k for k in range(last) if k not in chosen]
        chosen.add(min(free, key=lambda k: (names[k] is None, abs(k - place))))
    return sorted(chosen)


def _between(rows: Sequence[int], count: int) -> list[float]:
    """`count` places that make the gaps between rows as even as can be."""
    gaps = np.diff(rows)
    shares = np.zeros(len(gaps), int)
    for _ in range(count):
        shares[np.argmax(gaps / (shares + 1))] += 1
    return [
        float(place)
        for start, gap, share in zip(rows, gaps, shares, strict=False)
        for place in start + gap * np.arange(1, share + 1) / (share + 1)
    ]


def _middles(names: Sequence[str | None]) -> list[int]:
    """Middle of the longest stretch of every object that is no end, in order."""
    longest: dict[str, tuple[int, int]] = {}
    begin = 0
    for name, group in groupby(names):
        size = len(list(group))
        if name not in (None, names[0], names[-1]) and size > longest.get(str(name), (0, 0))[0]:
            longest[str(name)] = (size, begin + size // 2)
        begin += size
    return sorted(middle for _, middle in longest.values())


def linear(a: np.ndarray, b: np.ndarray, steps: int) -> np.ndarray:
    """a + t (b - a) at even t: (steps, d)."""
    return a + np.linspace(0, 1, steps)[:, None] * (b - a)


def slerp(a: np.ndarray, b: np.ndarray, steps: int, *, seed: int = 0) -> np.ndarray:
    """Spherical interpolation (Shoemake 1985; for latent spaces White 2016, arXiv 1609.04468).

    sin((1-t) w)/sin(w) a + sin(t w)/sin(w) b with w the angle between a and b, found as
    2 atan2(|u - v|, |u + v|) of the unit vectors (Kahan 2006). A straight line where a or b is
    zero or both point one way. Opposite ends have no arc of their own: one plane is drawn, and
    the norm goes evenly from |a| to |b|.

    Returns
    -------
    (steps, d)
    """
    norms = np.linalg.norm(a), np.linalg.norm(b)
    if min(norms) == 0:
        return linear(a, b, steps)
    u, v = a / norms[0], b / norms[1]
    angle = 2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))
    t = np.linspace(0, 1, steps)[:, None]
    if np.sin(angle) > _PARALLEL:
        return (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    if angle < 1 or len(a) == 1:
        return linear(a, b, steps)
    across = np.random.default_rng(seed).standard_normal(len(a))
    across -= (across @ u) * u
    across /= np.linalg.norm(across)
    return (norms[0] + t * (norms[1] - norms[0])) * (
        np.cos(t * np.pi) * u + np.sin(t * np.pi) * across
    )


def geodesic(a: np.ndarray, b: np.ndarray, steps: int, manifold: Manifold) -> np.ndarray:
    """Shortest path through the data's graph, lightly smoothed, in even steps of arc length.

    The corners are rounded by averaging each with its neighbours; of a few amounts of that
    the one is kept whose points lie nearest to the data.

    Returns
    -------
    (steps, d)
    """
    corners = distinct(np.vstack([a, manifold.graph.route(a, b), b]))
    tries = [even_steps(smooth(corners, rounds), steps) for rounds in _SMOOTHINGS]
    remoteness = manifold.remoteness(np.vstack(tries)).reshape(len(tries), steps)
    return tries[int(np.argmin(remoteness.mean(axis=1)))]


def distinct(corners: np.ndarray) -> np.ndarray:
    """Corners (v, d) without inner ones that repeat the one before or the last.

    An end that is a data point would stand there twice, and count twice in the smoothing.
    """
    steps = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    ahead = np.linalg.norm(corners[1:-1] - corners[-1], axis=1)
    moved = np.minimum(steps[:-1], ahead) > _SAME * steps.sum()
    return corners[np.concatenate([[True], moved, [True]])]


def smooth(corners: np.ndarray, rounds: int) -> np.ndarray:
    """Inner corners replaced `rounds` times by (before + 2 own + after) / 4; ends stay (v, d)."""
    corners = corners.copy()
    for _ in range(rounds):
        corners[1:-1] = (corners[:-2] + 2 * corners[1:-1] + corners[2:]) / 4
    return corners


def even_steps(corners: np.ndarray, steps: int) -> np.ndarray:
    """Points at even arc length along the polyline of corners (v, d): (steps, d)."""
    along = np.append(0, np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1)))
    wanted = np.linspace(0, along[-1], steps)
    after = np.clip(np.searchsorted(along, wanted, side="left"), 1, len(corners) - 1)
    lengths = along[after] - along[after - 1]
    share = (wanted - along[after - 1]) / np.where(lengths > 0, lengths, 1)
    return corners[after - 1] + share[:, None] * (corners[after] - corners[after - 1])


def _end(name: str, value: np.ndarray, width: int) -> np.ndarray:
    """One end of a path as floats (d,)."""
    point = np.asarray(value)
    if point.shape != (width,):
        raise ValueError(f"{name}: got shape {point.shape}; legal is ({width},)")
    return as_points(name, point[None])[0]
