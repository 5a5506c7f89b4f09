"""The known crystals seen from one crystal: the nearest by fingerprint, phases of its elements,
and magnetic moments where it is one of them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import pandas as pd
from pymatgen.core import Element

from genbat.core.paths import ASSETS
from genbat.domains.crystals import data, known_phases
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.hosts import symbols
from genbat.domains.crystals.similarity import Nearest, features, same_structure, same_type
from genbat.domains.crystals.structure import formula_counts, from_text, reduced_formula, to_text

PHASES = "data/crystals_known_phases.csv"
_ONCE = threading.Lock()
Phase = tuple[Mapping[str, float], float, str]  # atoms, formation energy in eV/atom, formula


@dataclass(frozen=True)
class Neighbour:
    """A known crystal near another one.

    Attributes
    ----------
    text, formula, group : of the known crystal (CIF, reduced formula, space group number).
    distance : of the fingerprints; 0 for the same, about 1 for two crystals taken at random.
    words : "same structure", "polymorph" (same formula), "same type" (elements
        exchanged) or "similar".
    """

    text: str
    formula: str
    group: int
    distance: float
    words: str


@cache
def _made() -> Nearest:
    known = data.load()
    return Nearest(features([known.cell(k) for k in range(len(known))]))


def _index() -> Nearest:
    with _ONCE:  # the warm-up and a card may ask at the same time
        return _made()


def warm() -> None:
    """Make the fingerprints of all known crystals (seconds), so that `nearest` is quick."""
    _index()


@lru_cache(maxsize=512)
def nearest(text: str, count: int = 4) -> tuple[Neighbour, ...]:
    """The known crystals nearest by fingerprint, the crystal itself left out."""
    cell, known = from_text(text), data.load()
    found = _index().find(cell, count + 1)
    formula = reduced_formula(cell)
    neighbours = []
    for near in found:
        one, other = known.table.iloc[near.row], known.cell(near.row)
        if to_text(other) == text:
            continue
        words = _words(one["formula"] == formula, cell, other)
        neighbours.append(
            Neighbour(to_text(other), one["formula"], int(one["group"]), near.distance, words)
        )
    return tuple(neighbours[:count])


def _words(same_formula: bool, one: Cell, two: Cell) -> str:
    if same_formula:
        return "same structure" if same_structure(one, two) else "polymorph"
    return "same type" if same_type(one, two) else "similar"


@lru_cache(maxsize=512)
def moments(text: str) -> dict[str, float]:
    """Mean magnetic moment of each element in μB (CHGNet) of a known crystal; empty for others."""
    known = data.load()
    formula = reduced_formula(from_text(text))
    for row in np.flatnonzero(known.table["formula"] == formula):
        cell = known.cell(int(row))
        if to_text(cell) == text:
            names, sizes = np.array(symbols(cell)), known.magmoms(int(row))
            return {e: float(sizes[names == e].mean()) for e in formula_counts(cell)}
    return {}


def phases(elements: frozenset[str]) -> tuple[Phase, ...]:
    """Known phases made of some of these elements, with CHGNet's formation energies."""
    return tuple(phase for inside, phase in _phases() if inside <= elements)


@cache
def _phases() -> tuple[tuple[frozenset[str], Phase], ...]:
    table = data.load().table
    own = zip(table["numbers"], table["formation_ev"], table["formula"], strict=True)
    found: list[Phase] = [(_counts(numbers), float(ev), str(name)) for numbers, ev, name in own]
    if (ASSETS / PHASES).exists():
        rows = pd.read_csv(ASSETS / PHASES)
        entries = zip(known_phases.as_entries(rows), rows["formula"], strict=True)
        found += [(counts, ev, str(name)) for (counts, ev), name in entries]
    return tuple((frozenset(phase[0]), phase) for phase in found)


def _counts(numbers: np.ndarray) -> dict[str, float]:
    kinds, counts = np.unique(np.asarray(numbers, int), return_counts=True)
    return {Element.from_Z(int(z)).symbol: float(n) for z, n in zip(kinds, counts, strict=True)}
