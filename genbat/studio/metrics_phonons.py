"""How many of a system's relaxed crystals are minima: phonons of CHGNet by finite displacements.

With `metrics_distribution` and `metrics_stability` these are the groups of measures of
LeMat-GenBench (arXiv 2512.04562).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.phonons import STABLE_THZ, lowest_frequency
from genbat.studio.judging import key_of, rule
from genbat.studio.keeping import Progress, Row, kept
from genbat.studio.metrics import Metrics
from genbat.studio.metrics_crystals import Subject, table_of
from genbat.studio.metrics_stability import groups_of
from genbat.systems.base import part_of

MOST = 50  # relaxed crystals of each group
UNITS = {"phonon_stable": "share", "phonon_lowest": "THz", "phonon_judged": "crystals"}


def phonons(subject: Subject) -> Metrics:
    """The first MOST relaxed crystals of the system and of each trivial baseline: the share whose
    lowest frequency is no less than STABLE_THZ, and the median of it; crystals that are too large
    for a supercell are left out.

    Real: relaxed held-out crystals.
    """
    less_helped = subject.freely()  # phonons are dear, and these are the same system
    groups = {name: c for name, c in groups_of(subject).items() if name not in less_helped}
    found: dict[str, dict[str, float]] = {}
    for k, (name, cells) in enumerate(groups.items()):
        report = part_of(subject.report, k / len(groups), 1 / len(groups))
        relaxed = [ruling.cell for ruling in rule(cells, subject.log) if ruling.cell is not None]
        log = subject.log.with_name("phonons-1.jsonl") if subject.log else None
        found[name] = counted(lowest_of(relaxed[:MOST], log, report))
    return table_of(found, UNITS, subject.bars)


def lowest_of(
    cells: Sequence[Cell], log: Path | None = None, progress: Progress | None = None
) -> list[float]:
    """Lowest frequencies of relaxed crystals in THz; NaN where a supercell would be too large.

    Parameters
    ----------
    log : JSONL file of earlier ones, by the crystal's text; new ones are added.
    """
    keys = [key_of(cell) for cell in cells]
    rows = kept(
        log,
        dict(zip(keys, cells, strict=True)),
        _in_turn,
        chunk=1,
        progress=progress,
        what="crystals shaken",
    )
    return [np.nan if rows[key]["thz"] is None else float(rows[key]["thz"]) for key in keys]


def counted(lowest: Sequence[float]) -> dict[str, float]:
    """Share that is stable, median (THz) and number of those that have a frequency."""
    known = np.array([thz for thz in lowest if np.isfinite(thz)])
    return {
        "phonon_stable": float((known >= STABLE_THZ).mean()) if len(known) else np.nan,
        "phonon_lowest": float(np.median(known)) if len(known) else np.nan,
        "phonon_judged": float(len(known)),
    }


def _in_turn(parts: Sequence[Sequence[Cell]]) -> Iterator[list[Row]]:
    yield from ([{"thz": _lowest(cell)} for cell in part] for part in parts)


def _lowest(cell: Cell) -> float | None:
    try:
        return lowest_frequency(cell)
    except ValueError:
        return None
