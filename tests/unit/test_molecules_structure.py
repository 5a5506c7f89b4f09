"""Reading molecules: the normal form, the limits of the domain, and messages that help."""

import pytest
from rdkit import Chem

from genbat.domains.molecules.structure import (
    ELEMENTS,
    MAX_HEAVY,
    MAX_TEXT,
    canonical,
    check,
    judge,
    normal_form,
    parse_smiles,
)

TEXTS = [
    "O=C1OCCO1",
    "C1COC(=O)O1",
    "OC(F)=C/C=C\\Cl",
    "C[C@H]1COC(=O)O1",
    "[H]C([H])([H])C#N",
    "[2H]C([2H])([2H])C#N",
    "[13CH3]OC",
    "[CH3:7][O:2]C",
    "c1ccc2c(c1)Sc1ccccc1S2",
    "C[N+](=O)[O-]",
    "CN(=O)=O",
    "CCOP1(F)=NP(F)(F)=NP(F)(F)=N1",
    "C[Si](C)(C)OB(O[Si](C)(C)C)O[Si](C)(C)C",
    "N#Cc1nc(C(F)(F)F)[nH]c1C#N",
]


def parse(text: str) -> Chem.Mol:
    return Chem.MolFromSmiles(text)


@pytest.mark.parametrize("text", TEXTS)
def test_normal_form_is_idempotent(text: str) -> None:
    first = canonical(text)
    assert canonical(first) == first
    assert not set("@/\\:") & set(first)


@pytest.mark.parametrize("text", TEXTS)
def test_normal_form_does_not_depend_on_atom_order(text: str) -> None:
    mol = parse(text)
    turned = Chem.RenumberAtoms(mol, list(range(mol.GetNumAtoms()))[::-1])
    assert normal_form(turned) == normal_form(mol)


@pytest.mark.parametrize("text", TEXTS)
def test_normal_form_leaves_its_argument_alone(text: str) -> None:
    mol = parse(text)
    before = Chem.MolToSmiles(mol)
    normal_form(mol)
    assert Chem.MolToSmiles(mol) == before


@pytest.mark.parametrize(
    ("marked", "flat"),
    [
        ("F/C=C/F", "F\\C=C/F"),
        ("C[C@H](F)Cl", "C[C@@H](F)Cl"),
        ("N#C/C=C/C#N", "N#CC=CC#N"),
        ("[2H]C#N", "C#N"),
        ("[13CH4]", "C"),
        ("[CH3:1]O", "CO"),
        (" CCO\n", "CCO"),
    ],
)
def test_stereo_isotopes_and_maps_do_not_count(marked: str, flat: str) -> None:
    assert canonical(marked) == canonical(flat)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["nothing", "O=C1OCCO1"]),
        ("  \n", ["nothing"]),
        ("C" * (MAX_TEXT + 1), [str(MAX_TEXT + 1), str(MAX_TEXT)]),
        ("CCO ethanol", ["CCO ethanol", "spaces"]),
        ("CCÖ", ["CCÖ", "accents"]),
        ("C1CC", ["C1CC", "ring closures"]),
        ("CC(C", ["CC(C", "brackets"]),
        ("C(C)(C)(C)(C)C", ["C(C)(C)(C)(C)C", "valence"]),
        ("c1cccc1", ["c1cccc1", "kekulize"]),
    ],
)
def test_unreadable_text_says_what_and_why(text: str, words: list[str]) -> None:
    with pytest.raises(ValueError, match="SMILES") as caught:
        parse_smiles(text)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("CCBr", "contains Br; legal are"),
        ("C[Se]C", "contains Se; legal are"),
        ("CC*", "contains \\*; legal are"),
        ("C", "has 1 heavy atoms; legal are 2 to"),
        ("C" * (MAX_HEAVY + 1), f"has {MAX_HEAVY + 1} heavy atoms"),
        ("NN", "has no carbon atom"),
        ("OCl(=O)(=O)=O", "has no carbon atom"),
        ("CC.CC", "consists of several separate pieces"),
        ("C[NH3+]", "carries a net charge"),
        ("CC(=O)[O-]", "carries a net charge"),
        ("C[CH2]", "is a radical"),
        ("[CH]C", "is a radical"),
    ],
)
def test_outside_the_domain(text: str, reason: str) -> None:
    verdict = judge(parse(text))
    assert not verdict.ok
    assert len(verdict.reasons) == 1
    with pytest.raises(ValueError, match=reason):
        check(text)


def test_every_reason_is_told() -> None:
    verdict = judge(parse("[Na+].[Br-]"))
    assert [r.split()[0] for r in verdict.reasons] == ["contains", "has", "consists"]


@pytest.mark.parametrize(
    "text",
    [
        "CC",
        "C" * MAX_HEAVY,
        "O=S(=O)(F)NS(=O)(=O)F",  # acid of FSI: no carbon, yet of this domain
        "O=P(O)(F)F",
        "O=S=O",
        "C[N+](=O)[O-]",  # charges that cancel are fine
        "C[Si](C)(C)OB(O[Si](C)(C)C)O[Si](C)(C)C",
    ],
)
def test_inside_the_domain(text: str) -> None:
    assert judge(parse(text)) == judge(parse(check(text)))
    assert judge(parse(text)).ok


def test_smaller_limit_of_heavy_atoms() -> None:
    assert judge(parse("CCCC"), max_heavy=4).ok
    assert "legal are 2 to 3" in judge(parse("CCCC"), max_heavy=3).reasons[0]


def test_the_message_lists_exactly_the_legal_elements() -> None:
    reason = judge(parse("CCBr")).reasons[0]
    assert set(reason.split("legal are ")[1].split()) == ELEMENTS
