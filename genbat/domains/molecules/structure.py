"""From text to one clean molecule: parsing, normal form and the limits of the domain."""

from __future__ import annotations

from rdkit import Chem, rdBase

from genbat.core.candidate import Verdict

ELEMENTS = frozenset({"H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl"})
MAX_HEAVY = 24
MAX_TEXT = 400
BONDS = frozenset({Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE})

rdBase.DisableLog("rdApp.*")


def parse_smiles(text: str) -> Chem.Mol:
    """A SMILES from anybody -> molecule.

    Raises
    ------
    ValueError : saying what is wrong and what is legal.
    """
    text = text.strip()
    if not text:
        raise ValueError("SMILES: got nothing; write one molecule, for example O=C1OCCO1")
    if len(text) > MAX_TEXT:
        raise ValueError(f"SMILES: got {len(text)} characters; at most {MAX_TEXT} are read")
    if any(not 32 < ord(c) < 127 for c in text):
        raise ValueError(f"SMILES: {text[:40]!r} holds characters no SMILES uses (spaces, accents)")
    mol = _parsed(text)
    if mol is None or mol.GetNumAtoms() == 0:
        raise ValueError(f"SMILES: {text[:60]!r} cannot be read as a molecule: {_why(text)}")
    return mol


def _parsed(text: str, sanitize: bool = True) -> Chem.Mol | None:
    try:
        return Chem.MolFromSmiles(text, sanitize=sanitize)
    except RuntimeError:  # an element number that is none, as in [#999]
        return None


def _why(text: str) -> str:
    mol = _parsed(text, sanitize=False)
    if mol is None:
        return "check brackets and ring closures"
    try:
        problems = Chem.DetectChemistryProblems(mol)
    except RuntimeError:
        return "it names an element that does not exist"
    return problems[0].Message().split("\n")[0] if problems else "no atoms"


def normal_form(mol: Chem.Mol) -> str:
    """Canonical SMILES without stereo marks, isotopes or atom maps: a molecule's identity here.

    Raises
    ------
    ValueError : aromatic rings that have no alternating bonds once their hydrogens are implicit.
    """
    mol = _without_hydrogens(mol)
    for atom in mol.GetAtoms():
        atom.SetIsotope(0)
        atom.SetAtomMapNum(0)
    Chem.RemoveStereochemistry(mol)
    first = Chem.MolToSmiles(mol, isomericSmiles=False)
    again = Chem.MolFromSmiles(first)
    return first if again is None else Chem.MolToSmiles(again, isomericSmiles=False)


def _without_hydrogens(mol: Chem.Mol) -> Chem.Mol:
    try:
        return Chem.RemoveHs(Chem.Mol(mol))
    except Chem.MolSanitizeException as error:
        text = Chem.MolToSmiles(mol)
        raise ValueError(f"SMILES: {text[:60]!r} cannot be read as a molecule: {error}") from error


def canonical(text: str) -> str:
    """Normal form of a SMILES; ValueError where it is none."""
    return normal_form(parse_smiles(text))


def judge(mol: Chem.Mol, max_heavy: int = MAX_HEAVY) -> Verdict:
    """Whether a molecule belongs to the domain: one neutral, closed-shell organic piece."""
    reasons = []
    strange = {a.GetSymbol() for a in mol.GetAtoms()} - ELEMENTS
    heavy = mol.GetNumHeavyAtoms()
    if strange:
        reasons.append(f"contains {', '.join(sorted(strange))}; legal are {_element_list()}")
    if not 2 <= heavy <= max_heavy:
        reasons.append(f"has {heavy} heavy atoms; legal are 2 to {max_heavy}")
    if not any(a.GetSymbol() == "C" for a in mol.GetAtoms()) and not _battery_inorganic(mol):
        reasons.append("has no carbon atom")
    if len(Chem.GetMolFrags(mol)) > 1:
        reasons.append("consists of several separate pieces")
    if Chem.GetFormalCharge(mol) != 0:
        reasons.append("carries a net charge")
    if any(a.GetNumRadicalElectrons() for a in mol.GetAtoms()):
        reasons.append("is a radical")
    if not all(b.GetBondType() in BONDS or _aromatic(b) for b in mol.GetBonds()):
        reasons.append("has a bond that is none of single, double, triple and aromatic")
    return Verdict(not reasons, tuple(reasons))


def _aromatic(bond: Chem.Bond) -> bool:
    # SMILES can write C:C; what is aromatic lies in a ring.
    return bool(bond.GetIsAromatic() and bond.IsInRing())


def _element_list() -> str:
    return "H B C N O F Si P S Cl"


def _battery_inorganic(mol: Chem.Mol) -> bool:
    # Acids of salt anions without carbon (HPO2F2, HFSI) belong to the domain all the same.
    return any(a.GetSymbol() in {"P", "S", "B"} for a in mol.GetAtoms())


def check(text: str) -> str:
    """Normal form of a SMILES that belongs to the domain; ValueError says why it does not."""
    mol = parse_smiles(text)
    verdict = judge(mol)
    if not verdict.ok:
        raise ValueError(f"SMILES: {text[:60]!r} {'; '.join(verdict.reasons)}")
    return normal_form(mol)
