"""What a card shows of an object itself: its 3D view and its details, one way a domain."""

from __future__ import annotations

import html
from collections.abc import Callable

import streamlit as st

from genbat.core.candidate import Candidate
from genbat.core.errors import PhysicsFailed
from genbat.studio import crystal_facts, views, volume_facts
from genbat.ui import crystal_card, interphase_card, state, volume_card
from genbat.ui.components.crystal_viewer import crystal_viewer
from genbat.ui.components.viewer3d import viewer
from genbat.ui.components.volume_viewer import LOWEST as FLOOR
from genbat.ui.components.volume_viewer import pack, volume_viewer
from genbat.ui.slim import slim

Face = Callable[[Candidate, str, int], None]
Choose = Callable[[Candidate], None]
Details = Callable[[Candidate, str, Choose | None], None]
LOWEST = 330  # pixels of a crystal's view with its controls


def structure(candidate: Candidate, key: str, height: int = 260) -> None:
    """The object in 3D, one canvas a place."""
    _STRUCTURES[candidate.domain](candidate, key, height)


def details(candidate: Candidate, key: str, choose: Choose | None = None) -> None:
    """What else there is to see of it; `choose` is called with a known one that was clicked."""
    _DETAILS[candidate.domain](candidate, key, choose)


@st.cache_data(max_entries=4096, show_spinner=False)
def picture(domain: str, text: str, width: int = 240, height: int = 160, dark: bool = False) -> str:
    """Small picture as SVG; ValueError where none can be drawn."""
    return slim(views.drawing(domain, text, width, height, dark))


def image(domain: str, text: str, width: int, height: int) -> str:
    """Small picture as an <img>: st.html takes plain SVG out."""
    svg = picture(domain, text, width, height, state.is_dark()).replace('"', "'")
    source = html.escape(svg.replace("%", "%25").replace("#", "%23"), quote=True)
    return (
        f'<img class="gb-image" alt="structure" width="{width}" height="{height}" '
        f'src="data:image/svg+xml;utf8,{source}">'
    )


# ---------------------------------------------------------------------- molecules, polymers
@st.cache_data(max_entries=512, show_spinner=False)
def _view(domain: str, text: str) -> tuple[str, str]:
    spec = views.view(domain, text)
    return spec.text, spec.format


def _molecule(candidate: Candidate, key: str, height: int) -> None:
    try:
        text, fmt = _view(candidate.domain, candidate.text)
    except PhysicsFailed as reason:
        st.info(f"No 3D view: {reason}")
        return
    viewer(text, fmt, candidate.text, key=key, height=height)


def _formula(candidate: Candidate, key: str, choose: Choose | None) -> None:
    drawn = image(candidate.domain, candidate.text, 260, 150)
    st.html(f"<div style='text-align:center'>{drawn}</div>")
    st.code(candidate.text, language=None, wrap_lines=True)


# ---------------------------------------------------------------------- crystals
@st.cache_data(max_entries=256, show_spinner=False)
def _scene(text: str) -> dict:
    return crystal_facts.scene(text)


def scene(text: str, key: str, height: int) -> None:
    """A crystal of no candidate in 3D; ValueError where its CIF is none."""
    crystal_viewer(_scene(text), key=key, height=max(height, LOWEST))


def _crystal(candidate: Candidate, key: str, height: int) -> None:
    try:
        scene(candidate.text, key, height)
    except ValueError as reason:
        st.info(f"No 3D view: {reason}")


def _facts(candidate: Candidate, key: str, choose: Choose | None) -> None:
    crystal_card.sections(candidate, key, choose=choose)
    with st.expander("CIF, all atoms, P1"):
        st.code(candidate.text, language=None)


# ---------------------------------------------------------------------- microstructures
@st.cache_data(max_entries=48, show_spinner=False)
def _packed(text: str, height: int) -> bytes:
    found = volume_facts.volume(text)
    return pack(found.labels, found.phases, text, edges=found.edges, unit=found.unit, height=height)


def _volume(candidate: Candidate, key: str, height: int) -> None:
    try:
        packed = _packed(candidate.text, max(height, FLOOR))
    except ValueError as reason:
        st.info(f"No 3D view: {reason}")
        return
    volume_viewer(packed, key=key)


def _phases(candidate: Candidate, key: str, choose: Choose | None) -> None:
    volume_card.sections(candidate, key)


# ---------------------------------------------------------------------- interphases
def _cut(candidate: Candidate, key: str, height: int) -> None:
    try:
        drawn = image(candidate.domain, candidate.text, height, height)
    except ValueError as reason:
        st.info(f"No picture: {reason}")
        return
    st.html(f"<div style='text-align:center'>{drawn}</div>{interphase_card.legend()}")


def _layers(candidate: Candidate, key: str, choose: Choose | None) -> None:
    interphase_card.sections(candidate, key)


_STRUCTURES: dict[str, Face] = {
    "molecules": _molecule,
    "crystals": _crystal,
    "microstructures": _volume,
    "interphases": _cut,
    "polymers": _molecule,
}
_DETAILS: dict[str, Details] = {
    "molecules": _formula,
    "crystals": _facts,
    "microstructures": _phases,
    "interphases": _layers,
    "polymers": _formula,
}
