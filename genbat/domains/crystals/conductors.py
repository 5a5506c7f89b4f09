"""Known lithium electrolytes with measured room-temperature conductivity (OBELiX).

OBELiX (Therrien et al., NRC and Mila, CC BY 4.0) collects 599 measured conductivities. What ships
is composition, space group, conductivity and literature source; structures are not part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from pymatgen.core import Composition

from genbat.core.paths import ASSETS
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.structure import formula_counts
from genbat.domains.crystals.symmetry import space_group_number

TABLE = "data/conductors.csv"
SOURCE_FILE = "crystals/obelix_599.csv"
ATTRIBUTION = "OBELiX (NRC and Mila), CC BY 4.0"
NEAR = 0.12  # share of the atoms in which two compositions may differ


@dataclass(frozen=True)
class Conductor:
    """A measured electrolyte near a crystal.

    Attributes
    ----------
    formula, family : as in the source ("Li6PS5Cl", "argyrodites").
    group : space group number.
    log10_s_cm : log10 of the conductivity in S/cm at room temperature; an upper bound if `bound`.
    doi : where it was measured.
    apart : share of atoms that differ from the crystal asked for, 0 for the same composition.
    same_group : whether the space group is the crystal's.
    """

    formula: str
    family: str
    group: int
    log10_s_cm: float
    bound: bool
    doi: str
    apart: float
    same_group: bool


def near(cell: Cell, count: int = 3, farthest: float = NEAR) -> list[Conductor]:
    """The electrolytes of the same elements nearest in composition; the same group goes first.

    Nothing where none is within `farthest`, as for most crystals.
    """
    counts = formula_counts(cell)
    table, fractions = _known()
    rows = [k for k, found in enumerate(fractions) if set(found) == set(counts)]
    if not rows:
        return []
    mine = _fractions(counts)
    group = space_group_number(cell)
    found = []
    for k in rows:
        one = table.iloc[k]
        apart = sum(abs(mine[e] - fractions[k][e]) for e in mine) / 2
        if apart <= farthest:
            found.append(
                Conductor(
                    str(one["formula"]),
                    str(one["family"]),
                    int(one["group"]),
                    float(one["log10_s_cm"]),
                    bool(one["bound"]),
                    str(one["doi"]),
                    round(apart, 4),
                    int(one["group"]) == group,
                )
            )
    return sorted(found, key=lambda c: (round(c.apart, 2), not c.same_group, c.bound))[:count]


@lru_cache(maxsize=1)
def _known() -> tuple[pd.DataFrame, list[dict[str, float]]]:
    table = pd.read_csv(ASSETS / TABLE)
    return table, [_fractions(Composition(f).as_dict()) for f in table["composition"]]


def _fractions(counts: Mapping[str, float]) -> dict[str, float]:
    whole = sum(counts.values())
    return {str(e): n / whole for e, n in counts.items()}


def make_table(source: Path, out: Path) -> Path:
    """The shipped table from OBELiX's own; rows whose composition cannot be read are left out.

    A conductivity written "<1E-10" becomes an upper bound.
    """
    rows = []
    for _, one in pd.read_csv(source).iterrows():
        try:
            composition = Composition(one["True Composition"]).reduced_composition
        except ValueError:
            continue
        text = str(one["Ionic conductivity (S cm-1)"])
        rows.append(
            {
                "formula": one["Reduced Composition"],
                "composition": composition.formula.replace(" ", ""),
                "group": int(one["Space group #"]),
                "log10_s_cm": round(float(np.log10(float(text.lstrip("<")))), 3),
                "bound": text.startswith("<"),
                "family": one["Family"],
                "doi": one["DOI"],
            }
        )
    table = pd.DataFrame(rows).drop_duplicates().sort_values(["composition", "group", "doi"])
    table.to_csv(out, index=False, lineterminator="\n")
    return out
