"""A crystal on the periodic table: the tensor of unimat, and the way back.

The tensor has a place for each element of the table (seven rows, the lanthanides last, by eighteen
groups), SLOTS atoms at each place and three fractional coordinates for each atom. An atom that is
not there has the null location (-1, -1, -1). Beside it stand the six numbers of the lattice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genbat.domains.crystals import codec, periodic
from genbat.domains.crystals.chgnet_batch import Cell

ROWS, GROUPS, SLOTS = 7, 18, 10
NULL = -1.0
SEAM = 0.06  # coordinates run from -SEAM to 1 - SEAM: no special position lies near the border


def _grid() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Atomic numbers of the places that hold an element, and where in the grid they lie."""
    found = [(e.number, (min(e.row, ROWS) - 1) * GROUPS + e.column - 1) for e in periodic.rows()]
    numbers, cells = zip(*found, strict=True)
    return numbers, cells


NUMBERS, _CELLS = _grid()
CELLS = torch.tensor(_CELLS)
PLACES = len(NUMBERS)
PLACE_OF = {number: k for k, number in enumerate(NUMBERS)}


@dataclass(frozen=True)
class Tables:
    """B crystals on the periodic table.

    Attributes
    ----------
    counts : atoms of each element (B, PLACES).
    points : fractional coordinates (B, PLACES, SLOTS, 3), NULL where there is no atom.
    """

    counts: Tensor
    points: Tensor


def fits(cell: Cell) -> bool:
    """Whether a crystal has a place for each of its atoms."""
    kinds, counts = np.unique(cell.numbers, return_counts=True)
    return bool((counts <= SLOTS).all()) and all(int(z) in PLACE_OF for z in kinds)


def tables_of(cells: Sequence[Cell]) -> Tables:
    """Crystals on the table; atoms of an element keep their order.

    Raises
    ------
    ValueError : a crystal that does not fit, by its number in the list.
    """
    counts = torch.zeros(len(cells), PLACES, dtype=torch.long)
    points = torch.full((len(cells), PLACES, SLOTS, 3), NULL)
    for k, cell in enumerate(cells):
        if not fits(cell):
            raise ValueError(f"cells[{k}]: has over {SLOTS} atoms of an element, or one beyond Bi")
        fractions = torch.as_tensor(codec.fractional(cell)).float()
        fractions = (fractions + SEAM) % 1.0 - SEAM
        for z in np.unique(cell.numbers).tolist():
            mine = np.flatnonzero(cell.numbers == z)
            counts[k, PLACE_OF[z]] = len(mine)
            points[k, PLACE_OF[z], : len(mine)] = fractions[mine]
    return Tables(counts, points)


def present(points: Tensor) -> Tensor:
    """Which slots (..., SLOTS, 3) hold an atom: those nearer to the cell than to the null location,
    on average over the three coordinates."""
    return points.mean(-1) > (NULL - SEAM) / 2


def numbers_and_fractions(points: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Atomic numbers (n,) and fractional coordinates (n, 3) of one table (PLACES, SLOTS, 3)."""
    here = present(points)
    numbers = torch.tensor(NUMBERS)[:, None].expand_as(here)[here]
    return numbers.numpy(), points[here].double().numpy() % 1.0


def on_grid(values: Tensor) -> Tensor:
    """Values of the places (B, PLACES, ...) laid out as the periodic table (B, ROWS, GROUPS, ...),
    zero where it has no element."""
    out = values.new_zeros(len(values), ROWS * GROUPS, *values.shape[2:])
    out[:, CELLS] = values
    return out.unflatten(1, (ROWS, GROUPS))


def off_grid(table: Tensor) -> Tensor:
    """Inverse of `on_grid`."""
    return table.flatten(1, 2)[:, CELLS]
