"""Which ions go into which prototypes, and how many of each family the data set holds.

A recipe names prototypes and the ions of each slot; its quotas count candidates with a working ion
(Li, Na) and without. All ionic recipes are charge neutral and pass SMACT; alloys obey an electron
count or none; hydrides are exempt, since interstitial hydrides have no ionic charges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from genbat.domains.crystals.ions import Ion, anions, cations, ions, metals
from genbat.domains.crystals.prototypes import Prototype
from genbat.domains.crystals.substitution import distances

Rule = Literal["neutral", "electrons 8 or 18", "any"]
Slots = Mapping[str, tuple[Ion, ...]]


@dataclass(frozen=True)
class Recipe:
    """One family of candidates.

    Attributes
    ----------
    family : name in the tables.
    patterns : prototype -> ions of each slot.
    working, other : how many candidates with and without Li or Na.
    rule : what a filled prototype must obey.
    """

    family: str
    patterns: Mapping[str, Slots] = field(repr=False)
    working: int
    other: int
    rule: Rule = "neutral"


MOST_AFLOW_ATOMS = 14
CHALCOGENS = ions("O S Se Te")
HALIDES = ions("F Cl Br I")
ALL_ANIONS = tuple(i for i in anions() if i.element not in ("H", "C"))
SMALL = ions("Li Na K Ag Cu", 1)
LARGE = ions("Li Na K Rb Cs Ag Tl", 1)
TRANSITION = "Ti V Cr Mn Fe Co Ni Cu Zr Nb Mo Ru Rh Pd Ag Hf Ta W Re Os Ir Pt Au Sc Y La Zn Cd"
MAIN_METALS = "Al Ga In Tl Si Ge Sn Pb As Sb Bi"
HYDRIDE = metals("H")  # an atom in a metal: only its size counts
# Every metal that forms or may form hydrides, as neutral atoms: only their size counts.
HYDRIDE_METALS = metals(
    "Li Na K Rb Cs Be Mg Ca Sr Ba Sc Y La Ce Nd Gd Er Lu Ti Zr Hf V Nb Ta Cr Mo W Mn Fe Co Ni Cu "
    "Zn Ru Rh Pd Ag Ir Pt Au Al Ga In Sn"
)


def _amx(*names: str, a: tuple[Ion, ...], x: tuple[Ion, ...]) -> dict[str, Slots]:
    return {name: {"A": a, "M": cations(), "X": x} for name in names}


def own_recipes() -> tuple[Recipe, ...]:
    """The recipes on GenBat's own prototypes."""
    layered = _amx("o3", "p2", "p2-face", "o1", "o2", "gamma-LiFeO2", "rock salt L1_0",
                   "lithiated spinel", "beta-NaFeO2", a=SMALL,
                   x=(*CHALCOGENS, *ions("F Cl N")))  # fmt: skip
    layered["delafossite"] = {"A": ions("Li Na Ag Cu K", 1), "M": cations(), "X": CHALCOGENS}
    ordered = _amx("Li2MnO3", "rock salt L1_2", a=SMALL, x=(*CHALCOGENS, *HALIDES, *ions("N")))
    ordered |= _amx("NaV2O5", a=ions("Li Na K Ag Mg Ca"), x=ions("O S F"))
    spinel = _amx("spinel", a=cations(), x=(*CHALCOGENS, *ions("F Cl Br N")))
    perovskite = _amx("perovskite", "2H perovskite", a=cations(), x=(*CHALCOGENS, *HALIDES))
    anti = {"perovskite": {"A": ALL_ANIONS, "M": anions(), "X": cations()}}
    halide = _amx("K2PtCl6", "cryolite", a=LARGE, x=(*HALIDES, *ions("O H")))
    halide |= _amx("Li3InCl6", a=SMALL, x=HALIDES)
    halide["elpasolite"] = {"A": LARGE, "B": SMALL, "M": cations(), "X": (*HALIDES, *ions("O"))}
    zintl = {"half-Heusler": {"A": metals(f"Li Na K Mg Ca Sr Ba Al Ga In {TRANSITION}"),
                              "M": metals(f"Li Na Mg Al {TRANSITION}"),
                              "X": metals(f"{MAIN_METALS} N P Se Te S")}}  # fmt: skip
    ternary_fluorites = _amx("fluorite L1_0", a=cations(), x=(*CHALCOGENS, *HALIDES))
    ternary_fluorites |= {
        "antifluorite P4/nmm": {"A": ions("Li Na K Cu Ag Mg Zn"), "M": cations(), "X": ALL_ANIONS},
        "half-Heusler": {"A": cations(), "M": cations(), "X": ALL_ANIONS},
    }
    return (
        Recipe("layered", layered, 2800, 600),
        Recipe("ordered rock salt", ordered, 900, 300),
        Recipe("spinel", spinel, 500, 900),
        Recipe("perovskite", perovskite, 500, 1500),
        Recipe("anti-perovskite", anti, 250, 450),
        Recipe("halide", halide, 600, 700),
        Recipe("antifluorite", ternary_fluorites, 700, 500),
        Recipe("half-Heusler", zintl, 900, 1500, "electrons 8 or 18"),
        Recipe("Heusler", _heuslers(), 1700, 3300, "any"),
        Recipe("hydride", _hydrides(), 250, 1150, "any"),
    )


