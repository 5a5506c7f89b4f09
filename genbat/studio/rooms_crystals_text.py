"""What a crystal's text says at once, and the way from anybody's text to the canonical one."""

from __future__ import annotations

import base64
import re
import warnings
import zlib
from functools import lru_cache

from pymatgen.core import Composition

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.reading import read_crystals
from genbat.domains.crystals.structure import (
    formula_counts,
    from_text,
    judge,
    primitive,
    reduced_formula,
    to_text,
)

_NUMBER = r"\d{1,6}\.\d+"
_OURS = re.compile(
    r"^data_\S{1,80}\n_symmetry_space_group_name_H-M 'P 1'\n"
    rf"(?:_cell_\w+ {_NUMBER}\n){{6}}_chemical_formula_sum '[\w ]+'\n"
    r"loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\nloop_\n(?:_atom_site_\w+\n){6}"
    rf"(?:[A-Z][a-z]?\d+ [A-Z][a-z]? {_NUMBER} {_NUMBER} {_NUMBER} 1\n)+$"
)
_SUM = re.compile(r"_chemical_formula_sum\s+'([^']*)'")
_PART = re.compile(r"([A-Z][a-z]?)(\d+)")
_PACKED = re.compile(r"^z\.([A-Za-z0-9_-]{1,20000})$")
MOST = 400_000  # characters


@lru_cache(maxsize=1024)
def cell_of_text(text: str) -> Cell:
    """Cell of a canonical text, not to be changed; ValueError where it is none."""
    return from_text(text)


def title_of(text: str) -> str:
    """Reduced formula in the first line of a canonical text."""
    head = text.split("\n", 1)[0]
    return head[5:] if head.startswith("data_") else ""


def formula_of(text: str) -> dict[str, int]:
    """Element -> atoms in the cell of a canonical text."""
    found = _SUM.search(text)
    return {e: int(n) for e, n in _PART.findall(found[1])} if found else {}


def reduced(text: str) -> str:
    """Reduced formula of a typed one ("LiMn2O4" -> "Li(MnO2)2"), "" where it is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return str(Composition(text).reduced_formula) if len(text) < 60 else ""
    except Exception:  # the parser raises whatever it trips over
        return ""


@lru_cache(maxsize=230)
def group_symbol(number: int) -> str:
    """International symbol of a space group: 166 -> `R-3m`."""
    from pymatgen.symmetry.groups import sg_symbol_from_int_number

    return str(sg_symbol_from_int_number(number))


def pack(text: str) -> str:
    """A text for links: compressed, letters and digits only."""
    return "z." + base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def unpack(text: str) -> str:
    """Inverse of `pack`; any other text stays as it is. ValueError for a broken one."""
    found = _PACKED.match(text)
    if not found:
        return text
    try:
        raw = base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
        return zlib.decompressobj().decompress(raw, MOST).decode()
    except (ValueError, zlib.error) as wrong:
        raise ValueError("crystal: the link is broken; ask for it again") from wrong


@lru_cache(maxsize=4096)
def check(text: str) -> str:
    """Canonical text of a CIF that somebody typed or of a link's handle.

    Raises
    ------
    ValueError : saying what is wrong and what is legal.
    """
    text = unpack(text.strip())
    text = text if text.endswith("\n") or "\n" not in text else text + "\n"
    if "\n" not in text:
        raise ValueError(f"crystal: {text[:60]!r} is neither a known one nor a CIF")
    if canonical(text):
        return text
    crystals, problems = read_crystals(text.encode(), "typed.cif")
    if not crystals:
        raise ValueError(f"CIF: {problems[0].message}")
    return to_text(primitive(crystals[0].cell))


def canonical(text: str) -> bool:
    """Whether a text is written as the domain writes them, of a legal crystal."""
    if len(text) > MOST or not _OURS.match(text):
        return False
    try:
        cell = from_text(text)
    except ValueError:
        return False
    named = (title_of(text), formula_of(text)) == (reduced_formula(cell), formula_counts(cell))
    return named and judge(cell).ok
