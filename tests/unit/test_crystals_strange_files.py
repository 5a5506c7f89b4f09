"""Malformed and strange CIFs and POSCARs: one clear message each, good ones kept, no crash."""

import random

import pytest
from strange_crystals import CIF, POSCAR, bad_cifs, bad_poscars, good_cifs, good_poscars

from genbat.domains.crystals.reading import read_crystals
from genbat.domains.crystals.structure import reduced_formula

BAD = {"a.cif": bad_cifs(), "POSCAR": bad_poscars()}
GOOD = {"a.cif": good_cifs(), "POSCAR": good_poscars()}
BROKEN = [(file, name) for file, cases in BAD.items() for name in cases]
STRANGE = [(file, name) for file, cases in GOOD.items() for name in cases]
# Blocks without a cell hold references and the like: among others they are skipped in silence.
BLOCKS = [name for name, bad in BAD["a.cif"].items()
          if bad.text.startswith("data_") and "\n_cell_" in bad.text]  # fmt: skip
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


def test_there_are_two_hundred_distinct_broken_files():
    assert len({(file, BAD[file][name].text) for file, name in BROKEN}) >= 200
    assert min(len(cases) for cases in BAD.values()) >= 80


@pytest.mark.parametrize(("file", "name"), BROKEN)
def test_a_broken_file_gets_one_clear_message(file, name):
    case = BAD[file][name]
    found, problems = read_crystals(case.text.encode(), file)
    assert found == []
    (problem,) = problems
    assert case.words in problem.message
    assert problem.line == case.line
    assert str(problem).startswith(f"{file}, line {case.line}: ")
    assert 10 < len(problem.message) < 250
    told = ("legal", "order the crystal first", "too small for its atoms")
    assert any(words in problem.message for words in told)
    for slang in ("Traceback", "float()", "list index", "NoneType", "len(", "numpy", "np."):
        assert slang not in problem.message


@pytest.mark.parametrize("name", BLOCKS)
def test_good_blocks_around_a_broken_one_are_kept(name):
    case = BAD["a.cif"][name]
    text = CIF + "\n" + case.text + "\n" + CIF
    found, problems = read_crystals(text.encode(), "three.cif")
    assert [reduced_formula(one.cell) for one in found] == ["LiCoO2"] * 2
    (problem,) = problems
    assert case.words in problem.message
    assert problem.line == case.line + CIF.count("\n") + 1


@pytest.mark.parametrize(("file", "name"), STRANGE)
def test_a_strange_file_is_read(file, name):
    case = GOOD[file][name]
    (found,), problems = read_crystals(case.text.encode(), file)
    assert problems == []
    assert reduced_formula(found.cell) == case.formula
    assert len(found.cell.numbers) == case.atoms
    assert case.note in found.note


# ---------------------------------------------------------------------- at random
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


def swap_lines(lines, rng):
    one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]


def scramble(lines, rng):
    k = rng.randrange(len(lines))
    lines[k] = "".join(rng.sample(lines[k], len(lines[k])))


def shout(lines, rng):
    k = rng.randrange(len(lines))
    lines[k] = lines[k].swapcase()


CHANGES = (drop_line, double_line, cut, junk, swap_lines, scramble, shout)


@pytest.mark.parametrize(("name", "whole"), [("a.cif", CIF), ("POSCAR", POSCAR)])
@pytest.mark.parametrize("seed", range(100))
def test_damage_at_random_never_crashes(name, whole, seed):
    rng = random.Random(f"{name} {seed}")
    lines = whole.split("\n")
    for _ in range(rng.randint(1, 3)):
        if len(lines) > 1:
            rng.choice(CHANGES)(lines, rng)
    try:
        found, problems = read_crystals("\n".join(lines).encode(), name)
    except ValueError as refused:
        assert name in str(refused)
        assert 10 < len(str(refused)) < 250
        return
    assert len(found) + len(problems) == 1
    for problem in problems:
        assert 1 <= problem.line <= len(lines)
        assert 5 < len(problem.message) < 250
        assert problem.message.isprintable()
    for crystal in found:
        assert 1 <= len(crystal.cell.numbers) <= 200
