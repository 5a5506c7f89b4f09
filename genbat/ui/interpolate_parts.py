"""The walk itself: cached, drawn on the map, played, judged, put on the shortlist."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from genbat.core.properties import Measurement
from genbat.studio.path import KIND_HELP, KINDS, Walk, walk_in
from genbat.studio.rooms import rooms
from genbat.ui import interpolate_charts, shared, state
from genbat.ui.card import card, learned
from genbat.ui.components.filmstrip import filmstrip
from genbat.ui.components.latmap import latent_map
from genbat.ui.interpolate_ends import LETTERS, clicked
from genbat.ui.interpolate_player import (
    MOST,
    PLAY_EVERY_S,
    PLAYING,
    advance,
    current,
    player,
    read_number,
    stop_at,
)

WAYS = interpolate_charts.WAYS
KIND_NAMES = {"linear": "Straight", "slerp": "Arc", "geodesic": "Through data"}
SEEN, FILM = "walk:seen", "walk:film"
TIMED = "walk:timed"  # whether the part that walks was started with a clock
FEWEST, USUAL = 2, 11


@dataclass(frozen=True)
class Shown:
    """A walk and what it is compared with.

    Attributes
    ----------
    predicted : the heads' values at every step, also where better ones are known.
    line_xy, line_percentile : the straight line between the ends; None where the walk is it.
    means : mean distance to the data of the ways that were compared.
    """

    walk: Walk
    predicted: tuple[dict[str, Measurement], ...]
    line_xy: np.ndarray | None
    line_percentile: np.ndarray | None
    means: dict[str, float]


def shown(domain: str, a: str, b: str, steps: int, kind: str) -> Shown:
    """The walk for a page; the same question is answered from memory.

    Raises
    ------
    ValueError : as `walk_in`.
    """
    return _walked(domain, a, b, steps, kind, shared.atlas(domain).system.weights)


@st.cache_data(max_entries=64, show_spinner="Walking from A to B …")
def _walked(domain: str, a: str, b: str, steps: int, kind: str, weights: str) -> Shown:
    place = shared.atlas(domain)
    walk = walk_in(place, a, b, steps=steps, kind=kind)
    predicted = tuple(place.system.predict(walk.path.points.astype("f4")))
    means = {kind: walk.remoteness}
    if kind == "linear":
        return Shown(walk, predicted, None, None, means)
    t = walk.path.along[:, None]
    line = ((1 - t) * walk.path.points[0] + t * walk.path.points[-1]).astype("f4")
    means["linear"] = float(place.manifold.remoteness(line).mean())
    return Shown(walk, predicted, place.place(line), place.manifold.percentile(line), means)


# ---------------------------------------------------------------------- the question
def way() -> str:
    """Kind of path, from the control and the link."""
    asked = st.query_params.get("path", "geodesic")
    st.session_state.setdefault("walk:kind", asked if asked in KINDS else "geodesic")
    kind = st.segmented_control(
        "Way from A to B",
        KINDS,
        format_func=KIND_NAMES.__getitem__,
        key="walk:kind",
        required=True,
        width="stretch",
    )
    kind = str(kind or "geodesic")
    st.caption(KIND_HELP[kind][0].upper() + KIND_HELP[kind][1:] + ".")
    state.link(path=kind)
    return kind


def steps() -> int:
    """Number of steps, both ends included."""
    st.session_state.setdefault("walk:steps", read_number("steps", FEWEST, MOST, USUAL))
    wanted = st.number_input("Steps", FEWEST, MOST, key="walk:steps", width=120)
    state.link(steps=int(wanted))
    return int(wanted)


# ---------------------------------------------------------------------- the walk
def walking(found: Shown, height: int = 310) -> None:
    """Map, player, filmstrip and charts left, the card right; only this part runs on each step."""
    every = PLAY_EVERY_S if st.session_state.get(PLAYING) else None
    st.session_state[TIMED] = every is not None
    st.fragment(_walking, run_every=every)(found, height)


def _walking(found: Shown, height: int) -> None:
    steps = len(found.walk.candidates)
    _hear(steps)
    if bool(st.session_state.get(PLAYING)) != st.session_state[TIMED]:
        st.rerun()  # only the whole page can start or stop the fragment's clock
    advance(steps)
    step = current(steps)
    state.link(step=step)  # a run that was cut short may have moved without telling the browser
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        _map(found, step, height)
        player(found, step)
        _film(found, step)
        _charts(found, step)
    with right:
        _card(found, step)


def _map(found: Shown, step: int, height: int) -> None:
    domain, walk = state.domain(), found.walk
    ends = [
        {"x": float(x), "y": float(y), "label": "AB"[k]}
        for k, (x, y) in enumerate(walk.xy[[0, -1]])
    ]
    latent_map(
        shared.positions(domain),
        shared.colour(domain, chosen_property()),
        key=map_key(),
        names=shared.name_column(domain),
        path=walk.xy,
        path2=() if found.line_xy is None else found.line_xy,
        marks=ends,
        step=step,
        note=_map_note(found),
        height=height,
    )


def _map_note(found: Shown) -> str:
    line = "" if found.line_xy is None else ", dashed: the straight line"
    return f"{WAYS[found.walk.kind]}: {len(found.walk.xy)} steps{line}"


def map_key() -> str:
    """The map's widget key; one a domain."""
    return f"walk:map:{state.domain()}"


