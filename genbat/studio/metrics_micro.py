"""How well generated electrodes are what was asked of them, what their heads know, and how they lie
among held-out ones: of the systems that learn from GenBat's own electrodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genbat.core import paths
from genbat.core.condition import Condition, Window
from genbat.domains.microstructures.labelling import ACTIVE, BINDER, PORE, mean_chord
from genbat.domains.microstructures.statistics import fractions, surfaces
from genbat.domains.microstructures.volume import ELECTRODE, Volume, from_text
from genbat.studio.metrics import Metrics, Progress, metric
from genbat.studio.metrics_asked import r_squared
from genbat.studio.metrics_volumes import diffusivities
from genbat.systems.microvae_network import TARGETS

Values = NDArray[np.float64]
AIMS = 10
POROSITIES = (0.2, 0.6)  # the ends of what is asked
MIDDLE = (5.0, 95.0)  # per cent of the training's tortuosities, likewise
FREE, ALONE = "nothing asked", "share of pores not settled"
LEARNT, MEAN = "training set resampled", "training mean"
COUNTED = ("porosity", "binder", "surface", "grain")


@dataclass(frozen=True)
class Subject:
    """What is measured: a system, known electrodes, n volumes, one seed."""

    system: Any
    known: Any
    n: int
    seed: int
    report: Progress
    log: Path | None = None

    def reporting(self, report: Progress) -> Subject:
        """The same subject with another progress."""
        return replace(self, report=report)

    @cached_property
    def free(self) -> list[Volume]:
        """n volumes of which nothing is asked."""
        made = self.system.sample(self.n, seed=self.seed, progress=self.report)
        return [from_text(candidate.text) for candidate in made]

    def asked(self, name: str, value: float, count: int, seed: int, **options: Any) -> list[Volume]:
        """Volumes of which one value is asked."""
        condition = Condition({name: Window(value, value)})
        made = self.system.sample(count, condition=condition, seed=seed, **options)
        return [from_text(candidate.text) for candidate in made]

    def some(self, split: str, most: int, purpose: int) -> list[int]:
        """At most so many rows of a split, chosen at random."""
        rows = self.known.rows(split)
        order = np.random.default_rng((self.seed, purpose)).permutation(len(rows))[:most]
        return [rows[k] for k in sorted(order.tolist())]

    def volumes(self, rows: Sequence[int]) -> list[Volume]:
        """Known electrodes."""
        return [Volume(self.known.labels[k], ELECTRODE) for k in rows]


def subject_of(system: Any, known: Any, n: int, seed: int) -> Subject:
    """What `genbat evaluate` measures.

    Raises
    ------
    ValueError : no held-out electrode.
    """
    if not known.rows("test"):
        raise ValueError("data: no volume of the split test")
    log = paths.home() / "evaluation" / "microstructures.jsonl"
    return Subject(system, known, n, seed, lambda fraction, text: None, log)


# ---------------------------------------------------------------------- asked and achieved
def asked(subject: Subject) -> Metrics:
    """Over ten porosities, and over ten tortuosity factors through the electrode, each asked alone:
    what was achieved, by counting voxels and by TauFactor. Baseline: volumes of which nothing is
    asked, against the same aims."""
    train = subject.known.values[subject.known.rows("train"), TARGETS.index("tau_z")]
    low, high = np.nanpercentile(np.where(np.isfinite(train), train, np.nan), MIDDLE).tolist()
    return {
        **_asked(subject, "porosity", np.linspace(*POROSITIES, AIMS), (0.02, 0.95), relative=False),
        **_asked(subject, "tau_z", np.geomspace(low, high, AIMS), (0.15, 0.8), relative=True),
    }


def _asked(
    subject: Subject, name: str, aims: Values, bars: tuple[float, float], *, relative: bool
) -> Metrics:
    each = -(-subject.n // AIMS)
    wanted = np.repeat(aims, each)
    found = {"": _over(subject, name, aims, each)}
    free = _values(subject, name, subject.free)
    found[FREE] = free[np.arange(len(wanted)) % len(free)]
    if name == "tau_z" and hasattr(subject.system, "unsettled"):
        found[ALONE] = _over(subject, name, aims, each, plan=subject.system.unsettled)
    share = wanted if relative else np.ones_like(wanted)
    error = {n: np.abs(own - wanted) / share for n, own in found.items()}
    known = {n: np.isfinite(own) for n, own in error.items()}
    means = {n: float(own[known[n]].mean()) for n, own in error.items()}
    fit = {n: r_squared(wanted[known[n]], own[known[n]]) for n, own in found.items()}
    out = {
        f"{name}_mae": _first(means, "share" if relative else "", bars[0]),
        f"{name}_r2": _first(fit, "", bars[1]),
    }
    for k, aim in enumerate(aims):
        own = found[""][k * each : (k + 1) * each]
        middle = float(own[np.isfinite(own)].mean()) if np.isfinite(own).any() else np.nan
        out[f"{name}_asked_{aim:.2f}"] = metric(middle)
    if name == "tau_z":
        out["percolating"] = metric(float(known[""].mean()), "share")
    return out


def _over(subject: Subject, name: str, aims: Values, each: int, **options: Any) -> Values:
    """What is found of so many volumes for every aim."""
    made: list[Volume] = []
    for k, aim in enumerate(aims):
        seed = subject.seed * 1_000_003 + k
        made += subject.asked(name, float(aim), each, seed, **options)
        subject.report((k + 1) / AIMS, f"{name} {aim:.3g} asked")
    return _values(subject, name, made)


def _first(values: Mapping[str, float], unit: str, bar: float) -> dict[str, Any]:
    """The system's value beside the others'."""
    others = {name: value for name, value in values.items() if name}
    return metric(values[""], unit, baselines=others, bar=bar)


def _values(subject: Subject, name: str, volumes: Sequence[Volume]) -> Values:
    """Porosities, or tortuosity factors along z: infinite where nothing percolates."""
    porosity = np.array([fractions(v)[PORE] for v in volumes])
    if name == "porosity":
        return porosity
    flow = np.array(diffusivities({"": volumes}, subject)[""])
    return np.divide(porosity, flow, out=np.full_like(flow, np.inf), where=flow > 0)


# ---------------------------------------------------------------------- freely
def freely(subject: Subject) -> Metrics:
    """How far what is counted of n volumes lies from held-out electrodes: Wasserstein distances
    over the standard deviation."""
    from scipy.stats import wasserstein_distance

    sets = {
        "": subject.free,
        "real": subject.volumes(subject.some("test", subject.n, 3)),
        LEARNT: subject.volumes(subject.some("train", subject.n, 4)),
    }
    table = {name: np.array([_counted(v) for v in own]) for name, own in sets.items()}
    out: Metrics = {}
    for k, name in enumerate(COUNTED):
        columns = {n: own[np.isfinite(own[:, k]), k] for n, own in table.items()}
        spread = float(columns["real"].std()) or 1.0
        apart = {n: float(wasserstein_distance(columns[n], columns["real"])) / spread
                 for n in ("", LEARNT)}  # fmt: skip
        out[f"{name}_apart"] = metric(apart[""], "spreads", baselines={LEARNT: apart[LEARNT]})
    return out


def _counted(volume: Volume) -> list[float]:
    """COUNTED of one volume."""
    share = [*fractions(volume), 0.0]
    return [
        float(share[PORE]),
        float(share[BINDER]),
        float(surfaces(volume)[PORE, ACTIVE]),
        mean_chord(volume, ACTIVE),
    ]


# ---------------------------------------------------------------------- what microvae knows
def heads(subject: Subject) -> Metrics:
    """Error, R² and coverage of the intervals of every head on held-out electrodes."""
    rows = subject.known.rows("test")
    middle, low, high = subject.system.intervals(_points(subject, rows))
    wanted, out = subject.known.values[rows], {}
    train = subject.known.values[subject.known.rows("train")]
    for k, name in enumerate(TARGETS):
        known = np.isfinite(wanted[:, k])
        if known.sum() < 2:
            continue
        truth, guess = wanted[known, k], middle[known, k]
        mean = float(np.nanmean(np.where(np.isfinite(train[:, k]), train[:, k], np.nan)))
        plain = {MEAN: float(np.abs(truth - mean).mean())}
        inside = (truth >= low[known, k]) & (truth <= high[known, k])
        out[f"{name}_mae"] = metric(float(np.abs(guess - truth).mean()), baselines=plain)
        out[f"{name}_r2"] = metric(r_squared(truth, guess), baselines={MEAN: 0.0})
        out[f"{name}_coverage"] = metric(float(inside.mean()), "share", bar=[0.87, 0.93])
    return out


def _points(subject: Subject, rows: Sequence[int]) -> Values:
    parts = []
    for k in range(0, len(rows), 16):
        parts.append(subject.system.encode_volumes(subject.volumes(rows[k : k + 16])))
        subject.report(k / len(rows), f"{k} of {len(rows)} volumes encoded")
    return np.concatenate(parts)


def textures(subject: Subject) -> Metrics:
    """Whether the latent point is the material and not the place: of the two halves of a held-out
    electrode, how often is the other half the nearest among all others' halves."""
    rows = subject.some("test", subject.n, 5)
    volumes = subject.volumes(rows)
    halves = [Volume(np.ascontiguousarray(part), v.phases)
              for v in volumes for part in np.split(v.labels, 2, axis=2)]  # fmt: skip
    points = subject.system.encode_volumes(halves)
    simple = np.array([_counted(v)[:2] for v in halves])
    found = {"": _paired(points), "porosity and binder": _paired(simple)}
    chance = 1 / (len(halves) - 1)
    others = {"porosity and binder": found["porosity and binder"], "chance": chance}
    return {"other_half_nearest": metric(found[""], "share", baselines=others)}


def _paired(points: Values) -> float:
    """Share of points 2 k and 2 k + 1 that are each other's nearest, in standardised axes."""
    own = (points - points.mean(0)) / (points.std(0) + 1e-9)
    apart = np.linalg.norm(own[:, None] - own[None], axis=2) + np.diag(np.full(len(own), np.inf))
    return float(np.mean(apart.argmin(1) == np.arange(len(own)) ^ 1))
