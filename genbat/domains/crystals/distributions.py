"""How unlike two sets of crystals are, by the distances that LeMat-GenBench takes (arXiv
2512.04562): of labels, of a number, of many numbers; and how unlike a set's own members are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from genbat.domains.crystals.chgnet_graph import Floats


def label_distance(one: Sequence[Hashable], two: Sequence[Hashable]) -> float:
    """Jensen-Shannon distance of two sets of labels, base 2: 0 for equal shares, 1 where no label
    is in both (Endres and Schindelin, IEEE Trans. Inf. Theory 2003, 49, 1858); NaN for none."""
    if not one or not two:
        return float("nan")
    counts = [Counter(labels) for labels in (one, two)]
    names = sorted({*one, *two}, key=repr)
    p, q = (np.array([c[name] for name in names]) / c.total() for c in counts)
    middle = (p + q) / 2
    divergence = (_entropy_against(p, middle) + _entropy_against(q, middle)) / 2
    return float(np.sqrt(max(0.0, divergence)))


def _entropy_against(p: Floats, q: Floats) -> float:
    """Kullback-Leibler divergence in bits."""
    some = p > 0
    return float((p[some] * np.log2(p[some] / q[some])).sum())


def mean_discrepancy(one: Sequence[float], two: Sequence[float]) -> float:
    """Maximum mean discrepancy of two sets of numbers (Gretton et al., JMLR 2012, 13, 723, Eq. 5)
    under a normal kernel as wide as the median distance within the second; NaN for none."""
    x, y = np.asarray(one, float), np.asarray(two, float)
    if not len(x) or not len(y):
        return float("nan")
    apart = np.abs(y[:, None] - y)
    width = float(np.median(apart[apart > 0])) if (apart > 0).any() else 1.0
    inner = _kernel(x, x, width) + _kernel(y, y, width) - 2 * _kernel(x, y, width)
    return float(np.sqrt(max(0.0, inner)))


def _kernel(x: Floats, y: Floats, width: float) -> float:
    """Mean of the normal kernel over all pairs."""
    return float(np.exp(-(((x[:, None] - y) / width) ** 2) / 2).mean())


def frechet_distance(one: Floats, two: Floats) -> float:
    """Squared Fréchet distance of the normal distributions of two sets of features (n, d) (Heusel
    et al., arXiv 1706.08500, Eq. 6); NaN for fewer than two of either."""
    if min(len(one), len(two)) < 2:
        return float("nan")
    away = one.mean(0) - two.mean(0)
    a, b = (np.cov(part, rowvar=False).reshape(part.shape[1], -1) for part in (one, two))
    # tr (a b)^(1/2) is the sum of the roots of the eigenvalues of a^(1/2) b a^(1/2).
    values, vectors = np.linalg.eigh(a)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    shared = np.sqrt(np.linalg.eigvalsh(root @ b @ root).clip(0)).sum()
    return float(max(0.0, away @ away + np.trace(a) + np.trace(b) - 2 * shared))


def mean_distance(features: Floats) -> float:
    """Mean Euclidean distance of two different rows (n, d); NaN for fewer than two."""
    n = len(features)
    if n < 2:
        return float("nan")
    squares = (features.astype(float) ** 2).sum(1)
    between = squares[:, None] + squares - 2 * features.astype(float) @ features.T.astype(float)
    np.fill_diagonal(between, 0.0)
    return float(np.sqrt(between.clip(0)).sum() / (n * (n - 1)))


def effective_number(labels: Sequence[Hashable]) -> float:
    """How many labels there would be if all were as frequent: the exponential of their Shannon
    entropy (Hill, Ecology 1973, 54, 427); 0 for none."""
    counts = np.array(list(Counter(labels).values()), float)
    shares = counts / max(counts.sum(), 1.0)
    return float(np.exp(-(shares * np.log(shares)).sum())) if len(counts) else 0.0