def _hear(steps: int) -> None:
    """Take what the map and the filmstrip told, before anything is drawn: a run that ends in the
    middle of its drawing may leave the browser with places that do not exist."""
    if (frame := state.told(FILM, "picked")) is not None:
        stop_at(int(frame), steps)
    event = state.told(map_key(), "event")
    if not event or event["t"] == st.session_state.get(SEEN):
        return
    st.session_state[SEEN] = event["t"]
    if event["kind"] == "step":
        stop_at(int(event["step"]), steps)
    armed = st.session_state.get("walk:armed")
    if armed and event["kind"] in ("pick", "spot"):
        clicked(event, LETTERS.index(armed))
        st.rerun()


def map_click() -> None:
    """The switch that lets a click on the map choose an end."""
    st.segmented_control(
        "A click on the map sets",
        list(LETTERS),
        key="walk:armed",
        help="Choose A or B, then click a point of the map, or an empty place to decode there.",
    )


def _film(found: Shown, step: int) -> None:
    dark = state.is_dark()
    filmstrip(
        interpolate_charts.frames(found.walk, dark),
        len(found.walk.candidates),
        key=FILM,
        step=step,
        left=interpolate_charts.LEFT,
        right=interpolate_charts.RIGHT,
        dark=dark,
    )


def chosen_property() -> str:
    """Key of the property on the chart and the map."""
    return str(st.session_state.get("walk:property") or rooms(state.domain()).colour)


def choose_property() -> None:
    """Which property the chart and the map's colour show: those the model predicts."""
    place = shared.atlas(state.domain())
    predicted = place.system.predict(place.latents[:1])[0]
    labels = {p.key: p.axis for p in place.properties if p.key in predicted}
    st.selectbox(
        "Property along the walk",
        list(labels),
        format_func=labels.__getitem__,
        key="walk:property",
        width=230,
    )


def _charts(found: Shown, step: int) -> None:
    place = shared.atlas(state.domain())
    key = chosen_property()
    known = next(p for p in place.properties if p.key == key)
    values = [p[key] for p in found.predicted]
    sure = [learned(c) if c.verdict.ok else c for c in found.walk.candidates]
    chart = interpolate_charts.property_chart(known, values, sure, step)
    st.plotly_chart(chart, key="walk:chart", config={"displayModeBar": False})
    chart = interpolate_charts.distance_chart(found.walk, found.line_percentile, step)
    st.plotly_chart(chart, key="walk:distance", config={"displayModeBar": False})


def _card(found: Shown, step: int) -> None:
    candidate = found.walk.candidates[step]
    with st.container(key="walk-card"):
        card(candidate, "walk:card", height=250)
