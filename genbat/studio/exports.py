"""Candidates as files: csv and json for every domain, the rest by the domain's own writers."""

from __future__ import annotations

import csv
import importlib
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genbat.core.candidate import Candidate
from genbat.studio.rooms import rooms

# Domain -> module with `FORMATS` (name -> writer) and `TEXT_COLUMN` (what its text is called).
DOMAINS: dict[str, str] = {
    "molecules": "genbat.domains.molecules.export",
    "crystals": "genbat.domains.crystals.export",
    "microstructures": "genbat.domains.microstructures.export",
    "interphases": "genbat.domains.interphases.export",
    "polymers": "genbat.domains.polymers.export",
}
_COMMON = ("csv", "json")
# A spreadsheet takes a cell that starts with one of these (or their wide forms) for a formula.
_FORMULA_STARTS = frozenset("=+-@＝＋－＠\t\n")
_PARTS = ("uncertainty", "unit", "method", "kind")
# The format of a domain's single objects, one file each, where a whole folder is written.
_SINGLE = {
    "molecules": "sdf",
    "crystals": "cif",
    "microstructures": "tif",
    "interphases": "npz",
    "polymers": "smi",
}
TABLE = "candidates.csv"
_STRANGE = re.compile(r"[^A-Za-z0-9]+")


def formats(domain: str) -> list[str]:
    """File endings that candidates of a domain can be written as."""
    return sorted({*_COMMON, *_domain(domain).FORMATS})


def export(
    candidates: Sequence[Candidate], fmt: str, extras: Sequence[Mapping[str, str]] = ()
) -> bytes:
    """Candidates of one domain as a file; text is in UTF-8.

    Parameters
    ----------
    fmt : "csv", "json", or one of the domain's own ("sdf" for molecules, "cif" for crystals).
    extras : further texts, one mapping a candidate with the same keys (note, tags, rank); they
        become columns, fields or keys, and are left out of smi.

    Raises
    ------
    ValueError : no candidates, several domains, or a format that is none; the legal ones are named.
    """
    domain = _one_domain(candidates)
    if fmt not in formats(domain):
        raise ValueError(f"format: got {fmt!r}; legal for {domain} are {formats(domain)}")
    if extras and len(extras) != len(candidates):
        raise ValueError(f"extras: got {len(extras)} for {len(candidates)} candidates")
    if fmt == "csv":
        return _csv(candidates, extras, _domain(domain).TEXT_COLUMN).encode("utf-8")
    if fmt == "json":
        return _json(candidates, extras).encode("utf-8")
    return _structures(candidates, extras, fmt)


def write(candidates: Sequence[Candidate], path: Path) -> None:
    """Candidates of one domain as a file, whose ending names the format, or as a folder.

    A path without an ending becomes a folder: one structure file a valid candidate, and
    `candidates.csv` with everything known of all of them (its column `file` names the structure).

    Raises
    ------
    ValueError : as `export`; an unknown ending is named with the legal ones.
    """
    if path.suffix and not path.is_dir():
        _replace(path, export(candidates, ending(path, _one_domain(candidates))))
        return
    fmt = _SINGLE[_one_domain(candidates)]
    path.mkdir(exist_ok=True)
    files = [_file_name(k, c, fmt) if c.verdict.ok else "" for k, c in enumerate(candidates, 1)]
    for file, candidate in zip(files, candidates, strict=True):
        if file:
            _replace(path / file, export([candidate], fmt))
    _replace(path / TABLE, export(candidates, "csv", [{"file": file} for file in files]))


def _structures(
    candidates: Sequence[Candidate], extras: Sequence[Mapping[str, str]], fmt: str
) -> bytes:
    """By the domain's writer, whose text is written in UTF-8; where it takes valid objects only,
    the others are left out."""
    domain = _domain(candidates[0].domain)
    kept = [k for k, c in enumerate(candidates) if c.verdict.ok or not domain.VALID_ONLY]
    if not kept:
        raise ValueError(f"candidates: none is valid, so there is nothing to write as {fmt}")
    more = [extras[k] for k in kept] if extras else ()
    written: str | bytes = domain.FORMATS[fmt]([candidates[k] for k in kept], more)
    return written if isinstance(written, bytes) else written.encode("utf-8")


