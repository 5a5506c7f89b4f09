"""How far a latent point lies from the data, in the data's own terms."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from genbat.latent.graph import Graph, sample_rows
from genbat.latent.neighbours import Neighbours, as_count, as_points

SAMPLE = 4_000  # data points whose own remoteness makes the scale
EDGE, FAR = 90.0, 99.0  # percentiles
_ROUNDS = 40  # steps of `pull`


class Manifold:
    """The data's latent points as the place where the model knows what it does.

    The mean distance to the k nearest data points is the outlier score of Angiulli and
    Pizzuti (2002); ranked among the data's own scores it becomes a percentile, the conformal
    view of novelty (Laxhammar and Falkman 2010).

    Parameters
    ----------
    latents : data points (n, d), n >= 2.
    k : neighbours that count (fewer where there are fewer others).
    seed : draws the sample and the graph's landmarks where the data are many.
    """

    def __init__(self, latents: np.ndarray, k: int = 8, *, seed: int = 0) -> None:
        latents = as_points("latents", latents)
        if len(latents) < 2:
            raise ValueError("latents: got 1 row; legal are 2 or more")
        self.k = min(as_count("k", k, 1, 1_000), len(latents) - 1)
        self.seed = seed
        self.neighbours = Neighbours(latents)

    @property
    def latents(self) -> np.ndarray:
        """The data points (n, d)."""
        return self.neighbours.points

    @cached_property
    def graph(self) -> Graph:
        """The data's neighbourhood graph, built at first use."""
        return Graph.build(self.latents, seed=self.seed)

    @cached_property
    def _own(self) -> tuple[np.ndarray, np.ndarray]:
        """Leave-one-out remoteness of a sample, ascending (s,), and its data rows (s,)."""
        rows = sample_rows(self.latents, SAMPLE, self.seed)
        values = self.neighbours.others(rows, self.k)[0].mean(axis=1)
        order = np.argsort(values, kind="stable")
        return values[order], rows[order]

    def remoteness(self, z: np.ndarray) -> np.ndarray:
        """Mean distance of each z (m, d) to its k nearest data points (m,)."""
        return self.neighbours.query(as_points("z", z, self.latents.shape[1]), self.k)[0].mean(1)

    def percentile(self, z: np.ndarray) -> np.ndarray:
        """Share of the data, 0 to 100, that lies less remote than each z (m, d) does (m,)."""
        values, _ = self._own
        return 100.0 * np.searchsorted(values, self.remoteness(z), side="left") / len(values)

    @staticmethod
    def words(percentile: float) -> str:
        """What a percentile means."""
        if percentile <= EDGE:
            return "inside the data"
        return (
            "at the edge of the data"
            if percentile <= FAR
            else "far from anything the model has seen"
        )

    def pull(self, z: np.ndarray, strength: float = 0.5, limit: float = EDGE) -> np.ndarray:
        """Points moved towards the data until their percentile is at most `limit`.

        Mean shift with a nearest-neighbour kernel (Fukunaga and Hostetler 1975): each round
        goes `strength` of the way to the mean of the k neighbours. What settles too far out
        is led to the nearest sampled data point that lies within the limit, and ends there
        at the latest.

        Parameters
        ----------
        z : (m, d); points within the limit come back unchanged.
        strength : above 0, at most 1.
        limit : percentile, 0 to 100.
        """
        if not 0 < strength <= 1:
            raise ValueError(f"strength: got {strength}; legal is above 0 and at most 1")
        if not 0 <= limit <= 100:
            raise ValueError(f"limit: got {limit}; legal is 0 to 100")
        z = as_points("z", z, self.latents.shape[1])
        moved = z.astype(np.result_type(z, np.float32))
        for turn in range(_ROUNDS):
            out = np.flatnonzero(self.percentile(moved) > limit)
            if not len(out):
                return moved
            led = turn >= _ROUNDS // 2
            aims = self._core(moved[out], limit) if led else self._barycentre(moved[out])
            moved[out] += strength * (aims - moved[out])
        out = np.flatnonzero(self.percentile(moved) > limit)
        if len(out):
            moved[out] = self._core(moved[out], limit)
        return moved

    def _barycentre(self, z: np.ndarray) -> np.ndarray:
        """Mean of the k nearest data points of each z (m, d)."""
        _, near = self.neighbours.query(z, self.k)
        return self.latents[near].mean(axis=1, dtype=np.float64)

    def _core(self, z: np.ndarray, limit: float) -> np.ndarray:
        """Nearest sampled data point within the limit for each z (m, d)."""
        values, rows = self._own
        ranks = 100.0 * np.searchsorted(values, values, side="left") / len(values)
        core = self.latents[rows[ranks <= limit]]
        return core[Neighbours(core).query(z, 1)[1][:, 0]]
