"""Where known molecules come from: the package `chemicals` and our own table of battery compounds.

`chemicals` (MIT) carries PubChem identifiers; its tables stay in its package and are read here.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from rdkit import Chem

from genbat.domains.molecules.codec import survives
from genbat.domains.molecules.structure import ELEMENTS, judge, normal_form

MAX_HEAVY_SOURCE = 12
_TABLES = (
    "chemical identifiers pubchem small.tsv",
    "chemical identifiers pubchem large.tsv",
    "chemical identifiers example user db.tsv",
)
_FORMULA = re.compile(r"([A-Z][a-z]?)(\d*)")
_CAS = re.compile(r"^\d{2,7}-\d{2}-\d$")


@dataclass(frozen=True)
class Source:
    """One known molecule: normal-form SMILES, CAS number, names, and for battery compounds
    their role and the literature that names them."""

    smiles: str
    cas: str
    name: str
    synonyms: tuple[str, ...] = ()
    role: str = ""
    reference: str = ""


def _tables_folder() -> Path:
    return Path(str(resources.files("chemicals"))) / "Identifiers"


def _plausible(formula: str) -> bool:
    # Cheap test before RDKit parses: right elements, carbon present, not too many heavy atoms.
    counts = {e: int(n or 1) for e, n in _FORMULA.findall(formula)}
    heavy = sum(n for e, n in counts.items() if e != "H")
    return "C" in counts and set(counts) <= ELEMENTS and 2 <= heavy <= MAX_HEAVY_SOURCE


def _rows() -> Iterator[list[str]]:
    for table in _TABLES:
        with (_tables_folder() / table).open(encoding="utf-8") as lines:
            for line in lines:
                yield line.rstrip("\n").split("\t")


def _accept(smiles: str) -> str | None:
    mol = Chem.MolFromSmiles(smiles)
    if mol is None or any(a.GetIsotope() for a in mol.GetAtoms()):
        return None
    if not judge(mol, MAX_HEAVY_SOURCE).ok:
        return None
    flat = normal_form(mol)
    return flat if survives(flat) else None


def from_chemicals() -> list[Source]:
    """Neutral organics with 2 to 12 heavy atoms, one row a flat structure, the first CAS kept."""
    found: dict[str, Source] = {}
    for row in _rows():
        if len(row) < 9 or not _plausible(row[2]):
            continue
        flat = _accept(row[4])
        if flat is not None and flat not in found:
            found[flat] = Source(flat, row[1], *_names(row))
    return list(found.values())


def _names(row: list[str]) -> tuple[str, tuple[str, ...]]:
    names = tuple(n for n in row[8:14] if n and not _CAS.match(n))
    return (names[0], names[1:5]) if names else (row[7], ())


def names_by_cas(wanted: set[str]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Name and synonyms of CAS numbers, from `chemicals`; the first table that has one wins."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for row in _rows():
        if len(row) >= 9 and row[1] in wanted and row[1] not in found:
            found[row[1]] = _names(row)
    return found


def named() -> list[Source]:
    """Our own table of battery solvents, additives, diluents and parent acids (named.csv)."""
    text = resources.files("genbat.domains.molecules").joinpath("named.csv").read_text("utf-8")
    found: dict[str, Source] = {}
    for row in csv.DictReader(text.splitlines()):
        mol = Chem.MolFromSmiles(row["smiles"])
        if mol is None:
            raise ValueError(f"named.csv: {row['name']} has the unreadable SMILES {row['smiles']}")
        flat = normal_form(mol)
        names = tuple(n for n in (row["abbreviation"], *row["synonyms"].split("|")) if n)
        found[flat] = Source(flat, row["cas"], row["name"], names, row["role"], row["reference"])
    return list(found.values())


def all_sources(progress: Callable[[float, str], None] | None = None) -> list[Source]:
    """Both tables joined; a named compound keeps its own name, role and reference."""
    ours = {s.smiles: s for s in named()}
    rest = [s for s in from_chemicals() if s.smiles not in ours]
    if progress:
        progress(1.0, f"{len(ours)} named, {len(rest)} from chemicals")
    return [*ours.values(), *rest]
