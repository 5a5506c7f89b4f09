"""Charts of a volume's card: two-point correlations over the real material's band, and chords."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from genbat.core.colours import PHASES
from genbat.studio.volume_facts import Band, Facts

# Pore and active material: their own colours are too near to white and to black for a line.
LINES = ("#8593a3", "#4f7cb0")
DASHES = ("dot", "solid")  # tells the two greyish blues apart
FAINT = 0.16


def line_colour(phase: int) -> str:
    """Colour of a phase's line, to be seen on a light and on a dark page."""
    return LINES[phase] if phase < len(LINES) else PHASES[phase]


def _line(phase: int) -> dict[str, object]:
    dash = DASHES[min(phase, len(DASHES) - 1)]
    return {"color": line_colour(phase), "width": 2.2, "dash": dash}


def correlations(known: Facts, real: Band | None) -> go.Figure:
    """S2 of every phase by distance; behind them, where it can be compared, the real electrode."""
    figure = go.Figure()
    comparable = real is not None and known.electrode and known.unit == "voxel"
    for k, phase in enumerate(known.phases):
        distance = np.arange(len(phase.correlation)) * float(np.mean(known.edges))
        if comparable and real is not None:
            n = min(len(distance), real.low.shape[1])
            _band(figure, distance[:n], real.low[k, :n], real.high[k, :n], k)
        figure.add_scatter(
            x=distance, y=phase.correlation, mode="lines", name=phase.name,
            line=_line(k),
            hovertemplate=f"{phase.name}<br>%{{x:.3g}} {known.unit}: %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    _dress(figure)
    figure.update_xaxes(title_text=f"distance / {known.unit}", rangemode="tozero")
    figure.update_yaxes(title_text="probability of both in the phase", rangemode="tozero")
    return figure


def _band(figure: go.Figure, x: np.ndarray, low: np.ndarray, high: np.ndarray, phase: int) -> None:
    colour = line_colour(phase)
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself",
        fillcolor=f"rgba({red},{green},{blue},{FAINT})", line={"width": 0}, mode="lines",
        hoverinfo="skip", showlegend=phase == 0, name="95 % of real crops",
    )  # fmt: skip


def chords(known: Facts) -> go.Figure:
    """How long the runs of every phase are along straight lines."""
    figure = go.Figure()
    for k, phase in enumerate(known.phases):
        figure.add_scatter(
            x=phase.chord, y=phase.frequency, mode="lines", name=phase.name,
            line=_line(k),
            hovertemplate=f"{phase.name}<br>%{{x:.3g}} {known.unit}<extra></extra>",
        )  # fmt: skip
    _dress(figure)
    figure.update_xaxes(title_text=f"chord length / {known.unit}", rangemode="tozero")
    figure.update_yaxes(title_text="frequency", showticklabels=False, rangemode="tozero")
    return figure


def _dress(figure: go.Figure) -> None:
    figure.update_layout(
        height=290,
        margin={"l": 52, "r": 8, "t": 30, "b": 40},
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": 11},
            "entrywidth": 110,
        },
        hovermode="closest",
    )
    figure.update_xaxes(fixedrange=True, zeroline=False)
    figure.update_yaxes(fixedrange=True, zeroline=False, title_font={"size": 12})
