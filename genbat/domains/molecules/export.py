"""Molecules as files: SMILES lines and SD files with three-dimensional structures."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence

from rdkit import Chem
from rdkit.Chem import rdDepictor

from genbat.core.candidate import Candidate
from genbat.core.errors import PhysicsFailed
from genbat.domains.molecules import physics
from genbat.domains.molecules.structure import parse_smiles

Extra = Mapping[str, str]
Writer = Callable[[Sequence[Candidate], Sequence[Extra]], str]

TEXT_COLUMN = "smiles"
VALID_ONLY = False
FORCE_FIELD = "3D, force field (ETKDGv3, MMFF94s)"
FLAT = "2D drawing; no 3D structure could be embedded"
_MAX_TITLE = 80


def smi(candidates: Sequence[Candidate], extras: Sequence[Extra] = ()) -> str:
    """One `SMILES name` a line; `extras` have no place here."""
    return "".join(f"{c.text} {_one_line(c.name)}".rstrip() + "\n" for c in candidates)


def sdf(candidates: Sequence[Candidate], extras: Sequence[Extra] = ()) -> str:
    """SD file: 3D structures with hydrogens where one can be embedded, all properties as fields.

    `extras` are further fields, one mapping a candidate. Takes about 0.1 s a molecule.
    """
    file = io.StringIO()
    writer = Chem.SDWriter(file)
    for k, candidate in enumerate(candidates):
        mol, geometry = _structure(candidate.text)
        mol.SetProp("_Name", _one_line(candidate.name or candidate.text)[:_MAX_TITLE])
        extra = extras[k] if extras else {}
        for field, value in {**_fields(candidate), "geometry": geometry, **extra}.items():
            if value:
                mol.SetProp(field, _one_line(value))
        writer.write(mol)
    writer.close()
    return file.getvalue()


FORMATS: dict[str, Writer] = {"smi": smi, "sdf": sdf}


def _structure(smiles: str) -> tuple[Chem.Mol, str]:
    try:
        mol = parse_smiles(smiles)
    except ValueError as wrong:
        return Chem.Mol(), f"no structure: {wrong}"
    try:
        return physics.embed(mol), FORCE_FIELD
    except (PhysicsFailed, RuntimeError):
        rdDepictor.Compute2DCoords(mol)
        return mol, FLAT


def _fields(candidate: Candidate) -> dict[str, str]:
    fields = {
        "SMILES": candidate.text,
        "valid": "yes" if candidate.verdict.ok else "no",
        "reasons": "; ".join(candidate.verdict.reasons),
    }
    for key, measured in candidate.properties.items():
        fields[key] = repr(float(measured.value))
        if measured.uncertainty is not None:
            fields[f"{key}_uncertainty"] = repr(float(measured.uncertainty))
        for part in ("unit", "method", "kind"):
            fields[f"{key}_{part}"] = getattr(measured, part)
    fields["provenance"] = json.dumps(candidate.provenance.to_json())
    return fields


def _one_line(text: str) -> str:
    # A blank line ends a field and four dollars a record: neither may come from a user's text.
    return " ".join(text.split()).replace("$$$$", "$$$ $")
