"""Who sits next to whom in a crystal: bonds, and the anions around each cation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats, find_bonds
from genbat.domains.crystals.hosts import symbols
from genbat.domains.crystals.ions import ANION_ELEMENTS, WORKING_IONS, covalent_radius

BOND_STRETCH = 1.25  # longest bond drawn, in sums of covalent radii
SHELL = 1.25  # neighbours of a polyhedron lie within this factor of the nearest
REACH = 4.0  # Å, longest distance from a cation to a corner of its polyhedron
FEWEST, MOST, CLEAR = 4, 12, 8  # corners; shells beyond CLEAR hide what is inside

Image = tuple[int, int, int]  # lattice translation
Place = tuple[int, Image]  # an atom of the cell, moved


@dataclass(frozen=True)
class Bond:
    """Atom `first` of the cell to atom `second` moved by `image`; length in Å."""

    first: int
    second: int
    image: Image
    length: float


@dataclass(frozen=True)
class Polyhedron:
    """The anions around one cation.

    Attributes
    ----------
    atom, element : the cation.
    corners : its m anions.
    faces : triangles over the corners' numbers, turned outwards.
    edges : pairs of corners' numbers, without the diagonals of flat faces.
    """

    atom: int
    element: str
    corners: tuple[Place, ...]
    faces: tuple[tuple[int, ...], ...]
    edges: tuple[tuple[int, int], ...]


def bonds(cell: Cell) -> list[Bond]:
    """Bonds between the cell's atoms and the nearest images, each once.

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
    return [
        Bond(int(found.center[k]), int(found.other[k]), _image(found.image[k]),
             float(found.distance[k]))
        for k in np.flatnonzero(keep)
    ]  # fmt: skip


def polyhedra(cell: Cell) -> list[Polyhedron]:
    """Polyhedra of 4 to 12 anions around the cations that are no working ions.

    Shells of more than 8 are left out where there are smaller ones, which they would hide.
    """
    names = symbols(cell)
    anionic = np.array([e in ANION_ELEMENTS for e in names])
    if anionic.all() or not anionic.any():
        return []
    found = find_bonds(cell.positions, cell.lattice, REACH)
    ends = cell.positions[found.other] + found.image @ cell.lattice
    shapes = []
    for atom in np.flatnonzero(~anionic):
        mine = np.flatnonzero((found.center == atom) & anionic[found.other])
        if names[atom] in WORKING_IONS or not len(mine):
            continue
        shell = mine[found.distance[mine] < SHELL * found.distance[mine].min()]
        hull = _hull(ends[shell]) if FEWEST <= len(shell) <= MOST else None
        if hull is not None:
            corners = tuple((int(found.other[k]), _image(found.image[k])) for k in shell)
            shapes.append(Polyhedron(int(atom), names[atom], corners, *hull))
    small = [shape for shape in shapes if len(shape.corners) <= CLEAR]
    return small or shapes


Hull = tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, int], ...]]


def _hull(points: Floats) -> Hull | None:
    """Faces and edges of the convex hull of points (m, 3); None where they lie in a plane."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        hull = ConvexHull(points)
    except QhullError:
        return None
    middle = points.mean(axis=0)
    faces, edges = [], set()
    for k, (a, b, c) in enumerate(hull.simplices):
        outwards = np.dot(np.cross(points[b] - points[a], points[c] - points[a]),
                          points[a] - middle) > 0  # fmt: skip
        faces.append(tuple(int(i) for i in ((a, b, c) if outwards else (a, c, b))))
        for opposite, neighbour in enumerate(hull.neighbors[k]):
            flat = np.dot(hull.equations[k][:3], hull.equations[neighbour][:3]) > 0.995
            if not flat:
                one, two = sorted(int(i) for n, i in enumerate((a, b, c)) if n != opposite)
                edges.add((one, two))
    return tuple(faces), tuple(sorted(edges))


def moved(image: Image, by: Image) -> Image:
    """The sum of two lattice translations."""
    return image[0] + by[0], image[1] + by[1], image[2] + by[2]


def _image(image: np.ndarray) -> Image:
    a, b, c = (int(i) for i in image)
    return a, b, c
