"""The neighbourhood graph: shortest routes, links between components, landmarks."""

import itertools

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from genbat.latent import graph as graphs
from genbat.latent.density import Manifold
from genbat.latent.graph import Graph, component_links
from genbat.latent.paths import geodesic, make_path


def all_routes(points, near, power):
    """Floyd and Warshall over the kNN graph, from all distances."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    order = np.argsort(distances + np.diag(np.full(len(points), -1.0)), axis=1)[:, 1 : near + 1]
    costs = np.full(distances.shape, np.inf)
    for i, row in enumerate(order):
        costs[i, row] = costs[row, i] = distances[i, row] ** power
    np.fill_diagonal(costs, 0)
    for i in range(len(points)):
        costs = np.minimum(costs, costs[:, i : i + 1] + costs[i : i + 1])
    return costs


def test_route_costs_what_floyd_and_warshall_say():
    points = np.random.default_rng(11).standard_normal((150, 3))
    costs, graph = all_routes(points, graphs.NEAR, graphs.POWER), Graph.build(points)
    for i, j in [(0, 1), (5, 80), (149, 33)]:
        corners = np.vstack([points[i], graph.route(points[i], points[j]), points[j]])
        steps = np.linalg.norm(np.diff(corners, axis=0), axis=1)
        assert (steps**graphs.POWER).sum() == pytest.approx(costs[i, j])


def test_route_prefers_the_dense_way_round():
    """Two arcs of one length from (-1, 0) to (1, 0): many points above, few below."""
    upper, lower = np.linspace(0, np.pi, 200), np.linspace(np.pi, 2 * np.pi, 25)
    angle = np.concatenate([upper, lower])
    manifold = Manifold(np.stack([np.cos(angle), np.sin(angle)], axis=1), k=2)
    path = make_path(np.array([-1.0, 0]), np.array([1.0, 0]), 30, "geodesic", manifold)
    assert path.points[1:-1, 1].min() > 0


@pytest.mark.parametrize("cells", [1 << 23, 100])
@pytest.mark.parametrize("seed", range(6))
def test_links_are_the_minimum_spanning_tree(monkeypatch, cells, seed):
    monkeypatch.setattr("genbat.latent.neighbours._CELLS", cells)
    rng = np.random.default_rng(seed)
    sizes = [1, 2, 5, 30, 9]
    labels = np.repeat(range(5), sizes)
    points = 4 * rng.standard_normal((5, 3))[labels] + 1.5 * rng.standard_normal((47, 3))
    order = rng.permutation(47)
    points, labels = points[order], labels[order]
    rows, columns = np.nonzero(labels[:, None] == labels[None])
    left, right = component_links(points, rows, columns)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    gaps = {
        (i, j): distances[np.ix_(labels == i, labels == j)].min()
        for i, j in itertools.combinations(range(5), 2)
    }
    best = min(  # over all sets of four links that join five components
        sum(gaps[link] for link in links)
        for links in itertools.combinations(gaps, 4)
        if joins(links, 5)
    )
    assert distances[left, right].sum() == pytest.approx(best)


def joins(links, count):
    rows, columns = np.array(links).T
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(count, count))
    return connected_components(graph, directed=False)[0] == 1


@pytest.mark.parametrize("groups", [1, 2, 40])
@pytest.mark.parametrize("cells", [1 << 23, 2_000])
def test_graph_is_always_connected(monkeypatch, groups, cells):
    monkeypatch.setattr("genbat.latent.neighbours._CELLS", cells)
    rng = np.random.default_rng(13)
    points = np.repeat(100 * rng.standard_normal((groups, 4)), 11, axis=0)
    points += rng.standard_normal(points.shape)
    graph = Graph.build(points)
    assert joins(np.transpose(graph.edges), len(points))
    path = geodesic(points[0], points[-1], 20, Manifold(points))
    assert np.isfinite(path).all()


def test_copies_do_not_break_the_graph():
    points = np.repeat(np.random.default_rng(14).standard_normal((6, 3)), 30, axis=0)
    path = make_path(points[0], points[-1], 9, "geodesic", Manifold(points))
    assert np.isfinite(path.points).all()
    assert path.length >= np.linalg.norm(points[-1] - points[0]) - 1e-9


@pytest.mark.parametrize("n", [2, 3, 9])
def test_few_points(n):
    points = np.random.default_rng(15).standard_normal((n, 4))
    path = make_path(points[0], points[1], 5, "geodesic", Manifold(points))
    assert np.isfinite(path.points).all()


def test_landmarks_stand_for_many(monkeypatch):
    monkeypatch.setattr(graphs, "LIMIT", 1_000)
    monkeypatch.setattr(graphs, "LANDMARKS", 800)
    rng = np.random.default_rng(16)
    angle, radius = np.pi * rng.random(3_000), 1 + 0.05 * rng.standard_normal(3_000)
    data = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    manifold = Manifold(data)
    assert len(manifold.graph.nodes.points) == 800
    a, b = np.array([-1.0, 0.0]), np.array([0.95, 0.1])
    points = make_path(a, b, 40, "geodesic", manifold).points
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=0.2)
    shuffled = Manifold(np.random.default_rng(17).permutation(data))
    again = make_path(a, b, 40, "geodesic", shuffled).points
    np.testing.assert_allclose(again, points, atol=1e-8)
