"""Voltage over capacity: the average between full and empty host, and steps where phases lie
between.

A host A(n)F loses its working ion A. Between two phases A(x1)F and A(x2)F the voltage is flat:
V = -[E(x2) - E(x1) - (x2 - x1) E(A)] / (x2 - x1), all energies per F (Aydinol et al., Phys. Rev. B
1997, 56, 1354). With formation energies E(A) is zero. The known phases of the same F between empty
and full give the steps that equilibrium would take; their frameworks may differ from the host's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from genbat.domains.crystals.chemistry import mass
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.gates import VOLTAGE_V, capacity
from genbat.domains.crystals.hosts import working_ion
from genbat.domains.crystals.structure import formula_counts

SMALLEST = 0.05  # V between plateaus; less is inside CHGNet's noise
Amounts = Mapping[str, float]
Point = tuple[float, float, str]  # x of A per framework, formation energy per framework, formula


@dataclass(frozen=True)
class Step:
    """A plateau: capacity at its start and end (mAh/g of the full host), V, and its two phases."""

    start: float
    end: float
    voltage: float
    phases: tuple[str, str]


@dataclass(frozen=True)
class Profile:
    """Discharge from empty (0 mAh/g) to full.

    Attributes
    ----------
    ion : the working ion.
    average : the one step between empty and full host, frameworks kept.
    steps : plateaus between the known phases of the same framework composition, falling voltage;
        empty where none lies between or they differ by less than SMALLEST.
    """

    ion: str
    average: Step
    steps: tuple[Step, ...]


def profile(
    cell: Cell,
    voltage_v: float,
    formation_ev: float,
    known: Iterable[tuple[Amounts, float, str]] = (),
) -> Profile | None:
    """The profile of a host whose average voltage passed the gates; None for other crystals.

    Parameters
    ----------
    voltage_v, formation_ev : average voltage in V and formation energy in eV/atom of the host.
    known : amounts, formation energy in eV/atom and formula of phases that may lie between.
    """
    ion = working_ion(cell)
    if not ion or not VOLTAGE_V[0] <= voltage_v <= VOLTAGE_V[1]:
        return None
    counts = formula_counts(cell)
    full = counts[ion]
    frame = {e: n for e, n in counts.items() if e != ion}
    q = capacity(full, mass(cell))
    name, bare = _name(counts), _name(frame)
    host_ev = formation_ev * sum(counts.values())
    ends = [(0.0, host_ev + full * voltage_v, bare), (float(full), host_ev, name)]
    points = [*ends, *_between(known, frame, ion, full)]
    steps = _steps(_hull(points), q / full)
    plain = Step(0.0, q, voltage_v, (bare, name))
    telling = len(steps) > 1 and steps[0].voltage - steps[-1].voltage > SMALLEST
    return Profile(ion, plain, tuple(steps) if telling else ())


def _between(
    known: Iterable[tuple[Amounts, float, str]], frame: Amounts, ion: str, full: float
) -> Iterable[Point]:
    """Phases of the same framework composition with an amount of the ion from 0 to `full`."""
    for amounts, energy, name in known:
        rest = {e: n for e, n in amounts.items() if e != ion}
        if set(rest) != set(frame):
            continue
        scales = np.array([frame[e] / rest[e] for e in frame])
        x = amounts.get(ion, 0.0) * scales[0]
        if np.ptp(scales) < 1e-6 * scales[0] and x <= full + 1e-9:
            yield x, energy * sum(amounts.values()) * scales[0], name


def _hull(points: Iterable[Point]) -> list[Point]:
    """The lower convex hull over x, from the smallest to the largest x."""
    lowest: dict[float, Point] = {}
    for point in points:
        x = round(point[0], 6)
        if x not in lowest or point[1] < lowest[x][1]:
            lowest[x] = (x, *point[1:])
    hull: list[Point] = []
    for point in (lowest[x] for x in sorted(lowest)):
        while len(hull) > 1 and _slope(hull[-2], point) <= _slope(hull[-2], hull[-1]):
            hull.pop()
        hull.append(point)
    return hull


def _slope(one: Point, two: Point) -> float:
    return (two[1] - one[1]) / (two[0] - one[0])


def _steps(hull: list[Point], per_ion: float) -> list[Step]:
    """Plateaus in mAh/g; voltages fall because the hull is convex."""
    return [
        Step(one[0] * per_ion, two[0] * per_ion, float(-_slope(one, two)), (one[2], two[2]))
        for one, two in pairwise(hull)
    ]


def _name(counts: Amounts) -> str:
    from pymatgen.core import Composition

    return str(Composition(dict(counts)).reduced_formula)
