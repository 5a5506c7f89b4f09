"""Interpolate: a walk in latent space from one object to another, decoded step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition
from genbat.core.provenance import Provenance, versions
from genbat.latent.density import Manifold
from genbat.latent.paths import Path as Way
from genbat.latent.paths import choose_steps, make_path
from genbat.studio.design_near import BLOCK, near_block
from genbat.studio.explore import Atlas, atlas
from genbat.studio.question import SAMPLING, Question
from genbat.studio.registry import load
from genbat.studio.rooms import rooms

KINDS = ("linear", "slerp", "geodesic")
KIND_HELP = {
    "linear": "the straight line; it may cross empty space where the model has seen nothing",
    "slerp": "along the sphere; keeps the distance from the centre that samples usually have",
    "geodesic": "the shortest way through the data itself; it bends to stay among known objects",
}
FINE = 20  # points decoded for each step shown
MOST = 200  # points decoded on a path
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Walk:
    """A decoded path; every list has one entry a step.

    Attributes
    ----------
    candidates : the first and the last are the two ends themselves.
    xy : places on the map (steps, 2).
    percentile : how remote each step is among the data's own distances, 0 to 100.
    remoteness : mean distance to the data, over the whole way and not only its steps.
    words : the same in words.
    """

    kind: str
    path: Way
    candidates: tuple[Candidate, ...]
    xy: np.ndarray
    percentile: np.ndarray
    words: tuple[str, ...]
    remoteness: float

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
    for letter, one in zip("AB", ends, strict=True):
        if one.latent is None:
            raise ValueError(f"end {letter}: {one.name or one.text} is too large for the model")
    if ends[0].text == ends[1].text:
        name = ends[0].name or ends[0].text
        raise ValueError(f"ends: both are {name}; choose two different ones")
    z = [np.array(c.latent, "f4") for c in ends]
    fineness = place.rooms.fineness
    way, decoded = decode_way(place.system, z[0], z[1], steps, kind, place.manifold, fineness)
    rows = standing(decoded, [c.text for c in ends], steps)
    path = way.at(rows)
    made = [ends[0], *(decoded[k] for k in rows[1:-1]), ends[1]]
    told = []
    for k, candidate in enumerate(made):
        told.append(_tell(place, candidate, k, ends, path))
        if progress:
            progress((k + 1) / len(made), f"step {k + 1} of {len(made)}")
    percentile = place.manifold.percentile(path.points)
    words = tuple(place.manifold.words(float(p)) for p in percentile)
    remoteness = float(way.remoteness.mean())
    return Walk(kind, path, tuple(told), place.place(path.points), percentile, words, remoteness)


def decode_way(
    system: Any,
    a: np.ndarray,
    b: np.ndarray,
    steps: int,
    kind: str,
    manifold: Manifold,
    fineness: int = FINE,
) -> tuple[Way, list[Candidate]]:
    """The way from a (d,) to b (d,) in `fineness` points for each step, and what is decoded
    there."""
    fine = max(steps, min(MOST, fineness * (steps - 1) + 1)) if steps > 2 else steps
    way = make_path(a, b, fine, kind, manifold)
    return way, system.decode(way.points.astype("f4"))


def standing(decoded: Sequence[Candidate], ends: Sequence[str], steps: int) -> list[int]:
    """Rows of a finely decoded way where its steps stand; see `latent.paths.choose_steps`."""
    names = [c.text if c.verdict.ok else None for c in decoded]
    return choose_steps([ends[0], *names[1:-1], ends[1]], steps)


def _tell(
    place: Atlas, candidate: Candidate, k: int, ends: Sequence[Candidate], path: Way
) -> Candidate:
    if k in (0, len(path.points) - 1):
        return candidate
    told = place.describe(candidate)
    provenance = replace(
        told.provenance,
        action="path",
        parents=tuple(c.text for c in ends),
        arguments={
            "kind": path.kind,
            "steps": len(path.points),
            "step": k,
            "along": round(float(path.along[k]), 4),
        },
    )
    return replace(told, provenance=provenance)


def walk(
    system: Any, a: str, b: str, *, steps: int, kind: str, progress: Progress | None = None
) -> Walk:
    """The same for a loaded system, on its domain's atlas; an end may be a file or a name."""
    place = atlas(system.card.domain)
    ends = [_given(place, text) for text in (a, b)]
    return walk_in(place, *ends, steps=steps, kind=kind, progress=progress)


