"""Crystals in and out of files, drawn, judged before any physics."""

import json

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from genbat.core.candidate import Candidate, Verdict
from genbat.core.properties import Measurement
from genbat.core.provenance import Provenance
from genbat.domains.crystals import export
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.duplicates import Entry, find_duplicates
from genbat.domains.crystals.ions import Ion
from genbat.domains.crystals.prototypes import own, prototype
from genbat.domains.crystals.reading import read_crystals
from genbat.domains.crystals.structure import (
    from_text,
    judge,
    primitive,
    reduced_formula,
    structure_of,
    to_text,
)
from genbat.domains.crystals.substitution import fill
from genbat.domains.crystals.symmetry import space_group_number

LICOO2 = {"A": Ion("Li", 1), "M": Ion("Co", 3), "X": Ion("O", -2)}


@pytest.fixture
def licoo2():
    return fill(prototype("o3"), LICOO2)


def candidate(cell, name="LCO"):
    properties = {"voltage_v": Measurement(3.8, "V", "CHGNet 0.3.0", "computed", 0.5)}
    return Candidate(to_text(cell), "crystals", Verdict(True), Provenance("data", "known"),
                     properties, name=name)  # fmt: skip


def same(one, two):
    from pymatgen.analysis.structure_matcher import StructureMatcher

    return StructureMatcher(scale=False).fit(structure_of(one), structure_of(two))


@pytest.mark.parametrize("name", list(own()))
def test_text_comes_back(name):
    ions = LICOO2 | {"B": Ion("Na", 1)}
    cell = fill(prototype(name), {s: ions[s] for s in prototype(name).counts})
    text = to_text(cell)
    back = from_text(text)
    assert same(cell, back)
    assert to_text(back) == text


def test_formula(licoo2):
    assert reduced_formula(licoo2) == "LiCoO2"


def test_primitive_of_a_supercell(licoo2):
    big = structure_of(licoo2).make_supercell(2, in_place=False)
    cell = Cell(np.array(big.atomic_numbers), big.cart_coords, np.array(big.lattice.matrix))
    assert len(primitive(cell).numbers) == 4
    assert space_group_number(cell) == 166


@pytest.mark.parametrize("fmt", list(export.FORMATS))
def test_every_format_comes_back(fmt, licoo2):
    text = export.FORMATS[fmt]([candidate(licoo2)], ())
    ending = fmt.rpartition(".")[2]
    (found,), problems = read_crystals(text.encode(), f"x.{ending}")
    assert not problems
    assert same(found.cell, licoo2)


def test_cif_is_symmetrised(licoo2):
    assert "R-3m" in export.cif([candidate(licoo2)])
    assert "R-3m" not in export.cif_p1([candidate(licoo2)])
    assert "3.8 +/- 0.5 V" in export.cif([candidate(licoo2)])


def test_many_blocks_of_one_cif(licoo2):
    text = export.cif([candidate(licoo2), candidate(licoo2)])
    found, problems = read_crystals(text.encode(), "two.cif")
    assert len(found) == 2
    assert not problems
    assert found[1].line > found[0].line


def test_many_poscars_of_one_file(licoo2):
    text = export.poscar([candidate(licoo2, "first"), candidate(licoo2, "second")])
    found, problems = read_crystals((text + "\n" + CIF).encode(), "many.vasp")
    assert [one.name for one in found] == ["first", "second"]
    assert found[1].line == 14
    assert not problems


def test_a_broken_poscar_among_good_ones(licoo2):
    good = export.poscar([candidate(licoo2)])
    text = good + "\n" + good.replace("direct", "nowhere") + "\n" + good
    found, (problem,) = read_crystals(text.encode(), "many.vasp")
    assert len(found) == 2
    assert "legal is Direct or Cartesian" in problem.message
    assert problem.line == 14 + 7


def disordered(share=0.7):
    return Structure(Lattice.cubic(4.2), [{"Ni": share, "Mn": 1 - share}, "O"],
                     [[0, 0, 0], [0.5, 0.5, 0.5]])  # fmt: skip


def test_disorder_is_refused_by_name():
    text = disordered().to(fmt="cif")
    found, (problem,) = read_crystals(text.encode(), "mix.cif")
    assert not found
    assert "1 of 2 sites are disordered (Mn" in problem.message


def test_disorder_is_ordered_with_a_note():
    text = disordered().to(fmt="cif")
    (found,), problems = read_crystals(text.encode(), "mix.cif", order=True)
    assert not problems
    assert reduced_formula(found.cell) == "NiO"
    assert "most frequent element" in found.note


