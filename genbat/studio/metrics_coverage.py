"""How well a system's crystals cover the held-out ones, by fingerprints and distributions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.fingerprints import (
    FEATURES,
    Prints,
    composition_print,
    coverage,
    structure_print,
)
from genbat.domains.crystals.measures import structurally_valid
from genbat.domains.crystals.structure import formula_counts, structure_of
from genbat.studio.judging import key_of
from genbat.studio.keeping import Row, kept
from genbat.studio.metrics import Metrics
from genbat.studio.metrics_crystals import Made, Subject, table_of, valid_of

CHUNK, LOG = 32, "fingerprints.jsonl"
# Thresholds of COV in structure and composition: Perov-5's and Carbon-24's, and MP-20's.
CUTS = {"": (0.2, 4.0), "_wide": (0.4, 10.0)}


def cover(subject: Subject) -> Metrics:
    """COV recall and precision at both pairs of published thresholds, and the Wasserstein distances
    of densities (g/cm³) and of numbers of elements, against the held-out crystals.

    Real: the calibration crystals, which the system did not see either.
    """
    groups = {"": subject.drawn(), **subject.others()}
    calibration = subject.corpus.part(subject.corpus.rows("calibration"))
    if len(calibration):
        groups["real"] = list(subject.some(calibration, subject.n, 4).cells)
    truth = list(subject.some(subject.test, subject.n, 1).cells)
    found: dict[str, dict[str, float]] = {}
    subject.report(0.1, "fingerprints of held-out crystals")
    real = prints(truth, subject.log)
    for k, (name, cells) in enumerate(groups.items()):
        subject.report((k + 1) / (len(groups) + 1), f"fingerprints: {name or 'samples'}")
        found[name] = covered(cells, real, subject.log) | wasserstein(valid_of(cells), truth)
    units = {key: "share" for key in found[""] if key.startswith("cov")}
    return table_of(found, units | {"density_distance": "g/cm³"}, subject.bars)


def prints(cells: Sequence[Cell], log: Path | None = None) -> Prints:
    """Structure fingerprints of crystals, None where there is none, and composition fingerprints
    (n, 132); the former take long and are kept in a file beside the rulings' log."""
    if log is not None:
        log = log.with_name(LOG)
    keys = [key_of(cell) for cell in cells]
    rows = kept(log, dict(zip(keys, cells, strict=True)), _printed, chunk=CHUNK)
    made = [rows[key]["print"] for key in keys]
    structures = [None if one is None else np.array(one) for one in made]
    compositions = [composition_print(cell) for cell in cells]
    return structures, np.array(compositions).reshape(-1, FEATURES)


def _printed(chunks: Sequence[Sequence[Cell]]) -> Iterator[list[Row]]:
    for chunk in chunks:
        found = [structure_print(cell) for cell in chunk]
        yield [{"print": None if one is None else one.round(7).tolist()} for one in found]


def covered(cells: Made, real: Prints, log: Path | None = None) -> dict[str, float]:
    """COV of a set against the fingerprints of real crystals, at both pairs of thresholds."""
    sound = [cell for cell in cells if cell is not None and structurally_valid(cell)]
    made, lost = prints(sound, log), len(cells) - len(sound)  # the lost count as far from all
    whole = [*made[0], *([None] * lost)], np.vstack([made[1], np.zeros((lost, made[1].shape[1]))])
    out: dict[str, float] = {}
    for ending, cuts in CUTS.items():
        recall, precision = coverage(whole, real, *cuts)
        out |= {f"cov_recall{ending}": recall, f"cov_precision{ending}": precision}
    return out


def wasserstein(made: Sequence[Cell], real: Sequence[Cell]) -> dict[str, float]:
    """Distances of the distributions of density and of the number of elements."""
    from scipy.stats import wasserstein_distance

    if not made:
        return {"density_distance": np.nan, "elements_distance": np.nan}
    densities = [[float(structure_of(c).density) for c in cells] for cells in (made, real)]
    elements = [[len(formula_counts(c)) for c in cells] for cells in (made, real)]
    return {
        "density_distance": float(wasserstein_distance(*densities)),
        "elements_distance": float(wasserstein_distance(*elements)),
    }
