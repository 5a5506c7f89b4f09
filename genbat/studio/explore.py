"""What Explore can do without a screen: one atlas a domain, with search, filters, places, cards.

An atlas joins the known objects and every library on the domain's one map. Rows 0 to n_known - 1
are known, the rest are generated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Window
from genbat.core.paths import ASSETS
from genbat.core.properties import Measurement, Property
from genbat.core.provenance import Provenance, versions
from genbat.domains.molecules import data as molecules
from genbat.domains.molecules.formula import elements_of
from genbat.domains.molecules.properties import PROPERTIES
from genbat.domains.molecules.structure import check
from genbat.latent.density import Manifold
from genbat.latent.maps import LatentMap
from genbat.studio import registry
from genbat.studio.crowd import Crowd, Texts, asked_crowd
from genbat.studio.finder import Finder

MAX_HITS = 50
STATUS = ("known", "generated")


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


class Atlas:
    """Known and generated objects of a domain on its map; shared by all users, never changed."""

    def __init__(
        self,
        dataset: molecules.Dataset,
        library: pd.DataFrame,
        latent_map: LatentMap,
        system: Any,
        crowd: Crowd | None = None,
    ) -> None:
        self.dataset = dataset
        self.library = library
        self.map = latent_map
        self.system = system
        self.crowd = crowd
        self.n_known = len(dataset)
        self.n_named = len(dataset) + len(library)  # rows whose text is known without decoding

    def __len__(self) -> int:
        return self.n_named + (len(self.crowd) if self.crowd else 0)

    @cached_property
    def texts(self) -> Sequence[str]:
        """Canonical texts of all rows."""
        fixed = [*self.dataset.table["smiles"], *self.library["text"]]
        return Texts(fixed, self.crowd, self.system) if self.crowd else fixed

    @cached_property
    def names(self) -> Sequence[str]:
        """Names of all rows; a generated one has its text."""
        fixed = [*self.dataset.table["name"], *self.library["text"]]
        return Texts(fixed, self.crowd, self.system) if self.crowd else fixed

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """Text -> row, for known and library rows."""
        return {self.texts[k]: k for k in range(self.n_named)}

    @cached_property
    def latents(self) -> np.ndarray:
        """All latent points (n, d)."""
        width = self.map.latents.shape[1]
        mine = np.array(self.library["latent"].tolist(), "f4").reshape(-1, width)
        rest = self.crowd.latents.astype("f4") if self.crowd else np.empty((0, width), "f4")
        return np.concatenate([self.map.latents.astype("f4"), mine, rest])

    @cached_property
    def xy(self) -> np.ndarray:
        """All places on the map (n, 2)."""
        mine = self.latents[self.n_known : self.n_named]
        placed = self.map.place(mine) if len(mine) else np.empty((0, 2), "f4")
        rest = self.crowd.xy if self.crowd else np.empty((0, 2), "f4")
        return np.concatenate([self.map.xy, placed, rest]).astype("f4")

    @cached_property
    def manifold(self) -> Manifold:
        """The known objects' place in latent space."""
        return Manifold(self.map.latents.astype("f4"))

    @cached_property
    def generated(self) -> np.ndarray:
        """Which rows are generated (n,)."""
        return np.arange(len(self)) >= self.n_known

    @cached_property
    def novel(self) -> np.ndarray:
        """Which rows are not among the known objects (n,); a crowd's points count as new."""
        known = self.dataset.row_of
        new = np.ones(len(self), bool)
        new[: self.n_named] = [self.texts[k] not in known for k in range(self.n_named)]
        return new

    @cached_property
    def roles(self) -> np.ndarray:
        """Role in a battery, "" where none is known (n,)."""
        return np.array([*self.dataset.table["role"], *[""] * (len(self) - self.n_known)], object)

    @lru_cache(maxsize=64)  # noqa: B019  (an atlas lives as long as the process)
    def values(self, key: str) -> np.ndarray:
        """A property of all rows, NaN where unknown: the physics' or the measured value, and for
        generated rows without one the prediction (n,)."""
        known = self.dataset.table[key].to_numpy("f8")
        empty = np.full(len(self.library), np.nan)
        mine = self.library[key].to_numpy("f8") if key in self.library else empty
        predicted = f"{key}_predicted"
        if predicted in self.library:
            mine = np.where(np.isnan(mine), self.library[predicted].to_numpy("f8"), mine)
        return np.concatenate([known, mine, self._crowd_values(key)])

    def _crowd_values(self, key: str) -> np.ndarray:
        if self.crowd is None:
            return np.empty(0)
        return self.crowd.values.get(key, np.full(len(self.crowd), np.nan))

    @property
    def properties(self) -> Sequence[Property]:
        """The domain's properties in page order."""
        return PROPERTIES

    @cached_property
    def elements(self) -> list[frozenset[str]]:
        """Elements of every row, hydrogen left out; none of a crowd's undecoded points."""
        named = [elements_of(self.texts[k]) for k in range(self.n_named)]
        return named + [frozenset()] * (len(self) - self.n_named)

    def filter(
        self,
        windows: Mapping[str, Window],
        elements: frozenset[str] | None = None,
        roles: Sequence[str] = (),
        statuses: Sequence[str] = STATUS,
    ) -> np.ndarray:
        """Rows that honour all windows, hold only the given elements, and have a given role and
        status; booleans (n,). A row whose value is unknown does not honour a window."""
        keep = np.isin(np.array(STATUS)[self.generated.astype(int)], list(statuses))
        for key, window in windows.items():
            values = self.values(key)
            with np.errstate(invalid="ignore"):
                keep &= (values >= window.low) & (values <= window.high)
        if elements is not None:
            keep &= np.array([e <= elements for e in self.elements])
        if roles:
            keep &= np.isin(self.roles.astype(str), list(roles))
        return keep

    def search(self, text: str, limit: int = MAX_HITS) -> list[int]:
        """Rows by name, abbreviation, CAS number, SMILES or formula, best first."""
        return self._finder.find(text, limit)

    @cached_property
    def _finder(self) -> Finder:
        return Finder(self.dataset.table, [self.texts[k] for k in range(self.n_named)], self.row_of)

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
        known = [r for r in rows if r < self.n_known]
        guesses = iter(self.system.predict(self.latents[known]) if known else [])
        for row in rows:
            inside = row < self.n_known
            yield self._known(row, next(guesses)) if inside else self.candidate(row)

    def _known(self, row: int, predicted: Mapping[str, Measurement] | None = None) -> Candidate:
        predicted = predicted or self.system.predict(self.latents[row])[0]
        own = self.dataset.measurements(row)
        rest = {k: v for k, v in predicted.items() if k not in own}
        return Candidate(
            text=self.texts[row],
            domain="molecules",
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
            self.system.card.name,
            "sample",
            weights=self.system.weights,
            seed=int(series["seed"]),
            arguments={"index": int(series["index"])},
            versions=versions(),
        )
        latent = tuple(float(v) for v in self.latents[self.n_known + index])
        made = Candidate(series["text"], "molecules", Verdict(True), provenance, latent=latent)
        computed = {
            k: Measurement(float(series[k]), unit, method, "computed")
            for k, unit, method in molecules.computed_columns()
            if k in series and pd.notna(series[k])
        }
        return self.describe(made).with_properties(computed)

    def describe(self, candidate: Candidate) -> Candidate:
        """A decoded candidate with predictions, descriptors, novelty and, if known, its data."""
        if not candidate.verdict.ok:
            return replace(candidate, novel=None)
        row = self.dataset.row_of.get(candidate.text)
        own = self.dataset.measurements(row) if row is not None else {}
        if row is None:
            own = molecules.descriptor_measurements(candidate.text)
        z = np.array(candidate.latent, "f4")
        predicted = self.system.predict(z)[0]
        name = self.names[row] if row is not None else ""
        return replace(candidate, properties={**predicted, **own}, novel=row is None, name=name)

    def typed(self, text: str) -> Candidate:
        """A candidate from a SMILES somebody typed.

        Raises
        ------
        ValueError : saying what is wrong and what is legal.
        """
        smiles = check(text)
        if smiles in self.row_of:
            return self.candidate(self.row_of[smiles])
        latent = tuple(float(v) for v in self.system.encode([smiles])[0])
        provenance = Provenance("user", "typed", versions=versions())
        made = Candidate(smiles, "molecules", Verdict(True), provenance, latent=latent)
        return self.describe(made)

    # ------------------------------------------------------------------ places
    def spot(self, x: float, y: float) -> Spot:
        """Decode an empty place of the map and say how far from the data it is."""
        z = self.map.lift(np.array([[x, y]], "f4"))
        percentile = float(self.manifold.percentile(z)[0])
        made = self.describe(self.system.decode(z)[0])
        return Spot(made, percentile, self.manifold.words(percentile))

    def around(self, z: np.ndarray, radius: float, n: int = 24, seed: int = 0) -> list[Candidate]:
        """Distinct valid molecules decoded within `radius` of a latent point (d,)."""
        rng = np.random.default_rng(seed)
        step = rng.standard_normal((4 * n, len(z)))
        step *= radius * rng.random((4 * n, 1)) / np.linalg.norm(step, axis=1, keepdims=True)
        found: dict[str, Candidate] = {}
        for made in self.system.decode((z + step).astype("f4"), seed=seed):
            if made.verdict.ok:
                found.setdefault(made.text, made)
        return [self.describe(c) for c in list(found.values())[:n]]

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
    shelf = ASSETS / "libraries" / f"{name}.parquet"
    library = pd.read_parquet(shelf) if shelf.exists() else pd.DataFrame(columns=["text", "latent"])
    crowd = asked_crowd()
    return Atlas(molecules.load(), library, LatentMap.load(place), registry.load(name), crowd)
