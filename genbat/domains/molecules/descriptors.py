"""What RDKit reads off a structure: SA score, logP, mass, donors, PFAS and hazard groups."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import rdkit
from rdkit import Chem
from rdkit.Chem import Crippen, Descriptors, RDConfig, rdMolDescriptors

METHOD = f"RDKit {rdkit.__version__}"

# Fully fluorinated methyl or methylene carbon without H, Cl, Br or I on it: OECD (2021),
# "Reconciling Terminology of the Universe of Per- and Polyfluoroalkyl Substances", p. 23.
_PFAS = "[#6;X4;H0;!$([#6][Cl,Br,I])]([F])([F])"

HAZARDS: dict[str, str] = {
    "peroxide": "[OX2][OX2]",
    "azide": "[$([NX2]=[NX2+]=[NX1-]),$([NX1-]-[NX2+]#[NX1]),$([NX2-]-[NX2+]#[NX1])]",
    "diazo or diazonium": "[$([#6]=[NX2+]=[NX1-]),$([#6][NX2+]#[NX1])]",
    "nitro": "[$([NX3](=O)=O),$([NX3+](=O)[O-])][#6]",
    "nitrate or nitrite ester": "[OX2][$([NX3+](=O)[O-]),$([NX2]=O)]",
    "nitramine or nitrosamine": "[#7][$([NX3+](=O)[O-]),$([NX2]=O)]",
    "hydrazine": "[NX3;!$(N=*);!$(NC=O)][NX3;!$(N=*);!$(NC=O);!$([N+])]",
    "azo": "[$([NX2][#6])]=[$([NX2][#6])]",
    "nitrogen-halogen or oxygen-halogen bond": "[#7,#8][F,Cl]",
    "acyl halide": "[CX3](=O)[F,Cl]",
    "isocyanate": "[NX2]=C=O",
    "cyanogen, its halide or acyl cyanide": "[$([CX3](=O)C#N),$(N#CC#N),$(N#C[F,Cl])]",
    "epoxide or aziridine": "[#6]1[#8,#7][#6]1",
    "sulfonyl, sulfinyl or sulfenyl chloride": "[SX2,SX3,SX4][Cl]",
    "phosphorus or silicon chloride": "[#15,#14][Cl]",
    "hydride of B, Si or P": "[$([#5,#14;!H0]),$([#15;!X4;!H0])]",
    "mustard": "[Cl][CX4H2][CX4H2][SX2,NX3]",
    "phosphorus fluoridate or cyanidate": (
        "[$([PX4](=[O,S])F),$([PX4](=[O,S])C#N)][$([OX2H0]),$([#6;!$(C#N)]),#7,#16]"
    ),
}


@lru_cache
def _patterns() -> dict[str, Chem.Mol]:
    return {name: Chem.MolFromSmarts(smarts) for name, smarts in HAZARDS.items()}


@lru_cache
def _sascorer() -> ModuleType:
    path = Path(RDConfig.RDContribDir) / "SA_Score" / "sascorer.py"
    spec = importlib.util.spec_from_file_location("sascorer", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"RDKit's SA_Score is missing at {path}; reinstall rdkit")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sa_score(mol: Chem.Mol) -> float:
    """Synthetic accessibility, 1 easy to 10 hard (Ertl and Schuffenhauer, J. Cheminform. 2009, 1,
    8)."""
    return float(_sascorer().calculateScore(mol))


@lru_cache
def _pfas_pattern() -> Chem.Mol:
    return Chem.MolFromSmarts(_PFAS)


def is_pfas(mol: Chem.Mol) -> bool:
    """PFAS by the OECD's 2021 definition: at least one CF3 or CF2 carbon that is saturated."""
    return mol.HasSubstructMatch(_pfas_pattern())


def hazard_groups(mol: Chem.Mol) -> list[str]:
    """Names of the hazard groups a molecule contains, in the order of `HAZARDS`."""
    return [name for name, pattern in _patterns().items() if mol.HasSubstructMatch(pattern)]


def describe(mol: Chem.Mol) -> dict[str, float]:
    """SA score (Ertl and Schuffenhauer, J. Cheminform. 2009, 1, 8; 1 easy to 10 hard),
    Crippen logP, molar mass in g/mol, number of H donors, PFAS (0/1), number of hazard groups.
    """
    return {
        "sa_score": sa_score(mol),
        "logp": float(Crippen.MolLogP(mol)),
        "mass_g_mol": float(Descriptors.MolWt(mol)),
        "h_donors": float(rdMolDescriptors.CalcNumHBD(mol)),
        "pfas": float(is_pfas(mol)),
        "hazards": float(len(hazard_groups(mol))),
    }
