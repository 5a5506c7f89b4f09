"""How well slices of what a system makes look like the real images: where there is no true volume.

Systems that learnt from images alone are measured by slices across z, y and x, SIZE pixels an edge:
those of their volumes, crops of the images they learnt from (what is wanted), crops of images held
out (real), and a trivial way: pixels thrown at random with the phases' shares, or for finer volumes
the coarse one's voxels repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genbat.domains.microstructures.statistics import correlation, fractions, specific_surface
from genbat.domains.microstructures.volume import Volume, from_text
from genbat.studio.metrics import Metrics, Progress, metric
from genbat.studio.metrics_volumes import BAND, LAGS, SIZE
from genbat.studio.training_superres import Pair
from genbat.systems.superres import upsampled

MOST = 64  # coarse voxels along an edge that are made finer
LEARNT = "images it was trained on"
CLOSE = 0.02  # of a share, from that of the images learnt from
Slices = list[list[Volume]]  # across z, y and x, one voxel deep each


@dataclass(frozen=True)
class Subject:
    """What is measured: a system, its images, n slices an axis, one seed."""

    system: Any
    examples: Any
    n: int
    seed: int
    report: Progress

    def reporting(self, report: Progress) -> Subject:
        """The same subject with another progress."""
        return replace(self, report=report)

    @cached_property
    def groups(self) -> dict[str, Slices]:
        """All that is measured, by name: "" is the system's."""
        examples, pair = self.examples, isinstance(self.examples, Pair)
        learnt = examples.fine if pair else (examples.train, *examples.sides)
        made = self._finer() if pair else self._drawn(learnt[0])
        return made | {"real": self._crops(examples.held, 2), LEARNT: self._crops(learnt, 1)}

    def _finer(self) -> dict[str, Slices]:
        whole = self.examples.coarse
        coarse = replace(whole, labels=whole.labels[:MOST, :MOST, :MOST])
        made = {"": self.system.enhance(coarse, seed=self.seed),
                "voxels repeated": upsampled(coarse, "nearest")}  # fmt: skip
        return {name: self._of_volume(volume) for name, volume in made.items()}

    def _drawn(self, image: Volume) -> dict[str, Slices]:
        candidates = self.system.sample(self.n, seed=self.seed, progress=self.report)
        volumes = [from_text(candidate.text) for candidate in candidates]
        random, shape = np.random.default_rng((self.seed, 3)), (SIZE,) * 3
        shares = fractions(image)
        thrown = [random.choice(len(shares), shape, p=shares).astype("u1") for _ in range(self.n)]
        plain = [replace(image, labels=labels) for labels in thrown]
        return {"": self._one_each(volumes), "pixels at random": self._one_each(plain)}

    # ------------------------------------------------------------------ slices
    def _one_each(self, volumes: Sequence[Volume]) -> Slices:
        random = np.random.default_rng((self.seed, 4))
        return [[_slice(v, axis, random) for v in volumes] for axis in range(3)]

    def _of_volume(self, volume: Volume) -> Slices:
        random = np.random.default_rng((self.seed, 5))
        return [[_slice(volume, axis, random) for _ in range(self.n)] for axis in range(3)]

    def _crops(self, images: Sequence[Volume], purpose: int) -> Slices:
        """Crops of images that lie across z, turned to where they belong."""
        random = np.random.default_rng((self.seed, purpose))
        own = [images[axis if len(images) == 3 else 0] for axis in range(3)]
        flat = [[_slice(image, 0, random) for _ in range(self.n)] for image in own]
        return [[_turned(one, axis) for one in flat[axis]] for axis in range(3)]


def _slice(volume: Volume, axis: int, random: np.random.Generator) -> Volume:
    """A random square of SIZE voxels across an axis."""
    size = [1 if k == axis else SIZE for k in range(3)]
    corner = [int(random.integers(n - s + 1)) for n, s in zip(volume.shape, size, strict=True)]
    cut = tuple(slice(at, at + s) for at, s in zip(corner, size, strict=True))
    return replace(volume, labels=np.ascontiguousarray(volume.labels[cut]), periodic=False)


def _turned(image: Volume, axis: int) -> Volume:
    return replace(image, labels=np.ascontiguousarray(np.moveaxis(image.labels, 0, axis)))


def subject_of(system: Any, examples: Any, n: int, seed: int) -> Subject:
    """What `genbat evaluate` measures of a variant.

    Raises
    ------
    ValueError : no image is held out.
    """
    if not examples.held:
        raise ValueError("data: no image is held out; nothing can be measured")
    return Subject(system, examples, n, seed, lambda fraction, text: None)


def slices(subject: Subject) -> Metrics:
    """Shares, correlations and outlines of the phases."""
    groups, out = subject.groups, {}
    phases = groups[LEARNT][0][0].phases
    for k, phase in enumerate(phases):
        shares = {name: _each(own, fractions, k) for name, own in groups.items()}
        wanted = float(np.mean(shares[LEARNT]))
        out[f"share of {phase}"] = _means(shares, "share", [wanted - CLOSE, wanted + CLOSE])
        out[f"two-point of {phase}, lags outside"] = _outside(groups, k)
        edges = {name: _each(own, specific_surface, k) for name, own in groups.items()}
        wanted = float(np.mean(edges[LEARNT]))
        out[f"outline of {phase}"] = _means(edges, "per voxel", [0.85 * wanted, 1.15 * wanted])
        subject.report((k + 1) / len(phases), f"slices: {phase}")
    return out


def _each(own: Slices, measured: Any, phase: int) -> NDArray[Any]:
    return np.array([[measured(v)[phase] for v in across] for across in own])


def _means(values: Mapping[str, NDArray[Any]], unit: str, bar: Any) -> dict[str, Any]:
    mean = {name: float(np.mean(own)) for name, own in values.items()}
    others = {name: m for name, m in mean.items() if name not in ("", "real")}
    return metric(mean[""], unit, baselines=others, real=mean["real"], bar=bar)


def _outside(groups: Mapping[str, Slices], phase: int) -> dict[str, Any]:
    """Lags at which a mean curve leaves the band of the images learnt from, of all axes, both
    directions in the slice and all lags."""
    low, high = np.percentile(_curves(groups[LEARNT], phase), BAND, axis=0)
    found = {}
    for name in (n for n in groups if n != LEARNT):
        mean = _curves(groups[name], phase).mean(0)
        found[name] = ((mean < low) | (mean > high)).astype(float)
    return _means(found, "share of lags", 0.0)


def _curves(own: Slices, phase: int) -> NDArray[Any]:
    """S2 (n, 3, 2, LAGS + 1) along both directions of the slices across each axis."""
    inside = [[k for k in range(3) if k != axis] for axis in range(3)]
    curves = [
        [[correlation(v.mask(phase), along, LAGS) for along in inside[axis]] for v in across]
        for axis, across in enumerate(own)
    ]
    return np.moveaxis(np.array(curves), 0, 1)
