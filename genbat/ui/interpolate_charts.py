"""Charts of a walk: a property and the distance to the data over the steps, and the filmstrip."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import plotly.graph_objects as go

from genbat.core.candidate import Candidate
from genbat.core.properties import KIND_MARKS, Measurement, Property
from genbat.studio.path import Walk
from genbat.ui.card import picture
from genbat.ui.components.filmstrip import Frame
from genbat.ui.words import short

LEFT, RIGHT = 58, 10  # pixels beside the plots, the filmstrip and the slider
PREDICTED, COMPUTED, MEASURED = "#b07210", "#3b6fd4", "#0b8a5a"
GREY, AMBER, ACCENT = "#8a93a0", "#e08a1e", "#2456c7"
EDGE, FAR = 90.0, 99.0  # percentiles, as in the words for distance
WAYS = {"linear": "straight line", "slerp": "arc", "geodesic": "through the data"}
_TOP = 3.3  # of the remoteness axis, which counts -log10 of the share beyond


def distances(percentile: np.ndarray) -> np.ndarray:
    """Percentiles (n,) on an axis that opens the last per cents: 90 -> 1, 99 -> 2, 99.9 -> 3."""
    return np.minimum(-np.log10(np.maximum(1 - percentile / 100, 10**-_TOP)), _TOP)


def property_chart(
    known: Property,
    predicted: Sequence[Measurement],
    candidates: Sequence[Candidate],
    step: int,
) -> go.Figure:
    """Predictions with their 90 % band, computed and measured values over the steps."""
    figure = go.Figure()
    x = list(range(len(predicted)))
    middle = np.array([m.value for m in predicted])
    low, high = np.array([m.ends for m in predicted]).T
    unit = f" {known.unit}" if known.unit else ""
    figure.add_scatter(
        x=x + x[::-1],
        y=[*high, *low[::-1]],
        fill="toself",
        fillcolor="rgba(176,114,16,0.16)",
        line={"width": 0},
        hoverinfo="skip",
        name="90 % interval",
    )
    figure.add_scatter(
        x=x,
        y=middle,
        mode="lines+markers",
        name=f"{KIND_MARKS['predicted']} predicted",
        line={"color": PREDICTED, "width": 1.5},
        marker={"symbol": "circle-open", "size": 8, "color": PREDICTED, "line": {"width": 2}},
        customdata=[m.number(known.floor) for m in predicted],
        hovertemplate=f"step %{{x}}: %{{customdata}}{unit} predicted<extra></extra>",
    )
    for kind, symbol, colour in (
        ("computed", "diamond", COMPUTED),
        ("measured", "circle", MEASURED),
    ):
        _sure_values(figure, known, candidates, kind, symbol, colour)
    _dress(figure, len(x), step, 200)
    figure.update_yaxes(title_text=known.axis)
    return figure


def _sure_values(
    figure: go.Figure,
    known: Property,
    candidates: Sequence[Candidate],
    kind: str,
    symbol: str,
    colour: str,
) -> None:
    values = [c.properties.get(known.key) for c in candidates]
    at = [(k, m.value) for k, m in enumerate(values) if m is not None and m.kind == kind]
    if not at:
        return
    x, y = zip(*at, strict=True)
    marks = {"computed": KIND_MARKS["computed"], "measured": KIND_MARKS["measured"]}
    figure.add_scatter(
        x=x,
        y=y,
        mode="markers",
        name=f"{marks[kind]} {kind}",
        marker={"symbol": symbol, "size": 11, "color": colour},
        hovertemplate=f"step %{{x}}: %{{y:.4g}} {known.unit} {kind}<extra></extra>",
    )


def distance_chart(walk: Walk, straight: np.ndarray | None, step: int) -> go.Figure:
    """Remoteness of every step beside that of the straight line (n,); amber where it is far."""
    figure = go.Figure()
    x = list(range(len(walk.percentile)))
    figure.add_hrect(
        y0=distances(np.array([FAR]))[0],
        y1=_TOP + 0.2,
        fillcolor=AMBER,
        opacity=0.2,
        line_width=0,
        annotation_text="far from anything the model has seen",
        annotation_position="top left",
        annotation_font={"size": 11, "color": AMBER},
    )
    figure.add_hline(y=2, line={"color": AMBER, "width": 1.2, "dash": "dot"})
    if straight is not None:
        _distance_line(figure, x, straight, "straight line", GREY, "dash", 1.6)
    _distance_line(figure, x, walk.percentile, WAYS[walk.kind], ACCENT, "solid", 2.2)
    _dress(figure, len(x), step, 175)
    shown = (50, 90, 99, 99.9)
    figure.update_yaxes(
        title_text="more apart than / %",
        tickvals=list(distances(np.array(shown))),
        ticktext=[f"{v:g}" for v in shown],
        range=[-0.1, _TOP + 0.2],
    )
    figure.update_xaxes(title_text="step", showticklabels=True)
    return figure


def _distance_line(
    figure: go.Figure,
    x: list[int],
    values: np.ndarray,
    name: str,
    colour: str,
    dash: str,
    width: float,
) -> None:
    figure.add_scatter(
        x=x,
        y=distances(values),
        mode="lines+markers",
        name=name,
        line={"color": colour, "dash": dash, "width": width},
        marker={"size": 5, "color": colour},
        customdata=values,
        hovertemplate=f"step %{{x}}, {name}: more apart than %{{customdata:.0f}} % of the known"
        "<extra></extra>",
    )


def _dress(figure: go.Figure, steps: int, step: int, height: int) -> None:
    figure.add_vline(x=step, line={"color": ACCENT, "width": 1.4, "dash": "solid"}, opacity=0.7)
    figure.update_layout(
        height=height,
        margin={"l": LEFT, "r": RIGHT, "t": 24, "b": 34 if height < 180 else 10},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 11}},
        hovermode="closest",
    )
    figure.update_xaxes(
        range=[-0.5, steps - 0.5],
        dtick=1 if steps <= 21 else 5,
        zeroline=False,
        fixedrange=True,
        showticklabels=False,
        automargin=False,
    )
    figure.update_yaxes(fixedrange=True, automargin=False, zeroline=False, title_font={"size": 12})


def frames(walk: Walk, dark: bool) -> list[Frame]:
    """One frame for each run of steps that decode to the same object."""
    made, first = [], 0
    for _, group in groupby(walk.candidates, key=lambda c: (c.text, c.verdict.ok)):
        run = list(group)
        made.append(_frame(walk, run[0], first, first + len(run) - 1, dark))
        first += len(run)
    return made


def _frame(walk: Walk, candidate: Candidate, first: int, last: int, dark: bool) -> Frame:
    worst = max(range(first, last + 1), key=lambda k: walk.percentile[k])
    percentile, words = float(walk.percentile[worst]), walk.words[worst]
    brief = "inside" if percentile <= EDGE else "edge" if percentile <= FAR else "⚠ far"
    if candidate.verdict.ok:
        status = "new" if candidate.novel is not False else "known"
        square = first == last and len(walk.candidates) > 7
        size = (84, 84) if square else (120, 80)
        svg = picture(candidate.domain, candidate.text, *size, dark)
        mark = f"✓ {status}"
        told = f"{short(candidate.name or candidate.text)}: valid, {status}"
    else:
        svg, mark, told = "", "✗ not valid", "not valid: " + "; ".join(candidate.verdict.reasons)
    tone = GREY if candidate.novel is False else ACCENT if candidate.verdict.ok else AMBER
    return Frame(first, last, svg, mark, brief, f"{told}; {words}", tone, percentile > FAR)
