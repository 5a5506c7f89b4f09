"""Tables of text, read record by record, so that one broken row spoils no other."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice

DELIMITERS = (",", ";", "\t", "|")
MAX_COLUMNS = 500
_SPAN = 40  # lines that one quoted cell may run over

Record = tuple[int, list[str] | str]  # line, cells or what is wrong


def read_table(lines: list[str], filename: str) -> tuple[list[str], Iterator[Record]]:
    """Header (names in lower case) and records of a table with a header line.

    The delimiter (comma, semicolon, tab, bar) is the one that cuts the header into a column
    "smiles" and the most others.

    Raises
    ------
    ValueError : a header with too many columns; names the file.
    """
    top = next(k for k, line in enumerate(lines) if line.strip())
    cuts = {d: _names(lines[top], d) for d in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda d: ("smiles" in cuts[d], len(cuts[d])))
    header = cuts[delimiter]
    if len(header) > MAX_COLUMNS:
        raise ValueError(
            f"{filename}, line {top + 1}: got {len(header)} columns; at most {MAX_COLUMNS} are read"
        )
    return header, _records(lines, top + 1, delimiter)


def _names(line: str, delimiter: str) -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=delimiter))
    except csv.Error:  # a cell of more than 131,072 characters
        cells = line.split(delimiter)
    return [cell.strip().lower() for cell in cells]


def _records(lines: list[str], at: int, delimiter: str) -> Iterator[Record]:
    while at < len(lines):
        cells, used = _record(lines, at, delimiter)
        if isinstance(cells, str) or any(cell.strip() for cell in cells):
            yield at + 1, cells
        at += used


def _record(lines: list[str], at: int, delimiter: str) -> tuple[list[str] | str, int]:
    """Cells, or what is wrong, of the record that begins at a line, and how many lines it takes."""
    if '"' not in lines[at]:
        return lines[at].split(delimiter), 1
    ahead = (f"{line}\n" for line in islice(lines, at, at + _SPAN))
    reader = csv.reader(ahead, delimiter=delimiter, strict=True)
    try:
        return next(reader), reader.line_num
    except csv.Error:
        pass
    try:  # a lone quotation mark inside a cell is text
        return next(csv.reader([lines[at]], delimiter=delimiter)), 1
    except csv.Error as wrong:
        return f"cannot be cut into columns: {wrong}", 1
