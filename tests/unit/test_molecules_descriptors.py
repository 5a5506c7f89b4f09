"""RDKit's readings, recomputed where that is possible; PFAS and hazard groups by example."""

import re

import pytest
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from genbat.domains.molecules.descriptors import (
    HAZARDS,
    METHOD,
    describe,
    hazard_groups,
    is_pfas,
)

# IUPAC 2021 abridged atomic weights.
WEIGHTS = {
    "H": 1.008, "B": 10.81, "C": 12.011, "N": 14.007, "O": 15.999,
    "F": 18.998, "Si": 28.085, "P": 30.974, "S": 32.06, "Cl": 35.45,
}  # fmt: skip
MOLECULES = [
    "O=C1OCCO1",
    "COCCOC",
    "FC(F)C(F)(F)COC(F)(F)C(F)F",
    "C[Si](C)(C)OP(=O)(O[Si](C)(C)C)O[Si](C)(C)C",
    "COB1OB(OC)OB(OC)O1",
    "O=S1(=O)CCCO1",
    "O=C1OCC(Cl)O1",
    "N#CCCCCC#N",
]

HAZARDOUS = {
    "peroxide": ["CC(C)(C)OOC(C)(C)C", "CC(=O)OO", "C1COO1"],
    "azide": ["CCN=[N+]=[N-]", "[N-]=[N+]=NCc1ccccc1"],
    "diazo or diazonium": ["C=[N+]=[N-]", "CC([O-])=C[N+]#N"],
    "nitro": ["C[N+](=O)[O-]", "CN(=O)=O"],
    "nitrate or nitrite ester": ["CO[N+](=O)[O-]", "CON=O"],
    "nitramine or nitrosamine": ["CN(C)[N+](=O)[O-]", "CN(C)N=O", "NC(N)=N[N+](=O)[O-]"],
    "hydrazine": ["CN(C)N", "CNNC"],
    "azo": ["CN=NC", "CC1N=N1"],
    "nitrogen-halogen or oxygen-halogen bond": ["CN(C)Cl", "COF", "COCl(=O)(=O)=O"],
    "acyl halide": ["CC(=O)Cl", "COC(=O)F"],
    "isocyanate": ["CCN=C=O", "O=C=NCCCCCCN=C=O"],
    "cyanogen, its halide or acyl cyanide": ["N#CC#N", "N#CCl", "CC(=O)C#N"],
    "epoxide or aziridine": ["C1CO1", "CC1CN1"],
    "sulfonyl, sulfinyl or sulfenyl chloride": ["CS(=O)(=O)Cl", "CS(=O)Cl", "CSCl"],
    "phosphorus or silicon chloride": ["C[Si](C)(C)Cl", "CP(Cl)Cl", "CP(=O)(Cl)Cl"],
    "hydride of B, Si or P": ["C[SiH](C)C", "CP", "CB"],
    "mustard": ["ClCCSCCCl", "CN(CCCl)CCCl"],
    "phosphorus fluoridate or cyanidate": [
        "CC(C)OP(C)(=O)F",
        "CN(C)P(=O)(F)N(C)C",
        "CCOP(=O)(C#N)N(C)C",
        "COP(=S)(F)OC",
    ],
}
HARMLESS = {
    "peroxide": ["COCOC", "O=C1OCCO1"],
    "azide": ["c1c[nH]nn1", "CCN=C=NCC"],
    "diazo or diazonium": ["CCN=[N+]=[N-]", "C[N+]#[C-]"],
    "nitro": ["CO[N+](=O)[O-]", "CC#N"],
    "nitrate or nitrite ester": ["C[N+](=O)[O-]", "CON"],
    "nitramine or nitrosamine": ["C[N+](=O)[O-]", "CN(C)C=O"],
    "hydrazine": ["CN(C)N=O", "CC=NN", "CC(=O)NN"],
    "azo": ["c1ccnnc1", "CCN=C=NCC"],
    "nitrogen-halogen or oxygen-halogen bond": ["CCCl", "CN(C)S(=O)(=O)F"],
    "acyl halide": ["CC(=O)CCl", "O=C1OCC(F)O1"],
    "isocyanate": ["CN=C=S", "CC#N"],
    "cyanogen, its halide or acyl cyanide": ["N#CCC#N", "N#CC=CC#N", "N#CCCl"],
    "epoxide or aziridine": ["C1COC1", "C1CC1", "C1CS1"],
    "sulfonyl, sulfinyl or sulfenyl chloride": ["CS(=O)(=O)F", "CS(=O)(=O)CCl"],
    "phosphorus or silicon chloride": ["C[Si](C)(C)CCl", "CP(=O)(F)OC"],
    "hydride of B, Si or P": ["C[Si](C)(C)C", "CO[PH](=O)OC", "COB(OC)OC"],
    "mustard": ["ClCCCSC", "ClCCOCC", "FCCSC"],
    "phosphorus fluoridate or cyanidate": [
        "O=P(O)(F)F",  # the acid of a common salt anion is no ester
        "COP(F)OC",
        "CCOP1(F)=NP(F)(F)=NP(F)(F)=N1",
        "COP(=O)(OC)OCF",
        "N#CCP(=O)(OC)OC",
    ],
}


