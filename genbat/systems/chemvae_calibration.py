"""Conformal calibration of chemvae's property heads on molecules the training has not seen."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import torch

from genbat.domains.molecules.splits import group_key
from genbat.systems.chemvae import ChemVAE
from genbat.systems.chemvae_targets import (
    LOGARITHMIC,
    TARGETS,
    Calibration,
    standardise,
    target_values,
)
from genbat.systems.conformal import family_weights, interval


def calibrate(system: ChemVAE, table: pd.DataFrame, share: float = 0.9) -> Calibration:
    """Conformal quantiles from molecules the training has not seen.

    Score = |error| / sqrt(ensemble variance + floor**2); the quantile is the score below which
    `share` of the molecules lie (of fewer than 9 molecules the largest score, which promises
    less). Molecules of one family (`splits.group_key`: isomers) err alike, so that it is families
    and not molecules that new ones are drawn with: each molecule counts as its family's size to
    the power of -FAMILY (between the molecule as the unit, 0, and the family, 1; Dunn, Wasserman
    and Ramdas, JASA 2023). FAMILY was chosen on halves of the calibration split, by how often the
    other half was covered to 87 to 93 %.

    A LOGARITHMIC property is shown as its value +- half the width of its interval, so there the
    score is what makes that half width, 10**m sinh(score * spread), just reach the truth.
    """
    z = system.encode(table["smiles"].tolist())
    members = system.network.heads(torch.as_tensor(z)).detach().numpy()
    wanted = standardise(target_values(table), system.config)
    families = pd.factorize(table["smiles"].map(group_key))[0]
    quantiles, floors, counts = [], [], []
    for k in range(len(TARGETS)):
        known = np.isfinite(wanted[:, k])
        variance, weight = members.var(0)[known, k], family_weights(families[known])
        decade = system.config.scale[k] * math.log(10) if TARGETS[k] in LOGARITHMIC else None
        error = _error(members.mean(0)[known, k], wanted[known, k], decade)
        floor, quantile = interval(error, variance, weight, share)
        quantiles.append(quantile)
        floors.append(floor)
        counts.append(int(known.sum()))
    return Calibration(tuple(quantiles), tuple(floors), tuple(counts))


def _error(middle: np.ndarray, truth: np.ndarray, decade: float | None) -> np.ndarray:
    """|middle - truth|; with `decade`, standard units per e-fold, as far as the value shown is off.

    |exp(d t) - exp(d m)| = exp(d m) sinh(d e) solved for e.
    """
    if decade is None:
        return np.abs(middle - truth)
    return np.arcsinh(np.abs(np.expm1(decade * (truth - middle)))) / decade
