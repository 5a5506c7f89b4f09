"""Molecules out of anybody's file: SMILES lists, tables with a smiles column, SD files.

What is wrong is told line by line and the good rows are kept; only a file that cannot be read at
all is refused as a whole. Nothing is unpacked, evaluated or fetched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from rdkit import Chem

from genbat.core.errors import InputProblem
from genbat.domains.molecules.reading_tables import read_table
from genbat.domains.molecules.structure import check, judge, normal_form

MAX_BYTES = 20_000_000
MAX_ROWS = 100_000
MAX_NAME = 200
MAX_RECORD = 100_000  # characters of one SD record; a legal molecule needs under a tenth of it
ENDINGS = (".smi", ".csv", ".tsv", ".txt", ".sdf")
NAMES = ("name", "title", "id")

_ARCHIVES = {
    b"PK\x03\x04": "a zip archive or spreadsheet",
    b"PK\x05\x06": "a zip archive or spreadsheet",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
    b"\x28\xb5\x2f\xfd": "a zstandard archive",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet or document",
    b"%PDF": "a PDF",
}
_LINE = re.compile(r"\r\n|\r|\n")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # no text of any encoding holds these
_FEW = 8  # of them may stand in a text all the same
_INVISIBLE = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")  # turn text around
_FIELD = re.compile(r"^>.*<([^>]*)>")


@dataclass(frozen=True)
class Row:
    """One good molecule of a file.

    Attributes
    ----------
    text : SMILES in normal form.
    name : as the user wrote it, without control characters, at most 200 long; it may hold markup
        or formulas and is only ever text.
    line : where it stands, from 1.
    cells : the row's other columns or fields, names in lower case, values as written.
    """

    text: str
    name: str
    line: int
    cells: Mapping[str, str] = field(default_factory=dict)


Found = tuple[list[Row], list[InputProblem]]
Raw = tuple[int, str, str, Mapping[str, str]]  # line, SMILES or mol block, name, cells
Bad = tuple[int, str]  # line, what is wrong


def read_molecules(data: bytes, filename: str) -> Found:
    """The molecules of a file: good rows, and one problem for each bad one.

    Parameters
    ----------
    data : at most 20 MB of text (UTF-8, UTF-16, Windows-1252 or Latin-1); at most 100,000 rows
        are read.
    filename : its ending says what it is (.smi, .csv, .tsv, .txt, .sdf).

    Raises
    ------
    ValueError : nothing of the file can be used; names the file and what is legal.
    """
    filename = clean(filename)
    text = _text(data, filename)
    if filename.lower().endswith(".sdf"):
        found = _collect(_sdf_records(text), _from_block, filename)
    else:
        found = _collect(_text_records(text, filename), lambda raw: check(raw[1]), filename)
    if not any(found):
        raise ValueError(f"{filename}: holds no molecule; write one SMILES a line")
    return found


def clean(text: str, longest: int = MAX_NAME) -> str:
    """Text on one line without control or invisible characters, cut to `longest`."""
    plain = _INVISIBLE.sub("", _CONTROL.sub(" ", text[: 4 * longest]))
    return " ".join(plain.split())[:longest]


def _refuse(filename: str, message: str, line: int = 0) -> ValueError:
    return ValueError(str(InputProblem(filename, line, message)))


def _text(data: bytes, filename: str) -> str:
    if len(data) > MAX_BYTES:
        size = f"{len(data) / 1e6:.1f} MB"
        raise _refuse(filename, f"got {size}; at most {MAX_BYTES // 1_000_000} MB are read")
    for start, what in _ARCHIVES.items():
        if data.startswith(start):
            raise _refuse(filename, f"is {what}, which is never opened; save plain text or CSV")
    if not filename.lower().endswith(ENDINGS):
        raise _refuse(filename, f"its ending says nothing; legal are {', '.join(ENDINGS)}")
    text = _decoded(data, filename)
    if not text.strip():
        raise _refuse(filename, "is empty; write one SMILES a line")
    strange = len(_BINARY.findall(text[:100_000]))
    if "\0" in text or strange > max(_FEW, 0.02 * min(len(text), 100_000)):
        raise _refuse(filename, "is no text (binary data); save it as plain text or CSV")
    return text


def _decoded(data: bytes, filename: str) -> str:
    encoding = "utf-8-sig"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\0" in data[:400]:  # UTF-16 without its mark: every other byte is 0
        encoding = "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        if encoding == "utf-8-sig":
            return _western(data)
    raise _refuse(filename, "is no text (broken UTF-16 or binary); save it as UTF-8")


def _western(data: bytes) -> str:
    # What Windows and old programs write; other encodings spoil names, never a SMILES.
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _collect(records: Iterator[Raw | Bad], read: Callable[[Raw], str], filename: str) -> Found:
    rows: list[Row] = []
    problems: list[InputProblem] = []
    for count, raw in enumerate(records):
        if count >= MAX_ROWS:
            text = f"only the first {MAX_ROWS:,} rows are read; split the file"
            problems.append(InputProblem(filename, raw[0], text))
            break
        if len(raw) == 2:
            problems.append(InputProblem(filename, *raw))
            continue
        try:
            rows.append(Row(read(raw), clean(raw[2]), raw[0], raw[3]))
        except (ValueError, RuntimeError) as wrong:  # RDKit's own failures are RuntimeErrors
            problems.append(InputProblem(filename, raw[0], clean(str(wrong), 400)))
    return rows, problems


def _text_records(text: str, filename: str) -> Iterator[Raw | Bad]:
    lines = _LINE.split(text)
    table = filename.lower().endswith((".csv", ".tsv"))
    first = re.split(r"[,;\t|\"]", next(line for line in lines if line.strip()))
    headed = len(first) > 1 and any(cell.strip().lower() == "smiles" for cell in first)
    if table or headed:
        yield from _table_records(lines, filename)
    else:
        yield from _line_records(lines)


def _line_records(lines: list[str]) -> Iterator[Raw]:
    for number, line in enumerate(lines, 1):
        words = line.split(None, 1)
        # A heading or a remark: no SMILES reads "smiles" or starts with #.
        if words and words[0].lower() != "smiles" and not line.startswith("#"):
            yield number, words[0], words[1] if len(words) > 1 else "", {}


def _table_records(lines: list[str], filename: str) -> Iterator[Raw | Bad]:
    header, records = read_table(lines, filename)
    place = _column(header, ("smiles",))
    if header.count("smiles") > 1:
        raise _refuse(filename, "the column smiles stands twice; keep one of them", 1)
    if place is None:
        found = ", ".join(clean(h, 30) or "(no name)" for h in header[:12])
        more = f" and {len(header) - 12} more" if len(header) > 12 else ""
        legal = "a column smiles is needed (besides it, name and property columns may stand)"
        raise _refuse(filename, f"found the columns {found}{more}; {legal}", 1)
    name = _column(header, NAMES)
    for number, cells in records:
        if isinstance(cells, str):
            yield number, cells
        elif len(cells) <= place:
            open_end = "; is a quotation mark left open?" if '"' in lines[number - 1] else ""
            yield number, f"has {len(cells)} of {len(header)} columns{open_end}"
        else:
            rest = {h: c for k, (h, c) in enumerate(zip(header, cells, strict=False)) if k != place}
            title = cells[name] if name is not None and name < len(cells) else ""
            yield number, cells[place], title, rest


def _column(header: list[str], names: tuple[str, ...]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _sdf_records(text: str) -> Iterator[Raw | Bad]:
    begin, record = 1, []
    for number, line in enumerate([*_LINE.split(text), "$$$$"], 1):
        if not line.startswith("$$$$"):
            record.append(line)
            continue
        if any(part.strip() for part in record):
            title = record[0]
            yield begin, "\n".join(record)[: MAX_RECORD + 1], title, _sdf_fields(record)
        begin, record = number + 1, []


def _sdf_fields(record: list[str]) -> dict[str, str]:
    pairs = pairwise(record)
    return {m[1].strip().lower(): value for line, value in pairs if (m := _FIELD.match(line))}


def _from_block(raw: Raw) -> str:
    if len(raw[1]) > MAX_RECORD:
        raise ValueError(f"the record is longer than {MAX_RECORD:,} characters; legal molecules "
                         "have 2 to 24 heavy atoms")  # fmt: skip
    mol = Chem.MolFromMolBlock(raw[1])
    if mol is None or mol.GetNumAtoms() == 0:
        raise ValueError("the record cannot be read as a molecule; check atoms, bonds and valences")
    verdict = judge(mol)
    if not verdict.ok:
        raise ValueError(f"the molecule {'; '.join(verdict.reasons)}")
    return normal_form(mol)
