"""What domains share whose known objects are runs of a design of experiments: rows by number, no
elements, no discrete wishes, texts too large for a link."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition
from genbat.core.paths import cache_folder
from genbat.core.properties import Measurement
from genbat.studio.rooms import Judgement

Classes = Sequence[tuple[float, str]]  # the end of each class, and its name


@dataclass(frozen=True)
class Manner:
    """How the rows of a design are named and found.

    Attributes
    ----------
    one, letter : "Electrode" and "e", before a row's number.
    key, word : the property that stands in a name ("porosity"), and what it is called when
        somebody types it; `told` formats it with its unit.
    number : of a property of that kind, as a regular expression with one group.
    classes : category -> column of the table, and its classes.
    measured : (key, unit, method) of every label.
    """

    one: str
    letter: str
    key: str
    word: str
    told: str
    number: str
    classes: Mapping[str, tuple[str, Classes]]
    measured: Sequence[tuple[str, str, str]]

    @cached_property
    def numbered(self) -> re.Pattern[str]:
        """`12`, `electrode 12`, `e12`, `#12`."""
        named = rf"^(?:{self.one}|{self.letter}|#)?\s*(\d{{1,6}})$"
        return re.compile(named, re.IGNORECASE)

    @cached_property
    def valued(self) -> re.Pattern[str]:
        """`porosity 0.4`."""
        return re.compile(rf"^(?:{self.word})\s*=?\s*{self.number}$", re.IGNORECASE)

    def measurements(self, values: Mapping[str, Any]) -> dict[str, Measurement]:
        """Labels with units and methods; what is not finite is left out."""
        return {
            key: Measurement(float(values[key]), unit, method, "computed")
            for key, unit, method in self.measured
            if key in values and values[key] is not None and np.isfinite(values[key])
        }


def in_class(value: float, classes: Classes) -> str:
    """The name of the first class whose end lies above a value."""
    return next(name for end, name in classes if value < end)


class KnownRuns:
    """The rows of a data set with a `table` that has a column seed; see
    `genbat.studio.rooms.Known`."""

    complete = True  # everything is computed

    def __init__(self, dataset: Any, manner: Manner, text_of: Callable[[int, int], str]) -> None:
        """`text_of` (row, seed) is the line that makes the object again."""
        self.dataset, self.manner, self._text_of = dataset, manner, text_of
        self.table = dataset.table
        self._seeds = [int(seed) for seed in self.table["seed"]]

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def texts(self) -> list[str]:
        """Recipes: the objects are made when they are looked at."""
        return [self._text_of(row, seed) for row, seed in enumerate(self._seeds)]

    @cached_property
    def names(self) -> list[str]:
        """`Electrode 12, porosity 0.42`."""
        values = self.table[self.manner.key].tolist()
        return [f"{self.manner.one} {seed}, {self.manner.told.format(value)}"
                for seed, value in zip(self._seeds, values, strict=True)]  # fmt: skip

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """Text -> row."""
        return {text: row for row, text in enumerate(self.texts)}

    @cached_property
    def handles(self) -> Mapping[str, int]:
        """`e12` -> row."""
        return {f"{self.manner.letter}{seed}": row for row, seed in enumerate(self._seeds)}

    @property
    def elements(self) -> list[frozenset[str]]:
        """None."""
        return [frozenset()] * len(self)

    def values(self, key: str) -> np.ndarray:
        """A property of all rows, NaN where unknown or infinite (n,)."""
        found = self.table[key].to_numpy("f8")
        return np.where(np.isfinite(found), found, np.nan)

    def group(self, key: str) -> np.ndarray:
        """A category of all rows (n,)."""
        column, classes = self.manner.classes[key]
        return np.array([in_class(v, classes) for v in self.table[column]], object)

    def fulfil(self, wishes: Any) -> np.ndarray:
        """All rows: there are no discrete wishes."""
        return np.ones(len(self), bool)

    def measurements(self, row: int) -> dict[str, Measurement]:
        """All labels of one row."""
        return self.manner.measurements({k: self.table[k].iat[row]
                                         for k, *_ in self.manner.measured})  # fmt: skip

    def called(self, row: int) -> list[str]:
        """Its name and its handle."""
        return [self.names[row], f"{self.manner.letter}{self._seeds[row]}"]

    def match(self, text: str) -> int | None:
        """The row of a recipe."""
        return self.row_of.get(text)


class RunFinder:
    """Finds rows by number, or by the property that stands in their names."""

    def __init__(self, known: KnownRuns, row_of: Mapping[str, int]) -> None:
        self._known, self._row_of = known, row_of

    def find(self, text: str, limit: int) -> list[int]:
        """Rows, best first: of a property's value those nearest to it."""
        text, manner = text.strip(), self._known.manner
        if (row := self._row_of.get(text)) is not None:
            return [row]
        if found := manner.numbered.match(text):
            row = self._known.handles.get(f"{manner.letter}{int(found[1])}")
            return [] if row is None else [row]
        if found := manner.valued.match(text):
            away = np.abs(self._known.values(manner.key) - float(found[1]))
            return [int(k) for k in np.argsort(away, kind="stable")[:limit]]
        return []


