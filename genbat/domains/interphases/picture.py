"""A cut through an interphase as a picture: the electrode below, electrolyte above."""

from __future__ import annotations

import base64
import io

import numpy as np

from genbat.domains.interphases.kmc import Sites

# Electrolyte light, radical yellow, organic green-blue, inorganic dark; the electrode grey.
COLOURS = ("#e8eef4", "#f2c14e", "#4fa3a5", "#2f4858")
ELECTRODE = "#8a8f98"
GROUND = 3  # rows of the electrode that are drawn


def svg(sites: Sites, width: int, height: int) -> str:
    """Sites (rows from the electrode, columns) in their colours, `width` by `height` pixels."""
    rows = len(sites) + GROUND
    scale = min(width / sites.shape[1], height / rows)
    wide, tall = sites.shape[1] * scale, rows * scale
    left, top = (width - wide) / 2, (height - tall) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}"><image x="{left:.2f}" y="{top:.2f}" width="{wide:.2f}" '
        f'height="{tall:.2f}" preserveAspectRatio="none" style="image-rendering:pixelated" '
        f'href="data:image/png;base64,{png(sites)}"/></svg>'
    )


def png(sites: Sites) -> str:
    """The picture itself, one pixel a site, as PNG in base 64."""
    from PIL import Image

    ground = np.full((GROUND, sites.shape[1]), len(COLOURS), np.uint8)
    pixels = np.concatenate([sites[::-1], ground])
    palette = [int(h[k : k + 2], 16) for h in (*COLOURS, ELECTRODE) for k in (1, 3, 5)]
    picture = Image.fromarray(np.ascontiguousarray(pixels, np.uint8), "P")
    picture.putpalette(palette)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True, bits=4)
    return base64.b64encode(file.getvalue()).decode("ascii")
