"""What an interphase's card shows: the cut through it, and what it is made of layer by layer."""

from __future__ import annotations

import html
from dataclasses import asdict

import plotly.graph_objects as go
import streamlit as st

from genbat.core.candidate import Candidate
from genbat.studio import interphase_facts
from genbat.studio.interphase_facts import COLOURS, SPECIES, Facts
from genbat.ui.words import plain

CHART = {"displayModeBar": False}
NAMES = {
    "electrolyte": "electrolyte (ethylene carbonate)",
    "radical": "radical",
    "organic": "organic (Li₂EDC)",
    "inorganic": "inorganic (Li₂CO₃)",
}


def legend() -> str:
    """The colours of the picture, as HTML."""
    chips = "".join(
        f"<span style='white-space:nowrap;margin-right:.8em'><span style='display:inline-block;"
        f"width:.8em;height:.8em;border-radius:2px;background:{colour};border:1px solid #8886;"
        f"vertical-align:-1px'></span> {html.escape(NAMES[name])}</span>"
        for name, colour in zip(SPECIES, COLOURS, strict=True)
    )
    return f"<p class='gb-note'>{chips}</p>"


def sections(candidate: Candidate, key: str) -> None:
    """Draw all of it; `key` names its place on the page."""
    try:
        known = interphase_facts.facts(candidate.text)
    except ValueError as reason:
        st.info(f"No more about this interphase: {plain(str(reason))}")
        return
    st.plotly_chart(layers(known), key=f"{key}:layers", config=CHART)
    st.caption("What each nanometre consists of, from the electrode outwards.")
    if known.barriers:
        barriers = " · ".join(_barrier(name, value) for name, value in
                              asdict(known.barriers).items())  # fmt: skip
        st.caption(f"Grown with the barriers {barriers}")


def _barrier(name: str, value: float) -> str:
    return f"{name.replace('_', ' ')} {value:.3g} {'nm' if name == 'tunnel' else 'eV'}"


def layers(known: Facts) -> go.Figure:
    """Shares of the species over the distance from the electrode, stacked to 1."""
    figure = go.Figure()
    for k in reversed(range(len(SPECIES))):
        figure.add_scatter(
            x=known.distance, y=known.shares[k], name=NAMES[SPECIES[k]], stackgroup="all",
            mode="lines", line={"width": 0.5, "color": COLOURS[k]}, fillcolor=COLOURS[k],
            hovertemplate=f"{NAMES[SPECIES[k]]}<br>%{{x:.0f}} nm: %{{y:.2f}}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        height=250,
        margin={"l": 52, "r": 8, "t": 8, "b": 40},
        showlegend=False,
        hovermode="closest",
    )
    figure.update_xaxes(title_text="distance from the electrode / nm", fixedrange=True)
    figure.update_yaxes(title_text="share", range=[0, 1], fixedrange=True)
    return figure
