"""Ions that may fill a prototype's slots, their radii, and when a composition balances.

Charges: the ones common in the ICSD (as SMACT lists them) and what battery chemistry adds. Radii:
Shannon's six-coordinate ones (Acta Cryst. A 1976, 32, 751), extended by machine learning in SMACT
(Davies et al., JOSS 2019, 4, 1361); metallic radii for neutral atoms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

_CATIONS: dict[float, str] = {
    1: "Li Na K Rb Cs Ag Cu Tl",
    2: "Be Mg Ca Sr Ba Zn Cd Mn Fe Co Ni Cu V Cr Sn Pb Pd Ti",
    3: "Al Ga In Sc Y La Ce Nd Sm Gd Dy Er Lu Ti V Cr Mn Fe Co Ni Mo Ru Rh Ir Bi Sb Tl B As Nb",
    4: "Ti Zr Hf V Cr Mn Fe Co Ni Ge Sn Si Pb Nb Mo W Ru Rh Ir Pt Pd Os Re Ce Te Ta",
    5: "V Nb Ta Sb Mo W Ru Os Re As P Bi",
    6: "Mo W Re Te Cr Os",
    # one site shared by two valences, as manganese in LiMn2O4
    3.5: "Ti V Cr Mn Fe Co Ni Mo Ru Rh",
    4.5: "V Nb Mo",
}
_ANIONS: dict[float, str] = {
    -1: "F Cl Br I H",
    -2: "O S Se Te",
    -3: "N P As Sb",
    -4: "C",
}
# Anions that Shannon does not list, from the distances in their alkali and alkaline-earth salts, Å.
_SOFT = {"N-3": 1.46, "P-3": 1.90, "As-3": 2.00, "Sb-3": 2.20, "C-4": 1.60, "H-1": 1.35}
# Cations that oxidise every anion but oxide and fluoride.
_OXIDISING = frozenset(
    [
        "Bi+5",
        "Pb+4",
        "Tl+3",
        "Ce+4",
        "Cr+4",
        "Cr+6",
        "Fe+4",
        "Co+4",
        "Ni+4",
        "Ni+3",
        "Pd+4",
        "Te+6",
        "Te+4",
        "Re+6",
        "Os+5",
        "Os+6",
        "Ru+5",
        "Mo+6",
        "W+6",
        "As+5",
        "Re+5",
        "Fe+3.5",
        "Co+3.5",
        "Ni+3.5",
        "Cr+3.5",
        "Rh+4",
        "Ir+4",
    ]
)
REDOX_METALS = frozenset(
    [
        "Ti",
        "V",
        "Cr",
        "Mn",
        "Fe",
        "Co",
        "Ni",
        "Cu",
        "Nb",
        "Mo",
        "W",
        "Ru",
        "Rh",
        "Ir",
        "Re",
        "Os",
        "Pt",
        "Pd",
        "Ta",
        "Ce",
    ]
)
ANION_ELEMENTS = frozenset(
    ["O", "S", "Se", "Te", "F", "Cl", "Br", "I", "N", "P", "As", "Sb", "C", "H"]
)
WORKING_IONS = ("Li", "Na")


@dataclass(frozen=True, order=True)
class Ion:
    """An element with its charge in e; charge 0 stands for a metal atom in an alloy."""

    element: str
    charge: float = 0.0

    def __str__(self) -> str:
        return f"{self.element}{self.charge:+g}" if self.charge else self.element


def plausible(cation: Ion, anion: Ion) -> bool:
    """Whether a cation keeps its electrons' number beside an anion."""
    return anion.element in ("O", "F") or str(cation) not in _OXIDISING


@lru_cache
def cations() -> tuple[Ion, ...]:
    """All cations, sorted."""
    return tuple(sorted(Ion(e, q) for q, names in _CATIONS.items() for e in names.split()))


@lru_cache
def anions() -> tuple[Ion, ...]:
    """All anions, sorted."""
    return tuple(sorted(Ion(e, q) for q, names in _ANIONS.items() for e in names.split()))


def ions(elements: str, *charges: float) -> tuple[Ion, ...]:
    """The known ions of these elements, with one of `charges` where given."""
    wanted = set(elements.split())
    found = [i for i in (*cations(), *anions()) if i.element in wanted]
    return tuple(i for i in found if not charges or i.charge in charges)


def metals(elements: str) -> tuple[Ion, ...]:
    """Neutral atoms of these elements."""
    return tuple(Ion(e) for e in sorted(elements.split()))


@cache
def radius(ion: Ion) -> float:
    """Radius in Å: ionic (six neighbours where known, else the nearest number), or metallic."""
    from pymatgen.core import Element

    element = Element(ion.element)
    if ion.element == "H" and not ion.charge:
        return 0.55  # in a metal: 2.05 Å from Pd, 1.92 from Ti, 2.04 from Li
    if not ion.charge:
        return float(element.metallic_radius or element.atomic_radius or 1.4)
    known = _shannon().get(ion.element, {})
    if str(ion) in _SOFT:
        return _SOFT[str(ion)]
    if known:
        nearest = min(known, key=lambda key: (abs(key[0] - ion.charge), abs(key[1] - 6), key))
        return max(known[nearest], 0.2)
    return float(element.average_ionic_radius or element.atomic_radius or 1.0)


@lru_cache
def _shannon() -> dict[str, dict[tuple[float, int], float]]:
    """Element -> {(charge, neighbours): ionic radius in Å}."""
    import csv
    from importlib.resources import files

    table: dict[str, dict[tuple[float, int], float]] = {}
    source = files("smact") / "data" / "shannon_radii_ML_extended.csv"
    for row in csv.DictReader(source.read_text("utf-8").splitlines()):
        try:
            key = float(row["charge"]), int(float(row["coordination"]))
            table.setdefault(row["ion"], {})[key] = float(row["ionic_radius"])
        except ValueError:
            continue
    return table


@cache
def covalent_radius(element: str) -> float:
    """Covalent radius in Å (Cordero et al., Dalton Trans. 2008, 2832)."""
    from pymatgen.analysis.molecule_structure_comparator import CovalentRadius

    return float(CovalentRadius.radius.get(element, 1.5))


@lru_cache(maxsize=200_000)
def balances(formula: str, mixed_valence: bool = True) -> bool:
    """Whether SMACT finds neutral charges that agree with the electronegativities (or an alloy)."""
    from smact.screening import smact_validity

    return bool(smact_validity(formula, mixed_valence=mixed_valence))
