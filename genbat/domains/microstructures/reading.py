"""Volumes out of a user's TIFF: 8 or 16 bit, labelled or grey, one page or a stack.

Labelled means at most MOST_PHASES different values; they become the labels in rising order.
Anything else is grey and needs thresholds, for which `suggested` proposes those of Otsu.
"""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genbat.domains.microstructures.volume import MOST_PHASES, Volume

MAX_BYTES = 400_000_000
MOST_EDGE = 512
LEAST_EDGE = 8
SAMPLE = 200_000  # voxels that Otsu looks at
_UNITS = {"micron": 1.0, "um": 1.0, "µm": 1.0, "μm": 1.0, "\\u00b5m": 1.0, "nm": 1e-3, "mm": 1e3}


@dataclass(frozen=True)
class Stack:
    """What a file holds: values (z, y, x) of 8 or 16 bits, edges of a voxel if it says so."""

    values: NDArray[Any]
    voxel_um: tuple[float, float, float] | None = None

    @property
    def levels(self) -> NDArray[Any]:
        """The different values, rising; at most MOST_PHASES + 1 of them are looked for."""
        found = np.unique(self.values[:: max(1, len(self.values) // 16)])
        return found if len(found) > MOST_PHASES else np.unique(self.values)

    @property
    def labelled(self) -> bool:
        """Whether the values are phases already."""
        return len(self.levels) <= MOST_PHASES


def read_tiff(data: bytes, filename: str, *, flat: bool = False) -> Stack:
    """The volume of a TIFF, or with `flat` its images, which may be few and larger, one a slice.

    Raises
    ------
    ValueError : names the file, what is wrong and what is legal.
    """
    if not data:
        raise ValueError(f"{filename}: is empty; legal is a TIFF of 8 or 16 bit")
    if len(data) > MAX_BYTES:
        raise ValueError(f"{filename}: {len(data) / 1e6:.0f} MB; legal are {MAX_BYTES / 1e6:.0f}")
    values, voxel = _pages(data, filename)
    _check_depth(values, filename)
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3:
        shape = " x ".join(map(str, values.shape))
        raise ValueError(f"{filename}: {shape} is no stack of grey images; colours are not read")
    _check_edges(values.shape, filename, flat)
    return Stack(values, voxel)


def read_image(data: bytes, filename: str) -> Stack:
    """One image as a volume of one slice: a TIFF, or a PNG or JPEG, whose colours become grey.

    Raises
    ------
    ValueError : names the file, what is wrong and what is legal.
    """
    if filename.lower().endswith((".tif", ".tiff")):
        return _only(read_tiff(data, filename, flat=True), filename)
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as picture:
            if max(picture.size) > 4 * MOST_EDGE:
                raise ValueError(f"{picture.size} pixels; legal are {4 * MOST_EDGE} along an edge")
            deep = picture.mode.startswith("I")  # of 16 bits or more
            values = np.asarray(picture if deep else picture.convert("L"))
    except Exception as wrong:  # whatever a broken file makes the library raise
        words = str(wrong).strip().splitlines()[0][:150] if str(wrong).strip() else "unreadable"
        raise ValueError(f"{filename}: cannot be read as TIFF, PNG or JPEG ({words})") from wrong
    values = values.astype(np.uint16) if deep else values
    _check_edges((1, *values.shape), filename, True)
    return Stack(values[None])


def _only(stack: Stack, filename: str) -> Stack:
    if len(stack.values) != 1:
        written = " x ".join(map(str, stack.values.shape))
        raise ValueError(f"{filename}: {written} is a stack; legal is a single image here")
    return stack


def _pages(data: bytes, filename: str) -> tuple[NDArray[Any], tuple[float, float, float] | None]:
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # it writes what it then raises
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            size = sum(int(np.prod(page.shape)) for page in file.pages)
            if size > MOST_EDGE**3:
                raise ValueError(f"{size / 1e6:.0f} million voxels; legal are {MOST_EDGE}^3")
            values = np.squeeze(file.asarray())
            return values, _voxel(file)
    except Exception as wrong:  # whatever a broken file makes the library raise
        words = str(wrong).strip().splitlines()[0][:150] if str(wrong).strip() else "unreadable"
        raise ValueError(f"{filename}: cannot be read as TIFF ({words})") from wrong


def _voxel(file: Any) -> tuple[float, float, float] | None:
    """Edges in μm as ImageJ writes them: pixels a unit, spacing of the slices, name of the unit."""
    about = file.imagej_metadata or {}
    scale = _UNITS.get(str(about.get("unit", "")).lower())
    tags = file.pages[0].tags
    if scale is None or "XResolution" not in tags or "YResolution" not in tags:
        return None
    x, y = ((tag.value[1] / tag.value[0]) if tag.value[0] else 0.0
            for tag in (tags["XResolution"], tags["YResolution"]))  # fmt: skip
    edges = scale * float(about.get("spacing", x)), scale * y, scale * x
    return edges if all(0 < e < 1e6 for e in edges) else None


def _check_depth(values: NDArray[Any], filename: str) -> None:
    if values.dtype == bool:
        return
    if values.dtype.kind not in "ui" or values.dtype.itemsize > 2:
        raise ValueError(f"{filename}: its values are {values.dtype}; legal are 8 and 16 bit whole "
                         "numbers")  # fmt: skip


def _check_edges(shape: tuple[int, ...], filename: str, flat: bool) -> None:
    edges = shape[1:] if flat else shape
    written = " x ".join(map(str, shape))
    if min(edges) < LEAST_EDGE or max(edges) > (4 if flat else 1) * MOST_EDGE:
        most = (4 if flat else 1) * MOST_EDGE
        what = "an image" if flat else "a volume"
        raise ValueError(
            f"{filename}: {written} voxels; legal for {what} are edges of {LEAST_EDGE} to {most}"
        )


# ---------------------------------------------------------------------- phases
def suggested(stack: Stack, phases: int) -> list[float]:
    """Thresholds between so many phases of a grey stack (Otsu, IEEE Trans. SMC 1979, 9, 62)."""
    from skimage.filters import threshold_multiotsu

    if not 2 <= phases <= 4:
        raise ValueError(f"phases: got {phases}; thresholds are proposed for 2 to 4")
    values = stack.values.ravel()
    some = values[:: max(1, len(values) // SAMPLE)]
    return [float(t) for t in threshold_multiotsu(some, classes=phases)]


def segmented(stack: Stack, thresholds: list[float], names: tuple[str, ...]) -> Volume:
    """A grey stack cut at thresholds: a value above k of them is phase k."""
    if list(thresholds) != sorted(set(thresholds)):
        raise ValueError(f"thresholds: got {thresholds}; legal are rising ones")
    _check_names(names, len(thresholds) + 1)
    labels = np.digitize(stack.values, np.asarray(thresholds), right=True).astype(np.uint8)
    return Volume(labels, names, stack.voxel_um)


def relabelled(stack: Stack, names: tuple[str, ...]) -> Volume:
    """A labelled stack, its values in rising order as phases."""
    levels = stack.levels
    if len(levels) > MOST_PHASES:
        raise ValueError(
            f"values: more than {MOST_PHASES} different ones; a grey stack needs thresholds"
        )
    _check_names(names, len(levels))
    return Volume(np.searchsorted(levels, stack.values).astype(np.uint8), names, stack.voxel_um)


def _check_names(names: tuple[str, ...], phases: int) -> None:
    if len(names) != phases or len(set(names)) != phases:
        raise ValueError(f"names: got {', '.join(names)}; {phases} phases need a name of their own")
