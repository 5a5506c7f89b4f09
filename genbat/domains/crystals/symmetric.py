"""A crystal by its symmetry: space group, one entry an orbit of atoms, free parameters, cell.

What spglib finds at a tolerance is made exact; what is lost is how far the atoms were from it, and
the crystal's orientation. The origin is chosen among those that are as good (translations of the
Euclidean normaliser, International Tables A, Chapter 3.5): the one whose letters come first in the
alphabet, and along a polar axis the one that puts the first atom at zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from pymatgen.core import Element, Lattice

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats
from genbat.domains.crystals.symmetry import SYMPREC, as_spglib, ask_spglib, crystal_system
from genbat.domains.crystals.wyckoff import (
    NEAR,
    Group,
    Position,
    distinct,
    hall_number,
    primitive_axes,
    space_group,
)

# The free ones of (a, b, c, alpha, beta, gamma) by crystal system, and where the others come from.
FREE_CELL: dict[str, tuple[str, ...]] = {
    "triclinic": ("a", "b", "c", "alpha", "beta", "gamma"),
    "monoclinic": ("a", "b", "c", "beta"),
    "orthorhombic": ("a", "b", "c"),
    "tetragonal": ("a", "c"),
    "trigonal": ("a", "c"),
    "hexagonal": ("a", "c"),
    "cubic": ("a",),
}
TOLERANCES = (0.001, 0.01, 0.03, SYMPREC)  # Å
_CELL = ("a", "b", "c", "alpha", "beta", "gamma")
_SHIFTS = (0, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4)


@dataclass(frozen=True)
class Orbit:
    """Atoms that symmetry makes alike: element, Wyckoff letter, free parameters in [0, 1)."""

    element: str
    letter: str
    free: tuple[float, ...] = ()


@dataclass(frozen=True)
class Symmetric:
    """A crystal: space group number, its orbits in order, free cell parameters (Å, degrees)."""

    group: int
    orbits: tuple[Orbit, ...]
    cell: tuple[float, ...]

    def counts(self) -> dict[str, int]:
        """Element -> atoms of the primitive cell, in the order of the orbits."""
        group, out = space_group(self.group), dict[str, int]()
        for orbit in self.orbits:
            count = group.positions[orbit.letter].count // group.centrings
            out[orbit.element] = out.get(orbit.element, 0) + count
        return out


@lru_cache(maxsize=128)
def rank(element: str) -> tuple[float, str]:
    """Elements in the order of formulas: rising electronegativity."""
    return float(Element(element).X), element


# ---------------------------------------------------------------------- from a crystal
def described(cell: Cell) -> Symmetric:
    """A crystal by its space group at 0.1 Å, as everywhere, made exact at the smallest tolerance
    that still finds it: at a wide one spglib's origins are off by as much. A few strongly
    distorted crystals have no exact form of their group and are described by a lower one.

    Raises
    ------
    ValueError : spglib finds no symmetry.
    """
    found = {symprec: _standard(cell, symprec) for symprec in TOLERANCES}
    group = found[SYMPREC] and int(found[SYMPREC].number)
    for data in sorted(filter(None, found.values()), key=lambda d: int(d.number) != group):
        try:
            return _described(data)
        except ValueError:  # what was made exact is none of its positions
            continue
    raise ValueError(f"crystal: spglib finds no symmetry at {SYMPREC} Å or below")


def _described(data: Any) -> Symmetric:
    group = space_group(int(data.number))
    orbits = _orbits(data)
    shift = _best_shift(group, orbits)
    parameters = dict(zip(_CELL, Lattice(data.std_lattice).parameters, strict=True))
    free = tuple(parameters[name] for name in FREE_CELL[crystal_system(group.number)])
    return Symmetric(group.number, written(group, orbits, shift), free)


_Orbits = list[tuple[str, Floats]]  # element and all points (n, 3) in the conventional cell


def _standard(cell: Cell, symprec: float) -> Any:
    data = ask_spglib("get_symmetry_dataset", as_spglib(cell), symprec=symprec)
    if data is not None and data.hall_number != (hall := hall_number(int(data.number))):
        data = ask_spglib("get_symmetry_dataset", as_spglib(cell), symprec, hall_number=hall)
    return data


def _orbits(data: Any) -> _Orbits:
    owner = dict(zip(data.mapping_to_primitive, data.crystallographic_orbits, strict=True))
    found: dict[int, list[int]] = {}
    for place, kept in enumerate(data.std_mapping_to_primitive):
        found.setdefault(int(owner[kept]), []).append(place)
    return [
        (Element.from_Z(int(data.std_types[own[0]])).symbol, np.asarray(data.std_positions)[own])
        for own in found.values()
    ]


def written(group: Group, orbits: _Orbits, shift: Floats) -> tuple[Orbit, ...]:
    """Orbits after a shift of the origin, in order: by element, letter, free parameters.

    Raises
    ------
    ValueError : points that are no orbit of the group.
    """
    found = []
    for element, points in orbits:
        moved = points + shift
        position = holder(group, moved)
        rows = moved[position.holds(moved)][:, list(position.pivots)] % 1.0
        frees = np.where(rows > 1 - NEAR, 0.0, rows).round(6).tolist()
        found.append(Orbit(element, position.letter, tuple(min(frees))))
    return tuple(sorted(found, key=lambda o: (rank(o.element), _place(o.letter), o.free)))


def holder(group: Group, points: Floats) -> Position:
    """The Wyckoff position whose orbit some points (n, 3) are."""
    for position in group.positions.values():
        if position.count == len(points) and len(position.holds(points)):
            return position
    raise ValueError(f"points: {len(points)} of them are no orbit of space group {group.number}")


def _place(letter: str) -> tuple[bool, str]:
    return letter == "A", letter


def _best_shift(group: Group, orbits: _Orbits) -> Floats:
    """The origin that makes the first letters, and the smallest free parameters among equals."""
    shifts = [s + t for s in normaliser(group.number) for t in _along_polar(group, orbits, s)]
    if len(shifts) == 1:
        return shifts[0]
    return min(shifts, key=lambda shift: _order(written(group, orbits, shift)))


def _order(orbits: Sequence[Orbit]) -> tuple:
    return ([(rank(o.element), _place(o.letter)) for o in orbits], [o.free for o in orbits])


def _along_polar(group: Group, orbits: _Orbits, shift: Floats) -> list[Floats]:
    """Shifts along directions that no operation turns, which put one of the first atoms at zero."""
    fixed = group.turns.mean(0)
    if abs(np.trace(fixed)) < 0.5:
        return [np.zeros(3)]
    first = written(group, orbits, shift)[0]
    alike = [p for e, p in orbits if e == first.element and holder(group, p + shift).letter
             == first.letter]  # fmt: skip
    return [-fixed @ (points[0] + shift) for points in alike]


@lru_cache(maxsize=230)
def normaliser(number: int) -> tuple[Floats, ...]:
    """Shifts of the origin by quarters, thirds and halves that leave all operations what they are,
    one for each way in which they permute positions."""
    group = space_group(number)
    pure = group.shifts[(group.turns == np.eye(3, dtype=int)).all((1, 2))]
    found: list[Floats] = []
    for shift in np.array(list(product(_SHIFTS, repeat=3))):
        if _known(shift, pure, found, group) or not _kept(shift, pure, group):
            continue
        found.append(shift)
    return tuple(found)


def _kept(shift: Floats, pure: Floats, group: Group) -> bool:
    moved = group.turns @ shift - shift
    away = moved[:, None] - pure
    return bool((np.abs(away - np.round(away)).max(2) < NEAR).any(1).all())


def _known(shift: Floats, pure: Floats, found: list[Floats], group: Group) -> bool:
    """Whether a shift differs from one that was found by a translation of the lattice or along a
    polar axis only."""
    fixed = group.turns.mean(0)
    for old in found:
        for move in pure:
            away = shift - old - move
            away = away - np.round(away)
            if np.abs(away - fixed @ away).max() < NEAR:
                return True
    return False


# ---------------------------------------------------------------------- to a crystal
def built(crystal: Symmetric) -> Cell:
    """The primitive cell of a crystal.

    Raises
    ------
    ValueError : no such letter in the group, parameters too many or too few, atoms on one place.
    """
    group = space_group(crystal.group)
    axes = primitive_axes(crystal.group)
    lattice = axes @ lattice_of(crystal.group, crystal.cell)
    numbers, fractions = [], []
    for orbit in crystal.orbits:
        points = distinct(points_of(group, orbit) @ np.linalg.inv(axes))
        numbers += [Element(orbit.element).Z] * len(points)
        fractions.append(points)
    places = np.concatenate(fractions)
    if len(distinct(places)) < len(places):
        raise ValueError("orbits: two atoms share a place")
    return Cell(np.array(numbers, np.int64), places @ lattice, lattice)


def points_of(group: Group, orbit: Orbit) -> Floats:
    """All points (n, 3) of an orbit in the conventional cell; ValueError where they coincide."""
    if orbit.letter not in group.positions:
        raise ValueError(
            f"letter: {orbit.letter!r} is none of space group {group.number}; legal are "
            f"{', '.join(group.positions)}"
        )
    position = group.positions[orbit.letter]
    if len(orbit.free) != position.freedom:
        raise ValueError(f"orbit: {orbit.letter} of space group {group.number} has "
                         f"{position.freedom} free parameters, not {len(orbit.free)}")  # fmt: skip
    points = group.orbit(position.point(np.array(orbit.free)))
    if len(points) != position.count:
        raise ValueError(f"orbit: {orbit} falls on a position of higher symmetry")
    return points


def lattice_of(number: int, free: Sequence[float]) -> Floats:
    """Conventional lattice (3, 3) in Å of a group's free cell parameters.

    Raises
    ------
    ValueError : parameters too many or too few, or none of a cell.
    """
    names = FREE_CELL[system := crystal_system(number)]
    if len(free) != len(names):
        raise ValueError(f"cell: a {system} one has {', '.join(names)}, not {len(free)} numbers")
    given: Mapping[str, float] = dict(zip(names, free, strict=True))
    a = given["a"]
    obtuse = 120.0 if system in ("trigonal", "hexagonal") else 90.0
    b, c = given.get("b", a), given.get("c", a)
    angles = given.get("alpha", 90.0), given.get("beta", 90.0), given.get("gamma", obtuse)
    if min(free) <= 0 or not _closes(*angles):
        raise ValueError(f"cell: {list(free)} are no edges and angles of a cell")
    return np.asarray(Lattice.from_parameters(a, b, c, *angles).matrix, float)


def _closes(alpha: float, beta: float, gamma: float) -> bool:
    x, y, z = np.cos(np.radians([alpha, beta, gamma]))
    return bool(1 + 2 * x * y * z - x * x - y * y - z * z > 1e-3)
