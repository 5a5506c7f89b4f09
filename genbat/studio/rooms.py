"""What a domain can do for the studio: one port, one implementation a domain.

Whoever needs something of a kind of matter (a table of known objects, a check of typed text, a
judge, a drawing, a word) asks `rooms(domain)` and never the domain itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from genbat.core.candidate import Candidate, ViewSpec
from genbat.core.condition import Condition
from genbat.core.errors import InputProblem
from genbat.core.properties import Measurement, Property
from genbat.studio.store import Evaluation, Store

# Each has a module `rooms_<domain>` with `ROOMS`; a new domain is one word here.
_DOMAINS = ("molecules", "crystals", "microstructures", "interphases", "polymers")


@dataclass(frozen=True)
class Words:
    """How pages speak of a domain.

    Attributes
    ----------
    one, many : "molecule", "molecules".
    text : what an object's text is called ("SMILES"); `inline` whether it fits a line.
    judge, judge_help : the physics in a word, and what it is and costs in a sentence.
    prompt : what a search box takes; `example` shows it, `tries` explains it.
    marks : what measured, computed and predicted mean here.
    upload : what a file may hold.
    element_help : beside the filter "only these elements".
    searching : what Design does, in a sentence.
    home_title, home, numbers : what Home says of the domain and its numbers.
    """

    one: str
    many: str
    text: str
    inline: bool
    judge: str
    judge_help: str
    prompt: str
    example: str
    tries: str
    marks: str
    upload: str
    element_help: str
    searching: str
    home_title: str
    home: str
    numbers: str


@dataclass(frozen=True)
class Uploaded:
    """One object of a person's file: text, name, first line, and what was done to it, if
    anything."""

    text: str
    name: str
    line: int
    note: str = ""


@dataclass(frozen=True)
class Judgement:
    """What the physics said of one object, and what else it found on the way.

    `more` holds plain JSON: for a crystal the text of the relaxed one, its space group, the move.
    """

    evaluation: Evaluation
    more: Mapping[str, Any] = field(default_factory=dict)


class Known(Protocol):
    """The known objects of a domain, row by row; `complete` says whether what is not in
    `measurements` is not to be predicted either."""

    complete: bool

    @property
    def texts(self) -> Sequence[str]:
        """Canonical texts of all rows; one may be made when it is asked for."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """Names of all rows."""
        ...

    @property
    def row_of(self) -> Mapping[str, int]:
        """Text -> row."""
        ...

    @property
    def handles(self) -> Mapping[str, int]:
        """Further short names for links -> row."""
        ...

    @property
    def elements(self) -> Sequence[frozenset[str]]:
        """Elements of all rows."""
        ...

    def __len__(self) -> int:
        """Number of rows."""
        ...

    def values(self, key: str) -> np.ndarray:
        """A property of all rows, NaN where unknown (n,)."""
        ...

    def group(self, key: str) -> np.ndarray:
        """A category of all rows, "" where unknown (n,)."""
        ...

    def fulfil(self, wishes: Any) -> np.ndarray:
        """Which rows count as honouring discrete wishes (n,), booleans."""
        ...

    def measurements(self, row: int) -> dict[str, Measurement]:
        """All that is known of one row."""
        ...

    def called(self, row: int) -> list[str]:
        """Everything one row is called."""
        ...

    def match(self, text: str) -> int | None:
        """The row that is the same object as a text, whatever it is written like."""
        ...


class Finder(Protocol):
    """Finds rows by what people write."""

    def find(self, text: str, limit: int) -> list[int]:
        """Rows, best first."""
        ...


class Rooms(Protocol):
    """One domain, as the studio and the pages see it.

    Attributes
    ----------
    properties : in page order; `first` are on top of a card, `plotted` the usual axes.
    physics : properties that only the judge can give.
    groups : categories by key, with their labels; the first also stands on a card.
    colour : what colours a fresh map.
    uploads : endings of files with objects; `ordering` whether some may be put in order.
    files : export formats with words; `single` the one for a folder's files.
    familiar : objects for a first visit, name -> what is looked up.
    pairs : walks for a first visit: (title, A, B, why).
    fineness : points decoded for each step of a walk; `tries` for each neighbour shown.
    pointwise : whether a latent point alone decodes to the same object again, whatever was decoded
        with it.
    unplaced : whether an object may stay without a place on the map.
    wishable : property keys a wish may name; `without` are wishes that only forbid.
    most : candidates a design run may be asked for.
    batch : objects judged at once.
    """

    domain: str
    words: Words
    properties: Sequence[Property]
    first: Sequence[str]
    physics: Sequence[str]
    plotted: Sequence[str]
    groups: Mapping[str, str]
    colour: str
    element_order: Sequence[str]
    uploads: Sequence[str]
    ordering: bool
    files: Mapping[str, str]
    single: str
    familiar: Mapping[str, str]
    pairs: Sequence[tuple[str, str, str, str]]
    fineness: int
    tries: int
    pointwise: bool
    unplaced: bool
    wishable: Sequence[str]
    without: Mapping[str, str]
    most: int
    batch: int

    def load(self) -> Any:
        """The domain's data set."""
        ...

    def known(self, dataset: Any) -> Known:
        """A data set's objects, row by row."""
        ...

    def finder(self, known: Any, texts: Sequence[str], row_of: Mapping[str, int]) -> Finder:
        """Finds among the texts, the first of which are the known rows."""
        ...

    def judged(self) -> set[str]:
        """Property keys that the physics gives any object."""
        ...

    def columns(self) -> Sequence[tuple[str, str, str]]:
        """(key, unit, method) of every computed column of a library."""
        ...

    def check(self, text: str) -> str:
        """Canonical text of what somebody typed or a link says; ValueError says what is wrong."""
        ...

    def handle(self, text: str) -> str:
        """A text for links that `check` understands."""
        ...

    def start(self, text: str) -> str:
        """What a design that starts from an object is told of it."""
        ...

    def title(self, text: str) -> str:
        """A name for an object without one, "" where its text is the best name."""
        ...

    def elements(self, text: str) -> frozenset[str]:
        """Elements that filters ask for."""
        ...

    def read_off(self, text: str) -> dict[str, Measurement]:
        """Properties that need no calculation."""
        ...

    def sensible(self, text: str, found: Mapping[str, Measurement]) -> dict[str, Measurement]:
        """Those of some predictions that mean something for this object."""
        ...

    def same(self, one: str, two: str) -> bool:
        """Whether two texts are the same object."""
        ...

    def read(
        self, data: bytes, filename: str, order: bool = False
    ) -> tuple[list[Uploaded], list[InputProblem]]:
        """Objects of a person's file; ValueError where nothing of it can be used."""
        ...

    def view(self, text: str) -> ViewSpec:
        """For the 3D viewer; PhysicsFailed where there is no structure."""
        ...

    def drawing(self, text: str, width: int, height: int, dark: bool) -> str:
        """SVG."""
        ...

    def labels(self, text: str) -> list[str]:
        """Facts in words that are no numbers and need no calculation."""
        ...

    def flags(self, text: str) -> list[str]:
        """Warnings a chemist wants before anything else."""
        ...

    def prepare(self) -> None:
        """Make, in the background, what a card asks for a little later."""
        ...

    def method(self) -> str:
        """Name under which evaluations are kept; it changes with the procedure's version."""
        ...

    def judge(
        self,
        store: Store,
        texts: Sequence[str],
        say: Callable[[float, str], object] | None = None,
    ) -> Iterator[Judgement]:
        """Compute and keep what the physics says of canonical texts, in any order; `say` hears how
        far it is and may raise to stop."""
        ...

    def settled(self, candidate: Candidate, judgement: Judgement) -> Candidate:
        """What becomes of a candidate once it is judged: a crystal is relaxed then."""
        ...

    def read_wishes(self, condition: Condition) -> Any:
        """The discrete wishes of a condition; ValueError says what is legal."""
        ...

    def unmet(self, condition: Condition, text: str) -> list[str]:
        """Discrete wishes that an object breaks, in words."""
        ...

    def wish_words(self, condition: Condition) -> str:
        """The discrete wishes as the end of a sentence."""
        ...

    def made_again(self, candidate: Candidate, made: Candidate) -> Candidate:
        """What a repeated sample becomes by the steps that followed it then."""
        ...


@lru_cache
def rooms(domain: str) -> Rooms:
    """A domain's rooms; ValueError where it has none."""
    if domain not in _DOMAINS:
        raise ValueError(f"domain: unknown {domain!r}; there are {', '.join(_DOMAINS)}")
    found: Rooms = import_module(f"genbat.studio.rooms_{domain}").ROOMS
    return found
