"""From where a crystal is looked at: which atom is the origin, which axis comes first and which way
it points. An image along the cell's axes depends on all three; one view is picked as the settled
one, so that a crystal has one image."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats, Ints
from genbat.domains.crystals.symmetry import fractional

# Every order of the axes and every direction of each: (48, 3, 3).
TURNS: Floats = np.array(
    [np.eye(3)[list(order)] * signs[:, None]
     for order in permutations(range(3)) for signs in np.array(list(product((1, -1), repeat=3)))]
)  # fmt: skip
ALIKE = 1e-3  # of the lattice's size: turns whose lattices differ less are the same
# What picks the lattice's turn: short axes first, then obtuse angles; numbers of no simple ratio.
_LATTICE = np.array([[3.0, 0.31, 0.23], [0.31, 2.0, 0.17], [0.23, 0.17, 1.0]])
# What picks origin and turn among those: weights of the waves cos and sin along each axis and
# between two axes, and of the elements.
_WAVES = np.array(
    [[1.0, 0.618, 0.382, 0.271, 0.193, 0.139], [0.414, 0.732, 0.236, 0.317, 0.162, 0.1]]
)
_OTHERS = 0.577


def seen_from(cell: Cell, origin: int, turn: Floats) -> Cell:
    """The cell with an atom at its origin and its axes in another order or direction (3, 3)."""
    fractions = fractional(cell)
    lattice = turn @ cell.lattice
    return Cell(cell.numbers, (fractions - fractions[origin]) @ turn.T % 1.0 @ lattice, lattice)


def settled_turns(cell: Cell) -> Ints:
    """Which of TURNS settle the lattice: one, or several where it is symmetric."""
    metric = cell.lattice @ cell.lattice.T
    costs = (TURNS @ metric @ TURNS.transpose(0, 2, 1) * _LATTICE).sum((1, 2))
    return np.flatnonzero(costs < costs.min() + ALIKE * np.trace(metric))


def settled(cell: Cell, first: int) -> Cell:
    """The one view of a crystal that depends on nothing but the crystal and its lattice vectors: an
    atom of the element `first` is the origin, or any where there is none of it."""
    origins = np.flatnonzero(cell.numbers == first)
    origins = origins if len(origins) else np.arange(len(cell.numbers))
    turns = settled_turns(cell)
    scores = _scores(cell, origins, TURNS[turns], first)
    turn, origin = np.unravel_index(int(scores.argmax()), scores.shape)
    return seen_from(cell, int(origins[origin]), TURNS[turns[turn]])


def _scores(cell: Cell, origins: Ints, turns: Floats, first: int) -> Floats:
    """A number for each turn and origin (t, o), equal where symmetry makes the views equal."""
    fractions = fractional(cell)
    away = fractions - fractions[origins][:, None]  # (o, n, 3)
    places = np.einsum("onk,tlk->tonl", away, turns)
    waves = 2 * np.pi * np.concatenate([places, places + np.roll(places, 1, -1)], -1)
    each = np.cos(waves) @ _WAVES[0] + np.sin(waves) @ _WAVES[1]
    return np.asarray(each @ np.where(cell.numbers == first, 1.0, _OTHERS))


def random_view(cell: Cell, first: int, rng: np.random.Generator, settled_share: float) -> Cell:
    """Another view of a crystal: any atom of the element `first` is the origin; the lattice is
    settled in so large a share of the cases, else turned in any way."""
    origins = np.flatnonzero(cell.numbers == first)
    origin = rng.choice(origins) if len(origins) else rng.integers(len(cell.numbers))
    turns = settled_turns(cell) if rng.random() < settled_share else np.arange(len(TURNS))
    return seen_from(cell, int(origin), TURNS[rng.choice(turns)])
