"""Pictures of objects for pages: 3D, drawing, flags; dispatches by domain."""

from __future__ import annotations

from rdkit import Chem

from genbat.core.candidate import ViewSpec
from genbat.domains.molecules import descriptors, draw
from genbat.domains.molecules.physics import embed
from genbat.domains.molecules.structure import parse_smiles


def view(text: str) -> ViewSpec:
    """A molecule for the 3D viewer: SDF with bond orders, force-field geometry.

    Raises
    ------
    PhysicsFailed : where no three-dimensional structure could be made.
    """
    return ViewSpec(Chem.MolToMolBlock(embed(parse_smiles(text), conformers=1)), "sdf", {}, text)


def drawing(text: str, width: int, height: int, dark: bool) -> str:
    """Structural formula as SVG."""
    return draw.svg(text, width, height, dark)


def flags(text: str) -> list[str]:
    """Warnings a chemist wants before anything else: PFAS and hazard groups."""
    mol = parse_smiles(text)
    found = ["PFAS"] if descriptors.is_pfas(mol) else []
    return found + [f"⚠ {name}" for name in descriptors.hazard_groups(mol)]
