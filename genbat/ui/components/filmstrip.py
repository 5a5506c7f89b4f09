"""The filmstrip of a walk: one frame for each run of steps that show the same object.

Its columns are the steps, so that with the same margins a chart below shares its x axis.

Example
-------
>>> hit = filmstrip(frames, 11, key="film", step=3, left=60, right=12)
>>> if hit is not None:
...     go_to(hit)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_film = st.components.v2.component(
    "genbat_filmstrip",
    html='<div class="film"></div>',
    css=(_HERE / "filmstrip.css").read_text("utf-8"),
    js=(_HERE / "filmstrip.js").read_text("utf-8"),
)


@dataclass(frozen=True)
class Frame:
    """Steps `first` to `last`, which show one object.

    Attributes
    ----------
    svg : our own drawing, "" for an invalid object; set as markup.
    mark, words : two short lines; `far` makes the second one amber.
    title : tooltip.
    tone : CSS colour of the upper edge.
    """

    first: int
    last: int
    svg: str
    mark: str
    words: str
    title: str
    tone: str
    far: bool = False


def filmstrip(
    frames: Sequence[Frame],
    steps: int,
    *,
    key: str,
    step: int,
    left: int = 0,
    right: int = 0,
    dark: bool = False,
) -> int | None:
    """Draw the frames with margins in pixels and return the step just clicked, else None."""
    data = {
        "frames": [asdict(f) for f in frames],
        "steps": steps,
        "step": step,
        "left": left,
        "right": right,
        "dark": dark,
    }
    hit = _film(data=data, key=key, on_picked_change=_nothing).picked
    return int(hit) if hit is not None and 0 <= hit < steps else None


def _nothing() -> None:
    """Only events with a callback reach Python."""