def _heuslers() -> dict[str, Slots]:
    """Full and inverse Heusler alloys, and MgCu4Sn."""
    framework = metals(f"Li Na Mg Ca {TRANSITION} Al")
    slots = {"A": metals(f"Li Na Mg {TRANSITION}"), "M": framework, "X": metals(f"{MAIN_METALS} P")}
    small = metals("Li Mg Mn Fe Co Ni Cu Zn Pd Ag")
    laves = {"A": metals("Li Na Mg Ca Sc Y La Zr"), "M": small, "X": metals(f"{MAIN_METALS} Zn Pd")}
    return {"Heusler": slots, "inverse Heusler": slots, "MgCu4Sn": laves}


def _hydrides() -> dict[str, Slots]:
    """Binary hydrides MH to MH3; pseudo-binary ones have two metals on a hydride's metal sites."""
    binary: Slots = {"M": HYDRIDE_METALS, "X": HYDRIDE}
    pseudo: Slots = {"A": HYDRIDE_METALS, "M": HYDRIDE_METALS, "X": HYDRIDE}
    two = ("rock salt L1_0", "rock salt L1_2", "fluorite L1_0", "fluorite L1_2", "perovskite",
           "K2PtH4", "K2PtCl6")  # fmt: skip
    one = ("rock salt", "fluorite", "MH3", "MH3 hexagonal")
    return dict.fromkeys(one, binary) | dict.fromkeys(two, pseudo)


def aflow_recipes(patterns: Mapping[str, Prototype]) -> tuple[Recipe, ...]:
    """The recipes on AFLOW's prototypes, whose slot "A" holds the most electronegative element."""
    ionic = {n: p for n, p in patterns.items() if is_ionic(p)}
    binary = {n: p for n, p in ionic.items() if len(p.counts) == 2}
    ternary = {n: p for n, p in ionic.items() if len(p.counts) == 3}
    quaternary = {n: p for n, p in ionic.items() if len(p.counts) == 4}
    anionic = {"A": ALL_ANIONS}
    pair = {n: {**anionic, "B": cations()} for n in binary}
    triple = {n: {**anionic, "B": cations(), "C": cations()} for n in ternary}
    battery = ions("Li Na K Mg Zn Al Ti V Cr Mn Fe Co Ni Cu Sn P Si Ge Ga La Y Zr Nb Sb")
    four = {n: {**anionic, "B": battery, "C": battery, "D": battery} for n in quaternary}
    return (
        Recipe("binary", pair, 500, 1500),
        Recipe("ternary", triple, 2300, 2300),
        Recipe("quaternary", four, 150, 150),
        Recipe("hydride", _aflow_hydrides(patterns), 60, 540, "any"),
    )


def is_ionic(pattern: Prototype) -> bool:
    """Whether cations (not slot "A") and anions are nearest neighbours of each other."""
    shortest = distances(pattern.name)
    anionic = np.array([slot == "A" for slot in pattern.slots])
    unlike = np.where(np.not_equal.outer(anionic, anionic), shortest, np.inf).min(axis=1)
    like = np.where(np.equal.outer(anionic, anionic), shortest, np.inf).min(axis=1)
    return len(pattern.slots) <= MOST_AFLOW_ATOMS and bool((unlike < 1.05 * like).all())


def _aflow_hydrides(patterns: Mapping[str, Prototype]) -> dict[str, Slots]:
    """MH, MH2 and MH3 in AFLOW's binary prototypes of at most 8 atoms."""
    found: dict[str, Slots] = {}
    for name, pattern in patterns.items():
        for hydride, metal in ("AB", "BA") if len(pattern.counts) == 2 else ():
            ratio = pattern.counts[hydride] / pattern.counts[metal]
            if ratio in (1, 2, 3) and len(pattern.slots) <= 8:
                found.setdefault(name, {hydride: HYDRIDE, metal: HYDRIDE_METALS})
    return found