def _given(place: Atlas, text: str) -> str:
    """Text of an end: of the first object of a file, of a known crystal, or the text itself."""
    file = Path(text) if len(text) < 300 else None
    if file and file.suffix.lower().removeprefix(".") in place.rooms.uploads and file.is_file():
        rows, problems = place.rooms.read(file.read_bytes(), file.name)
        if not rows:
            raise ValueError(str(problems[0]))
        return rows[0].text
    if place.rooms.words.inline or "\n" in text:
        return text
    hits = place.search(text, 1)
    return place.texts[hits[0]] if hits else text


def again(domain: str, provenance: Provenance) -> Candidate:
    """The very candidate a provenance tells of, made anew.

    Raises
    ------
    ValueError : the weights have changed since, or the action cannot be repeated.
    """
    place = atlas(domain)
    if provenance.action == "path":
        _same_weights(provenance, place.system)
        kind, steps, step = (provenance.arguments[k] for k in ("kind", "steps", "step"))
        a, b = provenance.parents
        return walk_in(place, a, b, steps=steps, kind=kind).candidates[step]
    if provenance.action == "sample":
        own = provenance.system == place.system.card.name
        system = place.system if own else load(provenance.system)
        _same_weights(provenance, system)
        wanted = int(provenance.arguments["index"])
        asked = Condition.from_json(provenance.condition) if provenance.condition else None
        made = system.sample(wanted + 1, condition=asked, seed=provenance.seed)
        return place.describe(next(islice(made, wanted, None)))
    if provenance.action == "join":
        system = load(provenance.system)
        _same_weights(provenance, system)
        joined = system.join_texts(*provenance.parents, provenance.arguments["index"] + 1,
                                   seed=provenance.seed)  # fmt: skip
        return place.describe(joined[-1])
    if provenance.action == "around":
        _same_weights(provenance, place.system)
        kept = {k: provenance.arguments[k] for k in ("radius", "n")}
        center = np.array(provenance.arguments["center"], "f4")
        return place.around(center, seed=provenance.seed, **kept)[provenance.arguments["index"]]
    if provenance.action == "near":
        _same_weights(provenance, place.system)
        return _near(place, provenance)
    raise ValueError(f"action: {provenance.action!r} is made again from its latent point instead")


def _near(place: Atlas, provenance: Provenance) -> Candidate:
    condition, system = Condition.from_json(provenance.condition), provenance.system
    question = Question(
        condition, system, place.rooms.domain, seed=provenance.seed, method=SAMPLING
    )
    index = int(provenance.arguments["index"])
    block = near_block(question, place, place.system, index - index % BLOCK)
    return place.describe(block[index % BLOCK])


def _same_weights(provenance: Provenance, system: Any) -> None:
    if provenance.weights and provenance.weights != system.weights:
        raise ValueError(
            f"weights: the candidate came from {provenance.weights}, installed are "
            f"{system.weights}; made with {dict(provenance.versions)}, now {versions()}"
        )


def make_again(candidate: Candidate) -> tuple[Candidate, bool]:
    """A candidate made again from its provenance, and whether it came out the same.

    Known and typed objects are themselves; a decoded or designed one is decoded from its latent
    point with the recorded weights; one that was relaxed is relaxed again.

    Raises
    ------
    ValueError : as `again`, with the versions that made it.
    """
    provenance, room = candidate.provenance, rooms(candidate.domain)
    if provenance.action in ("known", "typed"):
        return candidate, True
    if provenance.action in ("path", "sample", "join", "near", "around"):
        made = again(candidate.domain, provenance)
    else:
        place = atlas(candidate.domain)
        _same_weights(provenance, place.system)
        z = np.array(candidate.latent, "f4")
        made = place.describe(place.system.decode(z, seed=provenance.seed)[0])
    made = room.made_again(candidate, made)
    return made, room.same(made.text, candidate.text)
