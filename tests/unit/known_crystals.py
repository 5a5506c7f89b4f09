"""Prototypes with their space groups, orbits and free coordinates (International Tables A)."""

from pymatgen.core import Lattice, Structure

from genbat.domains.crystals.structure import cell_of, primitive


def _of(group, lattice, species, places):
    return primitive(cell_of(Structure.from_spacegroup(group, lattice, species, places)))


PEROVSKITE = _of("Pm-3m", Lattice.cubic(3.9), ["Sr", "Ti", "O"],
                 [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]])  # fmt: skip
RUTILE = _of("P4_2/mnm", Lattice.tetragonal(4.6, 2.96), ["Ti", "O"],
             [[0, 0, 0], [0.305, 0.305, 0]])  # fmt: skip
LAYERED = _of("R-3m", Lattice.hexagonal(2.82, 14.05), ["Li", "Co", "O"],
              [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.26]])  # fmt: skip
ROCK_SALT = _of("Fm-3m", Lattice.cubic(4.2), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
ZINC_BLENDE = _of("F-43m", Lattice.cubic(5.4), ["Zn", "S"], [[0, 0, 0], [0.25, 0.25, 0.25]])
# Crystal, space group, atoms of each orbit, free coordinates.
KNOWN = {
    "perovskite": (PEROVSKITE, 221, [1, 1, 3], 0),
    "rutile": (RUTILE, 136, [2, 4], 1),
    "layered": (LAYERED, 166, [1, 1, 2], 1),
    "rock salt": (ROCK_SALT, 225, [1, 1], 0),
    "zinc blende": (ZINC_BLENDE, 216, [1, 1], 0),
}
