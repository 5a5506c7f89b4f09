"""Insertion hosts: which crystals hold a removable ion, and their voltage by CHGNet.

Average voltage of A(n)Host -> Host + n A, against the metal A (Aydinol et al., Phys. Rev. B 1997,
56, 1354): V = -[E(A(n)Host) - E(Host) - n E(A)] / (n e), energies at 0 K without entropy.
"""

from __future__ import annotations

from pymatgen.core import Element

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.ions import ANION_ELEMENTS, REDOX_METALS, WORKING_IONS

HOST_ANIONS = ANION_ELEMENTS - {"H", "C", "As", "Sb"}  # with these it is an alloy, no salt
HOST_PARTS = {  # what `working_ion` looks for
    "a working ion": frozenset(WORKING_IONS),
    "a redox metal": REDOX_METALS,
    "an anion": HOST_ANIONS,
}
FARADAY_MAH = 26801.48  # mAh in a mole of electrons


def symbols(cell: Cell) -> list[str]:
    """Element symbol of each atom."""
    return [Element.from_Z(int(z)).symbol for z in cell.numbers]


def working_ion(cell: Cell) -> str:
    """ "Li" or "Na" where its removal leaves a framework that can give up electrons, else ""."""
    elements = set(symbols(cell))
    for ion in WORKING_IONS:
        rest = elements - {ion}
        if ion in elements and rest & REDOX_METALS and rest & HOST_ANIONS:
            return ion
    return ""


def without(cell: Cell, ion: str) -> Cell:
    """The cell with all atoms of one element taken out."""
    keep = [k for k, symbol in enumerate(symbols(cell)) if symbol != ion]
    return Cell(cell.numbers[keep], cell.positions[keep], cell.lattice)
