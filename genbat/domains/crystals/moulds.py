"""What remains of a crystal when types, free coordinates and axes are forgotten: its symmetry.

A mould holds the operations of a crystal's space group in its own primitive axes and, by a place
for each atom, the sites its atoms take. Whatever is cast in it has that symmetry at least. They are
the templates of DiffCSP++ (Jiao et al., ICLR 2024, arXiv 2402.03992).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats, Ints
from genbat.domains.crystals.symmetry import SYMPREC, as_spglib, ask_spglib

PARTS = 30_000  # of a fraction: places and shifts are kept as whole numbers of one
NEAR = 0.05  # how far a fraction may lie from the place that an operation sends it to


@dataclass(frozen=True)
class Mould:
    """A symmetry with sites for n atoms.

    Attributes
    ----------
    group : space group number.
    places : fractions (n, 3) that the operations map onto one another exactly.
    turns, shifts : operations x -> turn x + shift in fractions, (g, 3, 3) and (g, 3); the identity
        comes first.
    partners : to which atom each operation sends each atom (g, n).
    """

    group: int
    places: Floats
    turns: Ints
    shifts: Floats
    partners: Ints

    @classmethod
    def of(cls, cell: Cell, symprec: float = SYMPREC) -> Self | None:
        """The mould of a primitive cell at a tolerance in Å; None where spglib finds no symmetry
        that fits the cell's own atoms."""
        found = ask_spglib("get_symmetry_dataset", as_spglib(cell), symprec=symprec)
        if found is None:
            return None
        places = np.asarray(as_spglib(cell)[1], float)
        turns, shifts = np.array(found.rotations, np.int64), np.array(found.translations, float)
        partners = _partners(places, cell.numbers, turns, shifts)
        if partners is None:
            return None
        return cls(int(found.number), _settled(places, turns, shifts, partners), turns, shifts,
                   partners)  # fmt: skip

    @classmethod
    def free(cls, n: int) -> Self:
        """The mould of n atoms without any symmetry."""
        turns, shifts = np.eye(3, dtype=np.int64)[None], np.zeros((1, 3))
        return cls(1, np.zeros((n, 3)), turns, shifts, np.arange(n)[None])

    @property
    def size(self) -> int:
        """Number of atoms."""
        return len(self.places)

    @cached_property
    def first(self) -> Ints:
        """Of each atom (n,) the first one of its orbit, the atoms that symmetry makes alike."""
        return np.asarray(self.partners.min(0), np.int64)

    @property
    def orbits(self) -> list[int]:
        """Number of atoms in each orbit, in the order of their first atoms."""
        return np.unique(self.first, return_counts=True)[1].tolist()

    @cached_property
    def ways(self) -> tuple[Floats, Floats]:
        """Moves that keep the symmetry, as orthonormal columns (n, 3, m), and how many atoms each
        moves (m,)."""
        columns, counts = [], []
        for start in np.unique(self.first):
            mine = np.flatnonzero(self.first == start)
            basis = _invariant(mine, self.turns, self.partners)
            wide = np.zeros((self.size, 3, basis.shape[1]))
            wide[mine] = basis.reshape(len(mine), 3, -1)
            columns.append(wide)
            counts += [float(len(mine))] * basis.shape[1]
        return np.concatenate(columns, 2), np.array(counts)

    @cached_property
    def key(self) -> tuple:
        """Equal for moulds that differ in free coordinates at the most: group, operations, and of
        every orbit its size and its operations that leave its first atom in place."""
        own = [
            (int((self.first == k).sum()), self.turns[self.partners[:, k] == k].tobytes())
            for k in np.unique(self.first)
        ]
        return self.group, self.size, self.turns.tobytes(), tuple(sorted(own)), self._special

    @property
    def _special(self) -> bytes:
        # Differences between the places of atoms that cannot move tell sites of equal symmetry
        # apart, wherever the origin is.
        moves = np.abs(self.ways[0]).sum((1, 2)) if self.ways[0].size else np.zeros(self.size)
        fixed = self.places[moves < 1e-6]
        if not len(fixed):
            return b""
        away = np.round((fixed - fixed[0]) * 24).astype(np.int64) % 24
        return np.sort(away @ np.array([576, 24, 1])).tobytes()


