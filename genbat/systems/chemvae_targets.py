"""What chemvae's heads predict: the targets, their scales and their calibrated uncertainty."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genbat.systems.base import Settings

if TYPE_CHECKING:
    from genbat.systems.chemvae import Config

TARGETS = (
    "homo_ev",
    "lumo_ev",
    "gap_ev",
    "dipole_d",
    "vip_ev",
    "tflash_k",
    "permittivity",
    "viscosity_mpas",
    "tm_k",
    "tb_k",
    "dipole_exp_d",
)
LOGARITHMIC = frozenset({"permittivity", "viscosity_mpas"})


@dataclass(frozen=True)
class Calibration(Settings):
    """Split conformal prediction (Lei et al., JASA 2018, 113, 1094), one entry a target.

    A 90 % interval is prediction +- quantile * sqrt(ensemble variance + floor**2), in the
    standardised unit; `count` is the number of calibration molecules.
    """

    quantile: tuple[float, ...] = (1.645,) * len(TARGETS)
    floor: tuple[float, ...] = (0.3,) * len(TARGETS)
    count: tuple[int, ...] = (0,) * len(TARGETS)


def target_values(table: pd.DataFrame) -> np.ndarray:
    """Columns TARGETS of a data set's table; (n, t), NaN where unknown."""
    return table[list(TARGETS)].to_numpy("f8")


def logged(values: np.ndarray) -> np.ndarray:
    """The LOGARITHMIC columns of (n, t) as log10, the others as they are."""
    out = values.astype("f8").copy()
    for k, key in enumerate(TARGETS):
        if key in LOGARITHMIC:
            out[:, k] = np.log10(out[:, k])
    return out


def standardise(values: np.ndarray, config: Config) -> np.ndarray:
    """Properties in their units (n, t), NaN where unknown -> the heads' unit."""
    return (logged(values) - np.array(config.mean)) / np.array(config.scale)


def scales(values: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of every target over the training molecules, NaN ignored."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column may be unknown throughout
        middle, deviation = np.nanmean(logged(values), 0), np.nanstd(logged(values), 0)
    safe = [float(s) if math.isfinite(s) and s > 0 else 1.0 for s in deviation]
    means = [float(m) if math.isfinite(m) else 0.0 for m in middle]
    return tuple(means), tuple(safe)
