"""3D viewer of one labelled volume: an own WebGL2 ray-marcher, exact to the voxel.

Example
-------
>>> volume_viewer(pack(volume, candidate.text), key="card:3d")
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from genbat.core.colours import PHASES

LARGEST = 256  # voxels along an edge that every WebGL2 takes
LOWEST = 240  # pixels in which the picture and its controls still find room
_HTML = """
<div class="volume" data-state="loading">
  <div class="room">
    <canvas tabindex="0" role="img" aria-label="Volume in 3D: drag or arrow keys turn it"></canvas>
    <div class="scale"></div>
    <div class="message" role="status">Preparing the 3D view</div>
  </div>
  <div class="panel" role="group" aria-label="Phases and cuts"></div>
  <div class="slices" role="group" aria-label="Slices" hidden></div>
</div>
"""
_HERE = Path(__file__).parent
_view = st.components.v2.component(
    "genbat_volume_viewer",
    html=_HTML,
    css=(_HERE / "volume_viewer.css").read_text("utf-8"),
    js="\n".join(
        (_HERE / f"volume_{n}.js").read_text("utf-8") for n in ("shader", "slices", "viewer")
    ),
)


def pack(
    labels: np.ndarray,
    phases: Sequence[str],
    ident: str,
    *,
    edges: tuple[float, float, float] = (1.0, 1.0, 1.0),
    unit: str = "voxel",
    height: int = 420,
    slices: bool = True,
) -> bytes:
    """One message for the viewer; make it once a volume and keep it.

    Parameters
    ----------
    labels : (z, y, x) from 0. Above LARGEST voxels an edge every second one (or third, ...) is
        left out: labels cannot be averaged.
    phases : names by label; the first, the pore, starts hidden.
    ident : one for each content.
    edges, unit : of a voxel along z, y, x.
    height : pixels of the view in 3D.
    slices : whether three slices stand below it.

    Raises
    ------
    ValueError : no volume, too many phases, or too low a height.
    """
    if labels.ndim != 3 or not 1 <= len(phases) <= len(PHASES):
        raise ValueError(
            f"labels: got {labels.ndim} axes and {len(phases)} phases; legal are three axes and 1 "
            f"to {len(PHASES)} phases"
        )
    if height < LOWEST:
        raise ValueError(f"height: got {height}; at least {LOWEST} pixels are needed")
    step = -(-max(labels.shape) // LARGEST)
    seen = np.ascontiguousarray(labels[::step, ::step, ::step], np.uint8)
    head: dict[str, Any] = {
        "id": ident,
        "shape": seen.shape,
        "edges": [edge * step for edge in edges],
        "unit": unit,
        "phases": [
            {"name": name, "color": PHASES[k], "alpha": 0.25 if k == 0 else 1.0, "on": k > 0}
            for k, name in enumerate(phases)
        ],
        "height": height,
        "slices": slices,
    }
    written = json.dumps(head).encode("utf-8")
    return len(written).to_bytes(4, "little") + written + gzip.compress(seen.tobytes(), 6, mtime=0)


def volume_viewer(packed: bytes, *, key: str) -> None:
    """Show a packed volume; keep the key when it changes, so that canvas and camera stay."""
    _view(data=packed, key=key, height="content")
