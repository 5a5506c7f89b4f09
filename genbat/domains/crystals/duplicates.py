"""Which relaxed crystals are the same structure."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Structure

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.structure import structure_of

VOLUME_SHARE = 0.05
ENERGY_EV = 0.01  # an atom: two relaxations of one minimum differ by far less


@dataclass(frozen=True)
class Entry:
    """What decides whether two crystals are compared at all: energy and volume an atom."""

    formula: str
    energy: float
    volume: float
    cell: Cell


def find_duplicates(entries: Sequence[Entry]) -> dict[int, int]:
    """Number of a duplicate -> number of the earlier entry that it equals.

    StructureMatcher at pymatgen's tolerances, without scaling, on primitive cells; compared are
    crystals of one formula within VOLUME_SHARE of volume and ENERGY_EV of energy.
    """
    from pymatgen.analysis.structure_matcher import StructureMatcher

    matcher = StructureMatcher(scale=False, primitive_cell=True)
    kept: dict[str, list[int]] = defaultdict(list)
    structures: dict[int, Structure] = {}
    same: dict[int, int] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k, entry in enumerate(entries):
            for other in kept[entry.formula]:
                if not _close(entry, entries[other]):
                    continue
                for number in (k, other):
                    structures.setdefault(number, structure_of(entries[number].cell))
                if matcher.fit(structures[k], structures[other]):
                    same[k] = other
                    break
            else:
                kept[entry.formula].append(k)
    return same


def _close(one: Entry, two: Entry) -> bool:
    volumes = abs(one.volume / two.volume - 1) < VOLUME_SHARE
    return bool(volumes and np.abs(one.energy - two.energy) < ENERGY_EV)
