"""Wyckoff positions of the 230 space groups in the standard setting, derived from their operations.

A position is the set of points that operations leave in place in the same way: x = origin + u @
ways with free parameters u. It is found by looking at the points where such sets can lie, eighths
and twelfths of the axes, and a little beside them along every axis and mirror plane; its letter is
the one that spglib gives to an atom there. Settings are spglib's: the first origin, unique axis b,
hexagonal axes for rhombohedral groups. Multiplicities and free parameters of all 1,731 positions
agree with International Tables A (Hahn 2005, as pymatgen carries them).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import combinations, product
from typing import Any

import numpy as np
from pymatgen.core import Lattice

from genbat.domains.crystals.chgnet_graph import Floats, Ints
from genbat.domains.crystals.symmetry import crystal_system

BESIDE = np.array([0.0137, 0.0071, 0.0219])  # along ways: on no other special position
NEAR = 1e-4  # fractions that are the same
_PARTS = 48  # of an axis: origins are whole numbers of it
# Edges (Å) and angles of a cell that has no more symmetry than its group.
_GENERIC = {
    "triclinic": (6.1, 7.3, 8.9, 81.0, 97.0, 104.0),
    "monoclinic": (6.1, 7.3, 8.9, 90.0, 97.0, 90.0),
    "orthorhombic": (6.1, 7.3, 8.9, 90.0, 90.0, 90.0),
    "tetragonal": (6.1, 6.1, 8.9, 90.0, 90.0, 90.0),
    "trigonal": (6.1, 6.1, 8.9, 90.0, 90.0, 120.0),
    "hexagonal": (6.1, 6.1, 8.9, 90.0, 90.0, 120.0),
    "cubic": (6.1, 6.1, 6.1, 90.0, 90.0, 90.0),
}
_FILLING = ((0.0913, 0.1737, 0.2879), (0.1931, 0.0519, 0.3711))  # general points
# Axes of a primitive cell in those of the conventional one, by the first letter of the symbol.
_PRIMITIVE = {
    "P": np.eye(3),
    "A": np.array([[2, 0, 0], [0, 1, -1], [0, 1, 1]]) / 2,
    "C": np.array([[1, -1, 0], [1, 1, 0], [0, 0, 2]]) / 2,
    "I": np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / 2,
    "F": np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2,
    "R": np.array([[2, 1, 1], [-1, 1, 1], [-1, -2, 1]]) / 3,
}


@dataclass(frozen=True)
class Position:
    """A Wyckoff position.

    Attributes
    ----------
    letter : as International Tables and spglib name it.
    count : points of one orbit in the conventional cell, its multiplicity.
    origin : a point of it (3,), zero along `pivots`.
    ways : directions (k, 3) in which its points may lie, whole numbers; the identity on `pivots`.
    pivots : the axes whose coordinates are the k free parameters.
    """

    letter: str
    count: int
    origin: Floats
    ways: Ints
    pivots: tuple[int, ...]

    @property
    def freedom(self) -> int:
        """Number of free parameters."""
        return len(self.pivots)

    def point(self, free: Floats) -> Floats:
        """The point (3,) of free parameters (k,)."""
        return np.asarray(self.origin + np.asarray(free, float) @ self.ways, float)

    def holds(self, points: Floats) -> Ints:
        """Which of some points (n, 3) lie on it as it is written, not on another of its orbit."""
        away = points - self.origin - points[:, self.pivots] @ self.ways
        return np.asarray(np.flatnonzero(np.abs(away - np.round(away)).max(1) < NEAR), np.int64)


@dataclass(frozen=True)
class Group:
    """A space group in its standard setting.

    Attributes
    ----------
    number : 1 to 230.
    turns, shifts : all operations of the conventional cell, x -> turn x + shift, (g, 3, 3), (g, 3).
    positions : letter -> Wyckoff position, "a" first.
    """

    number: int
    turns: Ints
    shifts: Floats
    positions: dict[str, Position]

    @cached_property
    def centrings(self) -> int:
        """Lattice points of the conventional cell: 1, 2, 3 or 4."""
        return int((self.turns == np.eye(3, dtype=int)).all((1, 2)).sum())

    def orbit(self, point: Floats) -> Floats:
        """All points of the conventional cell that a point (3,) is sent to, (n, 3) in [0, 1)."""
        return distinct(self.turns @ point + self.shifts)


@lru_cache(maxsize=230)
def space_group(number: int) -> Group:
    """The group of an international number.

    Raises
    ------
    ValueError : no number from 1 to 230.
    """
    if not 1 <= number <= 230:
        raise ValueError(f"space_group: got {number}; legal are numbers from 1 to 230")
    turns, shifts = _operations(number)
    found = _positions(turns, shifts)
    lettered = _lettered(number, turns, shifts, found)
    return Group(number, turns, shifts, dict(sorted(lettered.items(), key=_alphabet)))


def primitive_axes(number: int) -> Floats:
    """Axes (3, 3) of a primitive cell, rows, in those of a group's conventional cell."""
    import spglib

    symbol = spglib.get_spacegroup_type(hall_number(number)).international_short
    return np.asarray(_PRIMITIVE[symbol[0]], float)


