"""Pictures of objects for pages: 3D, drawing, flags; dispatches by domain."""

from __future__ import annotations

from genbat.core.candidate import ViewSpec
from genbat.domains.molecules import descriptors, draw
from genbat.domains.molecules.physics import Geometry, embed
from genbat.domains.molecules.structure import parse_smiles


def view(text: str) -> ViewSpec:
    """A molecule as an XYZ for the 3D viewer, force-field geometry.

    Raises
    ------
    PhysicsFailed : where no three-dimensional structure could be made.
    """
    import numpy as np

    full = embed(parse_smiles(text), conformers=1)
    numbers = np.array([a.GetAtomicNum() for a in full.GetAtoms()])
    positions = full.GetConformer().GetPositions()
    return ViewSpec(Geometry(numbers, positions).xyz(text), "xyz", {}, text)


def drawing(text: str, width: int, height: int, dark: bool) -> str:
    """Structural formula as SVG."""
    return draw.svg(text, width, height, dark)


def flags(text: str) -> list[str]:
    """Warnings a chemist wants before anything else: PFAS and hazard groups."""
    mol = parse_smiles(text)
    found = ["PFAS"] if descriptors.is_pfas(mol) else []
    return found + [f"⚠ {name}" for name in descriptors.hazard_groups(mol)]