def ending(path: Path, domain: str) -> str:
    """The format that a path's ending names, the longest that fits; else its suffix."""
    name = path.name.lower()
    fits = [fmt for fmt in formats(domain) if name.endswith(f".{fmt}")]
    return max(fits, key=len, default=path.suffix.lower().removeprefix("."))


def _file_name(number: int, candidate: Candidate, fmt: str) -> str:
    # The number keeps names apart; nothing of a name but letters and digits reaches the disk.
    name = candidate.name or rooms(candidate.domain).title(candidate.text)
    words = _STRANGE.sub("_", name[:60]).strip("_")[:40]
    return f"{number:04d}{'_' if words else ''}{words}.{fmt}"


def _replace(path: Path, data: bytes) -> None:
    # Whole or not at all: a killed process leaves no half file under the name asked for.
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(data)
    partial.replace(path)


def _one_domain(candidates: Sequence[Candidate]) -> str:
    domains = {c.domain for c in candidates}
    if len(domains) != 1:
        raise ValueError(f"candidates: got {sorted(domains) or 'none'}; one domain is legal")
    return domains.pop()


def _domain(domain: str) -> Any:
    if domain not in DOMAINS:
        raise ValueError(f"domain: got {domain!r}; legal are {sorted(DOMAINS)}")
    return importlib.import_module(DOMAINS[domain])


def safe_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula or, by a bare carriage return, for a new row."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    starts = {text[:1], text.lstrip()[:1]}
    return f"'{text}" if starts & _FORMULA_STARTS else text


def _csv(
    candidates: Sequence[Candidate], extras: Sequence[Mapping[str, str]], text_column: str
) -> str:
    keys = list(dict.fromkeys(key for c in candidates for key in c.properties))
    rows = [
        {**_head(c, text_column), **(extras[k] if extras else {}), **_values(c, keys), **_tail(c)}
        for k, c in enumerate(candidates)
    ]
    file = io.StringIO()
    columns = list(dict.fromkeys(column for row in rows for column in row))
    table = csv.DictWriter(file, columns, lineterminator="\n", restval="")
    table.writerow({column: safe_cell(column) for column in columns})
    for row in rows:
        table.writerow({k: safe_cell(v) if isinstance(v, str) else v for k, v in row.items()})
    return file.getvalue()


def _head(candidate: Candidate, text_column: str) -> dict[str, Any]:
    return {
        text_column: candidate.text,
        "name": candidate.name,
        "valid": "yes" if candidate.verdict.ok else "no",
        "reasons": "; ".join(candidate.verdict.reasons),
        "novel": {True: "yes", False: "no", None: ""}[candidate.novel],
    }


def _values(candidate: Candidate, keys: Sequence[str]) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for key in keys:
        measured = candidate.properties.get(key)
        cells[key] = None if measured is None else _finite(measured.value)
        for part in _PARTS:
            value = getattr(measured, part, None)
            cells[f"{key}_{part}"] = value if isinstance(value, str) else _finite(value)
        ends = measured.ends if measured and measured.uncertainty else (None, None)
        cells |= {f"{key}_low90": _finite(ends[0]), f"{key}_high90": _finite(ends[1])}
    return cells


def _tail(candidate: Candidate) -> dict[str, Any]:
    provenance = candidate.provenance
    return {
        "system": provenance.system,
        "action": provenance.action,
        "seed": provenance.seed,
        "provenance": json.dumps(_finite(provenance.to_json()), ensure_ascii=False),
    }


def _json(candidates: Sequence[Candidate], extras: Sequence[Mapping[str, str]]) -> str:
    rows = [
        {**c.to_json(), **(dict(extras[k]) if extras else {})} for k, c in enumerate(candidates)
    ]
    content = {"format": "genbat candidates", "version": 1, "candidates": _finite(rows)}
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    # JSON has no NaN and no infinity: null stands for both.
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return value
