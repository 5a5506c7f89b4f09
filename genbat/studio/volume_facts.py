"""What the card of a volume says beyond its properties: phases, correlations, chords. Everything by
the volume's text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from genbat.domains.microstructures import band
from genbat.domains.microstructures.band import Band
from genbat.domains.microstructures.statistics import (
    chords,
    face_mismatch,
    fractions,
    percolated_share,
)
from genbat.domains.microstructures.texts import read
from genbat.domains.microstructures.volume import AXES, ELECTRODE, Volume

__all__ = ["AXES", "Band", "Facts", "Phase", "facts", "real", "volume"]
BINS = 40  # of the chords' histogram
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Phase:
    """One phase of a volume.

    Attributes
    ----------
    share : of the volume; through : of the phase, connected from face to face along z, y, x.
    correlation : S2 by lag, mean of the axes, one lag a voxel.
    chord, frequency : lengths and how often they are, a density over all three axes.
    """

    name: str
    share: float
    through: tuple[float, ...]
    correlation: Floats
    chord: Floats
    frequency: Floats


@dataclass(frozen=True)
class Facts:
    """A volume: voxels along z, y, x, edges of a voxel and their unit, periodicity, phases.

    `mismatch` are the shares of voxels that differ between opposite faces, and between neighbouring
    slices inside; means over the axes.
    """

    shape: tuple[int, int, int]
    edges: tuple[float, float, float]
    unit: str
    periodic: bool
    phases: tuple[Phase, ...]
    mismatch: tuple[float, float]

    @property
    def electrode(self) -> bool:
        """Whether its phases are those of the real electrode."""
        return tuple(p.name for p in self.phases) == ELECTRODE


def volume(text: str) -> Volume:
    """The volume of a text; ValueError where it is none."""
    return read(text)


def real() -> Band | None:
    """The real electrode's correlations, where they are shipped."""
    return band.load()


@lru_cache(maxsize=64)
def facts(text: str) -> Facts:
    """All of it, in some tenths of a second.

    Raises
    ------
    ValueError : the text is no volume.
    """
    found = read(text)
    share = fractions(found)
    phases = tuple(_phase(found, k, float(share[k])) for k in range(len(found.phases)))
    borders = face_mismatch(found)
    return Facts(found.shape, found.edges, found.unit, found.periodic, phases, borders)


def _phase(volume: Volume, k: int, share: float) -> Phase:
    mask = volume.mask(k)
    most = min(band.LAGS, min(volume.shape) - 1)
    through = tuple(percolated_share(mask, axis) for axis in range(3))
    curve = band.correlation(volume, k, most)
    lengths = np.concatenate([chords(mask, axis) * volume.edges[axis] for axis in range(3)])
    if not len(lengths):
        return Phase(volume.phases[k], share, through, curve, np.empty(0), np.empty(0))
    top = float(np.percentile(lengths, 99.5))
    frequency, ends = np.histogram(lengths, BINS, (0.0, max(top, 1e-9)), density=True)
    return Phase(volume.phases[k], share, through, curve, (ends[1:] + ends[:-1]) / 2, frequency)
