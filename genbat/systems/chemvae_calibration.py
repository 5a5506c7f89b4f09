"""Conformal calibration of chemvae's property heads on molecules the training has not seen."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import torch

from genbat.systems.chemvae import ChemVAE
from genbat.systems.chemvae_targets import (
    LOGARITHMIC,
    TARGETS,
    Calibration,
    standardise,
    target_values,
)


def calibrate(system: ChemVAE, table: pd.DataFrame, share: float = 0.9) -> Calibration:
    """Conformal quantiles from molecules the training has not seen.

    Score = |error| / sqrt(ensemble variance + floor**2); the quantile is the
    ceil((n + 1) * share)-th smallest score, which covers at least `share` of new molecules
    (of fewer than 9 molecules the largest score, which promises less). A LOGARITHMIC property is
    shown as its value +- half the width of its interval, so there the score is what makes that
    half width, 10**m sinh(score * spread), just reach the truth.
    """
    z = system.encode(table["smiles"].tolist())
    members = system.network.heads(torch.as_tensor(z)).detach().numpy()
    wanted = standardise(target_values(table), system.config)
    quantiles, floors, counts = [], [], []
    for k in range(len(TARGETS)):
        known = np.isfinite(wanted[:, k])
        middle, truth = members.mean(0)[known, k], wanted[known, k]
        floor = float(np.median(np.abs(middle - truth))) if len(truth) else 0.3
        spread = np.sqrt(members.var(0)[known, k] + floor**2)
        decade = system.config.scale[k] * math.log(10) if TARGETS[k] in LOGARITHMIC else None
        score = np.sort(_error(middle, truth, decade) / spread)
        rank = min(len(score), math.ceil((len(score) + 1) * share)) - 1
        quantiles.append(float(score[rank]) if len(score) else 1.645)
        floors.append(floor)
        counts.append(len(score))
    return Calibration(tuple(quantiles), tuple(floors), tuple(counts))


def _error(middle: np.ndarray, truth: np.ndarray, decade: float | None) -> np.ndarray:
    """|middle - truth|; with `decade`, standard units per e-fold, as far as the value shown is off.

    |exp(d t) - exp(d m)| = exp(d m) sinh(d e) solved for e.
    """
    if decade is None:
        return np.abs(middle - truth)
    return np.arcsinh(np.abs(np.expm1(decade * (truth - middle)))) / decade
