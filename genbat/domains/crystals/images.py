"""Crystals <-> images of their atoms, one image an element (Noh et al., Matter 2019, 1, 1370).

An image is a cube of `side` voxels an edge along the cell's own three axes, with a normal bump of
height 1 and `width` voxels wherever an atom of the element stands; it goes on beyond each face as
the crystal does. The cell stands beside it as six numbers (`codec.stretch_of`). Drawing loses
nothing but the crystal's orientation as long as the bumps can be told apart; the way back looks for
so many peaks as the image's sum says, and refines their places until the image they would give is
the one that was given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genbat.domains.crystals.chgnet_graph import Floats

ROUNDS = 12  # of the refinement
CALM = 1e-3  # voxels: moves below it end the refinement
DAMPING = 1e-2  # of Levenberg and Marquardt, at the start
FARTHEST = 0.7  # voxels that a peak may move in one round


@dataclass(frozen=True)
class Raster:
    """How images are drawn: voxels along an edge, and the bumps' standard deviation in voxels."""

    side: int = 16
    width: float = 0.9

    @property
    def mass(self) -> float:
        """Sum of one atom's bump over the voxels."""
        return float((np.sqrt(2 * np.pi) * self.width) ** 3)


def draw(fractions: Floats, raster: Raster) -> Floats:
    """Image (side, side, side) of the atoms of one element at fractional places (n, 3)."""
    along = _bumps(fractions, raster)[0]
    return np.einsum("na,nb,nc->abc", *along, optimize=True)


def _bumps(fractions: Floats, raster: Raster) -> tuple[Floats, Floats]:
    """Each atom's bump along each axis, and its slope by the atom's place in voxels; both (3, n,
    side)."""
    places = np.asarray(fractions, float).reshape(-1, 3).T[:, :, None] * raster.side
    away = np.arange(raster.side) - places
    away -= raster.side * np.round(away / raster.side)  # to the nearest image: the border is none
    bump = np.exp(-((away / raster.width) ** 2) / 2)
    return bump, bump * away / raster.width**2


def count(image: Floats, raster: Raster) -> int:
    """How many atoms an image holds, by its sum."""
    return max(0, round(float(image.sum()) / raster.mass))


def find(image: Floats, raster: Raster, atoms: int | None = None) -> Floats:
    """Fractional places (n, 3) of the atoms in an image (side, side, side).

    Peaks are taken one after the other, each subtracted before the next is looked for (Högbom,
    Astron. Astrophys. Suppl. 1974, 15, 417), then all are refined together.

    Parameters
    ----------
    atoms : how many to look for; by default as many as `count` says.
    """
    wanted = count(image, raster) if atoms is None else atoms
    rest = np.array(image, float)
    found = np.empty((0, 3))
    for _ in range(wanted):
        peak = _highest(rest, raster)
        found = np.vstack([found, peak])
        rest = rest - draw(peak[None], raster)
    return refined(found, image, raster) if wanted else found


def _highest(image: Floats, raster: Raster) -> Floats:
    """Fractional place (3,) of what looks most like an atom: the highest point of the image seen
    through a bump, between the voxels by a parabola along each axis."""
    seen = _smeared(image, raster)
    top = np.unravel_index(int(seen.argmax()), seen.shape)
    place = np.array(top, float)
    for axis in range(3):
        line = np.roll(np.moveaxis(seen, axis, 0), 1 - top[axis], axis=0)
        rest = tuple(k for j, k in enumerate(top) if j != axis)
        low, here, high = (line[k][rest] for k in range(3))
        bend = low - 2 * here + high
        place[axis] += np.clip((low - high) / (2 * bend), -0.5, 0.5) if bend < 0 else 0.0
    return np.asarray(place / raster.side % 1.0)


def _smeared(image: Floats, raster: Raster) -> Floats:
    """The image convolved with a bump, periodic: the matched filter."""
    (bump, *_), _ = _bumps(np.zeros((1, 3)), raster)
    line = np.fft.fft(bump[0]).real
    kernel = line[:, None, None] * line[:, None] * line
    return np.asarray(np.fft.ifftn(np.fft.fftn(image) * kernel).real)


def refined(fractions: Floats, image: Floats, raster: Raster) -> Floats:
    """Places (n, 3) moved to where their bumps give the image best: least squares by Levenberg and
    Marquardt."""
    best = np.array(fractions, float)
    slopes, away = _linear(best, image, raster)
    damping, error = DAMPING, float(away @ away)
    normal, pull = slopes @ slopes.T, slopes @ away
    for _ in range(ROUNDS):
        stiff = normal + damping * np.diag(normal.diagonal().clip(1e-6))
        move = np.linalg.solve(stiff, pull).reshape(-1, 3).clip(-FARTHEST, FARTHEST)
        places = best + move / raster.side
        slopes, away = _linear(places, image, raster)
        if (now := float(away @ away)) < error:
            best, error, damping = places, now, damping / 3
            normal, pull = slopes @ slopes.T, slopes @ away
        else:
            damping *= 10
        if np.abs(move).max() < CALM:
            break
    return np.asarray(best % 1.0)


def _linear(fractions: Floats, image: Floats, raster: Raster) -> tuple[Floats, Floats]:
    """Slopes (3 n, voxels) of the drawn image by the places in voxels, and what it lacks."""
    (x, y, z), (dx, dy, dz) = _bumps(fractions, raster)
    parts = ((dx, y, z), (x, dy, z), (x, y, dz))
    slopes = np.stack([np.einsum("na,nb,nc->nabc", *p, optimize=True) for p in parts], 1)
    drawn = np.einsum("na,nb,nc->abc", x, y, z, optimize=True)
    return slopes.reshape(-1, image.size), (image - drawn).ravel()
