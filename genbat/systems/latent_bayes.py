"""Bayesian optimisation over chemvae's latents with a Gaussian process (BoTorch).

Gomez-Bombarelli et al. 2018, section "Optimization of molecules via properties": a Gaussian
process on z predicts the objective; its acquisition function is climbed in latent space and the
result decoded. Here the process learns on: every physics result goes back into it
(log expected improvement, Ament et al., NeurIPS 2023).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch

from genbat.core.candidate import Candidate
from genbat.systems.chemvae_targets import TARGETS, standardise
from genbat.systems.latent_search import Search

POOL = 512  # latent points among which a round's proposals are chosen
MEMORY = 300  # results the process is fitted to at most: the best half and the latest
CLIMB_STEPS = 12

Judge = Callable[[Sequence[Candidate]], Sequence[Mapping[str, float] | None]]


def achieved_miss(search: Search, values: Sequence[Mapping[str, float] | None]) -> np.ndarray:
    """Weighted miss of judged values in the standardised unit; (n,), NaN where nothing is known.

    Windows on properties the physics does not give are left to the heads.
    """
    rows = np.array(
        [[(v or {}).get(key, np.nan) for key in TARGETS] for v in values], "f8"
    ).reshape(-1, len(TARGETS))
    unit = standardise(rows, search.system.config)
    o = search.objective
    under, over = o.low - unit, unit - o.high
    each = o.weight * np.maximum(np.maximum(under, over), 0.0)
    wanted = (o.weight > 0) & np.isfinite(unit)
    nothing = ~wanted.any(1)
    total = np.where(wanted, each, 0.0).sum(1)
    return np.where(nothing, np.nan, total)


class Surrogate:
    """A Gaussian process from z (n, d) to the negative miss (n,).

    `earlier`, a process on fewer of the same data, gives its length scales to start from, which
    saves most of the fit.
    """

    def __init__(self, z: np.ndarray, miss: np.ndarray, earlier: Surrogate | None = None) -> None:
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import SingleTaskGP
        from botorch.models.transforms import Normalize, Standardize
        from gpytorch.mlls import ExactMarginalLogLikelihood

        x, y = torch.tensor(z, dtype=torch.double), -torch.tensor(miss, dtype=torch.double)[:, None]
        self.model = SingleTaskGP(
            x, y, input_transform=Normalize(x.shape[1]), outcome_transform=Standardize(1)
        )
        if earlier:
            for part in ("covar_module", "mean_module", "likelihood"):
                known = getattr(earlier.model, part).state_dict()
                getattr(self.model, part).load_state_dict(known)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a fit that stops early is still a fit
            fit_gpytorch_mll(
                ExactMarginalLogLikelihood(self.model.likelihood, self.model),
                optimizer_kwargs={"options": {"maxiter": 12 if earlier else 60}},
            )
        self.best = float(y.max())

    def choose(self, pool: np.ndarray, count: int) -> np.ndarray:
        """The pool's (m, d) best points by log expected improvement, climbed on; (count, d)."""
        from botorch.acquisition import LogExpectedImprovement

        acquisition = LogExpectedImprovement(self.model, self.best)
        x = torch.tensor(pool, dtype=torch.double)
        with torch.no_grad():
            first = acquisition(x[:, None]).argsort(descending=True)[: 2 * count]
        x = x[first].clone().requires_grad_()
        optimiser = torch.optim.Adam([x], lr=0.05)
        for _ in range(CLIMB_STEPS):
            optimiser.zero_grad()
            (-acquisition(x[:, None]).sum()).backward()
            optimiser.step()
        with torch.no_grad():
            order = acquisition(x[:, None]).argsort(descending=True)[:count]
        return x.detach()[order].numpy().astype("f4")


def bayes_search(
    search: Search,
    start: np.ndarray,
    start_values: Sequence[Mapping[str, float] | None],
    judge: Judge,
    *,
    budget: int,
    a_round: int = 12,
) -> Iterator[list[Candidate]]:
    """Rounds of new molecules; each is judged and teaches the process before the next.

    Parameters
    ----------
    start, start_values : points (n, d) whose properties are known, the process's first data.
    judge : the physics, candidates -> property values (None where it failed).

    Raises
    ------
    ValueError : fewer than two start points with a known value of a property that is asked for.
    """
    z, miss = np.array(start, "f4"), achieved_miss(search, start_values)
    if np.isfinite(miss).sum() < 2:
        raise ValueError(
            "start_values: a Gaussian process needs at least 2 molecules with known values of the "
            "properties asked for; the gradient search needs none"
        )
    surrogate = None
    while search.decoded < budget:
        known = np.isfinite(miss)
        surrogate = Surrogate(*_memory(z[known], miss[known]), surrogate)
        pool = search.descend(search.scatter(_best(z, miss), POOL, 0.5), steps=2)
        points = search.manifold.pull(surrogate.choose(pool, 3 * a_round), limit=search.limit)
        met = search.meet(points.astype("f4")[: budget - search.decoded])
        fresh = met[:a_round]
        search.seen -= {c.text for c in met[a_round:]}  # not proposed, so still to be had
        if fresh:
            z = np.concatenate([z, np.array([c.latent for c in fresh], "f4")])
            miss = np.concatenate([miss, achieved_miss(search, judge(fresh))])
        yield fresh


def _best(z: np.ndarray, miss: np.ndarray, keep: int = 12) -> np.ndarray:
    return z[np.argsort(np.where(np.isfinite(miss), miss, np.inf), kind="stable")[:keep]]


def _memory(z: np.ndarray, miss: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(z) <= MEMORY:
        return z, miss
    best = np.argsort(miss, kind="stable")[: MEMORY // 2]
    rows = np.union1d(best, np.arange(len(z) - MEMORY // 2, len(z)))
    return z[rows], miss[rows]
