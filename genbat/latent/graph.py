"""The data's neighbourhood graph, on which a shortest path stays where the data are dense.

An edge weighs its length to the power p > 1, so that many short steps beat one long leap:
the power-weighted shortest path or Fermat distance (Bijral, Ratliff and Srebro 2011;
Hwang, Damelin and Hero 2016). For p > 1 few near neighbours make the same paths as the complete
graph (McKenzie and Damelin 2019).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra, minimum_spanning_tree

from genbat.latent.neighbours import Neighbours, blocks

LIMIT, LANDMARKS = 26_000, 20_000  # above LIMIT points the graph is built on LANDMARKS of them
NEAR = 8  # neighbours of each node
POWER = 3.0


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes (their positions with an index) and weighted edges (from, to: (e,), weight (e,))."""

    nodes: Neighbours
    edges: tuple[np.ndarray, np.ndarray]
    weights: np.ndarray

    @classmethod
    def build(cls, points: np.ndarray, *, seed: int = 0) -> Graph:
        """Graph of the points (n, d), n >= 2; connected, whatever the data."""
        if len(points) > LIMIT:
            points = points[sample_rows(points, LANDMARKS, seed)]
        nodes, near = Neighbours(points), min(NEAR, len(points) - 1)
        lengths, columns = nodes.others(np.arange(len(points)), near)
        rows = np.repeat(np.arange(len(points)), near)
        links = component_links(points, rows, columns.ravel())
        gaps = points[links[0]].astype(np.float64) - points[links[1]]
        lengths = np.concatenate([lengths.ravel(), np.linalg.norm(gaps, axis=1)])
        edges = (np.append(rows, links[0]), np.append(columns.ravel(), links[1]))
        return cls(nodes, edges, lengths**POWER)

    def route(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Nodes of the shortest path (v, d), v >= 0, between two points of space (d,).

        Both are joined to their nearest nodes, and to each other where they are as near.
        """
        ends, n = np.stack([a, b]).astype(np.float64), len(self.nodes.points)
        lengths, near = self.nodes.query(ends, min(NEAR, n))
        rows, columns = np.repeat([n, n + 1], near.shape[1]), near.ravel()
        gap = np.linalg.norm(ends[1] - ends[0])
        if gap <= lengths.max():
            rows, columns, lengths = (
                np.append(rows, n),
                np.append(columns, n + 1),
                np.append(lengths, gap),
            )
        weights = np.append(self.weights, lengths.ravel() ** POWER)
        pairs = (np.append(self.edges[0], rows), np.append(self.edges[1], columns))
        graph = coo_array((weights, pairs), shape=(n + 2, n + 2)).tocsr()
        _, before = dijkstra(graph, directed=False, indices=n, return_predecessors=True)
        path, node = [], before[n + 1]
        while node != n:
            path.append(node)
            node = before[node]
        return self.nodes.points[np.array(path[::-1], dtype=int)].astype(np.float64)


def sample_rows(points: np.ndarray, size: int, seed: int) -> np.ndarray:
    """At most `size` row numbers of the points (n, d), drawn by what the rows hold.

    Each row is hashed (FNV-1a over its float32 words, started by the seed) and the smallest
    hashes are taken, so that the same points are drawn in whatever order the data come.
    """
    if len(points) <= size:
        return np.arange(len(points))
    code = np.full(len(points), 0xCBF29CE484222325 ^ (seed & 0xFFFFFFFF), np.uint64)
    for column in points.T:
        words = np.ascontiguousarray(column, np.float32).view(np.uint32)
        code = (code ^ words) * np.uint64(0x100000001B3)
    code ^= code >> np.uint64(32)
    return np.sort(np.argsort(code * np.uint64(0x9E3779B97F4A7C15), kind="stable")[:size])


def component_links(
    points: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Edges that join a graph's components: the minimum spanning tree of their closest pairs.

    Parameters
    ----------
    points : (n, d).
    rows, columns : ends (e,) of the graph's edges.

    Returns
    -------
    Two index arrays (components - 1,).
    """
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(points),) * 2)
    count, labels = connected_components(graph, directed=False)
    sizes = np.bincount(labels)
    rank = np.argsort(np.argsort(sizes, kind="stable"))[labels]  # the largest comes last
    order = np.argsort(rank, kind="stable")
    starts = np.append(0, np.cumsum(np.sort(sizes)))
    centred = points[order] - points.mean(axis=0, dtype=np.float64)
    parts = np.split(centred.astype(np.float32), starts[1:-1])
    tree = minimum_spanning_tree(_component_gaps(parts, starts)).tocoo()
    links = np.zeros((2, count - 1), int)
    for link, (i, j) in enumerate(zip(*tree.coords, strict=True)):
        links[:, link] = order[starts[[i, j]] + _closest(parts[i], parts[j])]
    return links[0], links[1]


def _component_gaps(parts: list[np.ndarray], starts: np.ndarray) -> np.ndarray:
    """Squared distances (c, c) between the closest points of components; 0 on the diagonal."""
    points, count = np.concatenate(parts), len(parts)
    labels = np.repeat(np.arange(count), np.diff(starts))
    gaps = np.full((count, count), np.inf)
    for part in blocks(starts[-2], len(points)):  # by symmetry, only components that follow
        own, first = np.unique(labels[part], return_index=True)
        later = starts[own[0] : -1]
        best = np.minimum.reduceat(
            _squares(points[part], points[later[0] :]), later - later[0], axis=1
        )
        best = np.minimum.reduceat(best, first, axis=0)
        gaps[own, own[0] :] = np.minimum(gaps[own, own[0] :], best)
    gaps = np.maximum(np.minimum(gaps, gaps.T), np.finfo(np.float32).tiny)
    np.fill_diagonal(gaps, 0)
    return gaps


def _closest(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Row numbers (2,) of the closest pair of p (m, d) and q (n, d)."""
    best, pair = np.inf, (0, 0)
    for part in blocks(len(p), len(q)):
        squares = _squares(p[part], q)
        row, column = divmod(int(squares.argmin()), len(q))
        if squares[row, column] < best:
            best, pair = squares[row, column], (part.start + row, column)
    return np.array(pair)


def _squares(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Squared distances (m, n) of p (m, d) and q (n, d)."""
    left = np.column_stack([-2 * p, (p * p).sum(axis=1), np.ones(len(p), p.dtype)])
    right = np.column_stack([q, np.ones(len(q), q.dtype), (q * q).sum(axis=1)])
    return left @ right.T
