"""Drawings of molecules: crisp SVG with a transparent background, for light and dark themes."""

from __future__ import annotations

import re
from typing import Any

from rdkit.Chem.Draw import rdMolDraw2D

from genbat.domains.molecules.structure import parse_smiles

# RDKit's light F, S, Cl, P and B are hard to read on white: the same hues, darker.
_ON_WHITE = {
    5: (0.62, 0.36, 0.36),
    9: (0.00, 0.50, 0.42),
    15: (0.72, 0.40, 0.00),
    16: (0.56, 0.47, 0.00),
    17: (0.10, 0.52, 0.10),
}
_HEADER = re.compile(r"<\?xml[^>]*\?>\s*")
_FOREIGN = re.compile(r"\s+(?:xmlns:\w+|xml:space|baseProfile)='[^']*'")
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)


def svg(smiles: str, width: int = 240, height: int = 180, dark: bool = False) -> str:
    """Structural formula as one `<svg>` element of `width` x `height` pixels.

    Letters are paths, so that it looks the same everywhere; it names no font, file or address.
    ValueError where the SMILES cannot be read.
    """
    mol = parse_smiles(smiles)
    drawer = rdMolDraw2D.MolDraw2DSVG(width, height)
    options: Any = drawer.drawOptions()
    if dark:
        rdMolDraw2D.SetDarkMode(options)
    else:
        options.updateAtomPalette(_ON_WHITE)
    options.clearBackground = False
    options.padding = 0.08
    options.minFontSize = 9
    options.bondLineWidth = 1.6
    options.fixedBondLength = min(width, height) / 4.5  # small molecules are not blown up
    options.explicitMethyl = mol.GetNumHeavyAtoms() < 3
    rdMolDraw2D.PrepareAndDrawMolecule(drawer, mol)
    drawer.FinishDrawing()
    return _tidy(drawer.GetDrawingText())


def _tidy(text: str) -> str:
    for pattern in (_HEADER, _FOREIGN, _COMMENT):
        text = pattern.sub("", text)
    return text.strip()
