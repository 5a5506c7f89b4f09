"""A small picture of a volume: a cube whose three visible faces are outermost slices, as SVG."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray

from genbat.core.colours import PHASES
from genbat.domains.microstructures.volume import Volume

SHADES = (1.0, 0.86, 0.72)  # of the top, the left and the right face
MOST = 96  # pixels of a face


def svg(volume: Volume, width: int, height: int) -> str:
    """The volume seen from a corner, z upwards; `width` by `height` pixels."""
    z, y, x = (n * e for n, e in zip(volume.shape, volume.edges, strict=True))
    size = max(x, y, z)
    a, b, c = x / size, y / size, z / size  # lengths along the three directions of the picture
    right, down = 0.866, 0.5
    wide, tall = (a + b) * right, (a + b) * down + c
    scale = 0.94 * min(width / wide, height / tall)
    left = (width - wide * scale) / 2 + b * right * scale
    top = (height - tall * scale) / 2
    over = (a + b) * down  # how far below the farthest corner the nearest one lies
    faces = [
        # From above: x runs down to the right, y down to the left.
        (volume.labels[-1], (a * right, a * down, -b * right, b * down, 0.0, 0.0)),
        # The side at the end of y: x down to the right, z downwards.
        (volume.labels[::-1, -1], (a * right, a * down, 0.0, c, -b * right, b * down)),
        # The side at the end of x: y, from its end on, up to the right.
        (volume.labels[::-1, ::-1, -1], (b * right, -b * down, 0.0, c, (a - b) * right, over)),
    ]
    parts = [
        _face(pixels, shade, matrix, scale, left, top)
        for (pixels, matrix), shade in zip(faces, SHADES, strict=True)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{"".join(parts)}</svg>'
    )


def _face(
    labels: NDArray[np.uint8],
    shade: float,
    matrix: tuple[float, ...],
    scale: float,
    left: float,
    top: float,
) -> str:
    """A slice stretched over a parallelogram: unit square to the picture's plane."""
    a, b, c, d, e, f = matrix
    numbers = (a * scale, b * scale, c * scale, d * scale, left + e * scale, top + f * scale)
    words = " ".join(f"{n:.3f}" for n in numbers)
    return (
        f'<image transform="matrix({words})" width="1" height="1" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{png(labels, shade)}"/>'
    )


def png(labels: NDArray[np.uint8], shade: float = 1.0) -> str:
    """A slice in the phases' colours as PNG in base 64, every second pixel where it is large."""
    from PIL import Image

    step = -(-max(labels.shape) // MOST)
    palette = [round(shade * int(h[k : k + 2], 16)) for h in PHASES for k in (1, 3, 5)]
    picture = Image.fromarray(np.ascontiguousarray(labels[::step, ::step]), "P")
    picture.putpalette(palette)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True, bits=4)
    return base64.b64encode(file.getvalue()).decode("ascii")
