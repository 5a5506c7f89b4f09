"""The real electrode's two-point correlation: what crops of the tomogram have, as a small table.

The tomogram itself does not ship; these percentiles of its crops do.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genbat.core.paths import ASSETS
from genbat.domains.microstructures.statistics import two_point
from genbat.domains.microstructures.volume import Volume

TABLE = "data/microstructures_band.json"
LAGS = 32  # voxels
ENDS = (2.5, 50.0, 97.5)  # per cent of the crops
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """Percentiles of the two-point correlation by phase and lag, each (phases, LAGS + 1).

    Attributes
    ----------
    of : what was measured; crops : how many of them.
    """

    of: str
    crops: int
    low: Floats
    middle: Floats
    high: Floats


def correlation(volume: Volume, phase: int, most: int) -> Floats:
    """S2 of a phase by lag in voxels, mean over the axes (most + 1,)."""
    return np.asarray(two_point(volume.mask(phase), most, volume.periodic).mean(0), float)


def measure(crops: Sequence[Volume], of: str) -> Band:
    """The band of some crops of one material."""
    phases = range(len(crops[0].phases))
    curves = np.array([[correlation(v, k, LAGS) for k in phases] for v in crops])
    low, middle, high = np.percentile(curves, ENDS, axis=0)
    return Band(of, len(crops), low, middle, high)


def write(band: Band, out: Path) -> Path:
    """Keep a band as JSON."""
    told = {name: np.round(getattr(band, name), 5).tolist() for name in ("low", "middle", "high")}
    out.write_text(json.dumps({"of": band.of, "crops": band.crops, **told}) + "\n", "utf-8")
    return out


@lru_cache
def load() -> Band | None:
    """The shipped band; None where it is not there."""
    file = ASSETS / TABLE
    if not file.exists():
        return None
    told = json.loads(file.read_text("utf-8"))
    curves = [np.array(told[name]) for name in ("low", "middle", "high")]
    return Band(told["of"], told["crops"], *curves)