def parse(text: str) -> Chem.Mol:
    mol = Chem.MolFromSmiles(text)
    assert mol is not None, text
    return mol


@pytest.mark.parametrize("text", MOLECULES)
def test_mass_is_the_sum_of_atomic_weights(text: str) -> None:
    mol = parse(text)
    counts = re.findall(r"([A-Z][a-z]?)(\d*)", rdMolDescriptors.CalcMolFormula(mol))
    mass = sum(WEIGHTS[element] * int(number or 1) for element, number in counts)
    assert describe(mol)["mass_g_mol"] == pytest.approx(mass, abs=0.02)


@pytest.mark.parametrize("text", MOLECULES)
def test_sa_score_stays_on_its_scale(text: str) -> None:
    assert 1 <= describe(parse(text))["sa_score"] <= 10


def test_sa_score_grows_with_difficulty() -> None:
    easy, cage = (describe(parse(s))["sa_score"] for s in ("CCOCC", "C12C3C4C1C5C2C3C45"))
    assert easy < 2.5 < cage


def test_logp_is_the_sum_of_crippen_contributions() -> None:
    # Wildman and Crippen 1999, table 1: aromatic CH (C18) 0.1581, H on carbon (H1) 0.1230.
    assert describe(parse("c1ccccc1"))["logp"] == pytest.approx(6 * (0.1581 + 0.1230), abs=1e-4)
    assert describe(parse("CCCCCC"))["logp"] > describe(parse("COCCOC"))["logp"]


@pytest.mark.parametrize(
    ("text", "donors"), [("O=C1OCCO1", 0), ("CCO", 1), ("OCCO", 2), ("CNC(C)=O", 1), ("CS", 1)]
)
def test_h_donors(text: str, donors: int) -> None:
    # RDKit counts S-H among the donors as well.
    assert describe(parse(text))["h_donors"] == donors


def test_describe_is_all_numbers() -> None:
    values = describe(parse("FC(F)(F)CN=C=O"))
    assert set(values) == {"sa_score", "logp", "mass_g_mol", "h_donors", "pfas", "hazards"}
    assert all(isinstance(value, float) for value in values.values())
    assert (values["pfas"], values["hazards"]) == (1.0, 1.0)
    assert METHOD.startswith("RDKit 20")


@pytest.mark.parametrize(
    ("text", "pfas"),
    [
        ("CC(F)(F)F", True),
        ("CC(C)(F)F", True),
        ("O=C(O)C(F)(F)F", True),
        ("COC(F)(F)C(F)F", True),
        ("FC(F)C(F)(F)COC(F)(F)C(F)F", True),  # TTE
        ("FC(F)(F)COCC(F)(F)F", True),  # BTFE
        ("O=S(=O)(NS(=O)(=O)C(F)(F)F)C(F)(F)F", True),
        ("FC1(F)CC1", True),
        ("CC(F)F", False),  # CF2H
        ("CCF", False),
        ("C=C(F)F", False),  # vinyl CF2
        ("FC(F)=C(F)F", False),
        ("O=C1OCC(F)O1", False),  # FEC
        ("Fc1ccccc1", False),
        ("FC(F)(F)Cl", False),
        ("CC(F)(F)Cl", False),
        ("FC(F)(Br)CC", False),
        ("CC(F)(F)I", False),
        ("O=C(F)F", False),
        ("CN(C)S(=O)(=O)F", False),
        ("COCCOC", False),
    ],
)
def test_pfas_by_the_oecd_definition(text: str, pfas: bool) -> None:
    assert is_pfas(parse(text)) is pfas


def test_every_hazard_has_examples() -> None:
    assert list(HAZARDOUS) == list(HARMLESS) == list(HAZARDS)


@pytest.mark.parametrize(("group", "text"), [(g, s) for g, ss in HAZARDOUS.items() for s in ss])
def test_hazard_is_found(group: str, text: str) -> None:
    assert group in hazard_groups(parse(text))


@pytest.mark.parametrize(("group", "text"), [(g, s) for g, ss in HARMLESS.items() for s in ss])
def test_hazard_is_not_claimed(group: str, text: str) -> None:
    assert group not in hazard_groups(parse(text))


@pytest.mark.parametrize(
    "text", ["O=C1OCCO1", "COC(=O)OC", "COCCOC", "CC#N", "O=S1(=O)CCCC1", "CCOP(=O)(OCC)OCC"]
)
def test_common_solvents_have_no_hazard_group(text: str) -> None:
    assert hazard_groups(parse(text)) == []


def test_groups_are_counted_once_and_in_order() -> None:
    mol = parse("O=C=NCCN=C=O")
    assert hazard_groups(mol) == ["isocyanate"]
    several = hazard_groups(parse("CC(=O)OOCCN=C=O"))
    assert several == ["peroxide", "isocyanate"]
    assert describe(parse("CC(=O)OOCCN=C=O"))["hazards"] == len(several)
