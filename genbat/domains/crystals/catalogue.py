"""Looking crystals up: which of many is the same structure, and which are not seen before."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.structure import reduced_formula, structure_of


class Catalogue:
    """Crystals by composition; two are the same where StructureMatcher at its own tolerances says
    so (ltol 0.2, stol 0.3, 5 degrees, cells scaled to one volume)."""

    def __init__(self, cells: Iterable[Cell] = ()) -> None:
        self.known: dict[str, list[Cell]] = defaultdict(list)
        self._structures: dict[int, Any] = {}
        for cell in cells:
            self.known[reduced_formula(cell)].append(cell)

    def holds(self, cell: Cell) -> bool:
        """Whether the same structure stands in it."""
        others = self.known.get(reduced_formula(cell), [])
        own = _reduced(cell) if others else None
        return any(_fits(own, self._structure(other)) for other in others)

    def add(self, cell: Cell) -> bool:
        """Add a crystal that is new; whether it was."""
        if self.holds(cell):
            return False
        self.known[reduced_formula(cell)].append(cell)
        return True

    def _structure(self, cell: Cell) -> Any:
        if id(cell) not in self._structures:  # the cell itself stays in `known`: its id stays too
            self._structures[id(cell)] = _reduced(cell)
        return self._structures[id(cell)]


def first_of_each(cells: Sequence[Cell]) -> list[bool]:
    """Whether each crystal differs from all before it."""
    seen = Catalogue()
    return [seen.add(cell) for cell in cells]


@lru_cache(maxsize=1)
def _matcher() -> Any:
    from pymatgen.analysis.structure_matcher import StructureMatcher

    return StructureMatcher()


def _reduced(cell: Cell) -> Any:
    """The Niggli cell's primitive structure, as StructureMatcher would find it for every pair anew:
    that is four fifths of its time."""
    return structure_of(cell).get_reduced_structure().get_primitive_structure()


def _fits(one: Any, two: Any) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bool(_matcher().fit(one, two, skip_structure_reduction=True))
