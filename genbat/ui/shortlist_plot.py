"""The Pareto plot of a shortlist: two properties, what is wanted of each, the front."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from genbat.core.properties import KIND_MARKS, Kind, Measurement, Property
from genbat.studio.rooms import rooms
from genbat.studio.shortlist import Entry, pareto
from genbat.ui import state
from genbat.ui.words import short

HEIGHT = 400
WORDS = {1: "↑ high", -1: "↓ low"}
SYMBOLS: dict[Kind, str] = {
    "measured": "circle",
    "computed": "diamond",
    "predicted": "circle-open",
}
_ORDER: tuple[Kind, ...] = ("measured", "computed", "predicted")  # the least certain speaks
_LABELLED = 6


def axes(entries: Sequence[Entry], known: Mapping[str, Property]) -> dict[str, int]:
    """Choice of the two axes and what is wanted of each: property key -> +1 or -1."""
    keys = [k for k in known if any(k in e.candidate.properties for e in entries)]
    if len(keys) < 2:
        return {}
    usual = rooms(entries[0].candidate.domain).plotted
    first, second = _defaults(keys, usual)
    x = _axis("across", "Across", keys, first, known)
    y = _axis("up", "Upwards", [k for k in keys if k != x[0]], second, known)
    return dict([x, y])


def _defaults(keys: Sequence[str], usual: Sequence[str]) -> tuple[str, str]:
    wanted = [k for k in usual if k in keys]
    both = [*wanted, *[k for k in keys if k not in wanted]]
    return both[0], both[1]


def _axis(
    name: str, label: str, keys: Sequence[str], default: str, known: Mapping[str, Property]
) -> tuple[str, int]:
    left, right = st.columns([6, 5], vertical_alignment="bottom")
    key = left.selectbox(
        label,
        keys,
        keys.index(default) if default in keys else 0,
        format_func=lambda k: known[k].axis,
        key=name,
        bind="query-params",
    )
    better = right.segmented_control(
        "Wanted",
        [1, -1],
        default=known[key].better or 1,
        required=True,
        format_func=WORDS.__getitem__,
        key=f"better:{key}",
        help="What you want of it; the front follows.",
    )
    return key, better or 1


def more_goals(
    entries: Sequence[Entry], known: Mapping[str, Property], goals: Mapping[str, int]
) -> dict[str, int]:
    """Further properties that decide about the front; wanted as is usual for each."""
    keys = [k for k, p in known.items() if p.better and k not in goals]
    keys = [k for k in keys if any(k in e.candidate.properties for e in entries)]
    picked = st.multiselect(
        "The front also judges",
        keys,
        format_func=lambda k: f"{known[k].label} ({WORDS[known[k].better][2:]} wanted)",
        key="shortlist:goals",
        help="A candidate is on the front where no other one is better in every respect.",
    )
    return {**goals, **{k: known[k].better for k in picked if k in keys}}


def plot(
    entries: Sequence[Entry],
    goals: Mapping[str, int],
    known: Mapping[str, Property],
    chosen: int | None,
    key: str,
    on_click: Any,
) -> None:
    """The chart; a click on a point calls `on_click`, which reads the event from the state."""
    front = pareto(entries, goals)
    if all(flag is None for flag in front):
        judge = state.words().judge
        st.info(f"No candidate has all these values yet. Let {judge} compute the list.")
        return
    st.plotly_chart(
        figure(entries, goals, known, front, chosen, state.is_dark()),
        key=key,
        on_select=on_click,
        selection_mode=("points",),
        height=HEIGHT,
        config={"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d"]},
        alt="Pareto plot of the shortlist",
    )
    missing = front.count(None)
    words = [
        f"Front: {front.count(True)} of {len(front) - missing}; no other is better in every respect"
    ]
    if any(_has_bars(e, list(goals)[:2]) for e in entries):
        words.append("bars hold 90 %")
    if missing:
        words.append(f"{missing} without these values not drawn")
    st.caption(" · ".join([*words, "click a point to choose it"]))


def _has_bars(entry: Entry, keys: Sequence[str]) -> bool:
    found = [entry.candidate.properties.get(k) for k in keys]
    return any(m is not None and bool(m.uncertainty) for m in found)


def figure(
    entries: Sequence[Entry],
    goals: Mapping[str, int],
    known: Mapping[str, Property],
    front: Sequence[bool | None],
    chosen: int | None,
    dark: bool,
) -> go.Figure:
    """Plotly figure; customdata holds the entry's id."""
    x, y = list(goals)[:2]
    accent, grey = ("#9dbbff", "#98a0ae") if dark else ("#2456c7", "#8a93a0")
    drawn = go.Figure()
    best = [e for e, flag in zip(entries, front, strict=True) if flag]
    rest = [e for e, flag in zip(entries, front, strict=True) if flag is False]
    if len(goals) == 2:
        drawn.add_trace(_stairs(best, x, y, goals, accent))
    labelled = _labelled([*(e for e in [*best, *rest] if e.id == chosen), *best], x, y)
    drawn.add_trace(_dots(rest, x, y, known, f"others ({len(rest)})", grey, labelled))
    drawn.add_trace(_dots(best, x, y, known, f"front ({len(best)})", accent, labelled))
    ring = [e for e in [*best, *rest] if e.id == chosen]
    drawn.add_trace(_ring(ring, x, y, dark))
    arrows = {1: "→", -1: "←"}, {1: "↑", -1: "↓"}
    for k, (key, turn) in enumerate(((x, drawn.update_xaxes), (y, drawn.update_yaxes))):
        title = f"{known[key].axis}   {arrows[k][goals[key]]} wanted"
        turn(title_text=title, zeroline=False, range=_range([*best, *rest], key))
    drawn.update_layout(
        dragmode="pan",
        uirevision=f"{x}:{y}",
        margin={"l": 8, "r": 8, "t": 28, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="closest",
    )
    return drawn


def _dots(
    entries: Sequence[Entry],
    x: str,
    y: str,
    known: Mapping[str, Property],
    name: str,
    colour: str,
    labelled: Mapping[int, str],
) -> go.Scatter:
    pairs = [(e.candidate.properties[x], e.candidate.properties[y]) for e in entries]
    worst = [max(a.kind, b.kind, key=_ORDER.index) for a, b in pairs]
    size = {"size": 11, "color": colour, "symbol": [SYMBOLS[k] for k in worst]}
    keep = {"marker": {"opacity": 1.0}}
    return go.Scatter(
        x=[a.value for a, _ in pairs],
        y=[b.value for _, b in pairs],
        error_x=_bars([a for a, _ in pairs], colour),
        error_y=_bars([b for _, b in pairs], colour),
        mode="markers+text",
        text=[f" {html.escape(short(_name(e), 20))} " if e.id in labelled else "" for e in entries],
        textposition=[labelled.get(e.id, "top center") for e in entries],
        hovertext=[_hover(e, (x, y), known) for e in entries],
        hoverinfo="text",
        customdata=[e.id for e in entries],
        marker={**size, "line": {"width": 2, "color": colour}},
        selected=keep,
        unselected=keep,
        name=name,
        cliponaxis=False,
    )


def _range(entries: Sequence[Entry], key: str) -> tuple[float, float]:
    """Ends of an axis: values with their bars, and some room."""
    found = [e.candidate.properties[key] for e in entries]
    low = min(m.ends[0] for m in found)
    high = max(m.ends[1] for m in found)
    room = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    return low - room, high + room


def _labelled(entries: Sequence[Entry], x: str, y: str) -> dict[int, str]:
    """Entries that get their name, with its side; none where two names would overlap."""
    chosen: dict[int, str] = {}
    taken: list[tuple[float, float]] = []
    if not entries:
        return chosen
    (left, right), (low, high) = (_range(entries, key) for key in (x, y))
    for entry in entries:
        values = (entry.candidate.properties[key].value for key in (x, y))
        px, py = (next(values) - left) / (right - left), (next(values) - low) / (high - low)
        near = any(abs(px - a) < 0.5 and abs(py - b) < 0.08 for a, b in taken)
        if not near and len(chosen) < _LABELLED:
            taken.append((px, py))
            chosen[entry.id] = "top right" if px < 0.5 else "top left"
    return chosen


def _name(entry: Entry) -> str:
    return entry.candidate.name or entry.candidate.text


def _hover(entry: Entry, keys: Sequence[str], known: Mapping[str, Property]) -> str:
    lines = [f"<b>{html.escape(short(_name(entry), 60))}</b>"]
    for key in keys:
        p, m = known[key], entry.candidate.properties[key]
        lines.append(f"{p.label} {m.number(p.floor)} {p.unit} · {KIND_MARKS[m.kind]} {m.kind}")
    return "<br>".join(lines)


def _bars(found: Sequence[Measurement], colour: str) -> dict[str, Any]:
    look = {"color": colour, "thickness": 1, "width": 3}
    if not any(m.uncertainty for m in found):
        return {"visible": False, **look}
    ends = {
        "array": [m.ends[1] - m.value for m in found],
        "arrayminus": [m.value - m.ends[0] for m in found],
    }
    return {"symmetric": False, "visible": True, **ends, **look}


def _ring(entries: Sequence[Entry], x: str, y: str, dark: bool) -> go.Scatter:
    return go.Scatter(
        x=[e.candidate.properties[x].value for e in entries],
        y=[e.candidate.properties[y].value for e in entries],
        mode="markers",
        marker={
            "size": 21,
            "symbol": "circle-open",
            "color": "#ff8a5c" if dark else "#e4572e",
            "line": {"width": 2.5},
        },
        hoverinfo="skip",
        showlegend=False,
    )


def _stairs(
    best: Sequence[Entry], x: str, y: str, goals: Mapping[str, int], colour: str
) -> go.Scatter:
    """The border of what is reached: steps through the front's points."""
    points = sorted(
        {(e.candidate.properties[x].value, e.candidate.properties[y].value) for e in best}
    )
    return go.Scatter(
        x=[p[0] for p in points],
        y=[p[1] for p in points],
        mode="lines",
        line={
            "color": colour,
            "width": 1.5,
            "dash": "dot",
            "shape": "vh" if goals[x] > 0 else "hv",
        },
        hoverinfo="skip",
        showlegend=False,
    )
