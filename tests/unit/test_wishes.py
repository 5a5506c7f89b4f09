"""Discrete wishes: read from a condition, refused by name, honoured on molecules."""

import pytest
from rdkit import Chem

from genbat.core.condition import Condition, Window
from genbat.domains.molecules.structure import ELEMENTS
from genbat.domains.molecules.wishes import Wishes, pattern, read_wishes


def unmet(wishes, smiles):
    return wishes.unmet(Chem.MolFromSmiles(smiles))


def test_no_wishes():
    wishes = read_wishes(Condition())
    assert wishes == Wishes()
    assert wishes.elements == ELEMENTS
    assert unmet(wishes, "O=C1OCC(F)O1") == []


@pytest.mark.parametrize("given", ["C, O;H", ["C", "O", "H"], ("O", "C", " H ")])
def test_elements(given):
    wishes = read_wishes(Condition(wishes={"elements": given}))
    assert wishes.elements == {"C", "O", "H"}
    assert unmet(wishes, "O=C1OCCO1") == []
    assert unmet(wishes, "FCC#N") == ["contains F, N"]


def test_hydrogen_needs_no_wish():
    assert unmet(read_wishes(Condition(wishes={"elements": "C"})), "CC") == []


def test_substructures():
    wishes = read_wishes(Condition(wishes={"keep": "C(=O)O, [F]", "forbid": ["[OX2H]"]}))
    assert unmet(wishes, "O=C1OCC(F)O1") == []
    assert unmet(wishes, "O=C1OCCO1") == ["lacks [F]"]
    assert unmet(wishes, "OC(=O)CF") == ["contains [OX2H]"]


def test_exact_windows():
    windows = {"mass_g_mol": Window(high=60), "lumo_ev": Window(high=0), "h_donors": Window(high=0)}
    wishes = read_wishes(Condition(windows))
    assert set(wishes.exact) == {"mass_g_mol", "h_donors"}
    assert unmet(wishes, "CCC") == []
    assert unmet(wishes, "CCO") == ["h_donors is 1, not below 0"]
    assert unmet(wishes, "CCCCC") == ["mass_g_mol is 72.151, not below 60"]


def test_start_is_brought_to_normal_form():
    assert read_wishes(Condition(wishes={"start": "C1COC(=O)O1"})).start == "O=C1OCCO1"
    assert read_wishes(Condition(wishes={"start": ""})).start == ""


@pytest.mark.parametrize(
    ("wishes", "parts"),
    [
        ({"colour": "blue"}, ["colour", "elements, keep, forbid, start"]),
        ({"elements": "C, Li"}, ["elements", "Li", "legal are"]),
        ({"elements": "<b>"}, ["<b>"]),
        ({"keep": "C(("}, ["substructure", "C(("]),
        ({"forbid": "C" * 300}, ["substructure"]),
        ({"start": "[Li+]"}, ["SMILES", "Li"]),
        ({"start": "C(C"}, ["SMILES", "C(C"]),
    ],
)
def test_refusals_name_the_part(wishes, parts):
    with pytest.raises(ValueError) as refused:
        read_wishes(Condition(wishes=wishes))
    assert [part for part in parts if part not in str(refused.value)] == []


def test_patterns_are_ready_to_match():
    assert Chem.MolFromSmiles("C1CCCCC1").HasSubstructMatch(pattern("[R]"))
    with pytest.raises(ValueError, match="substructure"):
        pattern("")