def _alphabet(entry: tuple[str, Any]) -> tuple[bool, str]:
    return entry[0] == "A", entry[0]  # after "z" comes "A", in Pmmm alone


def distinct(points: Floats) -> Floats:
    """Points (n, 3) brought into [0, 1), each once, in the order of their first."""
    marks = np.round(points % 1.0 / NEAR).astype(np.int64) % round(1 / NEAR)
    first = np.sort(np.unique(marks, axis=0, return_index=True)[1])
    return np.asarray(np.where(marks[first] == 0, 0.0, points[first] % 1.0), float)


@lru_cache(maxsize=1)
def _halls() -> dict[int, int]:
    """Number of each group's standard setting among Hall's."""
    import spglib

    found: dict[int, int] = {}
    for hall in range(1, 531):
        found.setdefault(int(spglib.get_spacegroup_type(hall).number), hall)
    return found


def hall_number(number: int) -> int:
    """Number of a group's standard setting among Hall's 530, as spglib counts them."""
    return _halls()[number]


def _operations(number: int) -> tuple[Ints, Floats]:
    import spglib

    found = spglib.get_symmetry_from_database(hall_number(number))
    return np.array(found["rotations"], np.int64), np.array(found["translations"], float)


# ---------------------------------------------------------------------- where positions lie
@dataclass(frozen=True)
class _Span:
    """Directions (k, 3) as in `Position`, and its pivots."""

    ways: Ints
    pivots: tuple[int, ...]

    def origins(self, points: Floats) -> list[tuple[int, ...]]:
        """Where the span through each of some points (n, 3) crosses zero along its pivots, in parts
        of an axis."""
        starts = points - points[:, list(self.pivots)] @ self.ways
        return [tuple(row) for row in (np.round(starts * _PARTS).astype(int) % _PARTS).tolist()]

    def holds(self, ways: Ints, turn: Ints) -> bool:
        """Whether it is where an operation sends directions."""
        own = ways @ turn.T
        same = len(own) == len(self.ways)
        return same and bool((own == own[:, list(self.pivots)] @ self.ways).all())


_Place = tuple[int, tuple[int, ...]]  # number of a span, origin


