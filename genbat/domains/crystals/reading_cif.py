"""One block of a CIF, checked before pymatgen reads it, so that a mistake is told by its line.

pymatgen leaves out sites whose element or occupancy it cannot read and falls back to P1 where it
does not know the symmetry; here such a file is refused instead of being read wrong.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from pymatgen.core import Element, Structure

from genbat.domains.crystals.cif_words import Block, parse
from genbat.domains.crystals.file_errors import LineError, Refused, number

CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
PLACES = ("_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z")
OPERATIONS = (
    "_symmetry_equiv_pos_as_xyz", "_symmetry_equiv_pos_as_xyz_",
    "_space_group_symop_operation_xyz", "_space_group_symop_operation_xyz_",
)  # fmt: skip
FULL = 1.05  # largest occupancy of a site, as rounded in files
FLAT = 1e-4  # square of a cell's volume over the product of its edges
UNKNOWN = ("?", ".")
_TERM = r"[+-]?(?:\d+(?:\.\d*)?(?:/\d+)?|\.\d+|(?:\d+(?:\.\d*)?\*?)?[xyz])"
_OPERATION = re.compile(rf"{_TERM}(?:[+-]{_TERM.replace('[+-]?', '')})*$")
_LETTERS = re.compile(r"[A-Za-z]{1,2}")
# Names that pymatgen expects with capitals; CIF itself does not care.
_CAPITALS = {
    n.lower(): n
    for n in (
        "_symmetry_space_group_name_H-M", "_space_group_name_H-M_alt", "_space_group_name_Hall",
        "_symmetry_Int_Tables_number", "_space_group_IT_number",
    )
}  # fmt: skip
_WATER = {"wat", "hw", "ow", "d", "t", "oh", "no"}  # names that pymatgen reads besides elements


def read_cif(text: str) -> tuple[Structure, str]:
    """The structure of one block, and a note of what was assumed, if anything.

    Raises
    ------
    LineError : what is wrong in which line, and what is legal.
    Refused : what is missing in the block as a whole.
    """
    from pymatgen.io.cif import CifParser

    block = parse(text)
    check(block)
    parser = CifParser.from_str(_spelled(text), occupancy_tolerance=FULL)
    sites = block.column(PLACES[0]) or []
    try:
        (found,) = parser.parse_structures(primitive=False, check_occu=True, on_error="raise")
    except Exception as wrong:
        raise _told(str(wrong), sites[0].line if sites else 1) from wrong
    return found, _symmetry_note(block)


# ---------------------------------------------------------------------- checks
def check(block: Block) -> None:
    """LineError or Refused for the first thing that makes a block no crystal."""
    if not block.values and not block.loops:
        raise Refused("is no CIF: it holds no names like _cell_length_a; legal is CIF 1.1")
    _check_angles([_cell_value(block, f"_cell_{name}") for name in CELL], block)
    places = [block.column(name) for name in PLACES]
    if any(not column for column in places):
        raise Refused(_no_places(block))
    for axis, column in zip("xyz", places, strict=True):
        for word in column or ():
            number(word.text, word.line, f"the coordinate {axis}", "a number like 0.25 or 0.250(3)")
    _check_elements(block)
    for word in block.column("_atom_site_occupancy") or ():
        if word.text not in UNKNOWN:
            share = number(word.text, word.line, "the occupancy", "a number from 0 to 1")
            if not 0 <= share <= FULL:
                raise LineError(word.line, f"the occupancy is {share:g}; legal is 0 to 1")
    _check_operations(block)


def _check_angles(cell: Sequence[float], block: Block) -> None:
    """Three angles span a volume where 1 + 2 cos cos cos > cos² + cos² + cos²."""
    one, two, three = (math.cos(math.radians(angle)) for angle in cell[3:])
    if 1 + 2 * one * two * three - one**2 - two**2 - three**2 < FLAT:
        shown = ", ".join(f"{angle:g}" for angle in cell[3:])
        raise LineError(
            block.values["_cell_angle_alpha"].line,
            f"the angles {shown}° span no cell; legal are three that do, as 90, 90, 120",
        )


def _cell_value(block: Block, name: str) -> float:
    word = block.values.get(name)
    if word is None:
        raise Refused(f"has no {name}; legal are three _cell_length_ and three _cell_angle_")
    angle = "angle" in name
    legal = "an angle between 0 and 180°" if angle else "a length above 0 Å like 2.83"
    value = number(word.text, word.line, name, legal)
    if not 0 < value < (180 if angle else float("inf")):
        raise LineError(word.line, f"{name} is {value:g}; legal is {legal}")
    return value


def _no_places(block: Block) -> str:
    names = {column.text for columns, _ in block.loops for column in columns}
    legal = "legal is a loop with _atom_site_fract_x, _y and _z"
    if any("cartn" in name for name in names):
        return f"gives Cartesian coordinates; {legal}"
    return f"lists no atoms; {legal}"


def _check_elements(block: Block) -> None:
    kinds = block.column("_atom_site_type_symbol") or block.column("_atom_site_label")
    if not kinds:
        raise Refused("names no elements; legal is a column _atom_site_type_symbol or _label")
    for word in kinds:
        if not names_element(word.text):
            raise LineError(
                word.line, f"{word.text[:20]!r} names no element; legal are symbols like Li or O1"
            )


def names_element(label: str) -> bool:
    """Whether a site's label begins with an element ("Li1", "CO2+", "O"), or is water's."""
    found = _LETTERS.search(label)
    letters = found[0] if found and (found.start() == 0 or "+" in label) else ""
    legal = letters.lower() in _WATER or Element.is_valid_symbol(letters.title())
    return bool(letters) and (legal or Element.is_valid_symbol(letters[0].upper()))


def _check_operations(block: Block) -> None:
    for name in OPERATIONS:
        for word in block.column(name) or ():
            parts = re.sub(r"\s", "", word.text.lower()).split(",")
            if len(parts) != 3 or not all(map(_OPERATION.match, parts)):
                raise LineError(
                    word.line,
                    f"{word.text[:40]!r} is no symmetry operation; legal are ones like 'x, -y, "
                    "z+1/2'",
                )


def _symmetry_note(block: Block) -> str:
    """ "" where the block says its symmetry; else that it was read as P1."""
    if any(block.column(name) for name in OPERATIONS):
        return ""
    named = [k for k in block.values if "space_group_name" in k or k.endswith(
        ("_it_number", "_int_tables_number"))]  # fmt: skip
    said = [block.values[k] for k in named if block.values[k].text not in UNKNOWN]
    if not said:
        return "the file states no symmetry: read as P1"
    if not any(known_group(word.text) for word in said):
        word = said[0]
        raise LineError(
            word.line, f"the space group {word.text[:30]!r} is not known and no operations are "
            "listed; legal are symbols like 'R -3 m' or a loop of operations",
        )  # fmt: skip
    return ""


def known_group(text: str) -> bool:
    """Whether pymatgen knows a space group's symbol or number."""
    from pymatgen.symmetry.groups import SYMM_DATA

    if text.strip().isdigit():
        return 1 <= int(text) <= 230
    plain = re.sub(r"[\s_]", "", text)
    return plain in {re.sub(r"[\s_]", "", k) for k in SYMM_DATA["space_group_encoding"]} or (
        plain.partition(":")[0] in {re.sub(r"[\s_]", "", k) for k in _hermann_mauguin()}
    )


