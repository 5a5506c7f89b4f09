"""Distances between sets of crystals: by other libraries, by hand, at their ends."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.spatial.distance import jensenshannon, pdist
from tiny_crystals import corpus

from genbat.domains.crystals.chgnet_batch import evaluator
from genbat.domains.crystals.codec import turned
from genbat.domains.crystals.distributions import (
    effective_number,
    frechet_distance,
    label_distance,
    mean_discrepancy,
    mean_distance,
)


def test_labels_as_scipy_has_it():
    one, two = [225, 225, 1, 2], [1, 1, 2, 12, 12, 12]
    shares = [[0.25, 0.25, 0, 0.5], [2 / 6, 1 / 6, 3 / 6, 0]]  # of 1, 2, 12, 225
    assert label_distance(one, two) == pytest.approx(jensenshannon(*shares, base=2))
    assert label_distance(one, two) == pytest.approx(label_distance(two, one))
    assert label_distance(one, one[::-1]) == 0
    assert label_distance([1], [2]) == 1
    assert np.isnan(label_distance([], one))


def test_mean_discrepancy_pair_by_pair():
    one, two = [1.0, 2.0], [2.0, 3.0, 5.0]
    width = np.median([1.0, 3.0, 2.0] * 2)

    def mean(x, y):
        return np.mean([np.exp(-((a - b) ** 2) / (2 * width**2)) for a in x for b in y])

    wanted = np.sqrt(mean(one, one) + mean(two, two) - 2 * mean(one, two))
    assert mean_discrepancy(one, two) == pytest.approx(wanted)
    assert mean_discrepancy(two, two) == pytest.approx(0, abs=1e-7)
    assert np.isnan(mean_discrepancy([], two))
    assert mean_discrepancy([1.0, 1.0], [1.0, 1.0]) == 0


def test_far_sets_discrepancy_is_greater():
    rng = np.random.default_rng(0)
    real = rng.normal(size=60)
    near, far = (mean_discrepancy(rng.normal(shift, 1, 60), real) for shift in (0.0, 2.0))
    assert near < 0.3 < far


def test_frechet_by_the_square_root_of_the_product():
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(50, 4)), rng.normal(1.0, 2.0, (40, 4)) @ rng.normal(size=(4, 4))
    a, b = np.cov(one.T), np.cov(two.T)
    away = ((one.mean(0) - two.mean(0)) ** 2).sum()
    wanted = away + np.trace(a + b - 2 * sqrtm(a @ b).real)
    assert frechet_distance(one, two) == pytest.approx(wanted, rel=1e-6)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-8)
    assert frechet_distance(one, one + 3.0) == pytest.approx(4 * 9.0)
    assert np.isnan(frechet_distance(one[:1], two))


def test_diversity():
    rows = np.random.default_rng(0).normal(size=(20, 3))
    assert mean_distance(rows) == pytest.approx(pdist(rows).mean())
    assert mean_distance(np.ones((5, 3))) == pytest.approx(0, abs=1e-6)
    assert np.isnan(mean_distance(rows[:1]))
    assert effective_number("aabb") == pytest.approx(2)
    assert effective_number("aaaa") == pytest.approx(1)
    assert 1 < effective_number("aaab") < 2
    assert effective_number([]) == 0


def test_embeddings_know_the_crystal_alone():
    cells = [cell for cell in corpus().cells if len(cell.numbers) <= 6][:3]
    found = evaluator().embeddings(cells)
    assert found.shape == (3, 64)
    again = evaluator().embeddings([turned(cell, 1) for cell in cells[::-1]])[::-1]
    np.testing.assert_allclose(again, found, atol=2e-3)
    apart = pdist(found)
    assert apart.min() > 10 * np.abs(again - found).max()


def test_energies_are_those_of_the_whole_evaluation():
    cells = [cell for cell in corpus().cells if len(cell.numbers) <= 6][:3]
    whole = [result.energy for result in evaluator()(cells)]
    np.testing.assert_allclose(evaluator().energies(cells), whole, atol=1e-4)
