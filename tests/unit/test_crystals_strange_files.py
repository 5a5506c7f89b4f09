"""Two hundred malformed or strange CIFs and POSCARs: one clear message each, nothing crashes."""

import random

import pytest
from pymatgen.core import Lattice, Structure

from genbat.domains.crystals.reading import read_crystals

GOOD = Structure.from_spacegroup(
    "R-3m", Lattice.hexagonal(2.83, 14.1), ["Li", "Co", "O"],
    [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.26]],
)  # fmt: skip
TEXTS = {"a.cif": GOOD.to(fmt="cif", symprec=0.1), "POSCAR": GOOD.to(fmt="poscar")}
JUNK = (
    "nan",
    "inf",
    "1e999",
    "-1",
    "0",
    "?",
    ".",
    "Qq",
    "\x07",
    "Ω",
    "2.83(5)",
    "999999",
    "'",
    ";",
)


def drop_line(lines, rng):
    del lines[rng.randrange(len(lines))]


def double_line(lines, rng):
    k = rng.randrange(len(lines))
    lines.insert(k, lines[k])


def cut(lines, rng):
    del lines[rng.randrange(1, len(lines)) :]


def junk(lines, rng):
    k = rng.randrange(len(lines))
    words = lines[k].split() or [""]
    words[rng.randrange(len(words))] = rng.choice(JUNK)
    lines[k] = " ".join(words)


def swap(lines, rng):
    one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]


def scramble(lines, rng):
    k = rng.randrange(len(lines))
    lines[k] = "".join(rng.sample(lines[k], len(lines[k])))


def shout(lines, rng):
    k = rng.randrange(len(lines))
    lines[k] = lines[k].swapcase()


CHANGES = (drop_line, double_line, cut, junk, swap, scramble, shout)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("seed", range(100))
def test_strange_files(name, seed):
    rng = random.Random(f"{name} {seed}")
    lines = TEXTS[name].split("\n")
    for _ in range(rng.randint(1, 3)):
        if lines:
            rng.choice(CHANGES)(lines, rng)
    try:
        found, problems = read_crystals("\n".join(lines).encode(), name)
    except ValueError as refused:
        assert name in str(refused)
        assert 10 < len(str(refused)) < 500
        return
    assert len(found) + len(problems) == 1
    for problem in problems:
        assert problem.line >= 1
        assert 5 < len(problem.message) < 420
        assert "\n" not in problem.message
    for crystal in found:
        assert 1 <= len(crystal.cell.numbers) <= 200
