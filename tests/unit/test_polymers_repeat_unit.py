"""Repeat units: one normal form for every cut, direction and number of units; what is none."""

import pytest
from rdkit import Chem

from genbat.domains.polymers.repeat_unit import capped, normal, parsed, views

PEO = "[Cu]CCO[Au]"


# ---------------------------------------------------------------------- one polymer, many texts
@pytest.mark.parametrize(
    "texts",
    [
        (PEO, "[Au]OCC[Cu]", "[Cu]COC[Au]", "[Cu]OCC[Au]", "[Cu]CCOCCO[Au]", "[Cu]OCCOCCOCC[Au]"),
        ("[Cu]C[Au]", "[Cu]CC[Au]", "[Cu]CCCCC[Au]"),
        ("O=C([Au])OCCO[Cu]", "[Cu]C(=O)OCCO[Au]", "[Cu]CCOC(=O)O[Au]", "[Cu]COC(=O)OC[Au]"),
        ("[Cu]c1ccc(cc1)O[Au]", "[Cu]Oc1ccc([Au])cc1", "[Cu]c1ccc(Oc2ccc(O[Au])cc2)cc1"),
        ("[Cu]CC(C)[Au]", "[Cu]C(C)C[Au]", "[Cu]C(C)CC(C)C[Au]"),
        ("[Cu]C=C[Au]", "[Cu]C=CC=C[Au]"),
    ],
)
def test_every_text_of_a_polymer_has_the_same_normal_form(texts):
    assert len({normal(text).text for text in texts}) == 1
    once = normal(texts[0])
    assert normal(once.text) == once


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (PEO, "[Cu]CCCO[Au]"),
        (PEO, "[Cu]CO[Au]"),
        ("[Cu]c1ccc(cc1)O[Au]", "[Cu]c1cccc(c1)O[Au]"),
        ("[Cu]CC(C)[Au]", "[Cu]CCC[Au]"),
        ("[Cu]CC(C)[Au]", "[Cu]CCC(C)[Au]"),
        ("[Cu]CC(C)C(C)C[Au]", "[Cu]CC(C)CC(C)[Au]"),  # head to head is another polymer
        ("[Cu]CCOC(=O)[Au]", "[Cu]COCC(=O)[Au]"),
    ],
)
def test_other_polymers_have_other_normal_forms(one, two):
    assert normal(one).text != normal(two).text


def test_the_normal_form_is_the_shortest_unit():
    unit = normal("[Cu]CCOCCO[Au]")
    assert Chem.MolFromSmiles(unit.text).GetNumHeavyAtoms() == 5
    assert len(unit.segments) == 3
    ring = normal("[Cu]c1ccc(cc1)O[Au]")
    assert len(ring.segments) == 2  # a ring on the chain is not cut
    assert len(normal("[Cu]C=C[Au]").segments) == 1  # nor is a double bond


def test_views_are_the_same_polymer():
    unit = normal("[Cu]CC(C)OCCSC(=O)[Au]")
    found = views(unit)
    assert len(found) == 2 * len(unit.segments)
    assert {normal(text) for text in found} == {unit}
    assert len(views(normal("[Cu]C[Au]"))) == 1
    assert len(views(normal(PEO))) == 3  # the same from either end


def test_capped_units_have_hydrogen_at_their_ends():
    assert Chem.CanonSmiles(capped(normal(PEO))) in {Chem.CanonSmiles(s) for s in ("CCO", "COC")}
    assert Chem.MolFromSmiles(capped(normal(PEO), 3)).GetNumHeavyAtoms() == 9


def test_stereochemistry_is_left_out():
    assert normal("[Cu]C[C@H](C)O[Au]") == normal("[Cu]C[C@@H](C)O[Au]")


# ---------------------------------------------------------------------- what is none
@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "no SMILES"),
        ("CC(", "no SMILES"),
        ("CCO", "0 .Cu. and 0 .Au."),
        ("[Cu]CC[Cu]", "2 .Cu. and 0 .Au."),
        ("[Cu]CC([Au])[Au]", "1 .Cu. and 2 .Au."),
        ("[Cu]=CC[Au]", "single bond"),
        ("C[Cu]CC[Au]", "single bond"),
        ("[Cu]C.[Au]C", "pieces"),
        ("[Cu][Au]", "nothing stands"),
        ("[Cu]" + 2500 * "C" + "[Au]", "characters"),
    ],
)
def test_what_is_no_repeat_unit_is_told(text, named):
    with pytest.raises(ValueError, match=named):
        normal(text)


def test_a_cut_never_changes_the_atoms():
    text = "CN(CCO[Cu])CCN(C)CCOC(=O)[Au]"
    assert parsed(normal(text).text).GetNumHeavyAtoms() == parsed(text).GetNumHeavyAtoms()
