"""A VASP file (POSCAR, CONTCAR) line by line; a mistake is told by its line.

Line 2 holds the scale (one number, negative for the volume in Å³, or three), 3 to 5 the lattice,
then elements, counts, perhaps "Selective dynamics", "Direct" or "Cartesian", and the places.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from pymatgen.core import Element, Lattice, Structure

from genbat.domains.crystals.chgnet_graph import Floats
from genbat.domains.crystals.file_errors import LineError, number

MOST = 100_000  # atoms that a file may announce


def read_poscar(text: str) -> Structure:
    """The structure of a POSCAR.

    Raises
    ------
    LineError : what is wrong in which line, and what is legal.
    """
    lines = text.split("\n")
    scale = _numbers(lines, 2, (1, 3), "the scale", "one number or three")
    lattice = np.array([_numbers(lines, n, (3,), "a lattice vector", "three numbers")
                        for n in (3, 4, 5)])  # fmt: skip
    lattice, factors = _scaled(lattice, scale)
    names, counts, next_line = _elements(lines)
    if _word(lines, next_line)[:1].lower() == "s":
        next_line += 1
    cartesian = _mode(lines, next_line)
    rows = _places(lines, next_line + 1, sum(counts))
    if cartesian:
        rows = rows * factors
    species = [name for name, n in zip(names, counts, strict=True) for _ in range(n)]
    return Structure(Lattice(lattice), species, rows, coords_are_cartesian=cartesian)


def next_starts(lines: Sequence[str]) -> list[int]:
    """Where further POSCARs begin behind the first, counted from 0: at the title before a scale and
    a lattice that stand behind a complete set of places."""
    starts: list[int] = []
    at = 0
    while True:
        try:
            _, counts, after = _elements(lines[at:])
        except LineError:
            return starts
        selective = _word(lines[at:], after)[:1].lower() == "s"
        at += after + selective + sum(counts)
        while at < len(lines) and not lines[at].strip():
            at += 1
        head = [[_is_number(word) for word in line.split()] for line in lines[at + 1 : at + 5]]
        if len(head) < 4 or head[0] != [True] or any(row != 3 * [True] for row in head[1:]):
            return starts
        starts.append(at)


def _line(lines: Sequence[str], at: int, what: str) -> str:
    """Line `at`, counted from 1; LineError where the file ends before it."""
    if at > len(lines) or not lines[at - 1].strip():
        raise LineError(min(at, len(lines)), f"{what} is missing; legal is what VASP reads")
    return lines[at - 1]


def _word(lines: Sequence[str], at: int) -> str:
    return lines[at - 1].strip() if at <= len(lines) else ""


def _numbers(
    lines: Sequence[str], at: int, legal: Sequence[int], what: str, words: str
) -> list[float]:
    """The numbers at the start of a line, as many as the largest legal count that fits."""
    parts = re.split(r"[!#]", _line(lines, at, what))[0].split()
    values: list[float] = []
    for part in parts[: max(legal)]:
        try:
            values.append(number(part, at, what))
        except LineError:
            break
    if len(values) not in legal or (len(values) == 1 and len(parts) > 1 and 3 in legal):
        raise LineError(at, f"{what} is {' '.join(parts)[:40]!r}; legal is {words}")
    return values


def _scaled(lattice: Floats, scale: Sequence[float]) -> tuple[Floats, Floats]:
    """The lattice in Å, and the factors of Cartesian places."""
    if any(s == 0 for s in scale) or (len(scale) == 3 and min(scale) < 0):
        raise LineError(2, "the scale holds a zero or negative factor; legal is 1.0, or minus the "
                        "volume in Å³")  # fmt: skip
    volume = abs(np.linalg.det(lattice))
    if volume < 1e-6:
        raise LineError(3, "the three lattice vectors lie in a plane; legal are ones that span a "
                        "volume")  # fmt: skip
    factors = np.array(scale if len(scale) == 3 else 3 * list(scale), float)
    if len(scale) == 1 and scale[0] < 0:
        factors = np.full(3, (-scale[0] / volume) ** (1 / 3))
    return lattice * factors, factors


def _elements(lines: Sequence[str]) -> tuple[list[str], list[int], int]:
    """Elements, their counts, and the number of the line after them."""
    words = _line(lines, 6, "the line of elements").split()
    if words[0].isdigit():  # VASP 4: the elements stand in the first line, if anywhere
        names, at = lines[0].split()[: len(words)], 6
        if len(names) < len(words) or not all(map(Element.is_valid_symbol, names)):
            raise LineError(6, "no line names the elements before the counts; legal is a line like "
                            "'Li Co O'")  # fmt: skip
    else:
        names, at = [re.split(r"[_/.]", word)[0] for word in words], 7
        if strange := [w for w, n in zip(words, names, strict=True)
                       if not Element.is_valid_symbol(n)]:  # fmt: skip
            raise LineError(6, f"{strange[0][:20]!r} is no element; legal are symbols like Li Co O")
    counts = _line(lines, at, "the line of counts").split("!")[0].split()
    if strange := [c for c in counts if not c.isdigit()]:
        raise LineError(at, f"{strange[0][:20]!r} is no count of atoms; legal are whole numbers")
    if len(counts) != len(names):
        raise LineError(at, f"holds {len(counts)} counts for {len(names)} elements; legal is one "
                        "for each")  # fmt: skip
    numbers = [int(c) for c in counts]
    if not 0 < sum(numbers) <= MOST:
        raise LineError(at, f"announces {sum(numbers)} atoms; legal are 1 to {MOST}")
    return names, numbers, at + 1


def _mode(lines: Sequence[str], at: int) -> bool:
    """Whether the places are Cartesian."""
    word = _line(lines, at, "the word Direct or Cartesian").strip()
    if word[0].lower() in "ck":
        return True
    if word[0].lower() in "df":
        return False
    raise LineError(at, f"says {word[:30]!r}; legal is Direct or Cartesian")


def _places(lines: Sequence[str], first: int, count: int) -> Floats:
    rows = []
    for k in range(count):
        at = first + k
        if at > len(lines) or not lines[at - 1].strip():
            raise LineError(
                min(at, len(lines)), f"holds {k} places for {count} atoms; legal is one each"
            )
        parts = lines[at - 1].split()
        if len(parts) < 3:
            raise LineError(at, f"holds {len(parts)} numbers; legal are three for each place")
        rows.append([number(part, at, "a coordinate") for part in parts[:3]])
    after = _word(lines, first + count).split()
    if len(after) >= 3 and all(map(_is_number, after[:3])):
        raise LineError(first + count, f"holds one place more than the {count} atoms announced; "
                        "legal is one each")  # fmt: skip
    return np.array(rows)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
