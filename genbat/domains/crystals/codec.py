"""Crystals <-> arrays for networks.

A crystal is its atomic numbers, fractional positions in [0, 1) and six numbers for the lattice. The
lattice L (rows, Å) splits into a rotation and a symmetric stretch, L = exp(S) Q; S is what remains
when the orientation is forgotten, and any symmetric S is a lattice (as in DiffCSP++, Jiao et al.,
ICLR 2024). What is lost: the crystal's orientation in space, nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats, Ints
from genbat.domains.crystals.symmetry import fractional

SIDES = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


@dataclass(frozen=True)
class Batch:
    """B crystals with n atoms in all.

    Attributes
    ----------
    numbers : atomic numbers (n,).
    fractions : fractional positions (n, 3), in [0, 1).
    stretches : lattices as six numbers each (B, 6): S's diagonal, then its upper triangle.
    owner : crystal of each atom (n,), rising.
    """

    numbers: Ints
    fractions: Floats
    stretches: Floats
    owner: Ints

    def __len__(self) -> int:
        return len(self.stretches)


def encode(cells: Sequence[Cell]) -> Batch:
    """Arrays of crystals."""
    sizes = [len(cell.numbers) for cell in cells]
    return Batch(
        np.concatenate([cell.numbers for cell in cells]),
        np.concatenate([fractional(cell) for cell in cells]),
        np.stack([stretch_of(cell.lattice) for cell in cells]),
        np.repeat(np.arange(len(cells)), sizes),
    )


def decode(batch: Batch) -> list[Cell]:
    """Crystals of a batch, each lattice in its symmetric orientation."""
    cells = []
    for k, stretch in enumerate(batch.stretches):
        mine = batch.owner == k
        lattice = lattice_of(stretch)
        cells.append(Cell(batch.numbers[mine], batch.fractions[mine] % 1.0 @ lattice, lattice))
    return cells


def stretch_of(lattice: Floats) -> Floats:
    """Six numbers (6,) of a lattice (3, 3): the logarithm of its symmetric part."""
    values, vectors = np.linalg.eigh(lattice @ lattice.T)  # = exp(2 S)
    symmetric = (vectors * (np.log(values) / 2)) @ vectors.T
    return np.array([symmetric[side] for side in SIDES])


def lattice_of(stretch: Floats) -> Floats:
    """Lattice (3, 3) in Å of six numbers, rows; symmetric, and positive for any numbers."""
    symmetric = np.zeros((3, 3))
    for value, (row, column) in zip(stretch, SIDES, strict=True):
        symmetric[row, column] = symmetric[column, row] = value
    values, vectors = np.linalg.eigh(symmetric)
    return np.asarray((vectors * np.exp(values)) @ vectors.T)


def turned(cell: Cell, seed: int) -> Cell:
    """The same crystal, randomly rotated, shifted and with its atoms shuffled: for training and
    for tests of invariance.
    """
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    order = rng.permutation(len(cell.numbers))
    fractions = (fractional(cell)[order] + rng.uniform(size=3)) % 1.0
    lattice = cell.lattice @ rotation
    return Cell(cell.numbers[order], fractions @ lattice, lattice)
