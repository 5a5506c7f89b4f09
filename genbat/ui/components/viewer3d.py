"""3D viewer of one molecule or crystal: 3Dmol.js from the app's own static folder.

Example
-------
>>> atom = viewer(sdf_text, "sdf", candidate.text, key="card:3d")
>>> if atom and atom["distance"]:
...     st.caption(f"{atom['distance']:.2f} Å")
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

MOLECULE: Mapping[str, Any] = {
    "stick": {"radius": 0.13, "colorscheme": "Jmol"},
    "sphere": {"scale": 0.25, "colorscheme": "Jmol"},
}
CRYSTAL: Mapping[str, Any] = {
    "sphere": {"scale": 0.35, "colorscheme": "Jmol"},
    "stick": {"radius": 0.08, "colorscheme": "Jmol"},
}
FORMATS = ("xyz", "sdf", "mol2", "pdb", "cif", "vasp")
_PERIODIC = ("cif", "vasp")

_HTML = """
<div class="mol" data-state="loading">
  <div class="stage"></div>
  <div class="message" role="status">Preparing the 3D view</div>
</div>
"""
_HERE = Path(__file__).parent


def stage_script(*names: str) -> str:
    """A viewer's scripts behind the part that all of them share."""
    return "\n".join((_HERE / part).read_text("utf-8") for part in ("stage3d.js", *names))


_view = st.components.v2.component(
    "genbat_viewer3d",
    html=_HTML,
    css=(_HERE / "viewer3d.css").read_text("utf-8"),
    js=stage_script("viewer3d.js"),
)


def viewer(
    text: str,
    fmt: str,
    ident: str,
    *,
    key: str,
    style: Mapping[str, Any] | None = None,
    height: int = 320,
    spin: bool = False,
) -> dict[str, Any] | None:
    """Show a structure and return the atom clicked last.

    Parameters
    ----------
    text, fmt : the structure's file and its format, one of `FORMATS`. Expand a crystal to P1
        beforehand; its cell is drawn.
    ident : names the structure; the picture changes when it changes.
    key : keep it when the structure changes, so that the canvas is used again.
    style : 3Dmol style; by default balls and sticks in Jmol colours.
    height : pixels.
    spin : turn slowly (never for users who ask their system for little motion).

    Returns
    -------
    None, or {"elem", "index" (from 0), "x", "y", "z" (Å), "pair" (indices of the one or two
    chosen atoms), "distance" (Å between the two, else None), "t" (milliseconds)}.
    """
    if fmt not in FORMATS:
        raise ValueError(f"fmt: got {fmt!r}; legal are {', '.join(FORMATS)}")
    default = CRYSTAL if fmt in _PERIODIC else MOLECULE
    data = {
        "text": text,
        "format": fmt,
        "id": ident,
        "height": height,
        "style": dict(style or default),
        "spin": spin,
    }
    picked = _view(data=data, key=key, height=height, on_picked_change=_nothing).picked
    return picked if picked and picked["id"] == ident else None


def _nothing() -> None:
    """Only events with a callback reach Python."""
