"""Crystal structures as patterns: cells whose sites belong to slots that ions may fill.

A slot is a letter: "A" the working or large ion, "M" (or "B") the framework metal, "X" the anion.
Coordinates are the textbook ones (Wells, Structural Inorganic Chemistry; original papers named in
the comments), in the first origin choice where a space group has two, as pymatgen takes it. The 288
prototypes of AFLOW (Mehl et al., Comput. Mater. Sci. 2017, 136, S1) come with pymatgen.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from pymatgen.core import Lattice, Structure

from genbat.domains.crystals.chgnet_graph import Floats

MAX_ATOMS = 20
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Prototype:
    """A pattern of n sites in its primitive cell.

    Attributes
    ----------
    name : identity in candidate names ("o3", "aflow:AB2_hP3_164_a_d").
    lattice : rows (3, 3) in Å, of the compound it is named after.
    positions : fractional (n, 3).
    slots : slot letter of each site (n,).
    """

    name: str
    lattice: Floats
    positions: Floats
    slots: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Slot letter -> number of sites, in the order of first appearance."""
        return {slot: self.slots.count(slot) for slot in dict.fromkeys(self.slots)}


# name: (space group, (a, b, c, alpha, beta, gamma) in Å and degrees, {slot: positions})
_T = 1 / 3
_TABLE: dict[str, tuple[str, tuple[float, ...], dict[str, list[Point]]]] = {
    # layered AMX2: LiCoO2, Na0.7CoO2 with all sites filled, LiTiS2, O2-LiCoO2, CuFeO2
    "o3": ("R-3m", (2.83, 2.83, 14.1, 90, 90, 120),
           {"A": [(0, 0, 0.5)], "M": [(0, 0, 0)], "X": [(0, 0, 0.26)]}),
    "p2": ("P6_3/mmc", (2.85, 2.85, 11.0, 90, 90, 120),
           {"A": [(2 * _T, _T, 0.25)], "M": [(0, 0, 0)], "X": [(_T, 2 * _T, 0.09)]}),
    "p2-face": ("P6_3/mmc", (2.85, 2.85, 11.0, 90, 90, 120),
                {"A": [(0, 0, 0.25)], "M": [(0, 0, 0)], "X": [(_T, 2 * _T, 0.09)]}),
    "o1": ("P-3m1", (3.45, 3.45, 6.2, 90, 90, 120),
           {"A": [(0, 0, 0.5)], "M": [(0, 0, 0)], "X": [(_T, 2 * _T, 0.24)]}),
    "o2": ("P1", (2.83, 2.83, 9.5, 90, 90, 120),
           {"A": [(0, 0, 0.5), (2 * _T, _T, 0)], "M": [(2 * _T, _T, 0.25), (0, 0, 0.75)],
            "X": [(0, 0, 0.145), (_T, 2 * _T, 0.355), (2 * _T, _T, 0.645), (_T, 2 * _T, 0.855)]}),
    "delafossite": ("R-3m", (3.03, 3.03, 17.16, 90, 90, 120),
                    {"A": [(0, 0, 0)], "M": [(0, 0, 0.5)], "X": [(0, 0, 0.107)]}),
    # rock salt and its ordered forms: L1_0, gamma-LiFeO2, lithiated spinel, Li2MnO3, L1_2-like
    "rock salt": ("Fm-3m", (4.2, 4.2, 4.2, 90, 90, 90),
                  {"M": [(0, 0, 0)], "X": [(0.5, 0.5, 0.5)]}),
    "rock salt L1_0": ("P4/mmm", (2.95, 2.95, 4.2, 90, 90, 90),
                       {"A": [(0, 0, 0)], "M": [(0.5, 0.5, 0.5)],
                        "X": [(0.5, 0.5, 0), (0, 0, 0.5)]}),
    "gamma-LiFeO2": ("I4_1/amd", (4.05, 4.05, 8.75, 90, 90, 90),
                     {"A": [(0, 0, 0)], "M": [(0, 0, 0.5)], "X": [(0, 0, 0.26)]}),
    "lithiated spinel": ("Fd-3m", (8.3, 8.3, 8.3, 90, 90, 90),
                         {"A": [(0.125, 0.125, 0.125)], "M": [(0.625, 0.625, 0.625)],
                          "X": [(0.38, 0.38, 0.38)]}),
    "Li2MnO3": ("C2/m", (4.93, 8.53, 5.03, 90, 109.3, 90),
                {"A": [(0, 0.5, 0), (0, 0, 0.5), (0, 0.661, 0.5)], "M": [(0, 0.167, 0)],
                 "X": [(0.219, 0, 0.227), (0.254, 0.321, 0.223)]}),
    "rock salt L1_2": ("Pm-3m", (4.2, 4.2, 4.2, 90, 90, 90),
                       {"A": [(0, 0.5, 0.5)], "M": [(0, 0, 0)],
                        "X": [(0.5, 0, 0), (0.5, 0.5, 0.5)]}),
    # other AMX2, spinel, A3MX6 (Li3InCl6), CdI2 layers with a lone A
    "beta-NaFeO2": ("Pna2_1", (5.40, 6.37, 5.01, 90, 90, 90),
                    {"A": [(0.421, 0.127, 0.494)], "M": [(0.082, 0.126, 0)],
                     "X": [(0.407, 0.139, 0.893), (0.070, 0.112, 0.371)]}),
    "spinel": ("Fd-3m", (8.2, 8.2, 8.2, 90, 90, 90),
               {"A": [(0, 0, 0)], "M": [(0.625, 0.625, 0.625)], "X": [(0.3875, 0.3875, 0.3875)]}),
    "Li3InCl6": ("C2/m", (6.41, 11.1, 6.40, 90, 109.8, 90),
                 {"A": [(0, 0.333, 0), (0, 0.5, 0.5)], "M": [(0, 0, 0)],
                  "X": [(0.25, 0, 0.77), (0.25, 0.822, 0.23)]}),
    # V2O5 (Enjalbert and Galy 1986, second origin written out) and alpha'-NaV2O5
    "V2O5": ("P1", (11.512, 3.564, 4.368, 90, 90, 90),
             {"M": [(0.101, 0.25, 0.892), (0.399, 0.25, 0.892), (0.899, 0.75, 0.108),
                    (0.601, 0.75, 0.108)],
              "X": [(0.104, 0.25, 0.531), (0.396, 0.25, 0.531), (0.896, 0.75, 0.469),
                    (0.604, 0.75, 0.469), (0.931, 0.25, 0.003), (0.569, 0.25, 0.003),
                    (0.069, 0.75, 0.997), (0.431, 0.75, 0.997), (0.25, 0.25, 0.001),
                    (0.75, 0.75, 0.999)]}),
    "NaV2O5": ("P1", (11.318, 3.611, 4.797, 90, 90, 90),
               {"A": [(0.25, 0.75, 0.859), (0.75, 0.25, 0.141)],
                "M": [(0.098, 0.25, 0.892), (0.402, 0.25, 0.892), (0.902, 0.75, 0.108),
                      (0.598, 0.75, 0.108)],
                "X": [(0.115, 0.25, 0.558), (0.385, 0.25, 0.558), (0.885, 0.75, 0.442),
                      (0.615, 0.75, 0.442), (0.927, 0.25, 0.012), (0.573, 0.25, 0.012),
                      (0.073, 0.75, 0.988), (0.427, 0.75, 0.988), (0.25, 0.25, 0.020),
                      (0.75, 0.75, 0.980)]}),
    # perovskites and anti-perovskites, BaNiO3, K2PtCl6, elpasolite and cryolite
    "perovskite": ("Pm-3m", (3.9, 3.9, 3.9, 90, 90, 90),
                   {"A": [(0.5, 0.5, 0.5)], "M": [(0, 0, 0)], "X": [(0.5, 0, 0)]}),
    "2H perovskite": ("P6_3/mmc", (5.63, 5.63, 4.81, 90, 90, 120),
                      {"A": [(_T, 2 * _T, 0.75)], "M": [(0, 0, 0)], "X": [(0.146, 0.292, 0.25)]}),
    "K2PtCl6": ("Fm-3m", (9.7, 9.7, 9.7, 90, 90, 90),
                {"A": [(0.25, 0.25, 0.25)], "M": [(0, 0, 0)], "X": [(0.24, 0, 0)]}),
    "elpasolite": ("Fm-3m", (8.1, 8.1, 8.1, 90, 90, 90),
                   {"A": [(0.25, 0.25, 0.25)], "B": [(0.5, 0.5, 0.5)], "M": [(0, 0, 0)],
                    "X": [(0.235, 0, 0)]}),
    "cryolite": ("Fm-3m", (7.9, 7.9, 7.9, 90, 90, 90),
                 {"A": [(0.25, 0.25, 0.25), (0.5, 0.5, 0.5)], "M": [(0, 0, 0)],
                  "X": [(0.235, 0, 0)]}),
    # fluorite, anti-fluorite and their ordered forms
    "fluorite": ("Fm-3m", (5.4, 5.4, 5.4, 90, 90, 90),
                 {"M": [(0, 0, 0)], "X": [(0.25, 0.25, 0.25)]}),
    "fluorite L1_0": ("P4/mmm", (3.8, 3.8, 5.4, 90, 90, 90),
                      {"A": [(0, 0, 0)], "M": [(0.5, 0.5, 0.5)], "X": [(0, 0.5, 0.25)]}),
    "fluorite L1_2": ("Pm-3m", (5.3, 5.3, 5.3, 90, 90, 90),
                      {"A": [(0, 0.5, 0.5)], "M": [(0, 0, 0)], "X": [(0.25, 0.25, 0.25)]}),
    "antifluorite P4/nmm": ("P4/nmm", (4.2, 4.2, 6.6, 90, 90, 90),
                            {"A": [(0, 0, 0)], "M": [(0, 0, 0.5)], "X": [(0, 0.5, 0.25)]}),
    # Heusler alloys: half, full, inverse; MgCu4Sn; zinc blende with an extra ion
    "half-Heusler": ("F-43m", (6.0, 6.0, 6.0, 90, 90, 90),
                     {"A": [(0.5, 0.5, 0.5)], "M": [(0.25, 0.25, 0.25)], "X": [(0, 0, 0)]}),
    "Heusler": ("Fm-3m", (6.0, 6.0, 6.0, 90, 90, 90),
                {"A": [(0.25, 0.25, 0.25)], "M": [(0, 0, 0)], "X": [(0.5, 0.5, 0.5)]}),
    "inverse Heusler": ("F-43m", (6.0, 6.0, 6.0, 90, 90, 90),
                        {"A": [(0, 0, 0), (0.75, 0.75, 0.75)], "M": [(0.5, 0.5, 0.5)],
                         "X": [(0.25, 0.25, 0.25)]}),
    "MgCu4Sn": ("F-43m", (7.0, 7.0, 7.0, 90, 90, 90),
                {"A": [(0, 0, 0)], "X": [(0.25, 0.25, 0.25)], "M": [(0.625, 0.625, 0.625)]}),
    # hydrides beyond rock salt and fluorite: LaH3 (BiF3), Mg2NiH4 and K2PtH4 without tilts, Mg2FeH6
    "MH3": ("Fm-3m", (5.6, 5.6, 5.6, 90, 90, 90),
            {"M": [(0, 0, 0)], "X": [(0.25, 0.25, 0.25), (0.5, 0.5, 0.5)]}),
    "MH3 hexagonal": ("P6_3/mmc", (3.6, 3.6, 6.5, 90, 90, 120),
                      {"M": [(_T, 2 * _T, 0.25)],
                       "X": [(_T, 2 * _T, 0.587), (0, 0, 0.25)]}),
    "K2PtH4": ("I4/mmm", (5.3, 5.3, 6.9, 90, 90, 90),
               {"A": [(0, 0.5, 0.25)], "M": [(0, 0, 0)], "X": [(0.29, 0.29, 0)]}),
}  # fmt: skip

