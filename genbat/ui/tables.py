"""Tables of candidates: drawings left, values with their uncertainty under headers with units."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from genbat.core.candidate import Candidate
from genbat.core.properties import KIND_MARKS, Measurement, Property
from genbat.studio.rooms import rooms
from genbat.ui import card, shared, state

ROW_HEIGHT = 66
MAX_DRAWINGS = 200
DRAWING = "drawing"


@st.cache_data(max_entries=4096, show_spinner=False)
def thumbnail(domain: str, text: str, dark: bool) -> str:
    """Small picture as a data address, "" where none can be drawn."""
    try:
        svg = card.picture(domain, text, 150, 100, dark)
    except ValueError:
        return ""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode("utf-8")).decode("ascii")


def thumbnails(candidates: Sequence[Candidate]) -> list[str]:
    """Pictures of a column's valid objects; beyond the first 200 rows none."""
    dark, last = state.is_dark(), MAX_DRAWINGS
    return [
        thumbnail(c.domain, c.text, dark) if c.verdict.ok and k < last else ""
        for k, c in enumerate(candidates)
    ]


def known(domain: str) -> dict[str, Property]:
    """The domain's properties by key, in page order."""
    return {p.key: p for p in shared.atlas(domain).properties}


def cell(found: Measurement, floor: float) -> str:
    """`−6.74 ± 0.20 ○`: value, uncertainty, mark of its kind."""
    return f"{found.number(floor)} {KIND_MARKS[found.kind]}"


def values(
    candidates: Sequence[Candidate],
    keys: Sequence[str],
    before: Mapping[str, Sequence[Any]],
    after: Mapping[str, Sequence[Any]],
) -> Styler:
    """A table with columns `before`, the properties and `after`; numbers sort as numbers.

    The columns of properties carry their keys; `configuration` gives them their headers.
    """
    properties = known(candidates[0].domain) if candidates else {}
    columns: dict[str, Any] = dict(before)
    shown: dict[str, Any] = {}
    for key in keys:
        found = [c.properties.get(key) for c in candidates]
        columns[key] = [float("nan") if m is None else float(m.value) for m in found]
        floor = properties[key].floor if key in properties else 0.01
        texts = {float(m.value): cell(m, floor) for m in found if m is not None}
        shown[key] = _lookup(texts)
    return pd.DataFrame({**columns, **after}).style.format(shown, na_rep="")


def _lookup(texts: Mapping[float, str]) -> Any:
    return lambda value: texts.get(value, "")


def configuration(domain: str, keys: Sequence[str]) -> dict[str, Any]:
    """Headers with units and help for the columns of `values`."""
    properties = known(domain)
    columns: dict[str, Any] = {
        DRAWING: st.column_config.ImageColumn("Structure", width=96),
        "name": st.column_config.TextColumn("Name", width=132),
    }
    for key in keys:
        p = properties[key]
        columns[key] = st.column_config.NumberColumn(p.axis, help=p.help, width=116)
    return columns


def useful_keys(candidates: Sequence[Candidate], most: int) -> list[str]:
    """Properties worth a column: the card's first ones that are known for most candidates."""
    first = rooms(candidates[0].domain).first if candidates else ()
    counts = {k: sum(k in c.properties for c in candidates) for k in first}
    ranked = sorted((k for k in counts if counts[k]), key=lambda k: -counts[k])
    return [k for k in first if k in ranked[:most]]


def height(rows: int, most: int = 430) -> int:
    """Pixels of a table of some rows."""
    return min(most, 40 + ROW_HEIGHT * max(1, rows))
