"""How well a coarse volume is made fine: against the true fine volume that was withheld.

The held-out part of the tomogram is made FACTOR times as coarse, and fine again by the system, by
nearest-neighbour and by trilinear upsampling. Means over cubes of SIZE voxels are compared; the
real figure is what the part learnt from differs by from the part held out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from genbat.domains.microstructures.statistics import fractions, specific_surface, triple_line
from genbat.domains.microstructures.tomography import crops
from genbat.domains.microstructures.volume import Volume
from genbat.studio.metrics import Metrics, Progress, metric
from genbat.studio.metrics_volumes import SIZE
from genbat.studio.training_superres import Pair, coarse_of
from genbat.systems.superres import FACTOR, upsampled

PLAIN = ("nearest", "trilinear")
MOST = 0.05  # the largest error wanted, as a share


@dataclass(frozen=True)
class Subject:
    """What is measured: a system, a pair with a held-out part, n cubes, one seed."""

    system: Any
    pair: Pair
    n: int
    seed: int
    report: Progress

    def reporting(self, report: Progress) -> Subject:
        """The same subject with another progress."""
        return replace(self, report=report)

    @cached_property
    def groups(self) -> dict[str, list[Volume]]:
        """Cubes by origin: "" is the system's, "true" the withheld ones at the same places."""
        assert self.pair.test is not None
        coarse = coarse_of(self.pair.test)
        made = {name: upsampled(coarse, name) for name in PLAIN}
        made[""] = self.system.enhance(coarse, seed=self.seed)
        shape = tuple(FACTOR * n for n in coarse.shape)
        made["true"], made["real"] = _cut(self.pair.test, shape), self.pair.fine[0]
        return {name: self._cubes(volume) for name, volume in made.items()}

    def _cubes(self, volume: Volume) -> list[Volume]:
        found = crops(volume, SIZE)
        order = np.random.default_rng(self.seed).permutation(len(found))
        return [found[k] for k in sorted(order[: self.n].tolist())]


def _cut(volume: Volume, shape: tuple[int, ...]) -> Volume:
    corner = tuple(slice(0, n) for n in shape)
    return Volume(np.ascontiguousarray(volume.labels[corner]), volume.phases, volume.voxel_um)


def subject_of(system: Any, pair: Pair, n: int, seed: int) -> Subject:
    """What `genbat evaluate superres` measures.

    Raises
    ------
    ValueError : there is no held-out part.
    """
    if pair.test is None:
        raise ValueError("data: has no withheld fine volume; nothing can be measured")
    return Subject(system, pair, n, seed, lambda fraction, text: None)


def fidelity(subject: Subject) -> Metrics:
    """Errors of fractions, surfaces and triple line against the truth, as shares of it."""
    groups, phases = subject.groups, subject.pair.fine[0].phases
    out: Metrics = {}
    for k, phase in enumerate(phases):
        out[f"error of the share of {phase}"] = _errors(groups, partial(_of, fractions, k))
        subject.report((k + 0.5) / len(phases), f"share and surface of {phase}")
        out[f"error of the surface of {phase}"] = _errors(groups, partial(_of, specific_surface, k))
    if len(phases) > 2:
        out["error of the triple line"] = _errors(groups, triple_line)
    return out


def _of(measured: Callable[[Volume], np.ndarray], phase: int, volume: Volume) -> float:
    return float(measured(volume)[phase])


def _errors(
    groups: Mapping[str, Sequence[Volume]], measured: Callable[[Volume], float]
) -> dict[str, Any]:
    """The error of a mean, wanted at most MOST and half of each plain way's."""
    mean = {name: float(np.mean([measured(v) for v in own])) for name, own in groups.items()}
    error = {name: abs(m - mean["true"]) / mean["true"] for name, m in mean.items()}
    plain = {name: error[name] for name in PLAIN}
    bar = min(MOST, *(0.5 * e for e in plain.values()))
    return metric(error[""], "share", baselines=plain, real=error["real"], bar=bar)
