"""Crystals as files: CIF (symmetrised or P1), POSCAR, extended XYZ, pymatgen JSON."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence

from pymatgen.core import Element

from genbat.core.candidate import Candidate
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.structure import from_text, reduced_formula, structure_of
from genbat.domains.crystals.symmetry import SYMPREC

Extra = Mapping[str, str]
Writer = Callable[[Sequence[Candidate], Sequence[Extra]], str]
TEXT_COLUMN = "cif"
ASCII = str.maketrans({"±": "+/-", "−": "-", "Å": "A", "³": "^3", "·": "|", "μ": "u"})  # CIF 1.1
VALID_ONLY = True  # what is no crystal cannot be written as one


def cif_text(cell: Cell, symprec: float | None = SYMPREC) -> str:
    """CIF of the conventional cell with its symmetry (tolerance in Å), or in P1 for None."""
    from pymatgen.io.cif import CifWriter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(CifWriter(structure_of(cell), symprec=symprec))


def poscar_text(cell: Cell, title: str = "") -> str:
    """VASP's POSCAR, fractional coordinates; `title` becomes its first line."""
    from pymatgen.io.vasp import Poscar

    structure = structure_of(cell).get_sorted_structure()
    return str(Poscar(structure, comment=_one_line(title) or reduced_formula(cell)).get_str())


def xyz_text(cell: Cell, info: Mapping[str, str] | None = None) -> str:
    """Extended XYZ: lattice and `info` in the second line, Cartesian positions in Å."""
    rows = " ".join(f"{x:.6f}" for x in cell.lattice.ravel())
    words = "".join(f' {key}="{_one_line(value)}"' for key, value in (info or {}).items())
    head = f'Lattice="{rows}" Properties=species:S:1:pos:R:3{words} pbc="T T T"'
    lines = [
        f"{Element.from_Z(int(z)).symbol:2s} {x:.6f} {y:.6f} {w:.6f}"
        for z, (x, y, w) in zip(cell.numbers, cell.positions, strict=True)
    ]
    return "\n".join([str(len(lines)), head, *lines]) + "\n"


def json_entry(cell: Cell) -> dict[str, object]:
    """pymatgen's `Structure.as_dict`, as plain JSON."""
    return dict(structure_of(cell).as_dict(verbosity=0))


def cif(candidates: Sequence[Candidate], extras: Sequence[Extra] = ()) -> str:
    """All crystals as one CIF, a data block each, symmetrised."""
    return "\n".join(_cif_block(k, c, SYMPREC) for k, c in enumerate(candidates))


def cif_p1(candidates: Sequence[Candidate], extras: Sequence[Extra] = ()) -> str:
    """All crystals as one CIF in P1."""
    return "\n".join(_cif_block(k, c, None) for k, c in enumerate(candidates))


def _cif_block(number: int, candidate: Candidate, symprec: float | None) -> str:
    text = cif_text(from_text(candidate.text), symprec)
    notes = [f"# {_one_line(candidate.name)}"] if candidate.name else []
    notes += [f"# {key} = {m.text().translate(ASCII)}" for key, m in candidate.properties.items()]
    head, _, rest = text.partition("data_")
    formula, _, body = rest.partition("\n")
    block = f"{head}data_{number + 1}_{formula}\n{body}"
    return "\n".join([*notes, block])


def poscar(candidates: Sequence[Candidate], extras: Sequence[Extra] = ()) -> str:
    """POSCARs one after the other; most programs read one only, so export a folder for many."""
    return "\n".join(poscar_text(from_text(c.text), c.name) for c in candidates)


def extxyz(candidates: Sequence[Candidate], extras: Sequence[Extra] = ()) -> str:
    """One extended XYZ frame a crystal, its properties in the second line."""
    frames = []
    for k, candidate in enumerate(candidates):
        values = {key: repr(float(m.value)) for key, m in candidate.properties.items()}
        extra = dict(extras[k]) if extras else {}
        name = {"name": candidate.name} if candidate.name else {}
        frames.append(xyz_text(from_text(candidate.text), {**name, **values, **extra}))
    return "".join(frames)


def pymatgen_json(candidates: Sequence[Candidate], extras: Sequence[Extra] = ()) -> str:
    """A JSON list of pymatgen structures."""
    return json.dumps([json_entry(from_text(c.text)) for c in candidates])


FORMATS: dict[str, Writer] = {
    "cif": cif,
    "p1.cif": cif_p1,
    "vasp": poscar,
    "extxyz": extxyz,
    "pymatgen.json": pymatgen_json,
}


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace('"', "'")[:200]
