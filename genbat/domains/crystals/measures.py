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
    """Whether the composition can be charge neutral with sensible electronegativities: the answer
    of SMACT's `smact_validity` (Davies et al., JOSS 2019, 4, 1361) with its own settings."""
    return neutral(tuple(formula_counts(cell).items()))


@lru_cache(maxsize=100_000)
def neutral(counts: tuple[tuple[str, int], ...]) -> bool:
    """`smact_validity` of elements with their atoms, found at once for any number of elements.

    SMACT tries every combination of oxidation states, which takes hours for the ten elements of a
    poor sample. Its second rule, that every cation is less electronegative than every anion, leaves
    one choice: where in the order of electronegativity the anions begin. For each such border the
    sums of charges that either side can reach are compared.
    """
    import smact

    names = [name for name, _ in counts]
    if len(names) == 1 or all(name in smact.metals for name in names):
        return True
    states = _oxidation_states()
    pulls = {name: smact.Element(name).pauling_eneg for name in names}
    if any(name not in states or pulls[name] is None for name in names):
        return False
    for border in sorted(set(pulls.values()))[1:]:
        cations = [[n * q for q in states[e] if q > 0] for e, n in counts if pulls[e] < border]
        anions = [[-n * q for q in states[e] if q < 0] for e, n in counts if pulls[e] >= border]
        if _sums(cations) & _sums(anions):
            return True
    return False


def _sums(choices: list[list[int]]) -> set[int]:
    """All sums of one number from each list."""
    found = {0}
    for numbers in choices:
        found = {total + number for total in found for number in numbers}
    return found


@lru_cache(maxsize=1)
def _oxidation_states() -> dict[str, list[int]]:
    """Element -> its states in the ICSD, as SMACT takes them by default."""
    from smact.utils.oxidation import ICSD24OxStatesFilter

    rows = ICSD24OxStatesFilter().filter(consensus=3, include_zero=False, commonality="low")
    pairs = zip(rows["element"], rows["oxidation_state"], strict=True)
    return {str(name): [int(q) for q in str(text).split()] for name, text in pairs}


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
