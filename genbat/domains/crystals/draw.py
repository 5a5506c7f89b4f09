"""What the 3D viewer shows of a crystal: atoms, bonds, coordination polyhedra, legend colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from genbat.core.candidate import ViewSpec
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats, find_bonds
from genbat.domains.crystals.hosts import symbols
from genbat.domains.crystals.ions import ANION_ELEMENTS, WORKING_IONS, covalent_radius
from genbat.domains.crystals.structure import formula_counts, reduced_formula, to_text

BOND_STRETCH = 1.25  # longest bond drawn, in sums of covalent radii
SHELL = 1.25  # neighbours of a polyhedron lie within this factor of the nearest
EDGE_SHARE = 0.02  # of the cell: atoms this near a face are drawn on both sides
# Jmol's colours, which crystallographers know; the working ions and oxygen a little darker.
_COLOURS = {
    "H": "#d0d0d0", "Li": "#9a4fd0", "Be": "#a8d800", "B": "#f0908f", "C": "#707070",
    "N": "#3050f8", "O": "#f03030", "F": "#60c030", "Na": "#8a3fe0", "Mg": "#5cc800",
    "Al": "#b09a9a", "Si": "#d8b080", "P": "#ff8000", "S": "#d8c020", "Cl": "#1fd01f",
    "K": "#8f40d4", "Ca": "#3dcc00", "Sc": "#b8b8b8", "Ti": "#9aa0a8", "V": "#8b8b95",
    "Cr": "#7a88b8", "Mn": "#9c7ac7", "Fe": "#e06633", "Co": "#e77b93", "Ni": "#4bbf4b",
    "Cu": "#c88033", "Zn": "#7d80b0", "Ga": "#c28f8f", "Ge": "#668f8f", "As": "#bd80e3",
    "Se": "#e09a00", "Br": "#a62929", "Rb": "#702eb0", "Sr": "#00d800", "Y": "#70c8c8",
    "Zr": "#76b5b5", "Nb": "#66a8b0", "Mo": "#54b5b5", "Ru": "#248f8f", "Rh": "#0a7d8c",
    "Pd": "#006985", "Ag": "#a8a8a8", "Cd": "#d9b56f", "In": "#a67573", "Sn": "#668080",
    "Sb": "#9e63b5", "Te": "#d47a00", "I": "#940094", "Cs": "#57178f", "Ba": "#00b300",
    "La": "#57a8d4", "Hf": "#4da8dd", "Ta": "#4d8fdd", "W": "#2194d6", "Pt": "#8a8aa8",
    "Au": "#d8b000", "Pb": "#575961", "Bi": "#9e4fb5",
}  # fmt: skip
OTHER = "#8a9a9a"


@dataclass(frozen=True)
class Bond:
    """A line between two points (3,) in Å, and its length in Å."""

    start: tuple[float, ...]
    end: tuple[float, ...]
    length: float


@dataclass(frozen=True)
class Polyhedron:
    """The anions around one cation: centre (3,), corners (m, 3) in Å, and the cation's element."""

    element: str
    center: tuple[float, ...]
    corners: tuple[tuple[float, ...], ...]


def view(cell: Cell) -> ViewSpec:
    """The cell for the viewer: CIF, and the style of each element."""
    colours = legend(cell)
    style: dict[str, Any] = {
        "sphere": {"scale": 0.3}, "colours": colours, "unit_cell": True,
    }  # fmt: skip
    return ViewSpec(to_text(cell), "cif", style, reduced_formula(cell))


def legend(cell: Cell) -> Mapping[str, str]:
    """Element -> colour, working ions first."""
    counts = formula_counts(cell)
    first = [e for e in WORKING_IONS if e in counts]
    return {e: _COLOURS.get(e, OTHER) for e in [*first, *(e for e in counts if e not in first)]}


def bonds(cell: Cell) -> list[Bond]:
    """Bonds between the cell's atoms and the nearest images, each drawn once.

    Two anions are joined only where no cation is near (O2, S2 pairs), two metals never in a
    compound with anions.
    """
    names = symbols(cell)
    radii = np.array([covalent_radius(e) for e in names])
    anionic = np.array([e in ANION_ELEMENTS for e in names])
    found = find_bonds(cell.positions, cell.lattice, float(2 * radii.max() * BOND_STRETCH))
    limit = BOND_STRETCH * (radii[found.center] + radii[found.other])
    unlike = anionic[found.center] != anionic[found.other]
    if not unlike.any():
        unlike[:] = True
    pairs = anionic[found.center] & anionic[found.other] & (found.distance < 0.9 * limit)
    forward = (found.center < found.other) | (
        (found.center == found.other) & (found.image @ np.array([9, 3, 1]) > 0)
    )
    keep = forward & (found.distance < limit) & (unlike | pairs)
    ends = cell.positions[found.other] + found.image @ cell.lattice
    return [
        Bond(_point(cell.positions[found.center[k]]), _point(ends[k]), float(found.distance[k]))
        for k in np.flatnonzero(keep)
    ]


def polyhedra(cell: Cell) -> list[Polyhedron]:
    """Coordination polyhedra of 4 to 12 anions around every cation that is no working ion."""
    names = symbols(cell)
    anionic = np.array([e in ANION_ELEMENTS for e in names])
    if anionic.all() or not anionic.any():
        return []
    found = find_bonds(cell.positions, cell.lattice, 4.0)
    ends = cell.positions[found.other] + found.image @ cell.lattice
    shapes = []
    for atom in np.flatnonzero(~anionic):
        mine = np.flatnonzero((found.center == atom) & anionic[found.other])
        if names[atom] in WORKING_IONS or not len(mine):
            continue
        shell = mine[found.distance[mine] < SHELL * found.distance[mine].min()]
        if 4 <= len(shell) <= 12:
            corners = tuple(_point(end) for end in ends[shell])
            shapes.append(Polyhedron(names[atom], _point(cell.positions[atom]), corners))
    return shapes


def with_borders(cell: Cell) -> tuple[list[str], Floats]:
    """Atoms (m,) and positions (m, 3) of one cell, those on its faces repeated on all of them."""
    inverse = np.linalg.inv(cell.lattice)
    fractions = (cell.positions @ inverse) % 1.0
    fractions[fractions > 1 - EDGE_SHARE] -= 1.0
    names, points = [], []
    for name, fraction in zip(symbols(cell), fractions, strict=True):
        near = fraction < EDGE_SHARE
        for corner in np.ndindex(*(1 + near)):
            names.append(name)
            points.append((fraction + corner) @ cell.lattice)
    return names, np.array(points)


def _point(position: Floats) -> tuple[float, ...]:
    return tuple(round(float(x), 4) for x in position)
