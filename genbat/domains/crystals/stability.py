"""Distance to the hull of what is known: GenBat's own crystals and the known phases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd
from pymatgen.core import Composition

from genbat.core.paths import ASSETS
from genbat.domains.crystals import data
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.duplicates import ENERGY_EV
from genbat.domains.crystals.hull import Hull
from genbat.domains.crystals.known_phases import as_entries
from genbat.domains.crystals.structure import reduced_formula
from genbat.domains.crystals.table import amounts

PHASES = "data/crystals_known_phases.csv"


@dataclass(frozen=True)
class Landscape:
    """The hull of all known entries, and the known phases' energies by reduced formula (CHGNet,
    eV/atom): their structures do not ship."""

    hull: Hull
    phases: Mapping[str, tuple[float, ...]]

    def above(self, cell: Cell, formation_ev: float) -> float:
        """Distance to the hull in eV/atom; below 0 where it would be a new corner."""
        return self.hull.distance(amounts(cell), formation_ev)

    def is_known_phase(self, cell: Cell, formation_ev: float) -> bool:
        """Whether a known phase has this composition and, within 10 meV/atom, this energy."""
        energies = self.phases.get(reduced_formula(cell), ())
        return any(abs(formation_ev - energy) < ENERGY_EV for energy in energies)


@lru_cache(maxsize=1)
def landscape(known: Path | None = None, phases: Path | None = None) -> Landscape:
    """Of the shipped data."""
    hull = Hull()
    table = data.load(known).table
    atoms = {f: Composition(f).as_dict() for f in set(table["formula"])}
    energies = table["formation_ev"].astype(float)
    for formula, energy in zip(table["formula"], energies, strict=True):
        hull.add(dict(atoms[formula]), energy)
    file = phases or ASSETS / PHASES
    listed = (
        pd.read_csv(file) if file.exists() else pd.DataFrame(columns=["formula", "formation_ev"])
    )
    for counts, energy in as_entries(listed):
        hull.add(counts, energy)
    phases_of = {str(f): tuple(part["formation_ev"]) for f, part in listed.groupby("formula")}
    return Landscape(hull, phases_of)
