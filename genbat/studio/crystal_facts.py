"""What the card of a crystal says beyond its properties: symmetry, charges, cost, diffraction,
voltage profile, moments, and what is known near it. Everything by the crystal's text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Composition

from genbat.core.candidate import Candidate
from genbat.domains.crystals import (
    chemistry,
    conductors,
    cost,
    data,
    diffraction,
    draw,
    periodic,
    placing,
    symmetry,
    voltage_profile,
)
from genbat.domains.crystals.conductors import ATTRIBUTION, Conductor
from genbat.domains.crystals.cost import CAVEAT, SOURCE, Cost
from genbat.domains.crystals.diffraction import RANGE, Line
from genbat.domains.crystals.periodic import ElementRow
from genbat.domains.crystals.structure import formula_counts, from_text, reduced_formula, to_text
from genbat.domains.crystals.symmetry import SYMPREC, SpaceGroup
from genbat.domains.crystals.voltage_profile import Profile, Step
from genbat.studio.crystal_neighbours import Neighbour, moments, nearest, phases, warm

__all__ = [
    "ATTRIBUTION", "CAVEAT", "RANGE", "SOURCE", "SYMPREC", "Conductor", "Cost", "ElementRow",
    "Facts", "Line", "Neighbour", "Pattern", "Profile", "Step", "elements", "facts", "measured",
    "moments", "nearest", "pattern", "prepare", "profile", "scene", "thumbnail",
]  # fmt: skip
SUPERSCRIPTS = str.maketrans("0123456789+-.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻·")


@dataclass(frozen=True)
class Facts:
    """What a crystal is.

    Attributes
    ----------
    formula, units : reduced formula and its number in the conventional cell (Z).
    group : space group at SYMPREC.
    lengths, angles : a, b, c in Å and alpha, beta, gamma in degrees of the ideal
        conventional cell.
    volume : of the conventional cell, Å³. density : g/cm³.
    charges : element -> mean oxidation state; empty where no usual states balance.
    plausible : SMACT's judgement of the composition; None where it would take too long.
    flags : cobalt, scarce, toxic, radioactive, critical.
    """

    formula: str
    units: int
    group: SpaceGroup
    lengths: tuple[float, ...]
    angles: tuple[float, ...]
    volume: float
    density: float
    charges: dict[str, float]
    plausible: bool | None
    flags: tuple[str, ...]
    cost: Cost

    def charge_words(self) -> str:
        """`Li⁺ Co³⁺ O²⁻`."""
        return " ".join(e + _charge(q) for e, q in self.charges.items())


def _charge(q: float) -> str:
    """`³⁺`, `⁺`, `³·⁵⁺`, `⁰`."""
    size = f"{abs(q):.3g}"
    sign = "+" if q > 0 else "-" if q < 0 else ""
    return ("" if size == "1" else size).translate(SUPERSCRIPTS) + sign.translate(SUPERSCRIPTS)


@dataclass(frozen=True)
class Pattern:
    """A simulated powder pattern: its lines, and 2 theta in degrees and intensity of the curve."""

    lines: tuple[Line, ...]
    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]


@lru_cache(maxsize=512)
def facts(text: str) -> Facts:
    """All that composition and structure say; ValueError where the CIF cannot be read."""
    cell = from_text(text)
    whole = placing.conventional(cell, ideal=True)
    counts = formula_counts(whole)
    one = Composition(counts).get_reduced_composition_and_factor()[1]
    lengths = np.linalg.norm(whole.lattice, axis=1)
    return Facts(
        reduced_formula(cell),
        round(one),
        symmetry.space_group(cell),
        tuple(float(x) for x in lengths),
        _angles(whole.lattice / lengths[:, None]),
        float(abs(np.linalg.det(whole.lattice))),
        chemistry.density(cell),
        chemistry.oxidation_states(cell),
        chemistry.plausible(cell),
        tuple(chemistry.flags(cell)),
        cost.cost(cell),
    )


def _angles(units: NDArray[np.float64]) -> tuple[float, ...]:
    """Alpha, beta, gamma of three unit vectors."""
    cosines = [float(units[j] @ units[k]) for j, k in ((1, 2), (0, 2), (0, 1))]
    return tuple(float(np.degrees(np.arccos(np.clip(c, -1, 1)))) for c in cosines)


@lru_cache(maxsize=256)
def pattern(text: str) -> Pattern:
    """Simulated powder pattern of a CIF, Cu K alpha."""
    lines = diffraction.pattern(from_text(text))
    return Pattern(tuple(lines), *diffraction.profile(lines))


def profile(candidate: Candidate) -> Profile | None:
    """Voltage over capacity of a host whose voltage passed the gates, else None."""
    voltage = candidate.properties.get("voltage_v")
    formation = candidate.properties.get("formation_ev")
    if not candidate.verdict.ok or voltage is None or not isfinite(voltage.value):
        return None
    cell = from_text(candidate.text)
    energy = formation.value if formation else float("nan")
    known = phases(frozenset(formula_counts(cell))) if isfinite(energy) else ()
    return voltage_profile.profile(cell, voltage.value, energy if known else 0.0, known)


@lru_cache(maxsize=512)
def measured(text: str) -> tuple[Conductor, ...]:
    """Known electrolytes near a crystal in composition, with their measured conductivity."""
    return tuple(conductors.near(from_text(text)))


def prepare() -> None:
    """Load what the first card needs (packages, tables), then make the fingerprints."""
    known = data.load()
    text = to_text(known.cell(0))
    for part in (facts, scene, pattern, measured):
        part(text)
    warm()


@cache
def elements() -> tuple[ElementRow, ...]:
    """The elements of the domain with their place in the periodic table."""
    return periodic.rows()


@lru_cache(maxsize=256)
def scene(text: str) -> dict[str, Any]:
    """What the crystal viewer draws of a CIF; ValueError where it is none. Do not change it."""
    return draw.scene(from_text(text))


@lru_cache(maxsize=4096)
def thumbnail(text: str, width: int = 150, height: int = 100, dark: bool = False) -> str:
    """A crystal as SVG; ValueError where the CIF cannot be read."""
    return draw.svg(from_text(text), width, height, dark)
