"""Formulas and elements straight from SMILES."""

from __future__ import annotations

import re
from functools import lru_cache

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from genbat.domains.molecules.structure import ELEMENTS

_SYMBOL = re.compile(r"Cl|Si|[BCNOFPS]|[cnosb](?![a-z])|p(?![a-z])")
_FORMULA = re.compile(r"^(?:[A-Z][a-z]?\d*)+$")
_PART = re.compile(r"([A-Z][a-z]?)(\d*)")


def elements_of(smiles: str) -> frozenset[str]:
    """Elements in a SMILES besides hydrogen, without parsing the molecule."""
    return frozenset(s.capitalize() for s in _SYMBOL.findall(smiles))


@lru_cache(maxsize=100_000)
def formula_of(smiles: str) -> str:
    """Hill formula of a SMILES."""
    return rdMolDescriptors.CalcMolFormula(Chem.MolFromSmiles(smiles))


def same_formula(text: str) -> str:
    """Hill form of a formula somebody typed ("C3FH3O3" -> "C3H3FO3"); "" where it is none."""
    if not _FORMULA.match(text):
        return ""
    counts: dict[str, int] = {}
    for symbol, number in _PART.findall(text):
        if symbol not in ELEMENTS:
            return ""
        counts[symbol] = counts.get(symbol, 0) + int(number or 1)
    first = [e for e in ("C", "H") if e in counts] if "C" in counts else []
    order = [*first, *sorted(e for e in counts if e not in first)]
    return "".join(f"{e}{counts[e] if counts[e] > 1 else ''}" for e in order)