def _partners(places: Floats, numbers: Ints, turns: Ints, shifts: Floats) -> Ints | None:
    """Which atom each operation sends each atom to; None where one finds no partner."""
    sent = np.einsum("gab,nb->gna", turns, places) + shifts[:, None]
    away = sent[:, :, None] - places[None, None]
    far = np.abs(away - np.round(away)).max(-1)
    far[:, numbers[:, None] != numbers[None]] = np.inf
    partners = far.argmin(2)
    if far.min(2).max() > NEAR or (np.sort(partners, 1) != np.arange(len(places))).any():
        return None
    return np.asarray(partners, np.int64)


def _settled(places: Floats, turns: Ints, shifts: Floats, partners: Ints) -> Floats:
    """Places moved to where all operations agree on them."""
    total = np.zeros_like(places)
    for turn, shift, partner in zip(turns, shifts, partners, strict=True):
        sent = places @ turn.T + shift
        total[partner] += sent + np.round(places[partner] - sent)
    return np.asarray(total / len(turns), float)


def _invariant(mine: Ints, turns: Ints, partners: Ints) -> Floats:
    """Orthonormal basis (3 k, m) of the moves of an orbit's k atoms that keep the symmetry."""
    k, place = len(mine), {int(atom): i for i, atom in enumerate(mine)}
    mean = np.zeros((k, 3, k, 3))
    for turn, partner in zip(turns, partners, strict=True):
        for i, atom in enumerate(mine):
            mean[place[int(partner[atom])], :, i, :] += turn / len(turns)
    left, values, _ = np.linalg.svd(mean.reshape(3 * k, 3 * k))
    return np.asarray(left[:, values > 1e-6], float)


# ---------------------------------------------------------------------- as whole numbers
def packed(moulds: Sequence[Mould]) -> dict[str, NDArray]:
    """Moulds as arrays of small whole numbers: groups, sizes and orders of each, and places, turns
    and shifts of all, one after another."""
    return {
        "groups": np.array([m.group for m in moulds], np.int16),
        "sizes": np.array([m.size for m in moulds], np.int16),
        "orders": np.array([len(m.turns) for m in moulds], np.int16),
        "places": np.concatenate([_whole(m.places) for m in moulds]),
        "turns": np.concatenate([m.turns for m in moulds]).astype(np.int8),
        "shifts": np.concatenate([_whole(m.shifts) for m in moulds]),
    }


def _whole(fractions: Floats) -> NDArray[np.int16]:
    return (np.round(fractions % 1.0 * PARTS) % PARTS).astype(np.int16)


def unpacked(parts: Mapping[str, NDArray]) -> list[Mould]:
    """Inverse of `packed`, within 1 / PARTS of a fraction."""
    atoms = np.cumsum(parts["sizes"].astype(np.int64))[:-1]
    operations = np.cumsum(parts["orders"].astype(np.int64))[:-1]
    places = np.split(parts["places"] / PARTS, atoms)
    turns = np.split(parts["turns"].astype(np.int64), operations)
    shifts = np.split(parts["shifts"] / PARTS, operations)
    rows = zip(parts["groups"], places, turns, shifts, strict=True)
    return [_again(int(g), p, t, s) for g, p, t, s in rows]


def _again(group: int, places: Floats, turns: Ints, shifts: Floats) -> Mould:
    partners = _partners(places, np.zeros(len(places), np.int64), turns, shifts)
    if partners is None:
        raise ValueError(f"mould: its operations do not map its {len(places)} places on themselves")
    return Mould(group, _settled(places, turns, shifts, partners), turns, shifts, partners)
