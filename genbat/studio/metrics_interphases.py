"""Asked against achieved of interphases: what is counted of them, against what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genbat.core.condition import Condition, Window
from genbat.domains.interphases.measures import label
from genbat.domains.interphases.texts import from_text
from genbat.studio.metrics import Metrics, Progress, metric
from genbat.studio.metrics_asked import r_squared

TARGETS_ASKED = 200
BARS = {"thickness": 0.9, "porosity": 0.8}
LOOKED_AT = ("thickness", "porosity", "organic", "inorganic", "roughness")
RESAMPLED, ALONE = "training set resampled", "the networks alone"
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Subject:
    """What is measured: a system, the known interphases, n samples, one seed."""

    system: Any
    known: Any
    n: int
    seed: int
    report: Progress

    def reporting(self, report: Progress) -> Subject:
        """The same subject with another progress."""
        return replace(self, report=report)

    @cached_property
    def held(self) -> list[int]:
        """Rows of the split "test"."""
        return list(self.known.rows("test"))

    def some(self, split: str, most: int, purpose: int) -> list[int]:
        """At most so many rows of a split, chosen at random."""
        rows = self.known.rows(split)
        order = np.random.default_rng((self.seed, purpose)).permutation(len(rows))[:most]
        return [rows[k] for k in sorted(order.tolist())]


def subject_of(system: Any, known: Any, n: int, seed: int) -> Subject:
    """What `genbat evaluate` measures.

    Raises
    ------
    ValueError : no held-out interphase.
    """
    if not known.rows("test"):
        raise ValueError("data: no interphase of the split test")
    return Subject(system, known, n, seed, lambda fraction, text: None)


def asked(subject: Subject) -> Metrics:
    """R² and mean absolute error of thickness and porosity, asked together: what held-out
    interphases have, against what is counted of one sample each. Baselines: the networks without
    counting, and any training interphase."""
    names = list(BARS)
    rows = subject.some("test", TARGETS_ASKED, 1)
    wanted = np.array([_values(subject.known.sites[k], names) for k in rows])
    found = {
        "": _answers(subject, wanted, names, None),
        ALONE: _answers(subject, wanted, names, subject.system.unsettled),
        RESAMPLED: np.array([_values(subject.known.sites[k], names)
                             for k in subject.some("train", len(rows), 2)]),
    }  # fmt: skip
    out: Metrics = {}
    for k, name in enumerate(names):
        pairs = {n: _known(wanted[:, k], own[:, k]) for n, own in found.items()}
        right = {n: r_squared(*both) for n, both in pairs.items()}
        away = {n: float(np.abs(a - b).mean()) for n, (a, b) in pairs.items()}
        out[f"{name}_r2"] = metric(right.pop(""), baselines=right, bar=BARS[name])
        unit = "nm" if name == "thickness" else "share"
        out[f"{name}_mae"] = metric(away.pop(""), unit, baselines=away)
    return out


def _known(wanted: Values, found: Values) -> tuple[Values, Values]:
    """Where something was found; there may be fewer of those than of what was asked."""
    wanted = wanted[: len(found)]
    return wanted[~np.isnan(found)], found[~np.isnan(found)]


def _answers(subject: Subject, wanted: Values, names: Sequence[str], plan: Any) -> Values:
    """What is counted of one sample for each row of aims."""
    rows = [dict(zip(names, row, strict=True)) for row in wanted]
    return np.array([_made(subject, row, k, names, plan) for k, row in enumerate(rows)])


def _made(
    subject: Subject, aims: Mapping[str, float], k: int, names: Sequence[str], plan: Any
) -> list[float]:
    windows = {name: Window(value, value) for name, value in aims.items()}
    (one,) = subject.system.sample(
        1, condition=Condition(windows), seed=subject.seed * 1_000_003 + k, plan=plan
    )
    subject.report(k / TARGETS_ASKED, f"{k} targets asked")
    return _values(from_text(one.text), names)


def _values(sites: Any, names: Sequence[str]) -> list[float]:
    found = label(np.asarray(sites))
    return [found[name] for name in names]


def freely(subject: Subject) -> Metrics:
    """Means of what is counted of n unconditional samples, against held-out interphases, and how
    far the distributions lie apart (Wasserstein distance over the standard deviation)."""
    from scipy.stats import wasserstein_distance

    made = [
        from_text(c.text)
        for c in subject.system.sample(subject.n, seed=subject.seed, progress=subject.report)
    ]
    sets = {
        "": made,
        "real": [subject.known.sites[k] for k in subject.some("test", subject.n, 3)],
        RESAMPLED: [subject.known.sites[k] for k in subject.some("train", subject.n, 4)],
    }
    table = {n: np.array([_values(s, LOOKED_AT) for s in own]) for n, own in sets.items()}
    out: Metrics = {}
    for k, name in enumerate(LOOKED_AT):
        columns = {n: own[~np.isnan(own[:, k]), k] for n, own in table.items()}
        spread = float(columns["real"].std()) or 1.0
        apart = {n: wasserstein_distance(own, columns["real"]) / spread
                 for n, own in columns.items() if n != "real"}  # fmt: skip
        out[f"{name}_apart"] = metric(
            float(apart[""]), "spreads", baselines={RESAMPLED: float(apart[RESAMPLED])}
        )
    return out
