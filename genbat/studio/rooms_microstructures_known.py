"""The known electrodes, row by row, and how they are found by number or by porosity."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from genbat.core.properties import Measurement
from genbat.domains.microstructures import data
from genbat.domains.microstructures.labelling import MEASURED
from genbat.domains.microstructures.texts import recipe_text

_NUMBERED = re.compile(r"^(?:electrode|e|#)?\s*(\d{1,6})$", re.IGNORECASE)
_SHARE = re.compile(r"^(?:porosity|pore|eps|ε)?\s*=?\s*(0?\.\d+)$", re.IGNORECASE)
SIZES = ((6.5, "fine"), (9.5, "medium"), (np.inf, "coarse"))  # mean radius in voxels below it
PRESSED = ((0.1, "hardly pressed"), (0.22, "pressed"), (np.inf, "strongly pressed"))


def in_class(value: float, classes: Sequence[tuple[float, str]]) -> str:
    """The name of the first class whose end lies above a value."""
    return next(name for end, name in classes if value < end)


class KnownVolumes:
    """The rows of a data set; see `genbat.studio.rooms.Known`."""

    complete = True  # everything is computed

    def __init__(self, dataset: data.Dataset) -> None:
        self.dataset = dataset
        self.table = dataset.table

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def texts(self) -> list[str]:
        """Recipes: the volumes are made when they are looked at."""
        seeds = self.table["seed"].tolist()
        return [recipe_text(self.dataset.recipe(k), seed) for k, seed in enumerate(seeds)]

    @cached_property
    def names(self) -> list[str]:
        """`Electrode 12, porosity 0.42`."""
        rows = zip(self.table["seed"].tolist(), self.table["porosity"].tolist(), strict=True)
        return [f"Electrode {seed}, porosity {porosity:.2f}" for seed, porosity in rows]

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """Text -> row."""
        return {text: row for row, text in enumerate(self.texts)}

    @cached_property
    def handles(self) -> Mapping[str, int]:
        """`e12` -> row."""
        return {f"e{seed}": row for row, seed in enumerate(self.table["seed"].tolist())}

    @property
    def elements(self) -> list[frozenset[str]]:
        """None: phases are no elements."""
        return [frozenset()] * len(self)

    def values(self, key: str) -> np.ndarray:
        """A property of all rows, NaN where unknown or infinite (n,)."""
        found = self.table[key].to_numpy("f8")
        return np.where(np.isfinite(found), found, np.nan)

    def group(self, key: str) -> np.ndarray:
        """A category of all rows (n,)."""
        column, classes = {"particles": ("radius", SIZES), "calendering": ("pressed", PRESSED)}[key]
        return np.array([in_class(v, classes) for v in self.table[column]], object)

    def fulfil(self, wishes: Any) -> np.ndarray:
        """All rows: there are no discrete wishes."""
        return np.ones(len(self), bool)

    def measurements(self, row: int) -> dict[str, Measurement]:
        """All labels of one electrode."""
        return measurements({k: self.table[k].iat[row] for k, _, _ in MEASURED})

    def called(self, row: int) -> list[str]:
        """Its name and its handle."""
        return [self.names[row], f"e{self.table['seed'].tolist()[row]}"]

    def match(self, text: str) -> int | None:
        """The row of a recipe."""
        return self.row_of.get(text)


def measurements(values: Mapping[str, Any]) -> dict[str, Measurement]:
    """Labels with units and methods; what is not finite is left out."""
    return {
        key: Measurement(float(values[key]), unit, method, "computed")
        for key, unit, method in MEASURED
        if key in values and values[key] is not None and np.isfinite(values[key])
    }


class VolumeFinder:
    """Finds electrodes by number (`12`, `electrode 12`) or by porosity (`0.4`, `porosity 0.4`)."""

    def __init__(
        self, known: KnownVolumes, texts: Sequence[str], row_of: Mapping[str, int]
    ) -> None:
        self._known, self._row_of = known, row_of

    def find(self, text: str, limit: int) -> list[int]:
        """Rows, best first: of a porosity those nearest to it."""
        text = text.strip()
        if (row := self._row_of.get(text)) is not None:
            return [row]
        if found := _NUMBERED.match(text):
            row = self._known.handles.get(f"e{int(found[1])}")
            return [] if row is None else [row]
        if found := _SHARE.match(text):
            away = np.abs(self._known.values("porosity") - float(found[1]))
            return [int(k) for k in np.argsort(away, kind="stable")[:limit]]
        return []
