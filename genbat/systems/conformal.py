"""Split conformal prediction for an ensemble of heads, with examples that come in families."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import minimize_scalar

FAMILY = 0.2


def family_weights(families: np.ndarray) -> np.ndarray:
    """Weight of each molecule (n,) by its family's number (n,); they sum to 1."""
    sizes = np.bincount(families)[families].astype(np.float64)
    weight = sizes**-FAMILY
    return weight / max(weight.sum(), 1e-300)


def fitted_floor(error: np.ndarray, variance: np.ndarray, weight: np.ndarray) -> float:
    """The floor that makes sqrt(variance + floor**2) tell best how large errors are.

    Largest likelihood of Laplace distributed errors whose width is that spread times a factor
    (which has a closed form); between a quarter of and thrice the median error.
    """
    usual = float(np.median(error)) if len(error) else 0.0
    if usual == 0:
        return 0.3

    def misfit(log_floor: float) -> float:
        spread = np.sqrt(variance + np.exp(2 * log_floor))
        return float(np.log(weight @ (error / spread)) + weight @ np.log(spread))

    bounds = math.log(usual / 4), math.log(usual * 3)
    return math.exp(minimize_scalar(misfit, bounds=bounds, method="bounded").x)


def weighted_quantile(score: np.ndarray, weight: np.ndarray, share: float) -> float:
    """Smallest score that, with a new molecule of mean weight, still covers `share`."""
    if not len(score):
        return 1.645  # of a normal distribution
    order = np.argsort(score)
    covered = np.cumsum(weight[order]) * len(score) / (len(score) + 1)
    rank = int(np.searchsorted(covered, share - 1e-9))
    return float(score[order][min(rank, len(score) - 1)])


def interval(
    error: np.ndarray, variance: np.ndarray, weight: np.ndarray, share: float
) -> tuple[float, float]:
    """(floor, quantile): sqrt(variance + floor**2) * quantile covers `share` of the errors."""
    floor = fitted_floor(error, variance, weight)
    return floor, weighted_quantile(error / np.sqrt(variance + floor**2), weight, share)


def intervals(
    members: np.ndarray, wanted: np.ndarray, share: float, families: np.ndarray | None = None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Floors and quantiles of every target from held-out examples.

    Parameters
    ----------
    members : predictions of an ensemble (members, n, t), standardised like `wanted` (n, t), which
        is NaN where unknown.
    families : number of each example's family (n,); by default each is one of its own.
    """
    own = np.arange(len(wanted)) if families is None else families
    found = []
    for k in range(wanted.shape[1]):
        known = ~np.isnan(wanted[:, k])
        guess = members[:, known, k]
        error = np.abs(guess.mean(0) - wanted[known, k])
        found.append(interval(error, guess.var(0), family_weights(own[known]), share))
    floors, quantiles = zip(*found, strict=True)
    return tuple(float(f) for f in floors), tuple(float(q) for q in quantiles)
