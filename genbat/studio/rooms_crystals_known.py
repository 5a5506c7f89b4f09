"""The known crystals, row by row, and how they are found by formula, elements, symmetry or name."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
from pymatgen.core import Element

from genbat.core.properties import Measurement
from genbat.domains.crystals import data
from genbat.domains.crystals.structure import structure_of, to_text
from genbat.domains.crystals.wishes import CRYSTAL_SYSTEMS, Wishes
from genbat.studio.rooms_crystals_text import (
    cell_of_text,
    check,
    formula_of,
    group_symbol,
    reduced,
    title_of,
)

# The anion that names a compound, the strongest first.
ANIONS = ("F", "O", "Cl", "N", "Br", "I", "S", "Se", "Te", "P", "As", "C", "H")
_SYSTEM = re.compile(r"^[A-Z][a-z]?(?:\s*[-,]\s*[A-Z][a-z]?)+$")
_LAYERS = re.compile(r"^[op]\d")  # Delmas' names of layered oxides: O3, P2
_LONGEST = 300
_CACHED = 8_000


class LazyTexts(Sequence[str]):
    """Texts of all rows, each made when it is asked for."""

    def __init__(self, dataset: data.Dataset) -> None:
        self._dataset = dataset
        self._made = lru_cache(maxsize=_CACHED)(lambda row: to_text(dataset.cell(row)))

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, row: int) -> str:  # type: ignore[override]
        if not 0 <= row < len(self):
            raise IndexError(f"row: got {row}; there are {len(self)}")
        return self._made(int(row))


class RowOf(Mapping[str, int]):
    """Text -> row, by comparing with the texts of the rows of its formula only."""

    def __init__(self, texts: Sequence[str], by_formula: Mapping[str, Sequence[int]]) -> None:
        self._texts, self._by_formula = texts, by_formula

    def __getitem__(self, text: str) -> int:
        for row in self._by_formula.get(title_of(text), ()):
            if self._texts[row] == text:
                return row
        raise KeyError(text)

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


class KnownCrystals:
    """The rows of a data set; see `genbat.studio.rooms.Known`."""

    complete = True  # a label that is missing was refused by a gate

    def __init__(self, dataset: data.Dataset) -> None:
        self.dataset = dataset
        self.table = dataset.table
        self.texts = LazyTexts(dataset)
        self.row_of = RowOf(self.texts, self.by_formula)
        self.handles = dataset.row_of
        self._matched = lru_cache(maxsize=4096)(self._match)

    def __len__(self) -> int:
        return len(self.dataset)

    @cached_property
    def by_formula(self) -> dict[str, list[int]]:
        """Reduced formula -> rows, most stable first."""
        found: dict[str, list[int]] = {}
        formulas = self.table["formula"].tolist()
        for row in np.argsort(self.table["hull_ev"].to_numpy("f8"), kind="stable"):
            found.setdefault(formulas[row], []).append(int(row))
        return found

    @cached_property
    def names(self) -> list[str]:
        """`LiCoO2 (O3)`: formula and prototype, or space group where that says more."""
        columns = (self.table[c] for c in ("formula", "name", "group"))
        rows = zip(*columns, strict=True)
        return [f"{formula} ({called(name, int(group))})" for formula, name, group in rows]

    @cached_property
    def elements(self) -> list[frozenset[str]]:
        """Elements of every row."""
        symbols = {z: Element.from_Z(z).symbol for z in range(1, 101)}
        return [frozenset(symbols[int(z)] for z in set(row)) for row in self.table["numbers"]]

    def values(self, key: str) -> np.ndarray:
        """A property of all rows, NaN where unknown (n,)."""
        if key == "atoms":
            return self.table["numbers"].map(len).to_numpy("f8")
        if key == "kinds":
            return np.array([len(e) for e in self.elements], "f8")
        return self.table[key].to_numpy("f8")

    def group(self, key: str) -> np.ndarray:
        """A category of all rows (n,)."""
        if key == "crystal_system":
            return np.array([crystal_system(int(g)) for g in self.table["group"]], object)
        if key == "anion":
            return np.array([anion(e) for e in self.elements], object)
        return self.table[key].astype(str).to_numpy(object)

    def fulfil(self, wishes: Wishes) -> np.ndarray:
        """Which rows honour discrete wishes (n,), booleans."""
        sizes, table = self.values("atoms"), self.table
        legal = [wishes.require <= own <= wishes.allow for own in self.elements]
        keep = np.array(legal) & (sizes >= wishes.atoms[0]) & (sizes <= wishes.atoms[1])
        if wishes.formula:
            wanted = reduced("".join(f"{e}{n}" for e, n in wishes.formula.items()))
            keep &= (table["formula"] == wanted).to_numpy()
        return keep & table["group"].isin(wishes.groups).to_numpy() if wishes.groups else keep

    def measurements(self, row: int) -> dict[str, Measurement]:
        """All labels of one crystal; why it has no voltage stands in a note."""
        found = self.dataset.measurements(row)
        return noted(found, str(self.table["host_failed"].iat[row]))

    def called(self, row: int) -> list[str]:
        """Its name, and the data set's name for it."""
        return [self.names[row], str(self.table["name"].iat[row])]

    def match(self, text: str) -> int | None:
        """The row that is the same structure, whatever its cell."""
        return self._matched(text)

    def _match(self, text: str) -> int | None:
        exact = self.row_of.get(text)
        rows = self.by_formula.get(title_of(text), ())
        if exact is not None or not rows:
            return exact
        return first_same(text, [(row, self.texts[row]) for row in rows])


