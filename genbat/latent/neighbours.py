"""Exact k nearest neighbours: blocked float32 products sieve, float64 differences decide.

With data points p and a query x, |p|^2 - 2 x.p orders the data as the distance |p - x| does,
and BLAS computes it for whole blocks. Rounding leaves it within a known bound, so every
point that might be among the k nearest passes the sieve; the few that pass are measured
exactly. Equal distances are ordered by index.
"""

from __future__ import annotations

import numpy as np

_CELLS = 1 << 23  # float32 values of one block: 32 MB
_UNIT = 2.0**-24  # unit roundoff of float32


def as_points(name: str, value: object, width: int | None = None) -> np.ndarray:
    """A user's array as finite floats (n, d), n >= 1; ValueError says what is wrong.

    Parameters
    ----------
    name : the argument's name, for the message.
    width : the number of columns asked for; None takes any from 1.
    """
    points = np.asarray(value)
    if points.dtype.kind != "f":
        points = points.astype(np.float64)
    if points.ndim != 2 or not points.size or (width and points.shape[1] != width):
        legal = f"(n, {width or 'd'}) with n >= 1"
        raise ValueError(f"{name}: got shape {points.shape}; legal is {legal}")
    if not np.isfinite(points).all():
        raise ValueError(f"{name}: got NaN or infinity; legal are finite numbers")
    return points


def as_count(name: str, value: int, low: int, high: int) -> int:
    """A whole number in low..high; ValueError names argument, value and legal set."""
    if isinstance(value, bool) or value != int(value) or not low <= value <= high:
        raise ValueError(f"{name}: got {value!r}; legal are whole numbers from {low} to {high}")
    return int(value)


class Neighbours:
    """Exact nearest neighbours among fixed points.

    Parameters
    ----------
    points : (n, d), any float type; kept as it is, beside one float32 copy.

    Examples
    --------
    >>> Neighbours(np.array([[0.0, 0.0], [3.0, 4.0]])).query(np.array([[3.0, 0.0]]), k=2)
    (array([[3., 4.]]), array([[0, 1]]))
    """

    def __init__(self, points: np.ndarray) -> None:
        self.points = as_points("points", points)
        n, d = self.points.shape
        self._centre = self.points.mean(axis=0, dtype=np.float64)
        spread = max(float(np.abs(self.points[part] - self._centre).max()) for part in blocks(n, d))
        self._scale = 2.0 ** np.ceil(np.log2(spread)) if spread > 0 else 1.0
        self._table = np.empty((n, d + 1), np.float32)  # columns: p, then |p|^2
        for part in blocks(n, d):
            self._table[part, :d] = (self.points[part] - self._centre) / self._scale
        self._table[:, d] = np.einsum("ij,ij->i", self._table[:, :d], self._table[:, :d])
        self._radius = float(np.sqrt(self._table[:, d].max()))

    def query(self, x: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest points of each query, nearest first.

        Parameters
        ----------
        x : queries (m, d).
        k : 1 to n.

        Returns
        -------
        distances (m, k) float64 and indices (m, k) int64.
        """
        n, d = self.points.shape
        x = as_points("x", x, d)
        k = as_count("k", k, 1, n)
        distances, indices = np.empty((len(x), k)), np.empty((len(x), k), np.int64)
        for part in blocks(len(x), n):
            distances[part], indices[part] = self._block(x[part].astype(np.float64), k)
        return distances, indices

    def others(self, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """As `query` at the data's own points `rows` (m,), each without itself; k < n."""
        k = as_count("k", k, 1, len(self.points) - 1)
        distances, indices = self.query(self.points[rows], k + 1)
        itself = indices == np.asarray(rows)[:, None]
        itself[~itself.any(axis=1), k] = True  # crowded out by copies of itself
        kept = ~itself
        return distances[kept].reshape(-1, k), indices[kept].reshape(-1, k)

    def _block(self, x: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """`query` for as many rows as one block holds."""
        rows, columns = np.divmod(np.flatnonzero(self._sieve(x, k)), len(self.points))
        squares = self._squares(x, rows, columns)
        order = np.lexsort((columns, squares, rows))
        first = np.searchsorted(rows, np.arange(len(x)))
        nearest = order[first[:, None] + np.arange(k)]
        return np.sqrt(squares[nearest]), columns[nearest]

    def _sieve(self, x: np.ndarray, k: int) -> np.ndarray:
        """Boolean (m, n) that holds at least at the k nearest points of each x (m, d).

        An inner product of d terms errs by at most about d unit roundoffs of the product
        of the norms (Higham 2002, Sec. 3.1); the few more cover the rounded inputs.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            x = (x - self._centre) / self._scale
            lifted = np.hstack([-2 * x, np.ones((len(x), 1))]).astype(np.float32)
            nearness = lifted @ self._table.T  # (m, n): |p|^2 - 2 x.p
            norm = np.linalg.norm(x, axis=1)
            error = (x.shape[1] + 8) * _UNIT * self._radius * (self._radius + 2 * norm)
            bound = _upper_bound(nearness, k) + 2 * error
            return ~(nearness > bound[:, None].astype(np.float32))

    def _squares(self, x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Squared distances of the pairs x[rows], points[columns] in float64."""
        squares = np.empty(len(rows))
        for part in blocks(len(rows), 2 * x.shape[1]):
            gap = self.points[columns[part]] - x[rows[part]]
            squares[part] = np.einsum("ij,ij->i", gap, gap)
        return squares


def blocks(n: int, width: int) -> list[slice]:
    """0..n cut into slices, each of as many rows of `width` values as fit one block."""
    rows = max(1, _CELLS // width)
    return [slice(start, min(start + rows, n)) for start in range(0, n, rows)]


def _upper_bound(values: np.ndarray, k: int) -> np.ndarray:
    """For each row of (m, n) a value with at least k entries at or below it.

    The k-th smallest of the minima of disjoint groups: close to the k-th smallest of all,
    and several times quicker to find.
    """
    m, n = values.shape
    width = max(16 * k, n // 64)
    if n < 2 * width:
        return np.partition(values, k - 1, axis=1)[:, k - 1]
    groups = n // width
    minima = values[:, : groups * width].reshape(m, groups, width).min(axis=1)
    return np.partition(minima, k - 1, axis=1)[:, k - 1]
