"""A labelled voxel volume and its text.

Axes are z, y, x in C order, as in TIFF stacks and NumPy. The text of a volume is one line of JSON
(shape, voxel size, names of the phases, whether it is periodic) and one line of its labels,
deflated and in base 85: complete, and the same for the same volume.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.uint8]

MOST_PHASES = 8  # what the viewer tells apart
MOST_VOXELS = 512**3
AXES = ("z", "y", "x")
ELECTRODE = ("pore", "active material", "carbon-binder")


@dataclass(frozen=True)
class Volume:
    """Labels (z, y, x) from 0, with names of the phases by label.

    Attributes
    ----------
    voxel_um : edges of a voxel along z, y, x in μm; None where nobody knows.
    periodic : whether opposite faces continue one another.
    """

    labels: Labels
    phases: tuple[str, ...] = ELECTRODE
    voxel_um: tuple[float, float, float] | None = None
    periodic: bool = False

    def __post_init__(self) -> None:
        """ValueError where the labels are no volume of these phases."""
        if self.labels.ndim != 3 or 0 in self.labels.shape:
            raise ValueError(f"labels: shape {self.labels.shape}; a volume has three axes")
        if not 1 <= len(self.phases) <= MOST_PHASES:
            raise ValueError(f"phases: {len(self.phases)} of them; 1 to {MOST_PHASES} are legal")
        if int(self.labels.max()) >= len(self.phases):
            wrong = f"label {int(self.labels.max())} has no name"
            raise ValueError(f"labels: {wrong}; phases are {', '.join(self.phases)}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along z, y, x."""
        z, y, x = self.labels.shape
        return z, y, x

    @property
    def edges(self) -> tuple[float, float, float]:
        """Edges of a voxel in μm, or in voxels where its size is unknown."""
        return self.voxel_um or (1.0, 1.0, 1.0)

    @property
    def unit(self) -> str:
        """What lengths are counted in."""
        return "μm" if self.voxel_um else "voxel"

    def mask(self, phase: int) -> NDArray[np.bool_]:
        """Where a phase is (z, y, x)."""
        return self.labels == phase


def to_text(volume: Volume) -> str:
    """The volume as two lines."""
    head: dict[str, Any] = {
        "shape": list(volume.shape),
        "phases": list(volume.phases),
        "voxel_um": list(volume.voxel_um) if volume.voxel_um else None,
        "periodic": volume.periodic,
    }
    raw = np.ascontiguousarray(volume.labels, np.uint8).tobytes()
    return json.dumps(head) + "\n" + base64.b85encode(zlib.compress(raw, 9)).decode("ascii")


def from_text(text: str) -> Volume:
    """Inverse of `to_text`.

    Raises
    ------
    ValueError : the text is no volume; says which part is wrong.
    """
    first, _, second = text.partition("\n")
    try:
        head = json.loads(first)
        shape = tuple(int(n) for n in head["shape"])
        phases = tuple(str(name) for name in head["phases"])
        edges = tuple(float(e) for e in head["voxel_um"]) if head["voxel_um"] else None
        periodic = bool(head["periodic"])
    except (ValueError, KeyError, TypeError) as wrong:
        raise ValueError(f"volume: its first line is no header ({wrong})") from wrong
    if len(shape) != 3 or min(shape) < 1 or np.prod(shape) > MOST_VOXELS:
        raise ValueError(f"volume: shape {shape}; legal are three edges, 512^3 voxels at the most")
    if edges is not None and (len(edges) != 3 or not all(0 < e < 1e6 for e in edges)):
        raise ValueError(f"volume: voxel edges {edges}; legal are three lengths in μm")
    return Volume(_labels(second, shape), phases, edges, periodic)


def _labels(packed: str, shape: tuple[int, ...]) -> Labels:
    size = int(np.prod(shape))
    try:
        squeezed = base64.b85decode(packed.strip())
        raw = zlib.decompressobj().decompress(squeezed, size + 1)  # no more than was announced
    except (ValueError, zlib.error) as wrong:
        raise ValueError(f"volume: its labels cannot be unpacked ({wrong})") from wrong
    if len(raw) != size:
        raise ValueError(f"volume: {len(raw)} voxels or more for a shape of {size}")
    return np.frombuffer(raw, np.uint8).reshape(shape)