def noted(found: Mapping[str, Measurement], reason: str) -> dict[str, Measurement]:
    """Values of a crystal whose host failed its gates, with the reason as a note."""
    if not reason or "formation_ev" not in found:
        return dict(found)
    note = f"No voltage: {reason}."
    return {**found, "formation_ev": replace(found["formation_ev"], note=note)}


def first_same(text: str, others: Sequence[tuple[int, str]]) -> int | None:
    """The first (number, text) that is the same structure: StructureMatcher at pymatgen's
    tolerances, cells scaled to one volume, as in `genbat.domains.crystals.catalogue`."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    matcher = StructureMatcher()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mine = structure_of(cell_of_text(text))
        for number, other in others:
            if matcher.fit(mine, structure_of(cell_of_text(other))):
                return number
    return None


def prototype(name: str) -> str:
    """The prototype in a row's name: `o3|A=Li+1|...` -> `o3`, `aflow:AB_cF8_225_a_b|...`."""
    head, _, rest = name.partition("|")
    if head == "random":
        return f"random search {rest.rpartition('|')[2]}"
    return head.removeprefix("aflow:")


def called(name: str, group: int) -> str:
    """How people call a row's structure: its prototype, or the space group of one without name."""
    if name.startswith(("aflow:", "random")):
        return group_symbol(group)
    own = prototype(name)
    return own.capitalize() if _LAYERS.match(own) else own


def crystal_system(group: int) -> str:
    """Name of a space group's crystal system, "" for 0."""
    return next((name for name, groups in CRYSTAL_SYSTEMS.items() if group in groups), "")


def anion(elements: frozenset[str]) -> str:
    """What names a compound: its strongest anion, or "metal" without one."""
    return next((e for e in ANIONS if e in elements), "metal")


class CrystalFinder:
    """Finds crystals by formula, chemical system, space group, prototype or family."""

    def __init__(
        self, known: KnownCrystals, texts: Sequence[str], row_of: Mapping[str, int]
    ) -> None:
        self._known, self._texts, self._row_of = known, texts, row_of

    def find(self, text: str, limit: int) -> list[int]:
        """Rows, most stable first within each kind of hit."""
        text = text.strip()
        if "\n" in text or not text:
            return self._exact(text)
        if len(text) > _LONGEST:
            return []
        if (row := self._known.handles.get(text)) is not None:
            return [row]
        ways = (self._by_system, self._by_formula, self._by_group, self._by_words)
        found = [row for way in ways for row in way(text)]
        return list(dict.fromkeys(found))[:limit]

    def _exact(self, text: str) -> list[int]:
        try:
            row = self._row_of.get(check(text))
        except ValueError:
            return []
        return [] if row is None else [row]

    def _by_system(self, text: str) -> list[int]:
        if not _SYSTEM.match(text):
            return []
        asked = frozenset(part.strip() for part in re.split("[-,]", text))
        return self._stable([k for k, e in enumerate(self._elements) if e == asked])

    @cached_property
    def _elements(self) -> list[frozenset[str]]:
        first = len(self._known)
        rest = (self._texts[k] for k in range(first, len(self._texts)))
        return [*self._known.elements, *(frozenset(formula_of(t)) for t in rest)]

    @cached_property
    def _generated(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row in range(len(self._known), len(self._texts)):
            found.setdefault(title_of(self._texts[row]), []).append(row)
        return found

    def _by_formula(self, text: str) -> list[int]:
        formula = reduced(text)
        return [*self._known.by_formula.get(formula, ()), *self._generated.get(formula, ())]

    def _by_group(self, text: str) -> list[int]:
        wanted = text.removeprefix("#").replace(" ", "").lower()
        groups = [g for g in range(1, 231) if wanted in (str(g), group_symbol(g).lower())]
        return self._stable(np.flatnonzero(self._known.table["group"].isin(groups)).tolist())

    def _by_words(self, text: str) -> list[int]:
        wanted = text.lower()
        if len(wanted) < 2 or wanted.isdecimal():
            return []
        ways = (f"|{wanted}|", f"|{wanted}", wanted)  # whole word, its beginning, anywhere
        hits = [self._words.str.contains(way, regex=False).to_numpy() for way in ways]
        return [k for hit in hits for k in self._stable(np.flatnonzero(hit).tolist())]

    @cached_property
    def _words(self) -> pd.Series:
        table = self._known.table
        prototypes = table["name"].map(prototype)
        return ("|" + prototypes + "|" + table["family"].astype(str) + "|").str.lower()

    def _stable(self, rows: list[int]) -> list[int]:
        above = self._known.table["hull_ev"].to_numpy("f8")
        return sorted(rows, key=lambda k: above[k] if k < len(above) else np.inf)