def mostly_empty():
    return Structure(Lattice.cubic(4.2), [{"Ni": 0.2}, "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_mostly_empty_sites_are_left_out():
    (found,), _ = read_crystals(mostly_empty().to(fmt="cif").encode(), "v.cif", order=True)
    assert list(found.cell.numbers) == [8]
    assert "1 mostly empty ones were left out" in found.note


def test_of_split_sites_the_fuller_one_stays():
    """Lithium 0.6 Å to the left (0.4) or to the right (0.6) of a middle; oxygen is whole."""
    split = Structure(
        Lattice.cubic(4.2),
        [{"Li": 0.55}, {"Li": 0.6}, {"Li": 0.55}, "O"],
        [[0.43, 0.5, 0.5], [0.57, 0.5, 0.5], [0.5, 0, 0], [0, 0, 0.5]],
    )
    (found,), problems = read_crystals(split.to(fmt="cif").encode(), "s.cif", order=True)
    assert not problems
    assert sorted(found.cell.numbers) == [3, 3, 8]
    assert "1 beside a fuller one were left out" in found.note
    places = structure_of(found.cell).frac_coords
    assert any(np.allclose(place, [0.57, 0.5, 0.5], atol=1e-4) for place in places)


GOOD = Structure(Lattice.cubic(4.2), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
CIF = GOOD.to(fmt="cif")
POSCAR = GOOD.to(fmt="poscar")


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "a.cif", "is empty"),
        (b"PK\x03\x04abc", "a.cif", "zip archive"),
        (b"hello", "a.docx", "its ending says nothing; legal are .cif"),
        (b"\0\0\0", "a.cif", "binary data"),
    ],
)
def test_whole_files_that_are_refused(data, name, words):
    with pytest.raises(ValueError, match=words):
        read_crystals(data, name)


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("hello", "a.cif", "is no CIF"),
        (CIF.replace("4.2", "0.2"), "a.cif", "too small for its atoms"),
        (CIF.replace("Mg", "Xx"), "a.cif", "'Xx' names no element"),
        (CIF.replace("Mg", "Ar"), "a.cif", "contains Ar; legal are H to Bi"),
        (CIF.replace("0.5", "0.1"), "a.cif", "covalent radii apart"),
        (CIF.replace("_cell_length_a", "_cell_width_a"), "a.cif", "has no _cell_length_a"),
        (CIF.split("loop_")[0], "a.cif", "lists no atoms"),
        ("\n".join(POSCAR.split("\n")[:6]), "POSCAR", "is missing"),
        (POSCAR.replace("direct", "?"), "a.vasp", ""),
        ("2\nno lattice\nMg 0 0 0\nO 1 1 1\n", "a.xyz", "legal is a crystal with a cell"),
        ("x\n", "a.xyz", "the number of atoms is"),
        ("{", "a.json", "cannot be read"),
        ("[1, 2]", "a.json", "no pymatgen structure"),
        ('{"lattice": 3, "sites": []}', "a.json", "cannot be read"),
    ],
)
def test_bad_crystals_get_one_clear_problem(text, name, words):
    try:
        found, problems = read_crystals(text.encode(), name)
    except ValueError as refused:
        assert words in str(refused)
        return
    assert len(found) + len(problems) >= 1
    assert not problems or words in problems[0].message
    assert not problems or problems[0].line >= 1


def test_good_crystals_beside_bad_ones_are_kept():
    text = CIF + "\n" + CIF.replace("Mg", "Ar").replace("data_", "data_bad") + "\n" + CIF
    found, problems = read_crystals(text.encode(), "three.cif")
    assert len(found) == 2
    assert len(problems) == 1
    assert problems[0].line > 1


def test_large_centred_cells_become_primitive():
    fcc = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.0), ["Cu"], [[0] * 3])
    fcc.make_supercell(4)
    (found,), problems = read_crystals(fcc.to(fmt="cif").encode(), "copper.cif")
    assert not problems
    assert len(found.cell.numbers) == 1
    assert abs(np.linalg.det(found.cell.lattice)) == pytest.approx(16.0, rel=1e-3)


def test_json_creates_no_foreign_classes():
    entry = json.loads(json.dumps(GOOD.as_dict()))
    entry["sites"][0]["properties"] = {"x": {"@module": "os", "@class": "system"}}
    (found,), _ = read_crystals(json.dumps(entry).encode(), "a.json")
    assert reduced_formula(found.cell) == "MgO"


def test_judge_counts_atoms(licoo2):
    assert judge(licoo2).ok
    assert judge(licoo2, max_atoms=3).reasons == ("has 4 atoms; legal are 1 to 3",)


def test_duplicates_are_found(licoo2):
    from genbat.domains.crystals.relax import perturbed

    volume = abs(np.linalg.det(licoo2.lattice)) / 4
    twin = perturbed(licoo2, 1, 0.002, 0.005)
    other = fill(prototype("rock salt L1_0"), LICOO2)
    entries = [
        Entry("LiCoO2", -6.0, volume, licoo2),
        Entry("LiCoO2", -6.0, volume, twin),
        Entry("LiCoO2", -6.0, volume, other),
        Entry("LiCoO2", -5.9, volume, licoo2),
    ]
    assert find_duplicates(entries) == {1: 0}


def test_chemistry_of_licoo2(licoo2):
    from genbat.domains.crystals import chemistry

    assert chemistry.oxidation_states(licoo2) == {"Li": 1.0, "Co": 3.0, "O": -2.0}
    assert chemistry.is_balanced(licoo2)
    assert chemistry.flags(licoo2)[0] == "contains cobalt"
    assert chemistry.density(licoo2) == pytest.approx(4.9, abs=0.6)
    assert chemistry.mass(licoo2) == pytest.approx(97.87, abs=0.02)
