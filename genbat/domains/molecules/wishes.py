"""Discrete wishes on a molecule: elements, substructures, and windows RDKit answers exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from rdkit import Chem

from genbat.core.condition import Condition, Window
from genbat.domains.molecules.descriptors import describe
from genbat.domains.molecules.structure import ELEMENTS, check

LEGAL = ("elements", "keep", "forbid", "start")
EXACT = ("sa_score", "logp", "mass_g_mol", "h_donors", "pfas", "hazards")


@dataclass(frozen=True)
class Wishes:
    """What a molecule must be made of and must or must not contain.

    Attributes
    ----------
    elements : symbols it may contain besides H.
    keep, forbid : SMARTS it must and must not contain.
    exact : windows on descriptors that need no model.
    start : normal-form SMILES to start a search from, empty for none.
    """

    elements: frozenset[str] = ELEMENTS
    keep: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    exact: Mapping[str, Window] = field(default_factory=dict)
    start: str = ""

    def unmet(self, mol: Chem.Mol) -> list[str]:
        """Wishes a molecule breaks, in words; empty where it honours all."""
        reasons = []
        strange = {a.GetSymbol() for a in mol.GetAtoms()} - self.elements - {"H"}
        if strange:
            reasons.append(f"contains {', '.join(sorted(strange))}")
        reasons += [f"lacks {s}" for s in self.keep if not mol.HasSubstructMatch(pattern(s))]
        reasons += [f"contains {s}" for s in self.forbid if mol.HasSubstructMatch(pattern(s))]
        if self.exact and not reasons:
            values = describe(mol)
            reasons += [
                f"{key} is {values[key]:g}, not {window.text()}"
                for key, window in self.exact.items()
                if not window.holds(values[key])
            ]
        return reasons


@lru_cache(maxsize=256)
def pattern(smarts: str) -> Chem.Mol:
    """A substructure query; ValueError where the text is no SMARTS."""
    query = Chem.MolFromSmarts(smarts) if 0 < len(smarts) <= 200 else None
    if query is None or query.GetNumAtoms() == 0:
        raise ValueError(f"substructure: got {smarts[:60]!r}; write SMARTS or SMILES, e.g. C(=O)O")
    try:
        query.UpdatePropertyCache(strict=False)
        Chem.FastFindRings(query)
    except RuntimeError as error:  # an element RDKit does not know
        raise ValueError(f"substructure: {smarts[:60]!r} names an unknown element") from error
    return query


def _texts(value: Any) -> tuple[str, ...]:
    parts = value.replace(";", ",").split(",") if isinstance(value, str) else list(value)
    return tuple(p.strip() for p in parts if p.strip())


def read_wishes(condition: Condition) -> Wishes:
    """The molecule's part of a condition.

    Raises
    ------
    ValueError : an unknown wish, element, substructure or start molecule, with what is legal.
    """
    strange = sorted(set(condition.wishes) - set(LEGAL))
    if strange:
        raise ValueError(f"wish: unknown {', '.join(strange)}; molecules know {', '.join(LEGAL)}")
    elements = frozenset(_texts(condition.wishes.get("elements", sorted(ELEMENTS))))
    if not elements <= ELEMENTS:
        raise ValueError(
            f"elements: got {', '.join(sorted(elements - ELEMENTS))}; "
            f"legal are {', '.join(sorted(ELEMENTS))}"
        )
    keep, forbid = (_texts(condition.wishes.get(k, ())) for k in ("keep", "forbid"))
    for smarts in (*keep, *forbid):
        pattern(smarts)
    start = str(condition.wishes.get("start", ""))
    exact = {k: w for k, w in condition.windows.items() if k in EXACT}
    return Wishes(elements, keep, forbid, exact, check(start) if start else "")
