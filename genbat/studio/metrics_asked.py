"""Asked against achieved: does a system give what it is asked for, judged by others than itself?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from genbat.core.condition import Condition, Window
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.structure import formula_counts, reduced_formula
from genbat.domains.crystals.symmetry import space_group_number
from genbat.studio.judging import Ruling, rule
from genbat.studio.metrics import Metrics, metric
from genbat.studio.metrics_crystals import Made, Subject
from genbat.systems.base import part_of
from genbat.systems.crystal_corpus import TARGETS

ASKS = 10  # formulas, chemical systems, sizes, space groups; n / ASKS samples of each
QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the training values: what is asked for
WITHIN = {"formation_ev": 0.1, "voltage_v": 0.3}
LEAST_R2 = 0.8
UNASKED = "unconditional"
Meets = Callable[[Cell], bool]


def wishes(subject: Subject) -> Metrics:
    """Share of samples that honour an exact formula, a chemical system, a number of atoms; formulas
    and systems are those of held-out crystals. Beside it what unconditional samples do by chance.
    """
    held = subject.some(subject.test, ASKS, 5).cells
    sizes = [n for n, _ in Counter(subject.train.sizes.tolist()).most_common(ASKS)]
    asks: dict[str, list[tuple[dict[str, Any], Meets]]] = {
        "formula_honoured": [_formula(cell) for cell in held],
        "system_honoured": [_system(cell) for cell in held],
        "atoms_honoured": [_atoms(n) for n in sizes],
    }
    bars = {"formula_honoured": 0.95, "system_honoured": 0.98, "atoms_honoured": 1.0}
    free, out = subject.drawn(), {}
    for k, (name, each) in enumerate(asks.items()):
        mine = subject.reporting(part_of(subject.report, k / 3, 1 / 3))
        shares = [_share(mine.draw(_each(mine), Condition(wishes=w)), meets) for w, meets in each]
        chance = [_share(free, meets) for _, meets in each]
        out[name] = metric(
            float(np.mean(shares)),
            "share",
            baselines={UNASKED: float(np.mean(chance))},
            bar=bars[name],
        )
    return out


def _each(subject: Subject) -> int:
    return max(2, subject.n // ASKS)


def _share(cells: Made, meets: Meets) -> float:
    return float(np.mean([cell is not None and meets(cell) for cell in cells]))


def _formula(cell: Cell) -> tuple[dict[str, Any], Meets]:
    wanted = reduced_formula(cell)
    return {"formula": wanted}, lambda made: reduced_formula(made) == wanted


def _system(cell: Cell) -> tuple[dict[str, Any], Meets]:
    wanted = set(formula_counts(cell))
    return {"system": sorted(wanted)}, lambda made: set(formula_counts(made)) == wanted


def _atoms(n: int) -> tuple[dict[str, Any], Meets]:
    return {"atoms": n}, lambda made: len(made.numbers) == n


# ---------------------------------------------------------------------- space groups
def symmetry(subject: Subject) -> Metrics:
    """Share of samples in the space group asked for (spglib, 0.1 Å), of the ASKS most frequent
    groups but P1: as generated, and after CHGNet's relaxation of those that pass its gates.

    The gain is over the unconditional rate; a group that no unconditional sample has counts there
    as half a sample."""
    if "space_group" not in subject.system.config.adapters:
        return {}
    seen = Counter(int(g) for g in subject.train.groups if g > 1)
    groups = [group for group, _ in seen.most_common(ASKS)]
    free = subject.drawn()
    rest = rule(free, subject.log, progress=part_of(subject.report, 0.0, 0.3))
    raw, relaxed, by_chance, by_chance_relaxed = [], [], [], []
    for k, group in enumerate(groups):
        mine = subject.reporting(part_of(subject.report, 0.3 + 0.7 * k / ASKS, 0.7 / ASKS))
        made = mine.draw(_each(mine), Condition(wishes={"space_group": group}))
        raw.append(_share(made, lambda c, g=group: space_group_number(c) == g))  # type: ignore[misc]
        by_chance.append(_share(free, lambda c, g=group: space_group_number(c) == g))  # type: ignore[misc]
        relaxed.append(_group_share(rule(made, subject.log, progress=mine.report), group))
        by_chance_relaxed.append(_group_share(rest, group))
    return {
        "space_group_generated": _against(raw, by_chance),
        "space_group_relaxed": _against(relaxed, by_chance_relaxed),
        "space_group_gain": metric(
            _ratio(relaxed, by_chance_relaxed, sum(not r.failed for r in rest)),
            "times",
            baselines={"as generated": _ratio(raw, by_chance, len(free))},
            bar=5.0,
        ),
    }


def _group_share(rulings: Sequence[Ruling], group: int) -> float:
    """Of those that relaxed; 0 where none did."""
    good = [r.group for r in rulings if not r.failed]
    return float(np.mean([g == group for g in good])) if good else 0.0


def _against(shares: list[float], chance: list[float]) -> dict[str, Any]:
    return metric(_average(shares), "share", baselines={UNASKED: _average(chance)}, bar=0.5)


def _average(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else np.nan


def _ratio(shares: list[float], chance: list[float], samples: int) -> float:
    rates = np.maximum(chance, 0.5 / max(1, samples))
    return float(np.sum(shares) / np.sum(rates)) if len(shares) else np.nan


# ---------------------------------------------------------------------- properties
def targets(subject: Subject) -> Metrics:
    """For five formation energies and five voltages, spread over the training values: the median
    that CHGNet finds against what was asked, the worst miss, and R² of the five medians.

    Crystals that fail the gates, or that are no host where a voltage is asked, do not count;
    `..._judged` is the share that does.
    """
    free = rule(subject.drawn(), subject.log, progress=part_of(subject.report, 0.0, 0.2))
    out: Metrics = {}
    for k, (key, within) in enumerate(WITHIN.items()):
        mine = subject.reporting(part_of(subject.report, 0.2 + 0.4 * k, 0.4))
        known = subject.train.values[:, TARGETS.index(key)]
        if np.isnan(known).all() or key not in subject.system.config.adapters:
            continue
        asked = np.nanquantile(known, QUANTILES)
        found = [_achieved(mine, key, float(value), i) for i, value in enumerate(asked)]
        out |= _table(key, within, asked, found, _values(free, key))
    return out


def _achieved(subject: Subject, key: str, value: float, i: int) -> np.ndarray:
    """What CHGNet finds of samples asked for one value (n / ASKS,), NaN where nothing."""
    begin, share = i / len(QUANTILES), 1 / len(QUANTILES)
    mine = subject.reporting(part_of(subject.report, begin, share))
    made = mine.draw(_each(mine), Condition({key: Window(value, value)}))
    return _values(rule(made, subject.log, progress=mine.report), key)


def _values(rulings: Sequence[Ruling], key: str) -> np.ndarray:
    return np.array([ruling.get(key) for ruling in rulings])


def _table(
    key: str, within: float, asked: np.ndarray, found: Sequence[np.ndarray], free: np.ndarray
) -> Metrics:
    unit = "V" if key == "voltage_v" else "eV/atom"
    medians = np.array([_median(values) for values in found])
    chance = np.full(len(asked), _median(free))
    judged = float(np.mean([np.isfinite(values).mean() for values in found]))
    out = {
        f"{key}_worst_miss": metric(
            _worst(asked, medians), unit, baselines={UNASKED: _worst(asked, chance)}, bar=within
        ),
        f"{key}_r2": metric(
            r_squared(asked, medians), baselines={UNASKED: r_squared(asked, chance)}, bar=LEAST_R2
        ),
        f"{key}_judged": metric(
            judged, "share", baselines={UNASKED: float(np.isfinite(free).mean())}
        ),
    }
    for value, median in zip(asked, medians, strict=True):
        name = f"{key}_asked_{value:.2f}"
        out[name] = metric(
            median, unit, baselines={UNASKED: _median(free)}, bar=[value - within, value + within]
        )
    return out


def _median(values: np.ndarray) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else np.nan


def _worst(asked: np.ndarray, found: np.ndarray) -> float:
    return float(np.max(np.abs(asked - found)))


def r_squared(asked: np.ndarray, found: np.ndarray) -> float:
    """1 - residual over total sum of squares: how much of what was asked is found again."""
    total = np.square(asked - np.mean(asked)).sum()
    return float(1 - np.square(asked - found).sum() / total) if total > 0 else np.nan
