"""The joint graph of many crystals in plain numpy: atoms, bonds and angles as CHGNet counts them.

CHGNet (Deng et al., Nat. Mach. Intell. 2023, 5, 1031) passes messages over bonds up to 6 Å and over
angles between bonds up to 3 Å. Both directions of a bond share one feature vector, so a graph holds
directed bonds (edges) and undirected ones. Building it for a whole batch takes 0.1 ms a crystal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.optimization.neighbors import find_points_in_spheres

ATOM_CUTOFF = 6.0  # Å, bonds of the atom graph
BOND_CUTOFF = 3.0  # Å, bonds whose angles count
MAX_IMAGE = 31  # cells in each direction that the packed bond keys can tell apart

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Neighbours:
    """Directed bonds up to ATOM_CUTOFF of one crystal with n atoms and E bonds.

    Attributes
    ----------
    center, other : atom numbers (E,); the bond runs from `center` to an image of `other`.
    image : lattice translations of `other` (E, 3).
    distance : lengths (E,), Å.
    """

    center: Ints
    other: Ints
    image: Ints
    distance: Floats


def neighbours(positions: Floats, lattice: Floats) -> Neighbours:
    """All bonds of a crystal; `positions` (n, 3) Cartesian and `lattice` (3, 3) rows, in Å."""
    return find_bonds(positions, lattice, ATOM_CUTOFF)


def find_bonds(positions: Floats, lattice: Floats, cutoff: float) -> Neighbours:
    """All pairs of atoms and images up to `cutoff` Å, in both directions."""
    points = np.ascontiguousarray(positions, dtype=float)
    center, other, image, distance = find_points_in_spheres(
        points,
        points,
        r=float(cutoff),
        pbc=np.ones(3, np.int64),
        lattice=np.ascontiguousarray(lattice, dtype=float),
        tol=1e-8,
        min_r=1.0,
    )
    keep = (center != other) | (distance > 1e-8)
    return Neighbours(center[keep], other[keep], image[keep].astype(np.int64), distance[keep])


@dataclass(frozen=True)
class Graph:
    """The joint graph of a batch: E directed bonds, U undirected, S short ones, A angles.

    Attributes
    ----------
    center, other, image : the directed bonds, atoms counted through the batch; (E,), (E,), (E, 3).
    representative : directed bond that stands for each undirected one (U,).
    undirected : undirected bond of each directed one (E,).
    short : undirected bonds up to BOND_CUTOFF (S,), the nodes of the bond graph.
    bond_1, bond_2 : the two directed bonds of each angle (A,); they share their center.
    short_1, short_2 : places in `short` of the same bonds (A,).
    apex : atom where the two bonds of an angle meet (A,).
    """

    center: Ints
    other: Ints
    image: Ints
    representative: Ints
    undirected: Ints
    short: Ints
    bond_1: Ints
    bond_2: Ints
    short_1: Ints
    short_2: Ints
    apex: Ints


def join(lists: list[Neighbours], sizes: list[int]) -> Graph:
    """Neighbour lists of several crystals with `sizes` atoms each -> one graph."""
    offsets = np.cumsum([0, *sizes[:-1]])
    center = np.concatenate([one.center + o for one, o in zip(lists, offsets, strict=True)])
    other = np.concatenate([one.other + o for one, o in zip(lists, offsets, strict=True)])
    image = np.concatenate([one.image for one in lists])
    distance = np.concatenate([one.distance for one in lists])
    representative, undirected = _pair_up(center, other, image, int(sum(sizes)))
    is_short = distance[representative] < BOND_CUTOFF  # one answer for both directions
    bond_1, bond_2 = _angles(center, is_short[undirected], int(sum(sizes)))
    short = np.flatnonzero(is_short)
    place = np.zeros(len(representative), np.int64)
    place[short] = np.arange(len(short))
    return Graph(
        center,
        other,
        image,
        representative,
        undirected,
        short,
        bond_1,
        bond_2,
        place[undirected[bond_1]],
        place[undirected[bond_2]],
        center[bond_1],
    )


def _pair_up(center: Ints, other: Ints, image: Ints, n_atoms: int) -> tuple[Ints, Ints]:
    """Which directed bonds are the two directions of the same bond."""
    forth = _key(center, other, image, n_atoms)
    back = _key(other, center, -image, n_atoms)
    _, representative, undirected = np.unique(
        np.minimum(forth, back), return_index=True, return_inverse=True
    )
    if len(center) != 2 * len(representative):
        raise ValueError("neighbours: some bonds have no reverse direction; the cell is too thin")
    return representative, undirected


def _key(first: Ints, second: Ints, image: Ints, n_atoms: int) -> Ints:
    base = 2 * (MAX_IMAGE + 1)
    key = first * n_atoms + second
    for axis in range(3):
        key = key * base + image[:, axis] + base // 2
    return key


def _angles(center: Ints, is_short: NDArray[np.bool_], n_atoms: int) -> tuple[Ints, Ints]:
    """Every ordered pair of different short bonds that share their center."""
    short = np.flatnonzero(is_short)
    short = short[np.argsort(center[short], kind="stable")]
    count = np.bincount(center[short], minlength=n_atoms)
    first_of = np.cumsum(count) - count
    partners = count[center[short]]  # bonds at the same atom, itself included
    one = np.repeat(np.arange(len(short)), partners)
    within = np.arange(len(one)) - np.repeat(np.cumsum(partners) - partners, partners)
    two = within + np.repeat(first_of[center[short]], partners)
    different = one != two
    return short[one[different]], short[two[different]]
