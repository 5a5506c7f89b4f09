"""Charts of a crystal's card: powder pattern and voltage over capacity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from genbat.core.properties import Measurement
from genbat.studio.crystal_facts import RANGE, Line, Pattern, Profile, Step

ACCENT, SECOND, GREY = "#3b6fd4", "#d55e00", "#8a93a0"
NAMED = 5  # strongest lines that carry their indices
CLEAR = 7.0  # degrees that two names keep apart
ABOVE, BELOW = 0.35, 0.35  # V around what is drawn


def diffraction(pattern: Pattern) -> go.Figure:
    """The curve, its lines as sticks with indices on hover, the strongest ones named."""
    figure = go.Figure()
    figure.add_scatter(
        x=pattern.two_theta, y=pattern.intensity, mode="lines", hoverinfo="skip",
        line={"color": ACCENT, "width": 1.4}, fill="tozeroy", fillcolor="rgba(59,111,212,.12)",
    )  # fmt: skip
    figure.add_bar(
        x=[line.two_theta for line in pattern.lines],
        y=[line.intensity for line in pattern.lines],
        width=0.35,
        marker={"color": ACCENT, "opacity": 0.55},
        customdata=[(indices(line.label), line.spacing) for line in pattern.lines],
        hovertemplate="(%{customdata[0]})<br>2θ %{x:.2f}°, d %{customdata[1]:.3f} Å<br>"
        "intensity %{y:.0f}<extra></extra>",
    )
    for line in _named(pattern):
        figure.add_annotation(
            x=line.two_theta, y=line.intensity, text=indices(line.label.split(" / ")[0]),
            showarrow=False, yshift=8, font={"size": 10},
        )  # fmt: skip
    _dress(figure)
    figure.update_xaxes(title_text="2θ / °", range=RANGE)
    figure.update_yaxes(title_text="intensity", range=[0, 116], showticklabels=False)
    return figure


def indices(label: str) -> str:
    """`1 0 -4` -> `104̄`: negative ones carry a bar; a space stays where one has two digits."""
    parts = [
        " ".join(i[1:] + "\u0304" if i.startswith("-") else i for i in one.split(" "))
        for one in label.split(" / ")
    ]
    tight = all(len(i.lstrip("-")) == 1 for one in label.split(" / ") for i in one.split(" "))
    return " / ".join(part.replace(" ", "") if tight else part for part in parts)


def _named(pattern: Pattern) -> list[Line]:
    """The strongest lines, none over the name of a stronger one."""
    named: list[Line] = []
    for line in sorted(pattern.lines, key=lambda line: -line.intensity):
        if all(abs(line.two_theta - other.two_theta) > CLEAR for other in named):
            named.append(line)
    return named[:NAMED]


def voltage(profile: Profile, properties: Mapping[str, Measurement]) -> go.Figure:
    """Average voltage with its 90 % band, r2SCAN's beside it, equilibrium steps dotted."""
    figure = go.Figure()
    one = profile.average
    low, high = properties["voltage_v"].ends
    figure.add_scatter(
        x=[one.start, one.end, one.end, one.start], y=[low, low, high, high], fill="toself",
        fillcolor="rgba(59,111,212,.14)", line={"width": 0}, hoverinfo="skip", name="90 % interval",
        mode="lines",
    )  # fmt: skip
    _line(figure, [one], "average, CHGNet 0.3.0", ACCENT, "solid")
    drawn = [low, high, *(step.voltage for step in profile.steps)]
    second = properties.get("voltage_r2scan_v")
    if second is not None:
        other = Step(one.start, one.end, second.value, one.phases)
        _line(figure, [other], "average, r2SCAN", SECOND, "dash")
        drawn.append(second.value)
    if profile.steps:
        _line(figure, profile.steps, "equilibrium of known phases", GREY, "dot")
    _dress(figure, legend=True)
    figure.update_xaxes(title_text="capacity of the full host / mAh/g", rangemode="tozero")
    ends = [max(0.0, min(drawn) - BELOW), max(drawn) + ABOVE]
    figure.update_yaxes(title_text=f"voltage against {profile.ion} / V", range=ends)
    return figure


def _line(figure: go.Figure, steps: Sequence[Step], name: str, colour: str, dash: str) -> None:
    x, y, words = [], [], []
    for step in steps:
        x += [step.start, step.end]
        y += [step.voltage, step.voltage]
        words += 2 * [f"{step.phases[0]} to {step.phases[1]}"]
    figure.add_scatter(
        x=x, y=y, mode="lines", name=name, line={"color": colour, "width": 2.4, "dash": dash},
        customdata=words,
        hovertemplate="%{y:.2f} V, %{x:.0f} mAh/g<br>%{customdata}<extra></extra>",
    )  # fmt: skip


def _dress(figure: go.Figure, *, legend: bool = False) -> None:
    figure.update_layout(
        height=250 if legend else 210,
        margin={"l": 52, "r": 8, "t": 30 if legend else 8, "b": 40},
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 11}},
        hovermode="closest",
    )
    figure.update_xaxes(fixedrange=True, zeroline=False)
    figure.update_yaxes(fixedrange=True, zeroline=False, title_font={"size": 12})
