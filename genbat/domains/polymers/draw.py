"""Drawings of repeat units: the unit between two brackets' worth of open bonds."""

from __future__ import annotations

from rdkit import Chem

from genbat.domains.molecules import draw
from genbat.domains.polymers.repeat_unit import ENDS, parsed


def svg(text: str, width: int = 240, height: int = 180, dark: bool = False) -> str:
    """Structural formula with wavy ends where the chain goes on; ValueError where it is no unit."""
    return draw.svg(open_ended(text), width, height, dark)


def open_ended(text: str) -> str:
    """SMILES of a unit with dummy atoms instead of its end markers."""
    mol = Chem.RWMol(parsed(text))
    for atom in mol.GetAtoms():
        if atom.GetAtomicNum() in ENDS:
            atom.SetAtomicNum(0)
            atom.SetNoImplicit(True)
    return Chem.MolToSmiles(mol)
