"""Electrode volumes made from particles: GenBat's own, seeded, with any fractions wanted.

1. Spheres of log-normal radii in a periodic box push one another apart until they hardly overlap.
2. Their surfaces are roughened by smooth noise; the active material is what lies nearest to the
   particles, as much of it as is asked for. So its fraction is exact.
3. Carbon-binder fills the pore where two particles are near to one another (bridges), as much of it
   as is asked for; smooth noise breaks the bridges up. (As the "bridge" model of MATBOX, NREL.)
4. Calendering presses the box along z: particles become as flat as the box.

A volume that is not periodic is cut from a larger periodic one, so that particles end at its border
as in a tomogram.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from genbat.domains.microstructures.volume import Volume

Floats = NDArray[np.float64]
LIMITS = {
    "porosity": (0.15, 0.65),
    "binder": (0.0, 0.2),
    "radius": (3.0, 20.0),
    "spread": (0.0, 0.6),
    "pressed": (0.0, 0.4),
    "roughness": (0.0, 0.5),
    "bridging": (0.0, 1.0),
    "size": (16, 512),
}
PUSHES = 60  # rounds in which overlapping particles push one another apart
MARGIN = 16  # voxels beyond each border of a volume that is not periodic


@dataclass(frozen=True)
class Recipe:
    """How a volume is made.

    Attributes
    ----------
    porosity, binder : fractions of the volume; what is left is active material.
    radius : mean radius of the particles in voxels; `spread` the standard deviation of its
        logarithm.
    pressed : by how much of its height the box is pressed along z.
    roughness : amplitude of the particles' surface, of the mean radius.
    bridging : 1 puts binder strictly between neighbouring particles, 0 wherever the noise is low.
    size : voxels along each edge.
    """

    porosity: float = 0.4
    binder: float = 0.1
    radius: float = 8.0
    spread: float = 0.3
    pressed: float = 0.1
    roughness: float = 0.15
    bridging: float = 0.7
    size: int = 64
    periodic: bool = False

    def __post_init__(self) -> None:
        """ValueError where a number is out of LIMITS."""
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name}: got {value:g}; legal is {low:g} to {high:g}")
        if self.size < 2 * self.radius:
            raise ValueError(f"size: got {self.size}; a particle of {self.radius:g} needs more")


def make(recipe: Recipe, seed: int) -> Volume:
    """The volume of a recipe; the same seed gives the same volume."""
    rng = np.random.default_rng(seed)
    margin = 0 if recipe.periodic else MARGIN
    edge = recipe.size + 2 * margin
    solid = 1.0 - recipe.porosity - recipe.binder
    box = np.array([edge / (1.0 - recipe.pressed), edge, edge])
    radii = draw_radii(recipe, solid * box.prod(), rng)
    centres = packed(rng.random((len(radii), 3)) * box, radii, box)
    first, second = distances((edge, edge, edge), box, centres, radii, 2.0 * recipe.radius)
    first += recipe.roughness * recipe.radius * smooth_noise(edge, recipe.radius / 3, rng)
    labels = np.zeros(first.shape, np.uint8)
    inner = (slice(margin, edge - margin),) * 3
    first, second, labels = first[inner], second[inner], labels[inner]
    grey = smooth_noise(edge, 1.5, rng)[inner]
    labels[lowest(first, solid, np.ones_like(first, bool))] = 1
    score = recipe.bridging * (first + second) / recipe.radius + (1 - recipe.bridging) * grey
    labels[lowest(score, recipe.binder, labels == 0)] = 2
    return Volume(np.ascontiguousarray(labels), periodic=recipe.periodic)


def draw_radii(recipe: Recipe, volume: float, rng: np.random.Generator) -> Floats:
    """Radii of particles that would fill a volume without overlaps, the largest first."""
    found: list[float] = []
    while volume > 0:
        z = rng.normal()
        radius = recipe.radius * np.exp(recipe.spread * z - recipe.spread**2 / 2)
        found.append(float(np.clip(radius, 2.0, recipe.size / 3)))
        volume -= 4 / 3 * np.pi * found[-1] ** 3
    return np.array(sorted(found, reverse=True))


def packed(centres: Floats, radii: Floats, box: Floats) -> Floats:
    """Centres (n, 3) after overlapping pairs have pushed one another apart in the periodic box."""
    for _ in range(PUSHES):
        tree = cKDTree(centres, boxsize=box)
        one, two = tree.query_pairs(2 * radii.max(), output_type="ndarray").T
        apart = centres[one] - centres[two]
        apart -= box * np.round(apart / box)
        far = np.linalg.norm(apart, axis=1) + 1e-9
        overlap = np.clip(radii[one] + radii[two] - far, 0.0, None)
        push = (0.25 * overlap / far)[:, None] * apart
        np.add.at(centres, one, push)
        np.add.at(centres, two, -push)
        centres %= box
        centres[centres >= box] = 0.0  # a tiny negative rounds up to the border
    return centres


@numba.njit(cache=True)
def distances(
    shape: tuple[int, int, int], box: Floats, centres: Floats, radii: Floats, reach: float
) -> tuple[Floats, Floats]:
    """Distances to the surfaces of the nearest and the second nearest particle, negative inside and
    at most `reach`; voxels of a grid laid over the periodic box."""
    near, next_ = np.full(shape, reach), np.full(shape, reach)
    grid = np.array(shape)
    scale = box / grid
    for i in range(len(radii)):
        low = np.ceil((centres[i] - radii[i] - reach) / scale - 0.5).astype(np.int64)
        high = np.floor((centres[i] + radii[i] + reach) / scale - 0.5).astype(np.int64)
        high = np.minimum(high, low + grid - 1)  # no voxel twice
        seen = (radii[i] + reach) ** 2 * (1 + 1e-9)
        for z in range(low[0], high[0] + 1):
            dz = (z + 0.5) * scale[0] - centres[i, 0]
            for y in range(low[1], high[1] + 1):
                dy = (y + 0.5) * scale[1] - centres[i, 1]
                across = dz * dz + dy * dy
                if across > seen:
                    continue
                row, row2 = near[z % shape[0], y % shape[1]], next_[z % shape[0], y % shape[1]]
                k = low[2] % shape[2]
                for x in range(low[2], high[2] + 1):
                    dx = (x + 0.5) * scale[2] - centres[i, 2]
                    if across + dx * dx <= seen:
                        d = np.sqrt(across + dx * dx) - radii[i]
                        if d < row[k]:
                            row[k], row2[k] = d, row[k]
                        elif d < row2[k]:
                            row2[k] = d
                    k = 0 if k == shape[2] - 1 else k + 1
    return near, next_


def smooth_noise(edge: int, width: float, rng: np.random.Generator) -> Floats:
    """Periodic normal noise smoothed over `width` voxels, of standard deviation 1."""
    field = ndimage.gaussian_filter(rng.normal(size=(edge,) * 3), width, mode="wrap")
    return np.asarray(field / field.std(), float)


def lowest(field: Floats, share: float, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The voxels of `among` where a field is lowest, as many as `share` of the whole volume."""
    count = round(share * field.size)
    out = np.zeros(field.size, bool)
    if count:
        places = np.flatnonzero(among)
        order = np.argpartition(field.ravel()[places], min(count, len(places)) - 1)
        out[places[order[:count]]] = True
    return out.reshape(field.shape)
