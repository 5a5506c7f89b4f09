"""The tables of known molecules, our own one row by row, and the split."""

import csv
import re
from collections import Counter
from importlib import resources

import pytest
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from genbat.domains.molecules import codec, sources
from genbat.domains.molecules.sources import Source
from genbat.domains.molecules.splits import SPLITS, assign_splits, group_key, split_of_key
from genbat.domains.molecules.structure import canonical, check, judge, normal_form

COLUMNS = ["name", "abbreviation", "synonyms", "smiles", "cas", "role", "reference"]
ROLES = {"solvent", "additive", "diluent", "parent acid"}
FORMULAS = {
    "EC": "C3H4O3", "PC": "C4H6O3", "DMC": "C3H6O3", "EMC": "C4H8O3", "FEC": "C3H3FO3",
    "DFEC": "C3H2F2O3", "VC": "C3H2O3", "FEMC": "C4H5F3O3", "DME": "C4H10O2", "DOL": "C3H6O2",
    "FDMB": "C6H10F4O2", "TTE": "C5H4F8O", "BTFE": "C4H4F6O", "OTE": "C7H4F12O",
    "TFEO": "C7H7F9O3", "ADN": "C6H8N2", "HTCN": "C9H11N3", "SL": "C4H8O2S", "PS": "C3H6O3S",
    "PES": "C3H4O3S", "DTD": "C2H4O4S", "MMDS": "C2H4O6S2", "TEP": "C6H15O4P",
    "TMSP": "C9H27O4PSi3", "TMSPi": "C9H27O3PSi3", "TMSB": "C9H27BO3Si3", "TTFPi": "C6H6F9O3P",
    "PFPN": "C2H5F5N3OP3", "DDB": "C16H26O2", "DBBB": "C20H34O4", "DMTMSA": "C3H6F3NO2S",
    "HTFSI": "C2HF6NO4S2", "HFSI": "HF2NO4S2", "HPO2F2": "HF2O2P", "HTDI": "C6HF3N4",
}  # fmt: skip


