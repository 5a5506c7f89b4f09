"""A fingerprint of crystals that finds the nearest known ones in milliseconds.

Two parts, compared by Euclidean distance:

- structure: how many neighbours stand how far, distances in units of the cube root of the volume an
  atom takes, so that a lattice constant does not matter. Three radial distributions, smeared over
  BINS places up to REACH: all pairs, pairs weighted by both atoms' electronegativity and by both
  atoms' covalent radius (each counted from the crystal's mean), so that an ordering of unlike
  atoms shows;
- composition: the share of each element, and the mean place in the periodic table, so that Ni
  stands nearer to Co than Cl does.

Invariant to rotation, translation, order of atoms and choice of cell. It ranks; whether two
crystals are the same structure is for `same_structure` (pymatgen's StructureMatcher) to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Element

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import find_bonds
from genbat.domains.crystals.ions import covalent_radius
from genbat.domains.crystals.structure import structure_of

START, REACH, BINS = 0.5, 2.6, 28  # in cube roots of the volume per atom
FINE = 4  # histogram bins in one of BINS
FADE = 0.3  # pairs count less and less over this last bit, same unit
SMEAR = 0.09  # standard deviation of the smearing, same unit
# Weights of the parts, so that an exchange of the metal and another structure count alike.
PAIR, ELECTRONEGATIVITY, SIZE, SHARES, PLACE = 1.0, 0.7, 0.5, 0.9, 1.0
STRUCTURE = 3 * BINS  # columns of the structural part
BLOCK = 500  # crystals binned at once

Features = NDArray[np.float32]
Progress = Callable[[float, str], None]


def features(cells: Sequence[Cell], progress: Progress | None = None) -> Features:
    """Fingerprints (n, d) of n crystals, about 0.4 ms each."""
    parts = []
    for k in range(0, len(cells), BLOCK):
        if progress:
            progress(k / len(cells), f"{k:,} of {len(cells):,} crystals compared")
        block = cells[k : k + BLOCK]
        parts.append(np.hstack([_structure(block), _composition(block)]))
    return np.concatenate(parts).astype("f4") if parts else np.zeros((0, _width()), "f4")


def _width() -> int:
    return STRUCTURE + len(_places()) + _places().shape[1]


def _structure(cells: Sequence[Cell]) -> NDArray[np.float64]:
    """Three smeared radial distributions side by side (n, 3 BINS)."""
    fine = BINS * FINE
    places, weights = [], []
    for number, cell in enumerate(cells):
        unit = (abs(np.linalg.det(cell.lattice)) / len(cell.numbers)) ** (1 / 3)
        found = find_bonds(cell.positions, cell.lattice, REACH * unit)
        far = found.distance / unit
        spot = np.clip((far - START) / (REACH - START) * fine - 0.5, 0, fine - 1.001)
        low, rest = spot.astype(np.int64), spot % 1.0
        # Each pair is shared by two bins and fades out towards REACH: nothing jumps.
        places += [number * fine + low, number * fine + low + 1]
        chi, size = _centred(cell)
        # Farther shells hold more pairs: divided by r² they weigh alike.
        each = _fading(far) / far**2 / len(cell.numbers)
        one, two = found.center, found.other
        pairs = each * np.stack([np.ones(len(one)), chi[one] * chi[two], size[one] * size[two]])
        weights += [(1 - rest) * pairs, rest * pairs]
    at, heavy = np.concatenate(places), np.concatenate(weights, axis=1)
    size_all = len(cells) * fine
    binned = [np.bincount(at, w, size_all).reshape(len(cells), fine) for w in heavy]
    smear = _smearing()
    scale = (PAIR, ELECTRONEGATIVITY, SIZE)
    return np.hstack([w * rows @ smear for w, rows in zip(scale, binned, strict=True)])


def _fading(far: NDArray[np.float64]) -> NDArray[np.float64]:
    """1, falling smoothly to 0 over the last FADE before REACH."""
    inside = np.clip((REACH - far) / FADE, 0, 1)
    return np.asarray(inside**2 * (3 - 2 * inside), float)


@cache
def _smearing() -> NDArray[np.float64]:
    """Fine histogram -> values at BINS places (BINS FINE, BINS)."""
    step = (REACH - START) / (BINS * FINE)
    fine = START + step * (np.arange(BINS * FINE) + 0.5)
    coarse = START + step * FINE * (np.arange(BINS) + 0.5)
    rows = np.exp(-(((fine[:, None] - coarse) / SMEAR) ** 2) / 2)
    return np.asarray(rows / rows.sum(axis=0).max(), float)


def _centred(cell: Cell) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Electronegativity and covalent radius (n,) of the atoms, less their mean in the crystal."""
    chi, size = _atoms()
    mine = chi[cell.numbers], size[cell.numbers]
    return mine[0] - mine[0].mean(), mine[1] - mine[1].mean()


@cache
def _atoms() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By atomic number: electronegativity in Pauling's units, covalent radius in Å."""
    rows = [Element.from_Z(z) for z in range(1, 101)]
    chi = [0.0, *(float(e.X) if np.isfinite(e.X) else 1.5 for e in rows)]
    return np.array(chi), np.array([0.0, *(covalent_radius(e.symbol) for e in rows)])


@cache
def _places() -> NDArray[np.float64]:
    """By atomic number: electronegativity, radius, row and group on like scales (101, 4)."""
    chi, size = _atoms()
    rows = [0.0, *(min(float(Element.from_Z(z).row), 7.0) for z in range(1, 101))]
    groups = [0.0, *(float(Element.from_Z(z).group or 3) for z in range(1, 101))]
    table = np.stack([chi / 1.5, size, np.array(rows) / 4, np.array(groups) / 9], axis=1)
    return np.asarray(table, float)


def _composition(cells: Sequence[Cell]) -> NDArray[np.float64]:
    places = _places()
    shares = np.stack([np.bincount(c.numbers, minlength=101) / len(c.numbers) for c in cells])
    return np.hstack([SHARES * shares, PLACE * shares @ places])


@dataclass(frozen=True)
class Near:
    """A known crystal near another one.

    Attributes
    ----------
    row : its number among the known.
    distance : of the fingerprints.
    structure : the structural part of it.
    """

    row: int
    distance: float
    structure: float


class Nearest:
    """The known crystals' fingerprints (n, d)."""

    def __init__(self, known: Features) -> None:
        self.known = known
        self._squares = (known**2).sum(axis=1)

    def find(self, cell: Cell, count: int = 4) -> list[Near]:
        """The `count` known crystals nearest to a cell, nearest first."""
        mine = features([cell])[0]
        squared = self._squares - 2 * self.known @ mine
        best = np.argsort(squared, kind="stable")[:count]
        off = self.known[best] - mine
        whole = np.linalg.norm(off, axis=1)
        part = np.linalg.norm(off[:, :STRUCTURE], axis=1)
        found = zip(best, whole, part, strict=True)
        return sorted((Near(int(k), float(d), float(s)) for k, d, s in found),
                      key=lambda near: near.distance)  # fmt: skip


def same_structure(one: Cell, two: Cell) -> bool:
    """StructureMatcher's judgement with its usual tolerances (ltol 0.2, stol 0.3, 5°)."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    return bool(StructureMatcher().fit(structure_of(one), structure_of(two)))


def same_type(one: Cell, two: Cell) -> bool:
    """Whether two are the same structure once elements may be exchanged: rock salt, NaCl or MgO."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    first, second = structure_of(one), structure_of(two)
    if first.composition.anonymized_formula != second.composition.anonymized_formula:
        return False
    return bool(StructureMatcher().fit_anonymous(first, second))
