"""One of the many ways to write a crystal down: always the same axes, origin and order of atoms.

A primitive cell leaves free where the origin lies, which of the symmetric sets of axes is taken and
in which order the atoms come. A network that reads coordinates as they stand has to learn each of
these ways anew; here one of them is chosen, by the smallest coordinates.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np
from pymatgen.core import Element

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats, Ints
from genbat.domains.crystals.symmetry import fractional

GRID = 24  # steps of the cell that coordinates are compared in: eighths and sixths are among them
ALIKE = 0.02  # share by which two axes may differ and be exchanged all the same


def settled(cell: Cell) -> Cell:
    """The crystal with a chosen origin, axes and order of atoms.

    The origin is an atom of the rarest element, of the least electronegative one among these. Of
    all such origins and all axes with the lattice's own metric the coordinates, rounded to GRID
    steps and sorted by element, come first in the dictionary's order. Turning, shifting and
    shuffling a crystal changes nothing but the last digits.
    """
    ranks = _ranks(cell.numbers)
    axes = _axes_of(cell.lattice)
    whole = fractional(cell)
    turned = whole @ np.linalg.inv(axes)  # (t, n, 3)
    starts = np.flatnonzero(ranks == 0)
    moved = (turned[:, None] - turned[:, starts, None]).reshape(-1, *whole.shape)
    codes = _codes(moved, ranks)
    best = int(np.lexsort(np.sort(codes, 1).T[::-1])[0])
    order = np.argsort(codes[best], kind="stable")
    lattice = axes[best // len(starts)] @ cell.lattice
    points = moved[best][order]
    return Cell(cell.numbers[order], (points - np.floor(points)) @ lattice, lattice)


def _ranks(numbers: Ints) -> Ints:
    """Place of each atom's element: rare ones first, then those that pull electrons least."""
    kinds, counts = np.unique(numbers, return_counts=True)
    keys = [(int(n), Element.from_Z(int(z)).X, int(z)) for z, n in zip(kinds, counts, strict=True)]
    place = {z: k for k, (*_, z) in enumerate(sorted(keys))}
    return np.array([place[int(z)] for z in numbers])


def _codes(points: Floats, ranks: Ints) -> Ints:
    """Coordinates (c, n, 3) as whole numbers (c, n) in the order of element, x, y, z."""
    x, y, z = np.moveaxis(np.rint(points * GRID).astype(int) % GRID, -1, 0)
    return np.asarray(((ranks * GRID + x) * GRID + y) * GRID + z)


def _axes_of(lattice: Floats) -> Floats:
    """Whole-numbered changes of axes (t, 3, 3) that keep a lattice's edges and angles."""
    every, metric = _unimodular(), lattice @ lattice.T
    edges = np.sqrt(np.diag(metric))
    change = np.abs(every @ metric @ every.transpose(0, 2, 1) - metric)
    return every[(change <= ALIKE * np.outer(edges, edges)).all((1, 2))]


@lru_cache(maxsize=1)
def _unimodular() -> Floats:
    """All 3 x 3 matrices of -1, 0 and 1 with determinant 1 or -1: enough for a reduced cell."""
    every = np.array(list(product((-1.0, 0.0, 1.0), repeat=9))).reshape(-1, 3, 3)
    return every[np.abs(np.abs(np.linalg.det(every)) - 1.0) < 1e-6]