def read_rows() -> list[dict[str, str]]:
    text = resources.files("genbat.domains.molecules").joinpath("named.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


ROWS = read_rows()
BY_ABBREVIATION = {row["abbreviation"]: row for row in ROWS}


def cas_is_right(cas: str) -> bool:
    """The last digit is the sum of the others, weighted 1, 2, 3... from the right, modulo 10."""
    if not re.fullmatch(r"\d{2,7}-\d{2}-\d", cas):
        return False
    *digits, last = (int(c) for c in cas if c != "-")
    return sum(k * d for k, d in enumerate(reversed(digits), 1)) % 10 == last


@pytest.mark.parametrize(
    ("cas", "right"),
    [("96-49-1", True), ("7732-18-5", True), ("96-49-2", False), ("2016-01-1", False), ("", False)],
)
def test_cas_rule(cas: str, right: bool) -> None:
    assert cas_is_right(cas) is right


def test_named_is_large_enough_and_has_its_columns() -> None:
    assert len(ROWS) >= 120
    assert all(list(row) == COLUMNS for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_named_row(row: dict[str, str]) -> None:
    smiles = check(row["smiles"])
    assert codec.survives(smiles)
    assert len(codec.to_selfies(smiles)) <= codec.MAX_TOKENS
    assert row["cas"] == "" or cas_is_right(row["cas"])
    assert row["role"] in ROLES
    assert re.search(r"(19|20)\d\d, \S|github\.com/|data set", row["reference"])
    assert all(cell is not None and cell == cell.strip() for cell in row.values())


@pytest.mark.parametrize("column", ["name", "cas", "abbreviation"])
def test_named_cells_occur_once(column: str) -> None:
    cells = Counter(row[column] for row in ROWS if row[column])
    assert [cell for cell, times in cells.items() if times > 1] == []


def test_named_structures_are_unique() -> None:
    assert len({canonical(row["smiles"]) for row in ROWS}) == len(ROWS) == len(sources.named())


@pytest.mark.parametrize(("abbreviation", "formula"), FORMULAS.items())
def test_named_formula(abbreviation: str, formula: str) -> None:
    mol = Chem.MolFromSmiles(BY_ABBREVIATION[abbreviation]["smiles"])
    assert rdMolDescriptors.CalcMolFormula(mol) == formula


def test_every_role_is_filled() -> None:
    roles = Counter(row["role"] for row in ROWS)
    assert set(roles) == ROLES
    assert min(roles.values()) >= 8


def test_named_sources_carry_their_names() -> None:
    found = {s.name: s for s in sources.named()}
    fec = found["fluoroethylene carbonate"]
    assert fec.smiles == "O=C1OCC(F)O1"
    assert fec.cas == "114435-02-8"
    assert fec.synonyms[0] == "FEC"
    assert all(s.role and s.reference and "" not in s.synonyms for s in found.values())


@pytest.fixture(scope="module")
def chemicals() -> list[Source]:
    return sources.from_chemicals()


@pytest.mark.slow
def test_chemicals_table(chemicals: list[Source], monkeypatch: pytest.MonkeyPatch) -> None:
    known = {s.smiles: s for s in chemicals}
    assert len(known) == len(chemicals) > 20_000
    for source in chemicals[::100]:
        mol = Chem.MolFromSmiles(source.smiles)
        assert judge(mol, sources.MAX_HEAVY_SOURCE).ok
        assert normal_form(mol) == source.smiles
        assert cas_is_right(source.cas)
        assert source.name
        assert not source.role
    ours = {s.smiles: s for s in sources.named()}
    both = ours.keys() & known.keys()
    # A number that both tables give for a structure must be the same one.
    assert {ours[s].name for s in both if ours[s].cas != known[s].cas} == set()
    monkeypatch.setattr(sources, "from_chemicals", lambda: chemicals)
    joined = sources.all_sources()
    assert len({s.smiles for s in joined}) == len(joined) == len(ours.keys() | known.keys())
    assert {s.smiles for s in joined if s.role} == set(ours)


@pytest.mark.parametrize(
    "smiles",
    ["O=C1OCCO1", "C[N+](=O)[O-]", "CCOP1(F)=NP(F)(F)=NP(F)(F)=N1", "c1ccc2c(c1)Sc1ccccc1S2",
     "O=S(=O)(F)NS(=O)(=O)F", "C[Si](C)(C)C", "COB1OB(OC)OB(OC)O1", "N#Cc1n[nH]nc1C#N"],
)  # fmt: skip
def test_survives_selfies(smiles: str) -> None:
    assert codec.survives(canonical(smiles))


@pytest.mark.parametrize("smiles", ["OCC", "CN(=O)=O", "F/C=C/F", "CC*"])
def test_other_than_the_normal_form_does_not_survive(smiles: str) -> None:
    assert not codec.survives(smiles)


ISOMERS = [
    ["Fc1ccccc1F", "Fc1cccc(F)c1", "Fc1ccc(F)cc1"],
    ["CC1CCCO1", "CC1CCOC1"],
    ["CCCCO", "CC(C)CO", "CCOCC"],
    ["CCOC(C)=O", "CCC(=O)OC"],
]
MANY = [f"{'C' * n}{'O' * (m > 0)}{'C' * m}" for n in range(1, 12) for m in range(12)]


@pytest.mark.parametrize("family", ISOMERS)
def test_isomers_of_one_scaffold_share_a_split(family: list[str]) -> None:
    assert len({group_key(s) for s in family}) == 1
    assert len(set(assign_splits(family, [False] * len(family)))) == 1


@pytest.mark.parametrize(
    ("one", "other"), [("CC1CCCO1", "C1CCOCC1"), ("C1COCO1", "C1CCCO1"), ("CCO", "CCCO")]
)
def test_other_scaffold_or_formula_is_another_group(one: str, other: str) -> None:
    assert group_key(one) != group_key(other)


def test_pinned_groups_are_trained_on() -> None:
    flat = assign_splits(MANY, [False] * len(MANY))
    tested = flat.index("test")
    pinned = [k == tested for k in range(len(MANY))]
    split = dict(zip(MANY, assign_splits(MANY, pinned), strict=True))
    mates = [s for s in MANY if group_key(s) == group_key(MANY[tested])]
    assert {split[s] for s in mates} == {"train"}
    others = [k for k, s in enumerate(MANY) if s not in mates]
    assert all(split[MANY[k]] == flat[k] for k in others)


def test_split_stays_when_molecules_come_or_change_places() -> None:
    whole = dict(zip(MANY, assign_splits(MANY, [False] * len(MANY)), strict=True))
    turned = MANY[::-1]
    assert assign_splits(turned, [False] * len(MANY)) == [whole[s] for s in turned]
    assert assign_splits(MANY[:9], [False] * 9) == [whole[s] for s in MANY[:9]]


def test_shares_are_eight_one_one() -> None:
    shares = Counter(split_of_key(f"key {k}") for k in range(20_000))
    assert set(shares) == set(SPLITS)
    assert shares["train"] / 20_000 == pytest.approx(0.8, abs=0.01)
    assert shares["calibration"] / 20_000 == pytest.approx(0.1, abs=0.01)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="zip"):
        assign_splits(["CC", "CO"], [True])