class PlainRooms:
    """What of `genbat.studio.rooms.Rooms` says nothing where there are no elements and no discrete
    wishes, and links of texts that are too large for one."""

    manner: Manner
    element_order: Sequence[str] = ()
    ordering = False
    fineness = 1
    tries = 1
    pointwise = True
    unplaced = True
    without: Mapping[str, str] = {}

    def finder(self, known: KnownRuns, texts: Sequence[str], row_of: Mapping[str, int]) -> Any:
        """By number or by a property."""
        return RunFinder(known, row_of)

    def columns(self) -> Sequence[tuple[str, str, str]]:
        """(key, unit, method) of every computed column."""
        return self.manner.measured

    def judged(self) -> set[str]:
        """All properties."""
        return {key for key, *_ in self.manner.measured}

    # ------------------------------------------------------------------ links
    def handle(self, text: str) -> str:
        """A name for an object that is too large for a link; it is kept on this computer."""
        name = hashlib.sha256(text.encode()).hexdigest()[:20]
        place = self._shelf(name)
        if not place.exists():
            partial = place.with_suffix(".part")
            partial.write_text(text, "utf-8")
            partial.replace(place)
        return f"v.{name}"

    def unfolded(self, text: str, one: str) -> str:
        """The text that a handle stands for; any other text as it is.

        Raises
        ------
        ValueError : a handle of an object (`one`) that this computer has not seen.
        """
        text = text.strip()
        if not (text.startswith("v.") and text[2:].isalnum()):
            return text
        place = self._shelf(text[2:])
        if not place.exists():
            raise ValueError(f"{one}: this link belongs to one of another computer")
        return place.read_text("utf-8")

    def _shelf(self, name: str) -> Path:
        place = cache_folder() / "volumes"
        place.mkdir(exist_ok=True)
        return place / f"{name}.txt"

    # ------------------------------------------------------------------ nothing to say
    def start(self, text: str) -> str:
        """Nothing: designs do not start from an object."""
        return ""

    def elements(self, text: str) -> frozenset[str]:
        """None."""
        return frozenset()

    def sensible(self, text: str, found: Mapping[str, Measurement]) -> dict[str, Measurement]:
        """All of them."""
        return dict(found)

    def prepare(self) -> None:
        """Nothing: a card needs no more."""

    def settled(self, candidate: Candidate, judgement: Judgement) -> Candidate:
        """The same object."""
        return candidate

    def made_again(self, candidate: Candidate, made: Candidate) -> Candidate:
        """Nothing follows a sample."""
        return made

    def read_wishes(self, condition: Condition) -> None:
        """None are legal.

        Raises
        ------
        ValueError : a discrete wish.
        """
        if condition.wishes:
            raise ValueError(f"wish: unknown {', '.join(condition.wishes)}; legal are windows only")

    def unmet(self, condition: Condition, text: str) -> list[str]:
        """Nothing can be."""
        return []

    def wish_words(self, condition: Condition) -> str:
        """Nothing to say."""
        return ""
