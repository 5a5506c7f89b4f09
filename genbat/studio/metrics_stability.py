"""What CHGNet says of a system's crystals: how far they move, and how many are stable and new."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genbat.domains.crystals.catalogue import Catalogue, first_of_each
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.stability import Landscape, landscape
from genbat.studio.judging import Ruling, rule
from genbat.studio.metrics import Metrics
from genbat.studio.metrics_crystals import RESAMPLED, SUBSTITUTED, Made, Subject, table_of
from genbat.systems.base import part_of

NEAR_EV = 0.1  # eV/atom above the hull that counts as stable (Zeni et al. 2025)
REAL = 200  # known and held-out crystals that are judged
UNITS = {"relaxed": "share", "displacement_a": "Å", "stable": "share", "sun": "share",
         "relaxed_p1": "share"}  # fmt: skip


def stability(subject: Subject) -> Metrics:
    """n samples relaxed by CHGNet, beside as many substituted prototypes, some crystals of the
    training and some held-out ones and, for a system that keeps to moulds, some samples without
    them.

    sun: share of all samples that are stable (at most 0.1 eV/atom above the hull of our crystals
    and the known phases, CHGNet's energies), unique among them, and novel: no crystal of the data
    set and no known phase, which is told by composition and energy.
    """
    groups = groups_of(subject)
    known, land = Catalogue(subject.corpus.cells), landscape()
    found = {}
    whole, begun = sum(map(len, groups.values())), 0
    for name, cells in groups.items():
        report = part_of(subject.report, begun / whole, len(cells) / whole)
        found[name] = relaxed_counts(rule(cells, subject.log, progress=report), known, land)
        begun += len(cells)
    found["real"]["sun"] = np.nan  # they are all known
    return table_of(found, UNITS, subject.bars)


def groups_of(subject: Subject) -> dict[str, Made]:
    """Whose crystals are relaxed: the system's as "", those of its baselines, and real ones."""
    return {
        "": subject.drawn(),
        SUBSTITUTED: subject.others()[SUBSTITUTED],
        RESAMPLED: subject.others()[RESAMPLED][:REAL],
        **subject.freely(),
        "real": list(subject.some(subject.test, REAL, 1).cells),
    }


def relaxed_counts(
    rulings: Sequence[Ruling], known: Catalogue, land: Landscape
) -> dict[str, float]:
    """Shares of all that relax past the gates, are stable, and stable, unique and novel; the median
    displacement (Å) and the share of P1 (spglib, 0.1 Å) of those that relax."""
    good = [r for r in rulings if r.cell is not None]
    low = [r.cell for r in good if r.cell is not None and _is_stable(r, r.cell, land)]
    fresh = [c for c, new in zip(low, first_of_each(low), strict=True) if new]
    energies = {id(r.cell): r.get("formation_ev") for r in good}
    novel = [c for c in fresh if _is_novel(c, energies[id(c)], known, land)]
    total = max(1, len(rulings))
    return {
        "relaxed": len(good) / total,
        "displacement_a": float(np.median([r.moved for r in good])) if good else np.nan,
        "stable": len(low) / total,
        "sun": len(novel) / total,
        "relaxed_p1": float(np.mean([r.group == 1 for r in good])) if good else np.nan,
    }


def _is_stable(ruling: Ruling, cell: Cell, land: Landscape) -> bool:
    return land.above(cell, ruling.get("formation_ev")) <= NEAR_EV


def _is_novel(cell: Cell, formation_ev: float, known: Catalogue, land: Landscape) -> bool:
    return not (land.is_known_phase(cell, formation_ev) or known.holds(cell))
