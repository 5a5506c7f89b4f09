"""Random symmetric crystals of a given formula, for structure search.

In the manner of AIRSS (Pickard and Needs, J. Phys.: Condens. Matter 2011, 23, 053201): a random
space group, a random cell of its crystal system at a sensible volume, atoms on random orbits. An
orbit point that falls near a symmetry element moves onto it, which is how special positions come
about.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from pymatgen.core import Lattice, Structure

from genbat.domains.crystals.chgnet_graph import Floats, find_bonds
from genbat.domains.crystals.ions import covalent_radius

# Space groups that inorganic crystals like best, of every crystal system.
GROUPS = (
    2, 14, 12, 15, 11, 7, 8, 5, 19, 62, 60, 59, 63, 65, 71, 57, 31, 36, 33, 123, 139, 136, 141, 129,
    87, 113, 148, 166, 167, 160, 164, 147, 152, 194, 176, 191, 189, 221, 225, 227, 206, 205, 229,
    216, 215,
)  # fmt: skip
MERGE = 0.9  # Å: images of one atom that come closer become one special position
CLOSEST = 0.75  # of the sum of covalent radii
TRIES = 400


@dataclass(frozen=True)
class Group:
    """A space group: operations on fractional coordinates (g, 3, 3) and (g, 3), its crystal system,
    and the lattice points of its conventional cell.
    """

    rotations: Floats
    translations: Floats
    system: str
    centring: int


@lru_cache
def space_group(number: int) -> Group:
    """Operations of a space group (1 to 230) in the standard setting of spglib's database."""
    import spglib

    hall = _first_halls()[number]
    found = spglib.get_symmetry_from_database(hall)
    pure = (found["rotations"] == np.eye(3, dtype=int)).all(axis=(1, 2))
    return Group(
        found["rotations"].astype(float), found["translations"], _system(number), int(pure.sum())
    )


@lru_cache
def _first_halls() -> dict[int, int]:
    """Space group -> first of its Hall numbers."""
    import spglib

    halls: dict[int, int] = {}
    for hall in range(1, 531):
        halls.setdefault(spglib.get_spacegroup_type(hall).number, hall)
    return halls


def _system(number: int) -> str:
    borders = (2, 15, 74, 142, 167, 194, 230)
    names = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal",
             "cubic")  # fmt: skip
    return names[sum(number > border for border in borders)]


def random_crystal(
    formula: Mapping[str, int], seed: int, *, volume_per_atom: float, max_atoms: int
) -> Structure:
    """A primitive cell holding a whole number of formula units.

    Parameters
    ----------
    formula : element -> atoms.
    volume_per_atom : Å³; the cell gets 0.8 to 1.3 times that.
    max_atoms : of the primitive cell.

    Raises
    ------
    ValueError : no crystal found in TRIES attempts.
    """
    rng = np.random.default_rng(seed)
    per_unit = sum(formula.values())
    for _ in range(TRIES):
        units = int(rng.integers(1, max(1, max_atoms // per_unit) + 1))
        group = space_group(int(rng.choice(GROUPS)))
        found = _attempt(formula, units, group, rng, volume_per_atom * rng.uniform(0.8, 1.3))
        if found is not None and len(found) <= max_atoms:
            return found
    raise ValueError(f"formula: no random crystal of {dict(formula)} in {TRIES} attempts")


def _attempt(
    formula: Mapping[str, int],
    units: int,
    group: Group,
    rng: np.random.Generator,
    volume_per_atom: float,
) -> Structure | None:
    counts = {element: n * units * group.centring for element, n in formula.items()}
    lattice = _cell(group.system, volume_per_atom * sum(counts.values()), rng)
    species: list[str] = []
    points: list[Floats] = []
    for element, wanted in counts.items():
        orbit = _orbits(group, wanted, lattice, rng)
        if orbit is None:
            return None
        species += [element] * len(orbit)
        points.append(orbit)
    positions = np.vstack(points)
    if not _apart(species, positions, lattice):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Structure(lattice, species, positions).get_primitive_structure()


def _cell(system: str, volume: float, rng: np.random.Generator) -> Floats:
    a, b, c = np.exp(rng.normal(0.0, 0.3, 3))
    angles = [90.0, 90.0, 90.0]
    if system in ("hexagonal", "trigonal"):
        b, angles[2] = a, 120.0
    elif system in ("tetragonal", "cubic"):
        b = a
        c = a if system == "cubic" else c
    elif system == "monoclinic":
        angles[1] = rng.uniform(90, 120)
    elif system == "triclinic":
        angles = list(rng.uniform(70, 110, 3))
    lattice = Lattice.from_parameters(a, b, c, *angles)
    return np.array(lattice.scale(volume).matrix)


def _orbits(group: Group, wanted: int, lattice: Floats, rng: np.random.Generator) -> Floats | None:
    """Fractional points (wanted, 3) made of whole orbits; None where luck fails."""
    parts: list[Floats] = []
    left = wanted
    for _ in range(12):
        orbit = _orbit(group, rng.uniform(0, 1, 3), lattice)
        if len(orbit) <= left:
            parts.append(orbit)
            left -= len(orbit)
        if not left:
            return np.vstack(parts)
    return None


def _orbit(group: Group, point: Floats, lattice: Floats) -> Floats:
    """All images of a point; near a symmetry element the point is first moved onto it."""
    for _ in range(3):  # several elements may meet where it lands
        difference = group.rotations @ point + group.translations - point
        difference -= np.round(difference)
        near = np.linalg.norm(difference @ lattice, axis=1) < MERGE
        point = point + difference[near].mean(axis=0)
    images = (group.rotations @ point + group.translations) % 1.0
    _, first = np.unique(np.round(images, 3) % 1.0, axis=0, return_index=True)
    return np.asarray(images[first])


def _apart(species: list[str], positions: Floats, lattice: Floats) -> bool:
    radii = np.array([covalent_radius(e) for e in species])
    bonds = find_bonds(positions @ lattice, lattice, 2 * float(radii.max()))
    return bool((bonds.distance > CLOSEST * (radii[bonds.center] + radii[bonds.other])).all())