_MARKERS = ("He", "Ne", "Ar", "Kr", "Xe", "Rn")  # one stands for each slot while a cell is built


def _build(name: str) -> Prototype:
    group, cell, sites = _TABLE[name]
    letters = list(sites)
    species = [_MARKERS[letters.index(s)] for s in letters for _ in sites[s]]
    points = [point for s in letters for point in sites[s]]
    lattice = Lattice.from_parameters(*cell)
    whole = Structure.from_spacegroup(group, lattice, species, points)
    return _pattern(name, whole.get_primitive_structure(), dict(zip(_MARKERS, letters)))  # noqa: B905


def _pattern(name: str, structure: Structure, letter_of: dict[str, str]) -> Prototype:
    ordered = structure.get_sorted_structure(key=lambda site: site.specie.symbol)
    return Prototype(
        name,
        np.array(ordered.lattice.matrix),
        np.array(ordered.frac_coords),
        tuple(letter_of[site.specie.symbol] for site in ordered),
    )


@lru_cache
def own() -> dict[str, Prototype]:
    """The table's prototypes by name."""
    return {name: _build(name) for name in _TABLE}


@lru_cache
def aflow() -> dict[str, Prototype]:
    """AFLOW's prototypes of 2 to 4 elements and at most MAX_ATOMS atoms.

    Slots are A, B, C, D in the order of falling electronegativity: "A" is the most anionic.
    """
    from pymatgen.analysis.prototypes import AFLOW_PROTOTYPE_LIBRARY

    found: dict[str, Prototype] = {}
    for entry in AFLOW_PROTOTYPE_LIBRARY:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            structure = entry["snl"].structure.get_primitive_structure()
        elements = sorted(structure.composition.elements, key=lambda e: (-e.X, e.symbol))
        if not 2 <= len(elements) <= 4 or len(structure) > MAX_ATOMS:
            continue
        letters = {e.symbol: letter for e, letter in zip(elements, "ABCD", strict=False)}
        name = f"aflow:{entry['tags']['aflow']}"
        while name in found:  # some share a label and differ in their free coordinates
            name += "'"
        found[name] = _pattern(name, structure, letters)
    return found


def prototype(name: str) -> Prototype:
    """The prototype of that name.

    Raises
    ------
    ValueError : unknown name, with the table's names.
    """
    known = aflow() if name.startswith("aflow:") else own()
    if name not in known:
        legal = ", ".join(own())
        raise ValueError(f"prototype: unknown {name!r}; legal are {legal} and aflow:LABEL")
    return known[name]
