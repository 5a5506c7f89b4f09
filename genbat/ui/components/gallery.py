"""A grid of small drawings; a click on one, or Enter, tells which.

Example
-------
>>> hit = gallery([Tile(svg, "ethylene carbonate", "0.4 away")], key="near")
>>> if hit is not None:
...     choose(texts[hit])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_gallery = st.components.v2.component(
    "genbat_gallery",
    html='<p></p><div class="gallery" role="list"></div>',
    css=(_HERE / "gallery.css").read_text("utf-8"),
    js=(_HERE / "gallery.js").read_text("utf-8"),
)


@dataclass(frozen=True)
class Tile:
    """One drawing.

    Attributes
    ----------
    svg : our own drawing, never a user's; set as markup.
    title, note : two short lines below it, set as text.
    """

    svg: str
    title: str
    note: str = ""


def gallery(tiles: Sequence[Tile], *, key: str, columns: int = 4, title: str = "") -> int | None:
    """Draw the tiles and return the number of the one just clicked, else None.

    Parameters
    ----------
    columns : tiles a row where there is room for them; fewer where there is not.
    title : a line above them.
    """
    data = {"tiles": [asdict(t) for t in tiles], "columns": columns, "title": title}
    hit = _gallery(data=data, key=key, on_picked_change=_nothing).picked
    return int(hit) if hit is not None and 0 <= hit < len(tiles) else None


def _nothing() -> None:
    """Only events with a callback reach Python."""
