"""How well cdvae's property heads predict held-out crystals, and whether their intervals hold."""

from __future__ import annotations

import numpy as np

from genbat.studio.metrics import Metrics, metric
from genbat.studio.metrics_asked import r_squared
from genbat.studio.metrics_crystals import Subject
from genbat.systems.crystal_corpus import TARGETS


def heads(subject: Subject) -> Metrics:
    """Mean absolute error and R² against CHGNet's labels, beside a predictor that knows the
    training mean alone, and the share of the 90 % intervals that hold the label."""
    system, held = subject.system, subject.test
    subject.report(0.0, f"predicting {len(held)} held-out crystals")
    values, halves = system.predict_table(system.encode_cells(held.cells))
    out: Metrics = {}
    for k, key in enumerate(system.targets):
        column = TARGETS.index(key)
        truth, known = held.values[:, column], ~np.isnan(held.values[:, column])
        if not known.any():
            continue
        unit = "V" if key.endswith("_v") else "eV/atom"
        mean = float(np.nanmean(subject.train.values[:, column]))
        error = np.abs(values[known, k] - truth[known])
        plain = float(np.abs(truth[known] - mean).mean())
        out |= {
            f"{key}_mae": metric(float(error.mean()), unit, baselines={"mean predictor": plain}),
            f"{key}_r2": metric(
                r_squared(truth[known], values[known, k]), baselines={"mean predictor": 0.0}
            ),
            f"{key}_coverage": metric(
                float(np.mean(error <= halves[known, k])), "share", bar=[0.87, 0.93]
            ),
            f"{key}_crystals": metric(float(known.sum())),
        }
    return out
