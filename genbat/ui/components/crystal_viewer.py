"""3D viewer of one crystal: supercells, bonds, polyhedra, distances and angles on click.

Example
-------
>>> picked = crystal_viewer(crystal_facts.scene(candidate.text), key="card:3d")
>>> if picked and picked["distance"]:
...     st.caption(f"{picked['distance']:.2f} Å")
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from genbat.ui.components.viewer3d import stage_script

LOWEST = 240  # pixels in which canvas, legend and controls still find room
_HTML = """
<div class="mol crystal" data-state="loading">
  <div class="room">
    <div class="stage"></div>
    <div class="legend" role="group" aria-label="Elements"></div>
    <div class="answer" role="status"></div>
    <div class="message" role="status">Preparing the 3D view</div>
  </div>
  <div class="bar" role="toolbar" aria-label="View"></div>
</div>
"""
_HERE = Path(__file__).parent
_view = st.components.v2.component(
    "genbat_crystal_viewer",
    html=_HTML,
    css="\n".join((_HERE / f"{n}.css").read_text("utf-8") for n in ("viewer3d", "crystal_viewer")),
    js=stage_script("crystal_scene.js", "crystal_viewer.js"),
)


def crystal_viewer(
    scene: Mapping[str, Any], *, key: str, height: int = 380
) -> dict[str, Any] | None:
    """Show a crystal and return the atoms clicked last.

    Parameters
    ----------
    scene : JSON made by `genbat.domains.crystals.draw.scene`.
    key : keep it when the crystal changes, so that canvas, size and switches stay.
    height : pixels, controls included.

    Returns
    -------
    None, or {"atoms": one to three of {"name", "elem", "index" (in the cell), "image"},
    "distance": Å between two, else None, "angle": degrees at the middle one of three, else None,
    "t": milliseconds}.

    Raises
    ------
    ValueError : no scene, or too low a height.
    """
    if not scene.get("cells") or not scene.get("elements"):
        raise ValueError("scene: holds no cell; legal is what draw.scene makes")
    if height < LOWEST:
        raise ValueError(f"height: got {height}; at least {LOWEST} pixels are needed")
    data = {**scene, "height": height}
    picked = _view(data=data, key=key, height=height, on_picked_change=_nothing).picked
    return picked if picked and picked["id"] == scene["id"] and picked["atoms"] else None


def _nothing() -> None:
    """Only events with a callback reach Python."""
