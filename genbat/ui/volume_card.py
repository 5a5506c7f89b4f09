"""What a volume's card adds to its properties: size, phases and what connects, correlations."""

from __future__ import annotations

import html

import streamlit as st

from genbat.core.candidate import Candidate
from genbat.studio import volume_facts
from genbat.studio.volume_facts import AXES, Facts, Phase
from genbat.ui import volume_charts
from genbat.ui.words import plain

CHART = {"displayModeBar": False}


def sections(candidate: Candidate, key: str) -> None:
    """Draw all of it; `key` names its place on the page."""
    try:
        known = volume_facts.facts(candidate.text)
    except ValueError as reason:
        st.info(f"No more about this volume: {plain(str(reason))}")
        return
    st.html(f"<table class='gb-values'>{_rows(known)}</table>")
    one, two = st.tabs(["Two-point correlation", "Chord lengths"])
    with one:
        real = volume_facts.real()
        figure = volume_charts.correlations(known, real)
        st.plotly_chart(figure, key=f"{key}:s2", config=CHART)
        told = f" The bands are {real.crops} crops of {real.of}." if real else ""
        st.caption(
            "How likely two places so far apart are both in the phase, mean of the three axes: it "
            f"starts at the phase's share and ends at its square.{told}"
        )
    with two:
        st.plotly_chart(volume_charts.chords(known), key=f"{key}:chords", config=CHART)
        st.caption("Runs of a phase along straight lines; those that the border cuts do not count.")


def _rows(known: Facts) -> str:
    size = " x ".join(map(str, known.shape))
    edges = " x ".join(f"{edge:g}" for edge in known.edges)
    voxel = f"voxels of {edges} μm" if known.unit == "μm" else "size of a voxel not known"
    rows = [("Voxels", f"{size} along {', '.join(AXES)}", voxel)]
    rows += [("Border", "periodic" if known.periodic else "not periodic", _border(known))]
    rows += [(phase.name.capitalize(), f"{100 * phase.share:.1f} %", _through(phase))
             for phase in known.phases]  # fmt: skip
    return "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td>"
        f"<td class='gb-kind'>{html.escape(how)}</td></tr>"
        for name, value, how in rows
    )


def _border(known: Facts) -> str:
    """`12 % of the voxels change from face to face, 11 % from slice to slice inside`."""
    faces, inside = (100 * share for share in known.mismatch)
    return (
        f"{faces:.0f} % of the voxels change across it, {inside:.0f} % from slice to slice inside"
    )


def _through(phase: Phase) -> str:
    """`connected through z 99 %, y 98 %, x 99 %`."""
    if not phase.share:
        return "none of it"
    if not any(phase.through):
        return "connects no two faces"
    shares = ", ".join(f"{axis} {100 * share:.0f} %" for axis, share in
                       zip(AXES, phase.through, strict=True))  # fmt: skip
    return f"connected through {shares}"
