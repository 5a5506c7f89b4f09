"""Train, calibration and test split by scaffold and composition.

Molecules that share both the Murcko scaffold (Bemis and Murcko 1996) and the molecular formula
(the isomers of one ring system, the isomers of one open chain) always fall on the same side, so
that no test molecule has a positional isomer in the training set.
"""

from __future__ import annotations

import hashlib

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors
from rdkit.Chem.Scaffolds import MurckoScaffold

SPLITS = ("train", "calibration", "test")
_SHARES = (0.8, 0.9)  # train below the first, calibration below the second, test above


def group_key(smiles: str) -> str:
    """Scaffold and formula of a molecule: what decides its split."""
    mol = Chem.MolFromSmiles(smiles)
    scaffold = Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(mol))
    return f"{scaffold}|{rdMolDescriptors.CalcMolFormula(mol)}"


def split_of_key(key: str) -> str:
    """Split of a group by the hash of its key: stable when molecules are added."""
    share = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) / 2**32
    return SPLITS[sum(share >= border for border in _SHARES)]


def assign_splits(smiles: list[str], pinned: list[bool]) -> list[str]:
    """Split of every molecule; groups with a pinned molecule (named compounds) go to train."""
    keys = [group_key(s) for s in smiles]
    trained = {key for key, pin in zip(keys, pinned, strict=True) if pin}
    return ["train" if key in trained else split_of_key(key) for key in keys]
