"""Numbers of a repeat unit that do not depend on where it is cut or how many units are written.

Everything is counted for three units in a row less two: what is left belongs to one unit of the
endless chain, without its ends. Counts are then divided by the unit's heavy atoms; beside them
stands how large the unit is.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import Crippen, rdFingerprintGenerator, rdMolDescriptors

from genbat.domains.polymers.repeat_unit import Unit, capped, normal

BITS, RADIUS = 512, 2
SIZES = ("heavy", "carbon", "nitrogen", "oxygen", "segments")  # of a unit
NAMES = (
    "backbone", "side", "donors", "acceptors", "polar_area", "log_p", "refractivity", "rotatable",
    "rings", "aromatic", *SIZES, *(f"fragment {k}" for k in range(BITS)),
)  # fmt: skip
Floats = NDArray[np.float32]


def features(texts: list[str]) -> Floats:
    """Features of repeat units (n, len(NAMES)); ValueError where one is none."""
    return np.stack([_features(normal(text)) for text in texts])


@lru_cache(maxsize=16_384)
def _features(unit: Unit) -> Floats:
    three, two = (_counted(Chem.MolFromSmiles(capped(unit, n))) for n in (3, 2))
    own = three - two
    heavy = own[0]
    backbone = sum(_backbone(piece) for piece in unit.segments)
    sizes, few, fragments = own[:4], own[4:-BITS], own[-BITS:]
    shares = [backbone, heavy - backbone, *few]
    rest = [np.divide(shares, heavy), sizes, [len(unit.segments)], fragments / heavy]
    return np.concatenate(rest).astype(np.float32)


def _counted(mol: Chem.Mol) -> NDArray[np.float64]:
    """Heavy atoms, those of some elements, and what is summed over atoms, bonds and fragments."""
    numbers = [atom.GetAtomicNum() for atom in mol.GetAtoms()]
    log_p, refractivity = Crippen.MolLogP(mol), Crippen.MolMR(mol)
    few = [
        mol.GetNumHeavyAtoms(),
        *(numbers.count(element) for element in (6, 7, 8)),
        rdMolDescriptors.CalcNumHBD(mol),
        rdMolDescriptors.CalcNumHBA(mol),
        rdMolDescriptors.CalcTPSA(mol),
        log_p,
        refractivity,
        rdMolDescriptors.CalcNumRotatableBonds(mol),
        rdMolDescriptors.CalcNumRings(mol),
        sum(atom.GetIsAromatic() for atom in mol.GetAtoms()),
    ]
    generator = rdFingerprintGenerator.GetMorganGenerator(RADIUS, fpSize=BITS)
    fragments = np.zeros(BITS)
    for bit, count in generator.GetSparseCountFingerprint(mol).GetNonzeroElements().items():
        fragments[bit % BITS] += count
    return np.concatenate([few, fragments])


def _backbone(piece: str) -> int:
    """Heavy atoms of a segment on the shortest way through it."""
    mol = Chem.MolFromSmiles(piece)
    ends = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0]
    return len(Chem.GetShortestPath(mol, *ends)) - 2
