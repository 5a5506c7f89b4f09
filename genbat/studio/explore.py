"""What Explore can do without a screen: one atlas a domain, with search, filters, places, cards.

An atlas joins the known objects and every library on the domain's one map. Rows 0 to n_known - 1
are known, the rest are generated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from genbat.core.candidate import Candidate, Verdict
from genbat.core.paths import ASSETS
from genbat.core.properties import Measurement
from genbat.core.provenance import Provenance, versions
from genbat.latent.maps import LatentMap
from genbat.studio import registry
from genbat.studio.crowd import asked_crowd
from genbat.studio.rooms import Judgement, rooms
from genbat.studio.rows import Rows

RETRIES = 4  # of a decoder that is random


@dataclass(frozen=True)
class Spot:
    """What lies at an empty place of the map."""

    candidate: Candidate
    percentile: float
    words: str


@dataclass(frozen=True)
class Neighbour:
    """A known object near another one; `distance` is in latent units."""

    row: int
    text: str
    name: str
    distance: float


class Atlas(Rows):
    """Known and generated objects of a domain on its map; shared by all users, never changed."""

    # ------------------------------------------------------------------ candidates
    def candidate(self, row: int) -> Candidate:
        """A row as a candidate with everything known of it."""
        if row < self.n_known:
            return self._known(row)
        if row < self.n_named:
            return self._library(row - self.n_known)
        return self.describe(self.system.decode(self.latents[row])[0])

    def candidates(self, rows: Iterable[int]) -> Iterator[Candidate]:
        """Several rows as candidates, predicted in one go."""
        rows = [int(r) for r in rows]
        known = [] if self.known.complete else [r for r in rows if r < self.n_known]
        guesses = iter(self.system.predict(self.latents[known]) if known else [])
        for row in rows:
            inside = row < self.n_known
            yield self._known(row, next(guesses, None)) if inside else self.candidate(row)

    def _known(self, row: int, predicted: Mapping[str, Measurement] | None = None) -> Candidate:
        own = self.known.measurements(row)
        if not self.known.complete:
            predicted = predicted or self.system.predict(self.latents[row])[0]
        rest = {k: v for k, v in (predicted or {}).items() if k not in own}
        return Candidate(
            text=self.texts[row],
            domain=self.rooms.domain,
            verdict=Verdict(True),
            provenance=Provenance("data", "known", versions=versions()),
            properties={**own, **rest},
            latent=tuple(float(v) for v in self.latents[row]),
            name=self.names[row],
            novel=False,
        )

    def _library(self, index: int) -> Candidate:
        series = self.library.iloc[index]
        provenance = Provenance(
            str(series.get("system", self.system.card.name)),
            "sample",
            weights=str(series.get("weights") or self.system.weights),
            seed=int(series["seed"]),
            arguments={k: int(series[k]) for k in ("index", "noise") if pd.notna(series.get(k))},
            versions=versions(),
        )
        latent = tuple(float(v) for v in self.latents[self.n_known + index])
        made = Candidate(
            series["text"], self.rooms.domain, Verdict(True), provenance, latent=latent
        )
        computed = {
            k: Measurement(float(series[k]), unit, method, "computed")
            for k, unit, method in self.rooms.columns()
            if k in series and pd.notna(series[k])
        }
        return self.describe(made).with_properties(computed)

    def describe(self, candidate: Candidate) -> Candidate:
        """A decoded candidate with predictions, descriptors, novelty and, if known, its data."""
        text = candidate.text
        if not candidate.verdict.ok:
            return replace(candidate, novel=None, name=self.rooms.title(text))
        row, match = self.known.row_of.get(text), self.known.match(text)
        own = self.rooms.read_off(text) if row is None else self.known.measurements(row)
        name = self.rooms.title(text) if match is None else self.names[match]
        predicted = {} if row is not None and self.known.complete else self._predicted(candidate)
        return replace(candidate, properties={**predicted, **own}, novel=match is None, name=name)

    def _predicted(self, candidate: Candidate) -> dict[str, Measurement]:
        if candidate.latent is None:
            return {}
        found = self.system.predict(np.array(candidate.latent, "f4"))[0]
        return self.rooms.sensible(candidate.text, found)

    def typed(self, text: str) -> Candidate:
        """A candidate from a text somebody typed, or from a handle of a link.

        Raises
        ------
        ValueError : saying what is wrong and what is legal.
        """
        named = self.known.handles.get(text)
        if named is not None:
            return self.candidate(named)
        plain = self.rooms.check(text)
        row = self.row_of.get(plain)
        if row is not None:
            return self.candidate(row)
        provenance = Provenance("user", "typed", versions=versions())
        latent = self._latent(plain)
        made = Candidate(plain, self.rooms.domain, Verdict(True), provenance, latent=latent)
        return self.describe(made)

    def _latent(self, text: str) -> tuple[float, ...] | None:
        try:
            return tuple(float(v) for v in self.system.encode([text])[0])
        except ValueError:
            if self.rooms.unplaced:
                return None
            raise

    def handle(self, text: str) -> str:
        """A short text for links, which `typed` understands: a known object's name, say."""
        row = self.known.row_of.get(text)
        named = self._handles.get(row) if row is not None else None
        return named or self.rooms.handle(text)

    @cached_property
    def _handles(self) -> Mapping[int, str]:
        return {row: name for name, row in self.known.handles.items()}

    # ------------------------------------------------------------------ places
    def spot(self, x: float, y: float) -> Spot:
        """Decode an empty place of the map and say how far from the data it is."""
        z = self.map.lift(np.array([[x, y]], "f4"))
        percentile = float(self.manifold.percentile(z)[0])
        made = self.describe(self.system.decode(z)[0])
        if not made.verdict.ok and not self.rooms.pointwise:  # another try may well succeed
            made = next(iter(self.around(z[0], 0.0, n=RETRIES)), made)
        return Spot(made, percentile, self.manifold.words(percentile))

    def around(self, z: np.ndarray, radius: float, n: int = 24, seed: int = 0) -> list[Candidate]:
        """Distinct valid objects decoded within `radius` of a latent point (d,)."""
        rng = np.random.default_rng(seed)
        many = n * self.rooms.tries
        step = rng.standard_normal((many, len(z)))
        step *= radius * rng.random((many, 1)) / np.linalg.norm(step, axis=1, keepdims=True)
        found: dict[str, Candidate] = {}
        for made in self.system.decode((z + step).astype("f4"), seed=seed):
            if made.verdict.ok:
                found.setdefault(made.text, made)
        told = [self.describe(c) for c in list(found.values())[:n]]
        if self.rooms.pointwise:
            return told
        asked = {"center": [round(float(v), 6) for v in z], "radius": radius, "n": n}
        return [_around(c, {**asked, "index": k}) for k, c in enumerate(told)]

    def settled(self, candidate: Candidate, judgement: Judgement) -> Candidate:
        """A judged candidate as it is from then on: a crystal is relaxed, named and placed anew."""
        done = self.rooms.settled(candidate, judgement)
        match = self.known.match(done.text)
        name = self.rooms.title(done.text) if match is None else self.names[match]
        latent = candidate.latent if done.text == candidate.text else self._latent(done.text)
        values = dict(judgement.evaluation.values)
        return replace(done, properties=values, name=name, novel=match is None, latent=latent)

    def nearest(self, z: np.ndarray, n: int = 4, skip: str = "") -> list[Neighbour]:
        """The known objects nearest to a latent point (d,), without the one called `skip`."""
        distance, rows = self.manifold.neighbours.query(z[None].astype("f4"), n + 1)
        near = [
            Neighbour(int(r), self.texts[r], self.names[r], float(d))
            for d, r in zip(distance[0], rows[0], strict=True)
            if self.texts[r] != skip
        ]
        return near[:n]

    def place(self, z: np.ndarray) -> np.ndarray:
        """Latent points (m, d) -> places (m, 2)."""
        return self.map.place(z.astype("f4"))


