"""How well a system's heads predict properties, and whether their intervals keep their word."""

from __future__ import annotations

import hashlib
import json
import math

import numpy as np
import pandas as pd

from genbat.core.paths import cache_folder
from genbat.domains.molecules.properties import BY_KEY
from genbat.studio.metrics import Metrics, metric
from genbat.studio.metrics_molecules import Subject, fingerprints
from genbat.systems.chemvae_targets import TARGETS

COMPUTED = TARGETS[:5]
TREES = 100
COVERAGE = [0.87, 0.93]
# Of fewer molecules the coverage is too uncertain (two standard errors above 0.035) for a bar.
ENOUGH = 300
_BARS: dict[str, float] = {"lumo_ev_mae": 0.30, "lumo_ev_spearman": 0.90, "vip_ev_mae": 0.35}
_VERSION = 1  # of what the cached baselines mean


def heads(subject: Subject) -> Metrics:
    """Error, rank correlation and interval coverage of every head on the held-out molecules.

    Coverage is that of the intervals as shown: prediction +- half width in the property's unit.
    """
    subject.report(0.0, "predicting held-out molecules")
    test = subject.writable(subject.test)
    values, halves = subject.system.predict_table(subject.system.encode(test["smiles"].tolist()))
    forest = forest_scores(subject, test)
    metrics: Metrics = {}
    for k, key in enumerate(TARGETS):
        truth = test[key].to_numpy("f8")
        known = np.isfinite(truth)
        if known.sum() < 2:
            continue
        train = subject.train[key].to_numpy("f8")
        error = np.abs(values[known, k] - truth[known])
        found = {
            "mae": mean_error(error, truth[known], train),
            "spearman": (rank_correlation(values[known, k], truth[known]), {}),
            "coverage": (float(np.mean(error <= halves[known, k])), {}),
            "interval_width": (2 * float(halves[known, k].mean()), middle_range(train)),
            "molecules": (float(known.sum()), {}),
        }
        metrics |= _entries(key, found, forest.get(key, {}), int(known.sum()))
    return metrics


def _entries(
    key: str, found: dict[str, tuple[float, dict[str, float]]], forest: dict[str, float], count: int
) -> Metrics:
    unit = BY_KEY[key].unit
    units = {"mae": unit, "interval_width": unit, "molecules": "molecules", "coverage": "share"}
    entries = {}
    for name, (value, simple) in found.items():
        baselines = simple | ({"ExtraTrees": forest[name]} if name in forest else {})
        bar = COVERAGE if name == "coverage" and count >= ENOUGH else _BARS.get(f"{key}_{name}")
        entries[f"{key}_{name}"] = metric(value, units.get(name, ""), baselines=baselines, bar=bar)
    return entries


def mean_error(
    error: np.ndarray, truth: np.ndarray, train: np.ndarray
) -> tuple[float, dict[str, float]]:
    """Mean absolute error, and that of always saying the training mean."""
    constant = float(np.abs(truth - np.nanmean(train)).mean())
    return float(error.mean()), {"mean predictor": constant}


def middle_range(train: np.ndarray) -> dict[str, float]:
    """The width that holds 90 % of the training values: an interval that knows no molecule."""
    low, high = np.nanpercentile(train, (5, 95))
    return {"mean predictor": float(high - low)}


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation; NaN where one side is constant."""
    first, second = (pd.Series(values).rank().to_numpy("f8") for values in (a, b))
    if min(first.std(), second.std()) == 0:
        return math.nan
    return float(np.corrcoef(first, second)[0, 1])


# ---------------------------------------------------------------------- the forest
def forest_scores(subject: Subject, test: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Mean error and rank correlation of ExtraTrees (Geurts et al. 2006) on Morgan fingerprints.

    Trained on the same molecules; one forest for the computed labels together, one for each
    measured property. It depends on the data alone and takes many minutes, so it is kept in the
    cache folder.
    """
    path = cache_folder() / f"forest-{_data_key(subject, test)}.json"
    if path.exists():
        return json.loads(path.read_text("utf-8"))
    groups = [list(COMPUTED), *([key] for key in TARGETS[len(COMPUTED) :])]
    scores: dict[str, dict[str, float]] = {}
    for k, keys in enumerate(groups):
        subject.report(0.05 + 0.95 * k / len(groups), f"baseline: ExtraTrees on {', '.join(keys)}")
        scores |= _forest(subject, test, keys)
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(scores), "utf-8")
    partial.replace(path)
    return scores


def _data_key(subject: Subject, test: pd.DataFrame) -> str:
    columns = ["smiles", *TARGETS]
    rows = [pd.util.hash_pandas_object(t[columns], index=False) for t in (subject.train, test)]
    content = b"".join(r.to_numpy().tobytes() for r in rows)
    settings = f"{_VERSION} {TREES} {subject.seed}".encode()
    return hashlib.sha256(content + settings).hexdigest()[:16]


def _forest(subject: Subject, test: pd.DataFrame, keys: list[str]) -> dict[str, dict[str, float]]:
    from sklearn.ensemble import ExtraTreesRegressor

    known, held = (t[t[keys].notna().all(axis=1)] for t in (subject.train, test))
    if len(known) < 2 or len(held) < 2:
        return {}
    bits, asked = (np.array(fingerprints(t["smiles"]), "f4") for t in (known, held))
    used = bits.any(axis=0)  # a bit no training molecule sets teaches nothing
    forest = ExtraTreesRegressor(n_estimators=TREES, n_jobs=2, random_state=subject.seed)
    forest.fit(bits[:, used], known[keys].to_numpy("f8").squeeze())
    said = forest.predict(asked[:, used]).reshape(len(held), len(keys))
    truth = held[keys].to_numpy("f8")
    return {
        key: {
            "mae": float(np.abs(said[:, k] - truth[:, k]).mean()),
            "spearman": rank_correlation(said[:, k], truth[:, k]),
        }
        for k, key in enumerate(keys)
    }
