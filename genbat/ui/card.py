"""The card of a candidate: 3D, drawing, every number with unit, uncertainty, method and place."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from genbat.core.candidate import Candidate
from genbat.core.errors import PhysicsFailed
from genbat.core.properties import KIND_MARKS, Measurement, Property, format_value
from genbat.studio import views
from genbat.ui import basket, shared, state
from genbat.ui.components.viewer3d import viewer

FIRST = ("lumo_ev", "vip_ev", "tflash_k", "permittivity", "viscosity_mpas", "dipole_d")


def card(candidate: Candidate, key: str, *, height: int = 300) -> None:
    """Draw the whole card; `key` names its place on the page."""
    heading(candidate)
    if not candidate.verdict.ok:
        st.warning("Not a valid molecule here: it " + "; ".join(candidate.verdict.reasons))
        return
    structure(candidate, f"{key}:3d", height)
    if st.button("Add to shortlist", key=f"{key}:add", type="primary", width="stretch"):
        basket.add(candidate)
    table(candidate, FIRST)
    with st.expander("All properties"):
        rest = [p.key for p in shared.atlas(candidate.domain).properties if p.key not in FIRST]
        table(candidate, rest)
    drawing(candidate.text)
    st.code(candidate.text, language=None)


def heading(candidate: Candidate) -> None:
    """Name, and in one line what it is."""
    st.subheader(candidate.name or candidate.text, anchor=False)
    st.caption(" · ".join(status_words(candidate)))


def status_words(candidate: Candidate) -> list[str]:
    """Known or new, role, who made it, hazards: the facts that are no numbers."""
    place = shared.atlas(candidate.domain)
    row = place.row_of.get(candidate.text)
    words = ["known" if candidate.novel is False else "new, not among the known molecules"]
    if row is not None and place.roles[row]:
        words.append(str(place.roles[row]))
    if candidate.provenance.system not in ("data", "user"):
        words.append(f"made by {candidate.provenance.system}")
    words += views.flags(candidate.text)
    return words


@st.cache_data(max_entries=512, show_spinner=False)
def _view(text: str) -> tuple[str, str]:
    spec = views.view(text)
    return spec.text, spec.format


def structure(candidate: Candidate, key: str, height: int = 300) -> None:
    """The molecule in 3D, one canvas a place."""
    try:
        text, fmt = _view(candidate.text)
    except PhysicsFailed as reason:
        st.info(f"No 3D view: {reason}")
        return
    viewer(text, fmt, candidate.text, key=key, height=height)


@st.cache_data(max_entries=4096, show_spinner=False)
def picture(text: str, width: int = 240, height: int = 160, dark: bool = False) -> str:
    """Structural formula as SVG."""
    return views.drawing(text, width, height, dark)


def drawing(text: str, width: int = 260, height: int = 170) -> None:
    """The structural formula."""
    st.html(f"<div style='text-align:center'>{picture(text, width, height, state.is_dark())}</div>")


def table(candidate: Candidate, keys: list[str] | tuple[str, ...]) -> None:
    """Rows of label, value, mark of its kind, and a spark of where it lies among the known."""
    place = shared.atlas(candidate.domain)
    known = {p.key: p for p in place.properties}
    rows = [
        _row(known[k], candidate.properties[k], place.values(k)[: place.n_known])
        for k in keys
        if k in candidate.properties
    ]
    if rows:
        st.html(f"<table class='gb-values'>{''.join(rows)}</table>")


def _row(known: Property, found: Measurement, values: np.ndarray) -> str:
    number = format_value(found.value, found.uncertainty, known.floor)
    mark = KIND_MARKS[found.kind]
    method = html.escape(found.method)
    return (
        f"<tr title='{html.escape(known.help, quote=True)}'><th>{html.escape(known.label)}</th>"
        f"<td class='gb-number'>{number} {html.escape(known.unit)}</td>"
        f"<td class='gb-kind'><span class='gb-{found.kind}'>{mark} {found.kind}</span>"
        f"<small>{method}</small></td><td>{spark(values, found.value)}</td></tr>"
    )


def spark(values: np.ndarray, value: float, width: int = 74, height: int = 20) -> str:
    """Histogram of the known values with a line where this one lies, as SVG."""
    good = values[np.isfinite(values)]
    if len(good) < 20:
        return ""
    low, high = np.percentile(good, [0.5, 99.5])
    if not high > low:
        return ""
    counts = np.histogram(good, 24, (low, high))[0]
    tops = height * (1 - 0.95 * counts / counts.max())
    step = width / 24
    points = " ".join(
        f"{k * step:.1f},{t:.1f} {(k + 1) * step:.1f},{t:.1f}" for k, t in enumerate(tops)
    )
    x = width * min(1.0, max(0.0, (value - low) / (high - low)))
    share = 100 * float(np.mean(good < value))
    return (
        f"<svg width='{width}' height='{height}' role='img'>"
        f"<title>higher than {share:.0f} % of {len(good):,} known molecules</title>"
        f"<polygon points='0,{height} {points} {width},{height}' class='gb-spark'/>"
        f"<line x1='{x:.1f}' x2='{x:.1f}' y1='0' y2='{height}' class='gb-needle'/></svg>"
    )


def thumbnail(candidate: Candidate, caption: str = "", width: int = 150, height: int = 100) -> None:
    """Small drawing with a line of text below."""
    if candidate.text:
        st.html(
            f"<figure class='gb-thumb'>{picture(candidate.text, width, height, state.is_dark())}"
            f"<figcaption>{html.escape(caption or candidate.name or candidate.text)}</figcaption>"
            "</figure>"
        )
    else:
        st.caption("no molecule here")
