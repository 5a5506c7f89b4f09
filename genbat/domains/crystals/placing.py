"""Where a drawing puts a crystal: which cell, which way up, and which images of its atoms."""

from __future__ import annotations

from itertools import product

import numpy as np

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats
from genbat.domains.crystals.coordination import Place
from genbat.domains.crystals.symmetry import SYMPREC, as_spglib, ask_spglib, fractional

EDGE_SHARE = 0.02  # of the cell: atoms this near a face are drawn on both sides


def fractions(cell: Cell) -> Floats:
    """Fractional places (n, 3) in [0, 1), to 1e-5: what lies on a face does so exactly."""
    return np.asarray(np.round(fractional(cell), 5) % 1.0, float)


def tidy(cell: Cell) -> Cell:
    """The same crystal with every atom at its `fractions`."""
    return Cell(cell.numbers, fractions(cell) @ cell.lattice, cell.lattice)


def conventional(cell: Cell, symprec: float = SYMPREC, *, ideal: bool = False) -> Cell:
    """The conventional cell, atoms where they are; the cell itself where spglib finds none.

    `ideal` moves cell and atoms onto the exact symmetry found at `symprec` Å.
    """
    found = ask_spglib(
        "standardize_cell",
        as_spglib(cell),
        to_primitive=False,
        no_idealize=not ideal,
        symprec=symprec,
    )
    if found is None:
        return cell
    lattice, points, numbers = found
    return Cell(np.asarray(numbers, np.int64), points % 1.0 @ lattice, np.asarray(lattice, float))


def upright(cell: Cell) -> Floats:
    """Lattice rows (3, 3) in Å with c along y (up), a in the plane of x and y to the right.

    A turn, never a mirror: a right-handed lattice has its b pointing away from someone on +z.
    """
    a, _, c = cell.lattice
    up = c / np.linalg.norm(c)
    right = a - (a @ up) * up
    right /= np.linalg.norm(right)
    return np.asarray(cell.lattice @ np.stack([right, up, np.cross(right, up)], axis=1), float)


def shown_places(cell: Cell) -> list[Place]:
    """The atoms of one cell, those on its faces repeated on all of them.

    Fractions within EDGE_SHARE below a face count as on it.
    """
    points = fractions(cell)
    over = points > 1 - EDGE_SHARE
    near = over | (points < EDGE_SHARE)
    return [
        (k, (a, b, c))
        for k in range(len(points))
        for a, b, c in product(*(_images(*ends) for ends in zip(near[k], over[k], strict=True)))
    ]


def _images(near: bool, over: bool) -> tuple[int, ...]:
    return ((-1, 0) if over else (0, 1)) if near else (0,)
