"""Map of many points in a page.

Each column travels to the browser once, as bytes; later reruns only send the settings (which
columns, path, marks: under 2 kB). The browser keeps the columns in its window and asks again
for any that got lost.

Example
-------
>>> xy, colour = positions(points), numeric(lumo, "LUMO", "eV")     # keep in st.cache_resource
>>> event = latent_map(xy, colour, key="map:molecules", names=labels(smiles))
>>> if event and event["kind"] == "pick":
...     show(event["index"])
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import ArrayLike, NDArray

from genbat.ui.components.latmap_columns import (
    CIVIDIS,
    DIVERGING,
    FULL,
    MISSING,
    TEN,
    VIRIDIS,
    Column,
    category,
    labels,
    mask,
    numeric,
    pack,
    positions,
)

__all__ = [
    "CIVIDIS",
    "DIVERGING",
    "TEN",
    "VIRIDIS",
    "Column",
    "category",
    "labels",
    "lassoed",
    "latent_map",
    "mask",
    "numeric",
    "positions",
    "unseen",
]

_HERE = Path(__file__).parent
_SCRIPTS = (
    "latmap_index.js",
    "latmap_raster.js",
    "latmap_overlay.js",
    "latmap_input.js",
    "latmap.js",
)
_map = st.components.v2.component(
    "genbat_latmap",
    html='<div class="map"></div>',
    css=(_HERE / "latmap.css").read_text("utf-8"),
    js="\n".join((_HERE / name).read_text("utf-8") for name in _SCRIPTS),
)
_part = st.components.v2.component(
    "genbat_latmap_part", html="<i></i>", js=(_HERE / "latmap_part.js").read_text("utf-8")
)


def latent_map(
    xy: Column,
    color: Column,
    *,
    key: str,
    filter: Column | None = None,
    back: Column | None = None,
    names: Column | None = None,
    path: ArrayLike = (),
    path2: ArrayLike = (),
    marks: Sequence[Mapping[str, Any]] = (),
    step: int | None = None,
    note: str = "",
    height: int = 560,
) -> dict[str, Any] | None:
    """Draw the map and return the last event.

    Parameters
    ----------
    key : one a map and domain ("map:molecules"); event and view belong to it.
    filter : mask of the points in question; the others stay as faint dots that cannot be picked.
    back : mask of the points drawn grey under the coloured ones; they can be picked.
    path, path2 : (k, 2) in data units; the first with numbered steps, counted from 0, the second
        dashed and faint.
    marks : rings, `{"i": row}` or `{"x": .., "y": ..}`, each with an optional "label".
    step : the step of `path` to highlight; the arrow keys move it from there.
    note : what the corner says ("20,412 known · 4,000 generated").
    height : pixels.

    Returns
    -------
    None before the first event, else a dict with "kind" and "t" (milliseconds):
    pick {"index"}, spot {"at": [x, y]} in data units, step {"step"}, and
    lasso {"count", "indices", "polygon", "off"}, to be given to `lassoed`; a count of 0 says
    that the selection was cleared.
    """
    out = _map(
        data={"name": key, "height": height},
        key=key,
        height=height,
        on_event_change=_nothing,
        on_need_change=_nothing,
    )
    columns = {"xy": xy, "color": color, "filter": filter, "back": back, "names": names}
    _send_columns([c for c in columns.values() if c], key, lost=out.need or ())
    settings = {
        "id": f"settings:{key}",
        **{k: c and c.id for k, c in columns.items()},
        "path": _rounded(path),
        "path2": _rounded(path2),
        "marks": [dict(m) for m in marks],
        "step": step,
        "note": note,
    }
    _part(data=pack(settings), key=f"{key}:settings")
    return out.event


def _nothing() -> None:
    """Only events with a callback reach Python."""


def _send_columns(columns: Sequence[Column], key: str, lost: Sequence[str]) -> None:
    """Send what this browser tab does not hold yet; maps of one tab share their columns."""
    sent: set[str] = st.session_state.setdefault("latmap:sent", set())
    sent.difference_update(lost)
    for column in columns:
        if column.id not in sent:
            _part(data=column.message, key=f"{key}:{column.id}")
            sent.add(column.id)


def _rounded(path: ArrayLike) -> list[list[float]]:
    points = np.asarray(path, float).reshape(-1, 2)
    return [[float(f"{v:.6g}") for v in p] for p in points]


def lassoed(
    event: Mapping[str, Any],
    xy: Column,
    live: ArrayLike | None = None,
    hidden: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Row numbers inside a lasso or box, the same ones the browser counted.

    Parameters
    ----------
    live : booleans (n,), the filter in force.
    hidden : booleans (n,), rows the browser does not show; `unseen` finds them.
    """
    if event["indices"]:
        rows = np.frombuffer(base64.b64decode(event["indices"]), "<u4").astype(np.int64)
    else:
        x, y = np.frombuffer(xy.raw, "<u2").reshape(-1, 2).T.astype(float)
        corners = np.array(event["polygon"], float).reshape(-1, 2)
        rows = np.flatnonzero(_inside(x, y, corners))
    if live is not None:
        rows = rows[np.asarray(live, bool)[rows]]
    if hidden is not None:
        rows = rows[~np.asarray(hidden, bool)[rows]]
    return rows


def _inside(x: NDArray, y: NDArray, corners: NDArray) -> NDArray[np.bool_]:
    """Even-odd rule with the very formula of the browser, so that counts agree."""
    odd = np.zeros(len(x), bool)
    for (x1, y1), (x0, y0) in zip(corners, np.roll(corners, 1, axis=0), strict=True):
        near = np.flatnonzero((y >= min(y0, y1)) & (y < max(y0, y1)))
        odd[near] ^= x[near] < (x0 - x1) * (y[near] - y1) / (y0 - y1) + x1
    return odd


def unseen(
    event: Mapping[str, Any], color: Column, back: Column | None = None
) -> NDArray[np.bool_]:
    """Rows (n,) a lasso did not count: without a value, or switched off in the legend."""
    head = color.head
    is_category = head["kind"] == "category"
    values = np.frombuffer(color.raw, "u1" if is_category else "<u2")
    missing = values == (MISSING if is_category else FULL)
    if back is not None:
        missing &= ~np.unpackbits(np.frombuffer(back.raw, "u1"), count=len(values)).astype(bool)
    return missing | np.isin(values, event["off"]) if is_category else missing
