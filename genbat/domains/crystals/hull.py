"""Distance to the convex hull of formation energies, by linear programming.

A crystal's hull energy is the lowest that a mixture of the entries of its chemical system reaches
at its composition (Ong et al., Chem. Mater. 2008, 20, 1798): minimise w·e, atoms balanced.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog

from genbat.domains.crystals.chgnet_graph import Floats

Fractions = dict[str, float]


@dataclass
class Hull:
    """Entries by chemical system; the elements themselves stand at 0.

    Only the lowest entry of each composition counts. Add all entries before asking.
    """

    entries: dict[frozenset[str], dict[tuple[tuple[str, float], ...], float]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def add(self, amounts: dict[str, float], formation_ev: float) -> None:
        """An entry: atoms of each element, formation energy in eV/atom."""
        fractions = atomic_fractions(amounts)
        key = tuple(sorted((e, round(x, 10)) for e, x in fractions.items()))
        known = self.entries[frozenset(fractions)]
        known[key] = min(formation_ev, known.get(key, np.inf))

    def distance(self, amounts: dict[str, float], formation_ev: float) -> float:
        """How far an entry lies above the hull, eV/atom; below 0 it would be a new corner of it."""
        return formation_ev - self.energy(amounts)

    def energy(self, amounts: dict[str, float]) -> float:
        """Hull energy at a composition, eV/atom."""
        wanted = atomic_fractions(amounts)
        elements = sorted(wanted)
        points, energies = self._corners(elements)
        target = np.array([wanted[e] for e in elements])
        found = linprog(energies, A_eq=points.T, b_eq=target, method="highs")
        return float(found.fun)

    def _corners(self, elements: Sequence[str]) -> tuple[Floats, Floats]:
        """Compositions (m, k) and energies (m,) of the elements and all entries between them."""
        place = {e: k for k, e in enumerate(elements)}
        points = [np.eye(len(elements))]
        energies = [0.0] * len(elements)
        for system in _subsets(elements):
            for key, energy in self.entries.get(system, {}).items():
                point = np.zeros(len(elements))
                for element, fraction in key:
                    point[place[element]] = fraction
                points.append(point[None] / point.sum())
                energies.append(energy)
        return np.vstack(points), np.array(energies)


def atomic_fractions(amounts: dict[str, float]) -> Fractions:
    """Amounts divided by their sum."""
    total = sum(amounts.values())
    return {e: n / total for e, n in amounts.items() if n}


def _subsets(elements: Sequence[str]) -> Iterator[frozenset[str]]:
    for mask in range(1, 2 ** len(elements)):
        yield frozenset(e for k, e in enumerate(elements) if mask >> k & 1)
