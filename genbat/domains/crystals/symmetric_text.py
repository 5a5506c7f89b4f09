"""A crystal's symmetric form as a text of words, and a prompt that may stand before it.

    for Li x1 Co x1 O x2 atoms any is sg166 Li x1 Co x1 O x2 at Li a Co b O c .23 +98 cell 2Å +83
    14Å +05

Between "for" and "is" stands what is asked: a formula, elements alone ("Li some"), nothing, and the
atoms of the primitive cell. The text itself says the space group, how many atoms of each element
the primitive cell has, each orbit with its Wyckoff letter and free parameters, and the free cell
parameters. A number is two words: fractions to 1e-4, lengths to 0.01 Å, angles to 0.01 degrees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from math import gcd

from genbat.domains.crystals.symmetric import FREE_CELL, Symmetric, rank
from genbat.domains.crystals.symmetry import crystal_system
from genbat.domains.crystals.wishes import ELEMENTS, MOST_ATOMS

PAD, END = "[pad]", "[end]"  # numbers 0 and 1
FOR, ATOMS, IS, AT, CELL, ANY, SOME = "for", "atoms", "is", "at", "cell", "any", "some"
ORDERED = tuple(sorted(ELEMENTS, key=rank))
COUNTS = tuple(f"x{n}" for n in range(1, MOST_ATOMS + 1))
GROUPS = tuple(f"sg{n}" for n in range(1, 231))
LETTERS = (*"abcdefghijklmnopqrstuvwxyzA",)  # "A" is a Wyckoff letter of Pmmm and no element
TENTHS = tuple(f".{n:02d}" for n in range(100))  # the first two digits of a fraction
REST = tuple(f"+{n:02d}" for n in range(100))  # the next two digits of any number
LENGTHS = tuple(f"{n}Å" for n in range(100))
ANGLES = tuple(f"{n}°" for n in range(180))
VOCABULARY = (PAD, END, FOR, ATOMS, IS, AT, CELL, ANY, SOME, *ORDERED, *COUNTS, *GROUPS, *LETTERS,
              *TENTHS, *REST, *LENGTHS, *ANGLES)  # fmt: skip
NUMBER = {word: k for k, word in enumerate(VOCABULARY)}


def words_of(crystal: Symmetric) -> list[str]:
    """The words of a crystal, without end."""
    out = [f"sg{crystal.group}", *_composition(crystal.counts()), AT]
    for orbit in crystal.orbits:
        out += [orbit.element, orbit.letter]
        for free in orbit.free:
            out += _two(round(free * 10_000) % 10_000, TENTHS)
    out.append(CELL)
    for name, value in zip(FREE_CELL[crystal_system(crystal.group)], crystal.cell, strict=True):
        out += _two(round(value * 100), LENGTHS if len(name) == 1 else ANGLES)
    return out


def _composition(counts: Mapping[str, int]) -> list[str]:
    return [word for element, n in counts.items() for word in (element, f"x{n}")]


def _two(hundredths: int, first: Sequence[str]) -> list[str]:
    """A number of hundredths of the first word's unit, which must have a word for it."""
    whole, rest = divmod(hundredths, 100)
    if not 0 <= whole < len(first):
        raise ValueError(f"number: got {hundredths / 100:g}; the text holds up to {first[-1]}")
    return [first[whole], REST[rest]]


def number_of(first: str, rest: str) -> float:
    """The number that two words say."""
    digits = int(rest[1:])
    if first[0] == ".":
        return int(first[1:]) / 100 + digits / 10_000
    return int(first[:-1]) + digits / 100


def prompt_of(
    formula: Mapping[str, int] | None = None,
    elements: Iterable[str] = (),
    atoms: int | None = None,
) -> list[str]:
    """What is asked, as words: a reduced formula, or elements alone, and the number of atoms."""
    told = _composition({e: (formula or {})[e] for e in sorted(formula or {}, key=rank)})
    if not told:
        told = [word for e in sorted(elements, key=rank) for word in (e, SOME)]
    return [FOR, *told, ATOMS, f"x{atoms}" if atoms else ANY, IS]


def reduced(counts: Mapping[str, int]) -> dict[str, int]:
    """Atoms of one formula unit."""
    unit = reduce(gcd, counts.values())
    return {element: n // unit for element, n in counts.items()}


def numbers_of(words: Iterable[str]) -> list[int]:
    """Numbers of words in the vocabulary; ValueError names one that is none."""
    own = list(words)
    if strange := [word for word in own if word not in NUMBER]:
        raise ValueError(f"text: {strange[0]!r} is no word of a crystal's text")
    return [NUMBER[word] for word in own]


def words_from(numbers: Iterable[int]) -> list[str]:
    """Words of numbers, until the first end or padding."""
    out: list[str] = []
    for number in numbers:
        if number < 2:
            break
        out.append(VOCABULARY[number])
    return out