def _hermann_mauguin() -> set[str]:
    """Every symbol of pymatgen's table of settings, and the Hall symbols are let through."""
    from pymatgen.symmetry.groups import SYMM_DATA

    return set(SYMM_DATA["abbreviated_spacegroup_symbols"]) | set(
        SYMM_DATA["abbreviated_spacegroup_symbols"].values()
    )


# ---------------------------------------------------------------------- to and from pymatgen
def _spelled(text: str) -> str:
    """The text with names as pymatgen wants them; loops of moments set aside.

    pymatgen takes any loop of moments for a file with magnetic symmetry and drops the other one.
    """

    def name(match: re.Match[str]) -> str:
        small = match[0].lower()
        return _CAPITALS.get(small.strip(), small)

    if not re.search(r"(?mi)^data_", text):
        text = "data_unnamed\n" + text
    text = re.sub(r"(?mi)^[ \t]*(?:_[a-z]\S*|loop_|data_(?=\S*))", name, text)
    if "_space_group_symop_magn" in text or "_space_group_symop.magn" in text:
        return text
    return text.replace("_atom_site_moment", "_set_aside_moment")


def _told(message: str, line: int) -> LineError:
    """pymatgen's words for what only it finds, in a chemist's."""
    plain = " ".join(message.replace("No structure parsed for section 1 in CIF.", "").split())
    if found := re.search(r"Occupancy ([\d.]+) exceeded", plain):
        return LineError(
            line, f"sites on one place add up to an occupancy of {found[1]}; legal is at most 1 "
            "(each site once, symmetry makes the others)",
        )  # fmt: skip
    if "Singular" in plain or "thickness" in plain:
        return LineError(line, "the cell's angles leave it without volume")
    return LineError(
        line, f"cannot be read ({plain[:120]}); legal are a cell, symmetry operations and atoms in "
        "fractions",
    )  # fmt: skip
