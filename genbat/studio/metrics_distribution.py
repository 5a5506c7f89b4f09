"""How a system's crystals are distributed, how unlike each other they are, and what one costs.

With validity, uniqueness and novelty (`metrics_crystals.samples`), displacement, stability and the
stable, unique and novel share (`metrics_stability`) and phonons (`metrics_phonons`), these are the
groups of measures of LeMat-GenBench (arXiv 2512.04562) with CHGNet as the one judge.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genbat.domains.crystals.chgnet_batch import Cell, evaluator
from genbat.domains.crystals.chgnet_graph import Floats
from genbat.domains.crystals.distributions import (
    effective_number,
    frechet_distance,
    label_distance,
    mean_discrepancy,
    mean_distance,
)
from genbat.domains.crystals.relax import gate
from genbat.domains.crystals.similarity import features
from genbat.domains.crystals.structure import formula_counts, structure_of
from genbat.domains.crystals.symmetry import space_group_number
from genbat.studio.metrics import Metrics
from genbat.studio.metrics_crystals import Made, Subject, table_of, valid_of

BATCH = 32  # crystals embedded at once
UNITS = {"density_mmd": "", "diversity": "fingerprint distance", "elements": "effective number",
         "space_groups": "effective number", "seconds_valid": "s"}  # fmt: skip


def distribution(subject: Subject) -> Metrics:
    """Distances to the held-out crystals: of space groups (Jensen-Shannon), of volume an atom and
    density (maximum mean discrepancy), of CHGNet's embeddings (Fréchet); diversity; seconds a valid
    crystal took.

    Real: the calibration crystals, which the system did not see either. All but the seconds are of
    the valid ones.
    """
    truth = list(subject.some(subject.test, subject.n, 1).cells)
    groups: dict[str, Made] = {"": subject.drawn(), **subject.others()}
    if calibration := subject.corpus.rows("calibration"):
        part = subject.corpus.part(calibration)
        groups["real"] = list(subject.some(part, subject.n, 4).cells)
    subject.report(0.3, "embedding held-out crystals")
    wanted = Traits.of(truth)
    found = {}
    for k, (name, cells) in enumerate(groups.items()):
        subject.report(0.4 + 0.6 * k / len(groups), f"embedding {name or 'samples'}")
        found[name] = compared(Traits.of(valid_of(cells)), wanted)
    valid = len(valid_of(groups[""]))
    seconds = subject.memory["seconds"] / valid if valid else np.nan
    for name, row in found.items():
        row["seconds_valid"] = np.nan if name else seconds
    return table_of(found, UNITS, subject.bars)


class Traits:
    """What is compared of a set of crystals: space groups, volumes an atom (Å³), densities (g/cm³),
    the elements of each, CHGNet's embeddings (m, 64) and fingerprints (n, d)."""

    def __init__(
        self, groups: list[int], volumes: list[float], densities: list[float],
        elements: list[str], embedded: Floats, prints: Floats,
    ) -> None:  # fmt: skip
        self.groups, self.volumes, self.densities = groups, volumes, densities
        self.elements, self.embedded, self.prints = elements, embedded, prints

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> Traits:
        """Of crystals."""
        return cls(
            [space_group_number(cell) for cell in cells],
            [float(abs(np.linalg.det(c.lattice))) / len(c.numbers) for c in cells],
            [float(structure_of(cell).density) for cell in cells],
            [element for cell in cells for element in formula_counts(cell)],
            embeddings(cells),
            np.asarray(features(cells), float),
        )


def compared(made: Traits, real: Traits) -> dict[str, float]:
    """Distances of one set to another, and its own diversity."""
    return {
        "space_group_js": label_distance(made.groups, real.groups),
        "volume_mmd": mean_discrepancy(made.volumes, real.volumes),
        "density_mmd": mean_discrepancy(made.densities, real.densities),
        "chgnet_frechet": frechet_distance(made.embedded, real.embedded),
        "diversity": mean_distance(made.prints),
        "elements": effective_number(made.elements),
        "space_groups": effective_number(made.groups),
    }


def embeddings(cells: Sequence[Cell]) -> Floats:
    """CHGNet's embeddings (m, 64) of those crystals that it can judge."""
    good = [cell for cell in cells if not isinstance(gate(cell), str)]
    parts = [evaluator().embeddings(good[k : k + BATCH]) for k in range(0, len(good), BATCH)]
    return np.concatenate(parts) if parts else np.empty((0, 64))