def _positions(turns: Ints, shifts: Floats) -> list[Position]:
    """One position of every kind, without letters."""
    spans = _spans(turns)
    seen: set[_Place] = set()
    found = []
    for k, span in enumerate(spans):
        sent = [next(i for i, s in enumerate(spans) if s.holds(span.ways, turn)) for turn in turns]
        starts = _starts(turns, span)
        for point, own in zip(starts, _staying(starts, span, turns, shifts), strict=True):
            (here,) = span.origins(point[None])
            if own and (k, here) not in seen:
                images = _images(spans, sent, turns @ point + shifts)
                seen |= images
                found.append(_as_written(spans, min(images), len(turns) // own))
    return found


def _images(spans: list[_Span], sent: list[int], points: Floats) -> set[_Place]:
    """Where operations send a span: each to a span and through a point."""
    numbers, out = np.array(sent), set()
    for number in set(sent):
        out |= {(number, origin) for origin in spans[number].origins(points[numbers == number])}
    return out


def _as_written(spans: list[_Span], place: _Place, count: int) -> Position:
    span = spans[place[0]]
    return Position("", count, np.array(place[1]) / _PARTS, span.ways, span.pivots)


def _staying(starts: Floats, span: _Span, turns: Ints, shifts: Floats) -> list[int]:
    """How many operations leave the points of the span through each start in place; 0 where these
    are in truth part of a wider span."""
    points = starts + BESIDE[: len(span.ways)] @ span.ways
    own = _same(np.einsum("gab,nb->nga", turns, points) + shifts - points[:, None])
    counts = own.sum(1)
    traces = np.einsum("ng,g->n", own, turns.trace(axis1=1, axis2=2)) / counts
    return np.where(np.round(traces) == len(span.ways), counts, 0).tolist()


def _same(away: Floats) -> Any:
    return np.abs(away - np.round(away)).max(-1) < 1e-6


def _starts(turns: Ints, span: _Span) -> Floats:
    """Points, zero along the pivots, where special positions can begin: eighths, or sixths and
    twelfths where an axis is threefold along c."""
    hexagonal = bool((turns[:, 0, 0] * turns[:, 0, 1] != 0).any())
    parts = [
        1 if k in span.pivots else n for k, n in enumerate((6, 6, 12) if hexagonal else [8] * 3)
    ]
    return np.array(list(product(*(np.arange(n) / n for n in parts))))


def _spans(turns: Ints) -> list[_Span]:
    """What can stay in place: a point, each axis, each mirror plane, everything."""
    kinds = {turn.tobytes(): turn for turn in turns}.values()
    found = {}
    for turn in (np.zeros((3, 3), int), *kinds):
        det, trace = round(float(np.linalg.det(turn))), int(np.trace(turn))
        if det >= 0 or (trace == 1 and (turn @ turn == np.eye(3)).all()):
            span = _span(turn)
            found[len(span.ways), span.pivots, span.ways.tobytes()] = span
    return [found[key] for key in sorted(found)]


def _span(turn: Ints) -> _Span:
    """What an operation leaves in place, written with whole numbers."""
    small = np.array(list(product(range(-2, 3), repeat=3)))
    fixed = small[(small @ turn.T == small).all(1)]
    rank = int(np.linalg.matrix_rank(fixed))
    for pivots in combinations(range(3), rank):
        unit = np.eye(rank, dtype=np.int64)
        rows = [fixed[(fixed[:, list(pivots)] == row).all(1)] for row in unit]
        if all(len(own) for own in rows):
            ways = np.array([own[0] for own in rows], np.int64).reshape(rank, 3)
            return _Span(ways, pivots)
    raise ValueError(f"operation: {turn.tolist()} has no axis of whole numbers")


# ---------------------------------------------------------------------- letters
def _lettered(
    number: int, turns: Ints, shifts: Floats, found: list[Position]
) -> dict[str, Position]:
    """Letter -> position: spglib names the orbits of a crystal that has an atom on each.

    spglib may shift the origin to another that is as good, which permutes positions: what counts
    is where it says that the lettered atoms are.
    """
    import spglib

    points = [p.point(BESIDE[: p.freedom]) for p in found if p.freedom < 3]
    points += [np.array(filling) for filling in _FILLING]
    cell = primitive_axes(number)
    to_small = np.linalg.inv(cell)
    orbits = [distinct((turns @ point + shifts) @ to_small) for point in points]
    kinds = np.repeat(np.arange(1, len(orbits) + 1), [len(orbit) for orbit in orbits])
    lattice = cell @ Lattice.from_parameters(*_GENERIC[crystal_system(number)]).matrix
    data = spglib.get_symmetry_dataset(
        (lattice, np.concatenate(orbits), kinds), symprec=1e-4, hall_number=hall_number(number)
    )
    letters = dict(zip(data.mapping_to_primitive, data.wyckoffs, strict=True))
    named: dict[str, Position] = {}
    for place, kept in zip(data.std_positions, data.std_mapping_to_primitive, strict=True):
        letter = letters[kept]
        if letter not in named:
            named[letter] = _holder(found, turns, shifts, place, letter)
    return named


def _holder(
    found: list[Position], turns: Ints, shifts: Floats, place: Floats, letter: str
) -> Position:
    """The position, given its letter, that holds a point."""
    orbit = turns @ place + shifts
    mine = min((p for p in found if len(p.holds(orbit))), key=lambda p: p.freedom)
    return replace(mine, letter=letter)
