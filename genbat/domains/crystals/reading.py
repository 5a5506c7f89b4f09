"""Crystals out of anybody's file: CIF (one or many blocks), POSCAR, XYZ with a lattice, JSON.

Good crystals are kept and each bad one gets one problem that says where and what is legal. Disorder
is refused, with its sites named, unless `order` is asked for: then each shared site takes its most
frequent element and the crystal carries a note of what was done.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from pymatgen.core import Structure

from genbat.core.errors import InputProblem
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.file_errors import LineError, Refused, number
from genbat.domains.crystals.ordering import ordered
from genbat.domains.crystals.reading_cif import read_cif
from genbat.domains.crystals.reading_poscar import next_starts, read_poscar
from genbat.domains.crystals.structure import MAX_ATOMS, cell_of, judge, primitive

MAX_BYTES = 20_000_000
MAX_CRYSTALS = 2_000
MAX_BLOCK = 400_000  # characters of one crystal
ENDINGS = (".cif", ".vasp", ".poscar", ".xyz", ".extxyz", ".json", "POSCAR", "CONTCAR")
_DATA_BLOCK = re.compile(r"(?m)^(?=data_)", re.IGNORECASE)
_ARCHIVES = {b"PK": "a zip archive or spreadsheet", b"\x1f\x8b": "a gzip archive",
             b"BZh": "a bzip2 archive", b"\xfd7zXZ": "an xz archive", b"%PDF": "a PDF"}  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Crystal:
    """One crystal of a file: its cell, name, first line, and what was done to it, if anything."""

    cell: Cell
    name: str
    line: int
    note: str = ""


Found = tuple[list[Crystal], list[InputProblem]]
Piece = tuple[int, str, str]  # first line, name, text


def read_crystals(data: bytes, filename: str, *, order: bool = False) -> Found:
    """The crystals of a file: good ones, and one problem for each bad one.

    Parameters
    ----------
    data : at most 20 MB of text.
    filename : its ending says what it is (.cif, .vasp, .poscar, .xyz, .extxyz, .json, or POSCAR).
    order : give each disordered site its most frequent element instead of refusing it.

    Raises
    ------
    ValueError : nothing of the file can be used; names the file and what is legal.
    """
    filename = clean(filename) or "file"
    text = _text(data, filename)
    split, read = _format(filename)
    crystals: list[Crystal] = []
    problems: list[InputProblem] = []
    for count, (line, name, part) in enumerate(split(text)):
        if count >= MAX_CRYSTALS:
            words = f"only the first {MAX_CRYSTALS:,} crystals are read; split the file"
            problems.append(InputProblem(filename, line, words))
            break
        try:
            crystals.append(_crystal(read, part, line, clean(name), order))
        except LineError as wrong:
            at = line + wrong.line - 1
            problems.append(InputProblem(filename, at, clean(str(wrong), 400)))
        except ValueError as wrong:
            problems.append(InputProblem(filename, line, clean(str(wrong), 400)))
    if not crystals and not problems:
        raise ValueError(f"{filename}: holds no crystal; legal are {', '.join(ENDINGS)}")
    return crystals, problems


def clean(text: str, longest: int = 200) -> str:
    """Text on one line without control characters, cut to `longest`."""
    return " ".join(_CONTROL.sub(" ", text[: 4 * longest]).split())[:longest]


def _text(data: bytes, filename: str) -> str:
    if len(data) > MAX_BYTES:
        size = f"{len(data) / 1e6:.1f} MB"
        raise ValueError(f"{filename}: got {size}; at most {MAX_BYTES // 1_000_000} MB are read")
    for start, what in _ARCHIVES.items():
        if data.startswith(start):
            raise ValueError(f"{filename}: is {what}, which is never opened; save the plain file")
    if not filename.lower().endswith(tuple(e.lower() for e in ENDINGS)):
        raise ValueError(f"{filename}: its ending says nothing; legal are {', '.join(ENDINGS)}")
    text = data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise ValueError(f"{filename}: is empty")
    if "\0" in text:
        raise ValueError(f"{filename}: is no text (binary data)")
    return text


Splitter = Callable[[str], Iterator[Piece]]
Reader = Callable[[str], tuple[Structure, str]]  # structure, and a note of what was assumed


def _format(filename: str) -> tuple[Splitter, Reader]:
    ending = filename.lower().rpartition(".")[2]
    if ending == "cif":
        return _cif_blocks, read_cif
    if ending in ("xyz", "extxyz"):
        return _xyz_frames, _from_xyz
    if ending == "json":
        return _json_entries, _from_json
    return _poscars, lambda text: (read_poscar(text), "")


def _crystal(read: Reader, text: str, line: int, name: str, order: bool) -> Crystal:
    if len(text) > MAX_BLOCK:
        raise ValueError(f"is longer than {MAX_BLOCK:,} characters; legal are up to 200 atoms")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            structure, assumed = read(text)
    except (LineError, Refused):
        raise
    except Exception as wrong:  # the parsers raise whatever they trip over
        raise ValueError(f"cannot be read: {clean(str(wrong), 200) or type(wrong).__name__}") from (
            wrong
        )
    if not len(structure):
        raise ValueError("holds no atoms")
    structure, note = ordered(structure, order)
    structure.remove_oxidation_states()
    cell = cell_of(structure)
    if len(structure) > MAX_ATOMS:  # a centred cell holds two to four primitive ones
        cell = primitive(cell)
    verdict = judge(cell)
    if not verdict.ok:
        raise ValueError("; ".join(verdict.reasons))
    notes = "; ".join(part for part in (assumed, note) if part)
    return Crystal(cell, name or structure.composition.reduced_formula, line, notes)


# ---------------------------------------------------------------------- formats
def _poscars(text: str) -> Iterator[Piece]:
    """One POSCAR, or several one behind the other."""
    lines = text.split("\n")
    starts = [0, *next_starts(lines), len(lines)]
    for start, end in pairwise(starts):
        yield start + 1, lines[start], "\n".join(lines[start:end])


def _cif_blocks(text: str) -> Iterator[Piece]:
    position = 0
    parts = _DATA_BLOCK.split(text)
    for part in parts:
        line = text.count("\n", 0, position) + 1
        position += len(part)
        if part.lower().startswith("data_") and ("_cell" in part.lower() or len(parts) < 3):
            yield line, part.split("\n", 1)[0][5:], part
        elif part.strip() and len(parts) == 1:
            yield line, "", part


def _xyz_frames(text: str) -> Iterator[Piece]:
    lines = text.split("\n")
    start = 0
    while start < len(lines):
        if not lines[start].strip():
            start += 1
            continue
        try:
            n = int(lines[start])
        except ValueError:
            yield start + 1, "", "\n".join(lines[start : start + 2])
            return
        frame = lines[start : start + n + 2]
        yield start + 1, "", "\n".join(frame)
        start += max(n, 0) + 2


def _from_xyz(text: str) -> tuple[Structure, str]:
    import io

    from ase.io import read
    from pymatgen.io.ase import AseAtomsAdaptor

    lines = text.rstrip().split("\n")
    count = number(lines[0].strip(), 1, "the number of atoms", "a whole number")
    if "lattice=" not in text.lower():
        raise LineError(min(2, len(lines)), 'no Lattice="..." here; legal is a crystal with a cell')
    if len(lines) - 2 != count:
        raise LineError(1, f"announces {count:g} atoms, {max(0, len(lines) - 2)} follow; "
                        "legal is one line each")  # fmt: skip
    atoms = read(io.StringIO(text), format="extxyz")
    return AseAtomsAdaptor.get_structure(atoms), ""


def _json_entries(text: str) -> Iterator[Piece]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as wrong:
        yield wrong.lineno, "", text[:100]
        return
    for entry in data if isinstance(data, list) else [data]:
        yield 1, "", json.dumps(entry)


def _from_json(text: str) -> tuple[Structure, str]:
    entry = json.loads(text)
    if not isinstance(entry, dict) or "lattice" not in entry or "sites" not in entry:
        raise Refused("is no pymatgen structure; legal is a JSON object with lattice and sites")
    # Read by hand: pymatgen's own reader would create whatever classes the file names.
    species = [
        {str(part["element"]): float(part["occu"]) for part in site["species"]}
        for site in entry["sites"]
    ]
    places = [site["abc"] for site in entry["sites"]]
    return Structure(entry["lattice"]["matrix"], species, places), ""
