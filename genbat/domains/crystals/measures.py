"""The field's measures of generated crystals (Xie et al., ICLR 2022, Sec. 5)."""

from __future__ import annotations

import warnings
from functools import lru_cache

import numpy as np

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import find_bonds
from genbat.domains.crystals.structure import formula_counts, structure_of

SHORTEST = 0.5  # Å
SMALLEST = 0.1  # Å³
# Tolerances of pymatgen's StructureMatcher for reconstruction, as in the paper.
TOLERANCES = {"stol": 0.5, "angle_tol": 10, "ltol": 0.3}


def structurally_valid(cell: Cell) -> bool:
    """No two atoms closer than 0.5 Å and a volume of at least 0.1 Å³."""
    volume = float(abs(np.linalg.det(cell.lattice)))
    if not np.isfinite(volume) or volume < SMALLEST or not np.isfinite(cell.positions).all():
        return False
    return not (find_bonds(cell.positions, cell.lattice, SHORTEST).distance < SHORTEST).any()


def smact_valid(cell: Cell) -> bool:
    """Whether the composition can be charge neutral with sensible electronegativities (SMACT)."""
    return _smact_valid(tuple(formula_counts(cell).items()))


@lru_cache(maxsize=100_000)
def _smact_valid(counts: tuple[tuple[str, int], ...]) -> bool:
    from smact.screening import smact_validity

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bool(smact_validity("".join(f"{e}{n}" for e, n in counts)))


def same_structure(one: Cell, two: Cell) -> float | None:
    """Root mean square distance of two crystals' atoms in StructureMatcher's units (the mean free
    length), None where they do not match at TOLERANCES."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    if formula_counts(one) != formula_counts(two):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = StructureMatcher(**TOLERANCES).get_rms_dist(structure_of(one), structure_of(two))
    return None if found is None else float(found[0])
