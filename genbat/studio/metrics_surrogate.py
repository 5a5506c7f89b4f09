"""How well the surrogate for molecular dynamics predicts polymers of scaffolds it has not seen, and
what it has to do with measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from genbat.domains.polymers import data as tables
from genbat.domains.polymers.data import Polymers
from genbat.domains.polymers.features import features
from genbat.domains.polymers.properties import BY_KEY
from genbat.studio.metrics import Metrics, Progress, metric
from genbat.studio.metrics_heads import COVERAGE, rank_correlation
from genbat.systems.polymersurrogate import TARGETS, Surrogate

TREES = 200
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Subject:
    """What is measured."""

    system: Surrogate
    polymers: Polymers
    n: int
    seed: int
    report: Progress

    def reporting(self, report: Progress) -> Subject:
        """The same subject with another progress."""
        return replace(self, report=report)


def subject_of(system: Surrogate, polymers: Polymers, n: int, seed: int) -> Subject:
    """What `genbat evaluate polymersurrogate` measures."""
    return Subject(system, polymers, n, seed, lambda fraction, text: None)


def heads(subject: Subject) -> Metrics:
    """R2, error and coverage of the 90 % intervals of every target on the split "test", beside
    ExtraTrees on the same features and the training mean; and the rank correlation with measured
    conductivities, where that table is here."""
    test, train = (subject.polymers.rows(name) for name in ("test", "train"))
    values, halves = subject.system.predict_table(test["text"].tolist())
    forest = _forest(train, test, subject)
    out: Metrics = {}
    for k, key in enumerate(TARGETS):
        truth = test[key].to_numpy("f8")
        known = np.isfinite(truth)
        if known.sum() < 2:
            continue
        mean = np.full(int(known.sum()), float(np.nanmean(train[key])))
        out |= _entries(key, truth[known], values[known, k], halves[known, k],
                        {"ExtraTrees": forest[known, k], "mean predictor": mean})  # fmt: skip
    return out | _measured(subject)


def _entries(
    key: str, truth: Floats, found: Floats, half: Floats, others: dict[str, Floats]
) -> Metrics:
    best = key == TARGETS[0]
    errors = {name: float(np.abs(own - truth).mean()) for name, own in others.items()}
    scores = {name: r2(truth, own) for name, own in others.items()}
    inside = float(np.mean(np.abs(found - truth) <= half))
    return {
        f"{key}_r2": metric(r2(truth, found), baselines=scores, bar=0.55 if best else None),
        f"{key}_mae": metric(
            float(np.abs(found - truth).mean()), BY_KEY[key].unit, baselines=errors
        ),
        f"{key}_coverage": metric(inside, "share", bar=COVERAGE),
        f"{key}_width": metric(2 * float(half.mean()), BY_KEY[key].unit),
    }


def r2(truth: Floats, found: Floats) -> float:
    """Share of the variance that is explained."""
    return float(1 - ((truth - found) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def _forest(train: pd.DataFrame, test: pd.DataFrame, subject: Subject) -> Floats:
    """ExtraTrees (Geurts et al. 2006) on the same features (n, targets)."""
    from sklearn.ensemble import ExtraTreesRegressor

    x, x2 = (features(rows["text"].tolist()) for rows in (train, test))
    out = np.empty((len(test), len(TARGETS)))
    for k, key in enumerate(TARGETS):
        subject.report(k / len(TARGETS), f"baseline: ExtraTrees on {key}")
        y = train[key].to_numpy("f8")
        known = np.isfinite(y)
        if not known.any():  # a table that lacks the property
            out[:, k] = np.nan
            continue
        forest = ExtraTreesRegressor(TREES, random_state=subject.seed, n_jobs=1)
        out[:, k] = forest.fit(x[known], y[known]).predict(x2)
    return out


def _measured(subject: Subject) -> Metrics:
    """Rank correlation with measurements near the simulated temperature and salt, as it is: no
    bar. Polymers of the training set count too; the simulations themselves stand beside it."""
    try:
        known = tables.measured()
    except ValueError:
        return {}
    texts = list(known)
    if len(texts) < 3:
        return {}
    truth = np.array([known[text] for text in texts])
    guess = subject.system.predict_table(texts)[0][:, 0]
    out: dict[str, Any] = {
        "measured_spearman": metric(rank_correlation(truth, guess), baselines=_simulated(
            subject, texts, truth)),
        "measured_polymers": metric(float(len(texts)), "polymers"),
    }  # fmt: skip
    return out


def _simulated(subject: Subject, texts: Sequence[str], truth: Floats) -> dict[str, float]:
    """The same of the simulations, over the polymers that were both simulated and measured."""
    table = subject.polymers.table.set_index("text")[TARGETS[0]]
    both = [k for k, text in enumerate(texts) if text in table.index]
    if len(both) < 3:
        return {}
    own = np.array([float(table[texts[k]]) for k in both])
    return {f"simulated ({len(both)})": rank_correlation(truth[both], own)}
