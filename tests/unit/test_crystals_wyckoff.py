"""Wyckoff positions, crystals by their symmetry, and their texts: against International Tables."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pymatgen.analysis.prototypes as pymatgen_prototypes
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from tiny_crystals import corpus

from genbat.domains.crystals import data
from genbat.domains.crystals.codec import turned
from genbat.domains.crystals.structure import structure_of
from genbat.domains.crystals.symmetric import Orbit, Symmetric, built, described, normaliser
from genbat.domains.crystals.symmetric_grammar import Limits, Text, fits, read
from genbat.domains.crystals.symmetric_text import (
    AT,
    NUMBER,
    VOCABULARY,
    numbers_of,
    prompt_of,
    words_from,
    words_of,
)
from genbat.domains.crystals.symmetry import space_group_number
from genbat.domains.crystals.wishes import Wishes
from genbat.domains.crystals.wyckoff import distinct, space_group

FOLDER = Path(pymatgen_prototypes.__file__).parent
ROCK_SALT = Symmetric(225, (Orbit("Li", "a"), Orbit("F", "b")), (4.03,))
O3 = Symmetric(166, (Orbit("Li", "a"), Orbit("Co", "b"), Orbit("O", "c", (0.2396,))), (2.83, 14.05))
SOME = (1, 2, 5, 14, 38, 47, 62, 141, 146, 166, 186, 194, 205, 216, 225, 227, 230)


def tables(name):
    """What pymatgen carries of International Tables, which GenBat does not use."""
    with gzip.open(FOLDER / f"wyckoff-position-{name}.json.gz") as file:
        return json.load(file)


# ---------------------------------------------------------------------- positions
@pytest.mark.parametrize("number", SOME)
def test_positions_are_those_of_international_tables(number):
    counts, freedom = (tables(name)[str(number)] for name in ("multiplicities", "params"))
    found = {k: (p.count, p.freedom) for k, p in space_group(number).positions.items()}
    assert found == {letter: (counts[letter], freedom[letter]) for letter in counts}


@pytest.mark.slow
def test_all_positions_of_all_groups():
    counts, freedom = tables("multiplicities"), tables("params")
    total = 0
    for number in range(1, 231):
        for letter, position in space_group(number).positions.items():
            assert position.count == counts[str(number)][letter]
            assert position.freedom == freedom[str(number)][letter]
            total += 1
    assert total == 1731


@pytest.mark.parametrize("number", SOME)
def test_points_of_a_position_stay_on_it(number):
    """The orbit of a point of it has its size, and lies on it again, by every operation."""
    group, rng = space_group(number), np.random.default_rng(number)
    for position in group.positions.values():
        orbit = group.orbit(position.point(rng.uniform(0.02, 0.2, position.freedom)))
        assert len(orbit) == position.count
        assert len(position.holds(orbit))
        sent = np.concatenate([orbit @ t.T + s for t, s in
                               zip(group.turns, group.shifts, strict=True)])  # fmt: skip
        assert len(distinct(sent)) == position.count


def test_where_textbooks_put_atoms():
    group = space_group(225)
    places = {"a": (0, 0, 0), "b": (0.5, 0.5, 0.5), "c": (0.25, 0.25, 0.25)}
    for letter, place in places.items():
        orbit = group.orbit(np.array(place))
        holders = [k for k, p in group.positions.items() if not p.freedom and len(p.holds(orbit))]
        assert holders == [letter]
    assert group.centrings == 4


def test_no_such_group():
    with pytest.raises(ValueError, match="space_group: got 231; legal are numbers from 1 to 230"):
        space_group(231)


# ---------------------------------------------------------------------- crystals
def some_cells(count=40):
    known = data.load()
    rows = np.random.default_rng(3).permutation(len(known))[:count]
    return [known.cell(int(k)) for k in rows]


def test_crystals_come_back_from_their_texts():
    matcher, cells = StructureMatcher(), some_cells()
    fits_ = [matcher.fit(structure_of(c), structure_of(built(read(words_of(described(c))))))
             for c in cells]  # fmt: skip
    assert np.mean(fits_) >= 0.97


def test_what_is_built_is_described_alike():
    for crystal in (ROCK_SALT, O3):
        again = described(built(crystal))
        assert again.group == crystal.group
        assert again.orbits == crystal.orbits
        assert again.cell == pytest.approx(crystal.cell)


@pytest.mark.parametrize("seed", range(4))
def test_any_cell_of_a_crystal_has_one_text(seed):
    """Turned, shifted and shuffled: the origin is chosen anew, the same way."""
    own = [built(described(corpus().cells[k])) for k in (0, 9)]
    for cell in (built(ROCK_SALT), built(O3), *own):
        assert words_of(described(turned(cell, seed))) == words_of(described(cell))


def test_the_symmetry_is_the_one_that_was_built():
    assert space_group_number(built(ROCK_SALT)) == 225
    assert space_group_number(built(O3)) == 166
    assert len(built(O3).numbers) == 4
    spread = structure_of(built(ROCK_SALT)).get_distance(0, 1)
    assert spread == pytest.approx(4.03 / 2)


def test_origins_that_are_as_good():
    """Fm-3m may begin at 0 or at 1/2 1/2 1/2, F-43m at any quarter of its diagonal."""
    assert len(normaliser(225)) == 2
    assert len(normaliser(216)) == 4
    other = replace(ROCK_SALT, orbits=(Orbit("Li", "b"), Orbit("F", "a")))
    assert described(built(other)).orbits == ROCK_SALT.orbits


@pytest.mark.parametrize(
    ("crystal", "named"),
    [
        (replace(ROCK_SALT, orbits=(Orbit("Li", "z"),)), "letter: 'z' is none of space group 225"),
        (replace(ROCK_SALT, orbits=(Orbit("Li", "a", (0.1,)),)), "0 free parameters, not 1"),
        (replace(ROCK_SALT, orbits=(Orbit("Li", "a"), Orbit("F", "a"))), "share a place"),
        (replace(ROCK_SALT, cell=(4.0, 4.0)), "cell: a cubic one has a, not 2"),
        (replace(ROCK_SALT, cell=(-1.0,)), "no edges and angles"),
        (replace(O3, orbits=(Orbit("O", "c", (0.5,)),)), "higher symmetry"),
        (Symmetric(2, (Orbit("Li", "a"),), (4.0, 4.0, 4.0, 30.0, 30.0, 150.0)), "no edges"),
    ],
)
def test_what_is_no_crystal_is_said(crystal, named):
    with pytest.raises(ValueError, match=named):
        built(crystal)


# ---------------------------------------------------------------------- texts
def test_a_text_as_it_is_written():
    assert " ".join(words_of(O3)) == (
        "sg166 Li x1 Co x1 O x2 at Li a Co b O c .23 +96 cell 2Å +83 14Å +05"
    )
    assert read(words_of(O3)) == O3
    assert words_from([*numbers_of(words_of(O3)), 1, 5]) == words_of(O3)
    assert len(NUMBER) == len(VOCABULARY)
    assert prompt_of({"O": 2, "Li": 1}) == ["for", "Li", "x1", "O", "x2", "atoms", "any", "is"]
    assert prompt_of(None, ["S", "Li"], 4) == [
        "for",
        "Li",
        "some",
        "S",
        "some",
        "atoms",
        "x4",
        "is",
    ]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("sg225 Li x1 F x1 at Li a F a cell 4Å +03", "'a' may not stand at place 10"),
        ("sg225 Li x1 F x1 at Li a cell", "'cell' may not stand"),
        ("sg225 Li x1 F x1 at Li a F b cell 4Å", "breaks off"),
        ("sg225 F x1 Li x1", "'Li' may not stand at place 4"),
        ("sg225 Li x5", "'x5' may not stand at place 3"),
        ("Li x1", "'Li' may not stand at place 1"),
        ("sg225 Li x1 at Li e cell", "'e' may not stand at place 6"),
        ("", "breaks off"),
    ],
)
def test_what_is_no_text_is_said(text, named):
    with pytest.raises(ValueError, match=named):
        read(text.split())


def test_no_such_word():
    with pytest.raises(ValueError, match="'Xx' is no word"):
        numbers_of(["sg1", "Xx"])


def test_an_edge_without_a_word():
    with pytest.raises(ValueError, match="holds up to 99"):
        words_of(replace(ROCK_SALT, cell=(120.0,)))


def test_every_text_of_the_shipped_crystals_is_legal():
    for cell in some_cells(25):
        words, text = words_of(described(cell)), Text()
        for word in words:
            assert word in text.legal(Limits())
            text = text.after(word)


def test_wishes_bar_words():
    start = Text().after("sg225")
    formula = Limits(wishes=Wishes(formula={"Li": 1, "F": 1}, require=frozenset({"Li", "F"}),
                                   allow=frozenset({"Li", "F"})))  # fmt: skip
    assert start.legal(formula) == ("Li",)
    numbers = start.after("Li").legal(formula)
    assert "x1" in numbers and "x5" not in numbers
    owing = start.after("Li").after("x2")
    assert owing.legal(formula) == ("F",)
    assert owing.after("F").legal(formula) == ("x2",)
    assert owing.after("F").after("x2").legal(formula) == (AT,)
    small = Limits(wishes=Wishes(atoms=(1, 1)))
    assert start.after("Li").legal(small) == ("x1",)
    many = Limits(wishes=Wishes(require=frozenset({"Li", "F"}), allow=frozenset({"Li", "F"}),
                                atoms=(8, 8)))  # fmt: skip
    assert start.after("Li").after("x2").after("F").legal(many) == ("x6",)
    needed = Limits(wishes=Wishes(require=frozenset({"Li"})))
    assert "O" not in start.legal(needed) and "Na" in start.legal(needed)


@pytest.mark.parametrize(
    ("fixed", "free", "needs", "wanted"),
    [
        ((1, 1), (), (1, 1), True),
        ((1, 1), (), (1, 1, 1), False),
        ((1, 1), (4,), (5,), True),
        ((1, 1), (4,), (3,), False),
        ((1, 2), (), (1, 2), True),
        ((1, 2), (), (3,), True),
        ((2, 2), (3,), (5, 5), True),
        ((2,), (3,), (5, 5), False),
        ((), (2, 3), (7, 7), True),
    ],
)
def test_room_for_atoms(fixed, free, needs, wanted):
    assert fits(fixed, free, needs) == wanted
