"""The rows of an atlas: known and generated objects on one map, as columns, with search, filters.

Rows 0 to n_known - 1 are known, those up to n_named - 1 come from libraries, the rest are a crowd.
The map may hold more points behind the known ones, where too few are known to lay it out.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from genbat.core.condition import Window
from genbat.core.properties import Property
from genbat.latent.density import Manifold
from genbat.latent.maps import LatentMap
from genbat.studio.crowd import Crowd, Texts
from genbat.studio.rooms import Finder, rooms

MAX_HITS = 50
STATUS = ("known", "generated")


class Rows:
    """Known and generated objects of a domain on its map; shared by all users, never changed."""

    def __init__(
        self,
        dataset: Any,
        library: pd.DataFrame,
        latent_map: LatentMap,
        system: Any,
        crowd: Crowd | None = None,
    ) -> None:
        self.rooms = rooms(system.card.domain)
        self.dataset = dataset
        self.known = self.rooms.known(dataset)
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
        return Texts(self.known.texts, list(self.library["text"]), self.crowd, self.system)

    @cached_property
    def names(self) -> Sequence[str]:
        """Names of all rows; a generated one has its title or its text."""
        made = [self.rooms.title(t) or t for t in self.library["text"]]
        return Texts(self.known.names, made, self.crowd, self.system)

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """Canonical text -> row, for known and library rows."""
        mine = {t: self.n_known + k for k, t in enumerate(self.library["text"])}
        return ChainMap(self.known.row_of, mine)  # type: ignore[arg-type]

    @cached_property
    def latents(self) -> np.ndarray:
        """All latent points (n, d)."""
        width = self.map.latents.shape[1]
        mine = np.array(self.library["latent"].tolist(), "f4").reshape(-1, width)
        rest = self.crowd.latents.astype("f4") if self.crowd else np.empty((0, width), "f4")
        return np.concatenate([self.map.latents[: self.n_known].astype("f4"), mine, rest])

    @cached_property
    def xy(self) -> np.ndarray:
        """All places on the map (n, 2)."""
        mine = self.latents[self.n_known : self.n_named]
        placed = self.map.place(mine) if len(mine) else np.empty((0, 2), "f4")
        rest = self.crowd.xy if self.crowd else np.empty((0, 2), "f4")
        return np.concatenate([self.map.xy[: self.n_known], placed, rest]).astype("f4")

    @cached_property
    def manifold(self) -> Manifold:
        """Where the map's points lie in latent space: the known objects, mostly."""
        return Manifold(self.map.latents.astype("f4"))

    @cached_property
    def generated(self) -> np.ndarray:
        """Which rows are generated (n,)."""
        return np.arange(len(self)) >= self.n_known

    @cached_property
    def makers(self) -> list[str]:
        """Names of the systems that made the generated rows."""
        return list(dict.fromkeys([*self._made_by, *([self.system.card.name] * bool(self.crowd))]))

    @cached_property
    def origins(self) -> np.ndarray:
        """Where each row comes from (n,): 0 known, k + 1 made by `makers[k]`."""
        codes = {name: k + 1 for k, name in enumerate(self.makers)}
        out = np.full(len(self), codes.get(self.system.card.name, 0), "u1")  # a crowd's points
        out[: self.n_known] = 0
        out[self.n_known : self.n_named] = [codes[name] for name in self._made_by]
        return out

    @property
    def _made_by(self) -> list[str]:
        """The system of each row of the libraries."""
        own = self.library.get("system", [self.system.card.name] * len(self.library))
        return [str(name) for name in own]

    @cached_property
    def novel(self) -> np.ndarray:
        """Which rows are not among the known objects (n,); a crowd's points count as new."""
        known = self.known.row_of
        new = np.arange(len(self)) >= self.n_known
        new[self.n_known : self.n_named] = [t not in known for t in self.library["text"]]
        return new

    @lru_cache(maxsize=16)  # noqa: B019  (an atlas lives as long as the process)
    def group(self, key: str) -> np.ndarray:
        """A category of the domain's `groups`, "" where none is known (n,)."""
        mine = self.library[key] if key in self.library else [""] * len(self.library)
        rest = [""] * (len(self) - self.n_named)
        return np.array([*self.known.group(key), *mine, *rest], object)

    @lru_cache(maxsize=64)  # noqa: B019
    def values(self, key: str) -> np.ndarray:
        """A property of all rows, NaN where unknown: the physics' or the measured value, and for
        generated rows without one the prediction (n,)."""
        empty = np.full(len(self.library), np.nan)
        mine = self.library[key].to_numpy("f8") if key in self.library else empty
        predicted = f"{key}_predicted"
        if predicted in self.library:
            mine = np.where(np.isnan(mine), self.library[predicted].to_numpy("f8"), mine)
        return np.concatenate([self.known.values(key), mine, self._crowd_values(key)])

    def _crowd_values(self, key: str) -> np.ndarray:
        if self.crowd is None:
            return np.empty(0)
        return self.crowd.values.get(key, np.full(len(self.crowd), np.nan))

    @property
    def properties(self) -> Sequence[Property]:
        """The domain's properties in page order."""
        return self.rooms.properties

    @cached_property
    def elements(self) -> list[frozenset[str]]:
        """Elements of every row; none of a crowd's undecoded points."""
        named = [*self.known.elements, *map(self.rooms.elements, self.library["text"])]
        return named + [frozenset()] * (len(self) - self.n_named)

    def filter(
        self,
        windows: Mapping[str, Window],
        elements: frozenset[str] | None = None,
        groups: Mapping[str, Sequence[str]] | None = None,
        statuses: Sequence[str] = STATUS,
    ) -> np.ndarray:
        """Rows that honour all windows, hold only the given elements, and belong to one of the
        given names of each category and status; booleans (n,). A row whose value is unknown does
        not honour a window. A system's name is a status, too: that of what it made."""
        asked = list(statuses)
        keep = np.isin(np.array(STATUS)[self.generated.astype(int)], asked)
        keep |= np.isin(np.array(["", *self.makers])[self.origins], asked)
        for key, window in windows.items():
            values = self.values(key)
            with np.errstate(invalid="ignore"):
                keep &= (values >= window.low) & (values <= window.high)
        if elements is not None:
            keep &= np.array([e <= elements for e in self.elements])
        for key, names in (groups or {}).items():
            keep &= np.isin(self.group(key).astype(str), list(names))
        return keep

    def search(self, text: str, limit: int = MAX_HITS) -> list[int]:
        """Rows by what people write, best first; see the domain's `Words.prompt`."""
        return self._finder.find(text, limit)

    @cached_property
    def _finder(self) -> Finder:
        named = Texts(self.known.texts, list(self.library["text"]))
        return self.rooms.finder(self.known, named, self.row_of)
