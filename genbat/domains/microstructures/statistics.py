"""What counting voxels says of a volume: fractions, surfaces, correlations, chords, percolation.

Every definition is stated where it is computed, since other programs use others: surfaces count the
faces of voxels, which for a smooth isotropic interface is 3/2 of its true area; the triple-phase
boundary counts edges of voxels, 3/2 of the true length of smooth isotropic lines.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from genbat.domains.microstructures.volume import Volume

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def fractions(volume: Volume) -> Floats:
    """Share of the voxels of each phase (phases,)."""
    counts = np.bincount(volume.labels.ravel(), minlength=len(volume.phases))
    return np.asarray(counts / volume.labels.size, float)


# ---------------------------------------------------------------------- interfaces
def surfaces(volume: Volume) -> Floats:
    """Area of the faces between each two phases over the volume (phases, phases), symmetric, in
    1/μm, or per voxel where the size of a voxel is unknown; through the border where periodic."""
    n, out = len(volume.phases), np.zeros((len(volume.phases),) * 2)
    for axis in range(3):
        own, next_ = _neighbours(volume.labels, axis, volume.periodic)
        pairs = np.bincount((own.astype(np.int64) * n + next_).ravel(), minlength=n * n)
        out += pairs.reshape(n, n) / (volume.labels.size * volume.edges[axis])
    out = out + out.T
    np.fill_diagonal(out, 0.0)
    return out


def specific_surface(volume: Volume) -> Floats:
    """Area of the faces of each phase towards all others over the volume (phases,)."""
    return np.asarray(surfaces(volume).sum(1), float)


def _neighbours(labels: NDArray, axis: int, periodic: bool) -> tuple[NDArray, NDArray]:
    """Voxels and those that follow along an axis."""
    if periodic:
        return labels, np.roll(labels, -1, axis)
    near, far = [slice(None)] * 3, [slice(None)] * 3
    near[axis], far[axis] = slice(None, -1), slice(1, None)
    return labels[tuple(near)], labels[tuple(far)]


def triple_line(volume: Volume) -> float:
    """Length of the edges that voxels of three phases or more share, over the volume: 1/μm², or
    per voxel where the size of a voxel is unknown."""
    total = 0.0
    for axis in range(3):
        others = [a for a in range(3) if a != axis]
        four = _round_edges(volume.labels, others, volume.periodic)
        area = volume.edges[others[0]] * volume.edges[others[1]]
        total += np.count_nonzero(_kinds(four) >= 3) / (volume.labels.size * area)
    return total


def _round_edges(labels: NDArray, axes: Sequence[int], periodic: bool) -> list[NDArray]:
    """The four voxels round every edge that stands on the two axes."""
    out = [labels]
    for axis in axes:
        out = [part for one in out for part in _neighbours(one, axis, periodic)]
    return out


def _kinds(four: Sequence[NDArray]) -> NDArray:
    """How many different labels there are among four, voxel by voxel."""
    count = np.ones(four[0].shape, np.int8)
    for k in range(1, 4):
        count += np.logical_and.reduce([four[k] != four[j] for j in range(k)])
    return count


# ---------------------------------------------------------------------- correlations
def two_point(mask: Mask, most: int, periodic: bool = False) -> Floats:
    """Probability that two voxels r apart along an axis are both of the phase: S2(r) for r = 0 to
    `most` along z, y, x; (3, most + 1). By Fourier transforms along the axis; pairs that a border
    cuts do not count (Torquato, Random Heterogeneous Materials, Sec. 2.2)."""
    return np.stack([correlation(mask, axis, most, periodic) for axis in range(3)])


def correlation(mask: Mask, axis: int, most: int, periodic: bool = False) -> Floats:
    """The same along one axis (most + 1,)."""
    n = mask.shape[axis]
    if most >= n:
        raise ValueError(f"most: a lag of {most} voxels in a volume of {n}; legal is up to {n - 1}")
    lines = np.moveaxis(mask, axis, -1).astype(np.float32)
    size = n if periodic else n + most
    power = np.abs(np.fft.rfft(lines, size, axis=-1)) ** 2
    sums = np.fft.irfft(power.sum((0, 1)), size)[: most + 1]
    pairs = np.full(most + 1, n) if periodic else n - np.arange(most + 1)
    return np.asarray(sums / (pairs * lines.shape[0] * lines.shape[1]), float)


def chords(mask: Mask, axis: int) -> Floats:
    """Lengths in voxels of all runs of the phase along an axis that no border cuts."""
    lines = np.moveaxis(mask, axis, -1).reshape(-1, mask.shape[axis]).astype(np.int8)
    edge = np.zeros((len(lines), 1), np.int8)
    steps = np.diff(np.concatenate([edge, lines, edge], 1), axis=1)
    starts, ends = np.argwhere(steps == 1), np.argwhere(steps == -1)
    whole = (starts[:, 1] > 0) & (ends[:, 1] < lines.shape[1])
    return np.asarray((ends[:, 1] - starts[:, 1])[whole], float)


# ---------------------------------------------------------------------- percolation
def percolating(mask: Mask, axis: int) -> Mask:
    """The part of a phase that is connected through faces of voxels from one end of an axis to the
    other."""
    found, _ = ndimage.label(mask)
    first, last = np.take(found, 0, axis), np.take(found, -1, axis)
    through = np.intersect1d(first[first > 0], last[last > 0])
    return np.isin(found, through) if len(through) else np.zeros(mask.shape, bool)


def percolated_share(mask: Mask, axis: int) -> float:
    """Share of a phase that percolates along an axis; 0 where there is none of it."""
    total = np.count_nonzero(mask)
    return float(np.count_nonzero(percolating(mask, axis)) / total) if total else 0.0


# ---------------------------------------------------------------------- borders
def face_mismatch(volume: Volume) -> tuple[float, float]:
    """Share of voxels that differ between opposite faces, and between neighbouring slices inside;
    means over the axes."""
    faces, inside = [], []
    for axis in range(3):
        slices = np.moveaxis(volume.labels, axis, 0)
        faces.append(np.mean(slices[0] != slices[-1]))
        inside.append(np.mean(slices[1:] != slices[:-1]))
    return float(np.mean(faces)), float(np.mean(inside))
