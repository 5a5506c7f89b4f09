"""A fitted map: latent points with their places in the plane, and the way between both.

The map is fitted once by UMAP (McInnes, Healy and Melville 2018, arXiv 1802.03426). From then
on a new point finds its place, and a place its latent point, as the inverse-distance-weighted
barycentre (Shepard 1968) of its nearest data points, which costs milliseconds and nothing but
numpy.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np

from genbat.latent.neighbours import Neighbours, as_count, as_points

_FITTERS = ("umap-learn", "numba", "scikit-learn", "numpy")
_FIELDS = ("latents", "xy", "meta")


@dataclass(frozen=True, eq=False)
class LatentMap:
    """Where the data lie.

    Attributes
    ----------
    latents : data points (n, d), float16 or float32.
    xy : their places (n, 2), float32.
    trustworthiness : 0 to 1, 1 where every neighbour on the map is one in truth; see below.
    k : neighbours of a barycentre.
    seed, versions : what the fit depended on.
    """

    latents: np.ndarray
    xy: np.ndarray
    trustworthiness: float
    k: int = 8
    seed: int = 0
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        latents, xy = as_points("latents", self.latents), as_points("xy", self.xy, 2)
        if len(latents) != len(xy):
            raise ValueError(f"xy: got {len(xy)} rows; legal are {len(latents)}, as in latents")
        small = np.float16 if latents.dtype == np.float16 else np.float32
        object.__setattr__(self, "latents", latents.astype(small, copy=False))
        object.__setattr__(self, "xy", xy.astype(np.float32, copy=False))
        as_count("k", self.k, 1, 1_000)

    @cached_property
    def _in_latent(self) -> Neighbours:
        return Neighbours(self.latents)

    @cached_property
    def _in_plane(self) -> Neighbours:
        return Neighbours(self.xy)

    def place(self, z: np.ndarray) -> np.ndarray:
        """Latent points (m, d) -> places (m, 2); a data point lands on its own place."""
        return _barycentre(self._in_latent, self.xy, z, self.k)

    def lift(self, xy: np.ndarray) -> np.ndarray:
        """Places (m, 2) -> latent points (m, d); a data point's place gives that point."""
        return _barycentre(self._in_plane, self.latents, xy, self.k)

    def save(self, path: Path | str) -> None:
        """Write one .npz of plain arrays and a JSON string."""
        meta = {
            "trustworthiness": self.trustworthiness,
            "k": self.k,
            "seed": self.seed,
            "versions": self.versions,
        }
        with _npz(path).open("wb") as file:
            np.savez_compressed(
                file,
                allow_pickle=False,
                latents=self.latents,
                xy=self.xy,
                meta=np.array(json.dumps(meta)),
            )

    @classmethod
    def load(cls, path: Path | str) -> LatentMap:
        """Inverse of `save`."""
        with np.load(_npz(path), allow_pickle=False) as data:
            missing = [name for name in _FIELDS if name not in data]
            if missing:
                raise ValueError(f"path: {path} lacks {missing}; a map holds {list(_FIELDS)}")
            return cls(data["latents"], data["xy"], **json.loads(str(data["meta"])))

    @classmethod
    def fit(
        cls,
        latents: np.ndarray,
        seed: int = 0,
        *,
        n_neighbors: int = 15,
        min_dist: float = 0.1,
        k: int = 8,
    ) -> LatentMap:
        """Lay the latents (n, d) out in the plane; minutes, for a build step only.

        Raises
        ------
        ImportError : with the pip line, where umap-learn is not installed.
        """
        latents = as_points("latents", latents)
        as_count("n_neighbors", n_neighbors, 2, len(latents) - 1)
        try:
            from umap import UMAP
        except ImportError as error:
            raise ImportError("fitting a map needs: pip install umap-learn") from error
        reducer = UMAP(
            n_neighbors=n_neighbors,
            min_dist=min_dist,
            metric="euclidean",
            random_state=seed,
            n_jobs=1,
        )
        xy = reducer.fit_transform(latents.astype(np.float32))
        trust = trustworthiness(latents, xy, k=min(15, (len(latents) - 1) // 2), seed=seed)
        return cls(latents, xy, trust, k, seed, {name: version(name) for name in _FITTERS})


def trustworthiness(
    latents: np.ndarray, xy: np.ndarray, k: int = 15, sample: int = 3_000, seed: int = 0
) -> float:
    """How far neighbours on the map are neighbours in truth (Venna and Kaski 2001).

    1 - 2 / (n k (2n - 3k - 1)) sum_i sum_(j in U_k(i)) (r(i, j) - k), where U_k(i) are the
    points among the k nearest of i on the map but not in latent space, and r(i, j) the rank of
    j among the latent neighbours of i. Measured on at most `sample` rows, drawn by `seed`.

    Raises
    ------
    ImportError : with the pip line, where scikit-learn is not installed.
    """
    latents, xy = as_points("latents", latents), as_points("xy", xy, 2)
    count = min(len(latents), as_count("sample", sample, 3, 100_000))
    k = as_count("k", k, 1, (count - 1) // 2)
    try:
        from sklearn.manifold import trustworthiness as measure
    except ImportError as error:
        raise ImportError("trustworthiness needs: pip install scikit-learn") from error
    rows = np.random.default_rng(seed).permutation(len(latents))[:count]
    return float(measure(latents[rows].astype(np.float64), xy[rows], n_neighbors=k))


def _barycentre(source: Neighbours, target: np.ndarray, x: np.ndarray, k: int) -> np.ndarray:
    """Weights 1/distance in `source`, averaged over the same rows of `target`: (m, d) float32."""
    distances, near = source.query(x, min(k, len(target)))
    least = distances[:, :1]
    weights = np.divide(least, distances, out=(distances == 0).astype(float), where=distances > 0)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.einsum("mk,mkd->md", weights, target[near].astype(np.float64)).astype(np.float32)


def _npz(path: Path | str) -> Path:
    """A path that ends in .npz."""
    path = Path(path)
    if path.suffix != ".npz":
        raise ValueError(f"path: got {path.name!r}; legal are names that end in .npz")
    return path
