"""Conformal calibration of chemvae's property heads on molecules the training has not seen."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import torch

from genbat.systems.chemvae import ChemVAE
from genbat.systems.chemvae_targets import TARGETS, Calibration, standardise, target_values


def calibrate(system: ChemVAE, table: pd.DataFrame, share: float = 0.9) -> Calibration:
    """Conformal quantiles from molecules the training has not seen.

    Score = |error| / sqrt(ensemble variance + floor**2); the quantile is the
    ceil((n + 1) * share)-th smallest score, which covers at least `share` of new molecules
    (of fewer than 9 molecules the largest score, which promises less).
    """
    z = system.encode(table["smiles"].tolist())
    members = system.network.heads(torch.as_tensor(z)).detach().numpy()
    wanted = standardise(target_values(table), system.config)
    quantiles, floors, counts = [], [], []
    for k in range(len(TARGETS)):
        known = np.isfinite(wanted[:, k])
        error = np.abs(members.mean(0)[known, k] - wanted[known, k])
        floor = float(np.median(error)) if len(error) else 0.3
        score = np.sort(error / np.sqrt(members.var(0)[known, k] + floor**2))
        rank = min(len(score), math.ceil((len(score) + 1) * share)) - 1
        quantiles.append(float(score[rank]) if len(score) else 1.645)
        floors.append(floor)
        counts.append(len(score))
    return Calibration(tuple(quantiles), tuple(floors), tuple(counts))
