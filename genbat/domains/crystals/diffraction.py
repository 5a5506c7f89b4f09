"""The powder pattern a crystal would show: Cu K alpha, of the ideal symmetric one."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.placing import conventional
from genbat.domains.crystals.structure import structure_of
from genbat.domains.crystals.symmetry import space_group

WAVELENGTH = "CuKa"
WAVELENGTH_A = 1.54184  # Å, mean of K alpha 1 and 2
RANGE = (10.0, 90.0)  # degrees 2 theta
WIDTH = 0.2  # degrees, full width at half maximum of the drawn peaks
WEAKEST = 0.1  # of 100, lines below it are left out
MERGE = 0.02  # degrees: reflections this near are one line


@dataclass(frozen=True)
class Line:
    """A line of a powder pattern.

    Attributes
    ----------
    two_theta : degrees.
    intensity : 100 for the strongest line of the range.
    spacing : distance of the planes in Å.
    label : Miller indices in the conventional cell, "0 0 3"; several where lines coincide.
    """

    two_theta: float
    intensity: float
    spacing: float
    label: str


def pattern(cell: Cell, two_theta: tuple[float, float] = RANGE) -> list[Line]:
    """Lines of a simulated powder pattern (pymatgen's XRDCalculator), weak ones left out.

    The crystal is made exactly symmetric first (spglib, 0.1 Å), so that noise of a relaxation does
    not split lines, and indexed in its conventional cell.
    """
    from pymatgen.analysis.diffraction.xrd import XRDCalculator

    ideal = conventional(cell, ideal=True)
    centred = space_group(cell).symbol.startswith("R")
    calculator = XRDCalculator(WAVELENGTH)
    calculator.TWO_THETA_TOL = MERGE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = calculator.get_pattern(structure_of(ideal), two_theta_range=two_theta)
    return [
        Line(float(x), float(y), float(d), _label([plane["hkl"] for plane in planes], centred))
        for x, y, d, planes in zip(found.x, found.y, found.d_hkls, found.hkls, strict=True)
        if y >= WEAKEST
    ]


def _label(planes: Sequence[tuple[int, ...]], centred: bool) -> str:
    """`1 0 4`, or `1 0 4 / 0 1 8` where several families coincide."""
    names = [" ".join(map(str, _usual(hkl, centred))) for hkl in planes]
    return " / ".join(list(dict.fromkeys(names))[:3])


def _usual(hkl: tuple[int, ...], centred: bool) -> tuple[int, ...]:
    """Three indices; of a hexagonal family the member with h, k >= 0.

    pymatgen counts members that a rhombohedral lattice extinguishes (obverse setting: only
    -h + k + l = 3n reflects) to the same family: the other order of h and k is named then.
    """
    if len(hkl) == 3:
        return hkl
    *flat, last = hkl
    lone = max(flat, key=abs)
    h, k = sorted((abs(i) for i in flat if i * lone <= 0), reverse=True)[:2]
    if centred and (-h + k + last) % 3:
        h, k = k, h
    return h, k, last


def profile(
    lines: Sequence[Line], two_theta: tuple[float, float] = RANGE, points: int = 2000
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The lines as a measured pattern looks: 2 theta (points,) and intensity, highest 100.

    Every line is half Gaussian, half Lorentzian of WIDTH.
    """
    x = np.linspace(*two_theta, points)
    y = np.zeros(points)
    for line in lines:
        off = (x - line.two_theta) / (WIDTH / 2)
        y += line.intensity * (0.5 * np.exp2(-(off**2)) + 0.5 / (1 + off**2))
    return x, 100 * y / y.max() if y.max() > 0 else y
