"""What crystalgan's two steps are worth: constraint, relaxation, and both beside naive mixing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from genbat.domains.crystals.catalogue import Catalogue
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.structure import primitive
from genbat.studio.judging import Ruling, rule
from genbat.studio.metrics import Metrics, metric
from genbat.studio.metrics_crystals import Made, Subject
from genbat.systems.base import part_of
from genbat.systems.crystalgan_pairs import ANIONS_OF, NONMETALS, Stock
from genbat.systems.crystalgan_training import joinable

NAIVE, FIRST = "both binaries in one cell", "first step alone"
STAGES = {"": "ternary", FIRST: "pseudo", NAIVE: "union"}
LEAST, RELAXED = 0.60, 0.30  # shares wanted
OVER = {NAIVE: 5.0, FIRST: 3.0}  # times that the constraint is to be kept as often
JUDGED = 200  # of each set


def constraint(subject: Subject) -> Metrics:
    """Share of n ternaries that keep the limits of distances, without any repair; beside it both
    binaries laid into one cell, the first step alone, and real ternaries held out. Unseen: the same
    of held-out binaries, where there are some.

    The limits are those of binaries: how many real ternaries keep them says what they are worth.
    """
    keeps, held = subject.system.keeps, ternaries(subject)
    share = kept_by_stage(subject)
    real = kept_share(held, keeps) if held else np.nan
    out = {
        "constraint_kept": metric(
            share[""], "share", baselines=_others(share), real=real, bar=LEAST
        )
    }
    if unseen := joinable(subject.test.cells):
        fresh = kept_by_stage(subject, stock=Stock.of([primitive(cell) for cell in unseen]))
        out["constraint_kept_unseen"] = metric(fresh[""], "share", baselines=_others(fresh))
    for name, times in OVER.items():
        # None in n counts as half a crystal.
        gain = share[""] / max(share[name], 0.5 / subject.n)
        key = "gain_over_naive" if name == NAIVE else "gain_over_first_step"
        out[key] = metric(gain, "times", bar=times)
    return out


def kept_by_stage(subject: Subject, **options: Any) -> dict[str, float]:
    """Share of n crystals of each stage that keep the constraint."""
    return {
        name: kept_share(
            subject.draw(subject.n, None, stage=stage, **options), subject.system.keeps
        )
        for name, stage in STAGES.items()
    }


def relaxation(subject: Subject) -> Metrics:
    """Share of JUDGED ternaries that CHGNet relaxes past its gates and to the same structure
    (StructureMatcher at its own tolerances), and how far their atoms move."""
    count = min(JUDGED, subject.n)
    groups: dict[str, Made] = {
        name: subject.draw(count, None, stage=stage) for name, stage in STAGES.items()
    }
    if held := ternaries(subject)[:count]:
        groups["real"] = list(held)
    same, moved = {}, {}
    for k, (name, cells) in enumerate(groups.items()):
        report = part_of(subject.report, k / len(groups), 1 / len(groups))
        rulings = rule(cells, subject.log, progress=report)
        same[name] = same_share(cells, rulings)
        good = [r.moved for r in rulings if not r.failed]
        moved[name] = float(np.median(good)) if good else np.nan
    return {
        "relaxed_same": metric(
            same[""], "share", baselines=_others(same), real=same.get("real"), bar=RELAXED
        ),
        "displacement_a": metric(moved[""], "Å", baselines=_others(moved), real=moved.get("real")),
    }


def ternaries(subject: Subject) -> list[Cell]:
    """Held-out hydrides and oxides of two metals, at most n."""
    kinds = [set(cell.numbers.tolist()) for cell in subject.test.cells]
    rows = [
        k for k, own in enumerate(kinds)
        if len(own) == 3 and len(own & NONMETALS) == 1 and own & set(ANIONS_OF)
    ]  # fmt: skip
    return list(subject.some(subject.test.part(rows), subject.n, 11).cells) if rows else []


def kept_share(cells: Sequence[Cell | None], keeps: Callable[[Cell], bool]) -> float:
    """Share of some crystals that keep the constraint."""
    return float(np.mean([cell is not None and keeps(cell) for cell in cells]))


def same_share(cells: Sequence[Cell | None], rulings: Sequence[Ruling]) -> float:
    """Share of some crystals that are still the same structure when they are relaxed."""
    pairs = zip(cells, rulings, strict=True)
    return float(np.mean([
        cell is not None and r.cell is not None and Catalogue([r.cell]).holds(cell)
        for cell, r in pairs
    ]))  # fmt: skip


def _others(found: Mapping[str, float]) -> dict[str, float]:
    return {name: found[name] for name in OVER}