def _around(candidate: Candidate, arguments: Mapping[str, Any]) -> Candidate:
    story = replace(candidate.provenance, action="around", arguments=arguments)
    return replace(candidate, provenance=story)


@lru_cache(maxsize=4)
def atlas(domain: str) -> Atlas:
    """The domain's atlas, loaded once a process.

    Raises
    ------
    ValueError : unknown domain, or a missing asset with the command that makes it.
    """
    if domain not in registry.DOMAINS:
        raise ValueError(f"domain: unknown {domain!r}; there are {', '.join(registry.DOMAINS)}")
    name = registry.REFERENCE[domain]
    place = ASSETS / "maps" / f"{domain}.npz"
    if not place.exists():
        raise ValueError(f"map: {place.name} is missing; run genbat build map:{domain}")
    dataset, system = rooms(domain).load(), registry.load(name)
    crowd = asked_crowd() if domain == registry.FIRST else None
    return Atlas(dataset, _libraries(domain), LatentMap.load(place), system, crowd)


def _libraries(domain: str) -> pd.DataFrame:
    """The libraries of all the domain's systems, one below the other."""
    found = []
    for name in registry.names(domain):
        shelf = ASSETS / "libraries" / f"{name}.parquet"
        if shelf.exists():
            table = pd.read_parquet(shelf)
            found.append(table.assign(system=name, weights=table.attrs.get("weights", "")))
    nothing = pd.DataFrame(columns=["text", "latent"])
    return pd.concat(found, ignore_index=True) if found else nothing
