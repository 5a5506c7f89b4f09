"""The real electrode that systems learn from and are judged by: a tomogram that does not ship.

A calendered NMC cathode, X-ray CT (NREL) with the carbon-binder placed numerically (MATBOX's
"bridge"), 251 x 301 x 237 voxels; its licence is that of MATBOX, BSD-3. Axis z runs through the
electrode: particles are pressed flat along it. The size of a voxel is not stated in the source.

It is split by space along y, with a gap wider than a particle between what is learnt from and what
is held out: random crops overlap, and would leak.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from genbat.core import paths
from genbat.domains.microstructures.reading import read_tiff, relabelled
from genbat.domains.microstructures.volume import ELECTRODE, Labels, Volume

FILE = "microstructures/nmc_ct_matbox_251x301x237.tif"
TRAIN_END, TEST_BEGIN = 170, 202  # along y; between them lies the gap
STEP = 32  # between the corners of crops


@dataclass(frozen=True)
class Parts:
    """A volume's part to learn from and its held-out part."""

    train: Volume
    test: Volume


def file() -> Path:
    """The tomogram.

    Raises
    ------
    ValueError : it is not there; says what it is.
    """
    folder = paths.beside()
    if folder is None or not (folder / FILE).exists():
        raise ValueError(
            f"GENBAT_DATA: names no folder with {FILE}; it is the volume "
            "nmc-1-cal_generatedCBD_bridge of NREL's MATBOX"
        )
    return folder / FILE


@lru_cache
def load() -> Parts:
    """The tomogram, split."""
    stack = read_tiff(file().read_bytes(), FILE)
    return split(relabelled(stack, ELECTRODE), TRAIN_END, TEST_BEGIN)


def split(volume: Volume, end: int, begin: int) -> Parts:
    """Two parts along y: up to `end`, and from `begin` on."""

    def part(labels: Labels) -> Volume:
        return Volume(np.ascontiguousarray(labels), volume.phases, volume.voxel_um)

    return Parts(part(volume.labels[:, :end]), part(volume.labels[:, begin:]))


def crops(volume: Volume, size: int = 64, step: int = STEP) -> list[Volume]:
    """Cubes of a volume at regular corners; with a step below the size they overlap."""
    corners = [range(0, edge - size + 1, step) for edge in volume.shape]
    return [
        Volume(
            np.ascontiguousarray(volume.labels[z : z + size, y : y + size, x : x + size]),
            volume.phases,
            volume.voxel_um,
        )
        for z in corners[0]
        for y in corners[1]
        for x in corners[2]
    ]
