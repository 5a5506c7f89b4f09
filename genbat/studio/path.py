"""Interpolate: a walk in latent space from one object to another, decoded step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genbat.core.candidate import Candidate
from genbat.core.provenance import Provenance, versions
from genbat.latent.paths import Path, make_path
from genbat.studio.explore import Atlas, atlas

KINDS = ("linear", "slerp", "geodesic")
KIND_HELP = {
    "linear": "the straight line; it may cross empty space where the model has seen nothing",
    "slerp": "along the sphere; keeps the distance from the centre that samples usually have",
    "geodesic": "the shortest way through the data itself; it bends to stay among known molecules",
}
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Walk:
    """A decoded path; every list has one entry a step.

    Attributes
    ----------
    candidates : the first and the last are the two ends themselves.
    xy : places on the map (steps, 2).
    percentile : how remote each step is among the data's own distances, 0 to 100.
    words : the same in words.
    """

    kind: str
    path: Path
    candidates: tuple[Candidate, ...]
    xy: np.ndarray
    percentile: np.ndarray
    words: tuple[str, ...]

    @property
    def distinct(self) -> int:
        """Different valid objects on the walk."""
        return len({c.text for c in self.candidates if c.verdict.ok})

    @property
    def leaves_data(self) -> list[int]:
        """Steps that lie far from anything the model has seen."""
        return [k for k, p in enumerate(self.percentile) if p > 99]


def walk_in(
    place: Atlas,
    a: str,
    b: str,
    *,
    steps: int = 11,
    kind: str = "geodesic",
    progress: Progress | None = None,
) -> Walk:
    """Walk from a to b (texts of objects, SMILES for molecules) on an atlas.

    Raises
    ------
    ValueError : an end that is no object of the domain, an unknown kind or an illegal number.
    """
    ends = [place.typed(text) for text in (a, b)]
    if ends[0].text == ends[1].text:
        raise ValueError(f"ends: both are {ends[0].text}; choose two different ones")
    z = [np.array(c.latent, "f4") for c in ends]
    path = make_path(z[0], z[1], steps, kind, place.manifold)
    inner = place.system.decode(path.points[1:-1].astype("f4"))
    made = [ends[0], *inner, ends[1]]
    told = []
    for k, candidate in enumerate(made):
        told.append(_tell(place, candidate, k, ends, path))
        if progress:
            progress((k + 1) / len(made), f"step {k + 1} of {len(made)}")
    percentile = place.manifold.percentile(path.points)
    words = tuple(place.manifold.words(float(p)) for p in percentile)
    return Walk(kind, path, tuple(told), place.place(path.points), percentile, words)


def _tell(
    place: Atlas, candidate: Candidate, k: int, ends: Sequence[Candidate], path: Path
) -> Candidate:
    if k in (0, len(path.points) - 1):
        return candidate
    told = place.describe(candidate)
    provenance = replace(
        told.provenance,
        action="path",
        parents=tuple(c.text for c in ends),
        arguments={"kind": path.kind, "steps": len(path.points), "step": k},
    )
    return replace(told, provenance=provenance)


def walk(
    system: Any, a: str, b: str, *, steps: int, kind: str, progress: Progress | None = None
) -> Walk:
    """The same for a loaded system, on its domain's atlas."""
    return walk_in(atlas(system.card.domain), a, b, steps=steps, kind=kind, progress=progress)


def again(provenance: Provenance) -> Candidate:
    """The very candidate a provenance tells of, made anew.

    Raises
    ------
    ValueError : the weights have changed since, or the action cannot be repeated.
    """
    place = atlas("molecules")
    system = place.system
    if provenance.weights and provenance.weights != system.weights:
        raise ValueError(
            f"weights: the candidate came from {provenance.weights}, installed are {system.weights}"
        )
    if provenance.action == "path":
        kind, steps, step = (provenance.arguments[k] for k in ("kind", "steps", "step"))
        a, b = provenance.parents
        return walk_in(place, a, b, steps=steps, kind=kind).candidates[step]
    if provenance.action == "sample":
        wanted = int(provenance.arguments["index"])
        for k, made in enumerate(system.sample(wanted + 1, seed=provenance.seed)):
            if k == wanted:
                return place.describe(made)
    raise ValueError(f"action: {provenance.action!r} is made again from its latent point instead")


def make_again(candidate: Candidate) -> tuple[Candidate, bool]:
    """A candidate made again from its provenance, and whether it came out the same.

    Known and typed objects are themselves; a decoded or designed one is decoded from its latent
    point with the recorded weights.

    Raises
    ------
    ValueError : as `again`, with the versions that made it.
    """
    provenance = candidate.provenance
    if provenance.action in ("known", "typed"):
        return candidate, True
    if provenance.action in ("path", "sample"):
        made = again(provenance)
        return made, made.text == candidate.text
    place = atlas(candidate.domain)
    if provenance.weights != place.system.weights:
        raise ValueError(
            f"weights: the candidate came from {provenance.weights}, "
            f"installed are {place.system.weights}; made with {dict(provenance.versions)}, "
            f"now {versions()}"
        )
    made = place.describe(place.system.decode(np.array(candidate.latent, "f4"))[0])
    return made, made.text == candidate.text
