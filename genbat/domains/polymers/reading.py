"""Repeat units of a user's file: a line each, or a table with a column smiles."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from genbat.core.errors import InputProblem
from genbat.domains.polymers.repeat_unit import normal

MAX_BYTES = 20_000_000
MAX_ROWS = 100_000


@dataclass(frozen=True)
class Row:
    """One repeat unit in its normal form, its name, and the line it stands in."""

    text: str
    name: str
    line: int


def read_units(data: bytes, filename: str) -> tuple[list[Row], list[InputProblem]]:
    """Good rows, each polymer once, and what is wrong with the others.

    Raises
    ------
    ValueError : nothing usable; names the file, what is wrong and what is legal.
    """
    if not data.strip():
        raise ValueError(f"{filename}: is empty; legal are repeat units between [Cu] and [Au]")
    if len(data) > MAX_BYTES:
        raise ValueError(f"{filename}: {len(data) / 1e6:.0f} MB; legal are {MAX_BYTES // 10**6}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise ValueError(f"{filename}: is no text in UTF-8") from wrong
    cells = _table(text, filename) if filename.lower().endswith(".csv") else _lines(text)
    rows: dict[str, Row] = {}
    problems = []
    for line, unit, name in cells[:MAX_ROWS]:
        try:
            found = normal(unit).text
        except ValueError as wrong:
            problems.append(InputProblem(filename, line, str(wrong)))
            continue
        if found in rows:
            problems.append(InputProblem(filename, line, f"is {rows[found].text} again"))
        else:
            rows[found] = Row(found, name[:120], line)
    if not rows:
        first = problems[0] if problems else f"{filename}: holds no row"
        raise ValueError(f"{first} (and no good row in {filename})")
    return list(rows.values()), problems


def _lines(text: str) -> list[tuple[int, str, str]]:
    """(line, unit, name) of `unit name` lines."""
    out = []
    for line, content in enumerate(text.splitlines(), 1):
        unit, _, name = content.strip().partition(" ")
        if unit and not unit.startswith("#"):
            out.append((line, unit, name.strip()))
    return out


def _table(text: str, filename: str) -> list[tuple[int, str, str]]:
    reader = csv.DictReader(io.StringIO(text))
    names = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    if "smiles" not in names:
        found = ", ".join(name for name in names if name)
        raise ValueError(f"{filename}: has no column smiles; it has {found[:200]}")
    name = names.get("name")
    return [
        (line, str(row[names["smiles"]] or ""), str(row[name] or "") if name else "")
        for line, row in enumerate(reader, 2)
    ]
