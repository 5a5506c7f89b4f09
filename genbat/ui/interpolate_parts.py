"""The walk itself: cached, drawn on the map, played, judged, put on the shortlist."""

from __future__ import annotations

import html
import time
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
from genbat.ui.words import short

WAYS = interpolate_charts.WAYS
KIND_NAMES = {"linear": "Straight", "slerp": "Arc", "geodesic": "Through data"}
STEP, PLAYING, SEEN = "walk:step", "walk:playing", "walk:seen"
LEFT, ECHO_S = "walk:left", 2.0  # the step that was left last, and how long it may come back
TIMED = "walk:timed"  # whether the part that walks was started with a clock
PLAY_EVERY_S = 0.9
FEWEST, MOST, USUAL = 2, 41, 11


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
def read_number(name: str, low: int, high: int, usual: int) -> int:
    """A whole number of the link, or the usual one."""
    text = st.query_params.get(name, "")
    return min(high, max(low, int(text))) if text.isdecimal() and len(text) < 4 else usual


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


def current(steps: int) -> int:
    """The step in force, from this tab or the link."""
    st.session_state.setdefault(STEP, read_number("step", 0, MOST, 0))
    return min(st.session_state[STEP], steps - 1)


def go_to(step: int) -> None:
    """Stand on a step."""
    st.session_state[LEFT] = st.session_state.get(STEP), time.monotonic()
    st.session_state[STEP] = step
    state.link(step=step)


# ---------------------------------------------------------------------- the walk
def walking(found: Shown, height: int = 310) -> None:
    """Map, player, filmstrip and charts left, the card right; only this part runs on each step."""
    every = PLAY_EVERY_S if st.session_state.get(PLAYING) else None
    st.session_state[TIMED] = every is not None
    st.fragment(_walking, run_every=every)(found, height)


def _walking(found: Shown, height: int) -> None:
    if bool(st.session_state.get(PLAYING)) != st.session_state[TIMED]:
        st.rerun()  # only the whole page can start or stop the fragment's clock
    steps = len(found.walk.candidates)
    _advance(steps)
    step = current(steps)
    state.link(step=step)  # a run that was cut short may have moved without telling the browser
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        _map(found, step, height)
        _player(found, step)
        _film(found, step)
        _charts(found, step)
    with right:
        _card(found, step)


def _advance(steps: int) -> None:
    """One step on while it plays; at the end it stops."""
    if not st.session_state.get(PLAYING):
        return
    now, last = time.monotonic(), st.session_state.get("walk:moved", 0.0)
    if now - last < 0.7 * PLAY_EVERY_S:
        return
    st.session_state["walk:moved"] = now
    at = current(steps)
    if at + 1 < steps:
        go_to(at + 1)
    if at + 2 >= steps:
        st.session_state[PLAYING] = False
        st.rerun()


def _map(found: Shown, step: int, height: int) -> None:
    domain, walk = state.domain(), found.walk
    ends = [
        {"x": float(x), "y": float(y), "label": "AB"[k]}
        for k, (x, y) in enumerate(walk.xy[[0, -1]])
    ]
    event = latent_map(
        shared.positions(domain),
        shared.colour(domain, chosen_property()),
        key=f"walk:map:{domain}",
        names=shared.name_column(domain),
        path=walk.xy,
        path2=() if found.line_xy is None else found.line_xy,
        marks=ends,
        step=step,
        note=_map_note(found),
        height=height,
    )
    if event and event["t"] != st.session_state.get(SEEN):
        st.session_state[SEEN] = event["t"]
        _hear(event, len(walk.candidates))


def _map_note(found: Shown) -> str:
    line = "" if found.line_xy is None else ", dashed: the straight line"
    return f"{WAYS[found.walk.kind]}: {len(found.walk.xy)} steps{line}"


def _hear(event: dict, steps: int) -> None:
    if event["kind"] == "step":
        st.session_state[PLAYING] = False
        go_to(min(int(event["step"]), steps - 1))
        st.rerun(scope="fragment")
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


def _player(found: Shown, step: int) -> None:
    steps, playing = len(found.walk.candidates), bool(st.session_state.get(PLAYING))
    with st.container(horizontal=True, vertical_alignment="center", key="walk-player"):
        icon, word = (":material/pause:", "Pause") if playing else (":material/play_arrow:", "Play")
        st.button(
            word,
            icon=icon,
            key="walk:play",
            on_click=_play,
            args=(steps,),
            help="Walk by itself. The arrow keys walk too, once the map has been clicked.",
        )
        back, on = ":material/chevron_left:", ":material/chevron_right:"
        for name, icon, by in (("Back", back, -1), ("Next", on, 1)):
            st.button(
                name,
                icon=icon,
                key=f"walk:{name.lower()}",
                disabled=not 0 <= step + by < steps,
                on_click=go_to,
                args=(step + by,),
            )
        st.html(f"<div class='gb-now'>{_step_words(found, step)}</div>")
    _slider(steps, step, playing)


def _slider(steps: int, step: int, playing: bool) -> None:
    """The step as a slider. While the walk plays it only shows: a tick of the clock may leave the
    browser before the last step has reached it, and its old value would undo that step; so would
    any other message, which is why a step that was just left does not count as a drag."""
    key = "walk:slider:shown" if playing else "walk:slider"
    st.session_state[key] = step
    st.slider(
        "Step",
        0,
        steps - 1,
        key=key,
        label_visibility="collapsed",
        disabled=playing,
        on_change=None if playing else lambda: _slid(st.session_state[key]),
    )


def _slid(step: int) -> None:
    left, when = st.session_state.get(LEFT, (None, 0.0))
    if step != left or time.monotonic() - when > ECHO_S:
        go_to(step)


def _play(steps: int) -> None:
    playing = not st.session_state.get(PLAYING)
    st.session_state[PLAYING] = playing
    if playing and current(steps) == steps - 1:
        go_to(0)


def _step_words(found: Shown, step: int) -> str:
    walk, candidate = found.walk, found.walk.candidates[step]
    name = short(candidate.name or candidate.text or "nothing", 48)
    far = walk.percentile[step] > interpolate_charts.FAR
    words = html.escape(walk.words[step])
    words = f"<span class='gb-far'>⚠ {words}</span>" if far else words
    return f"step {step} of {len(walk.candidates) - 1} · <b>{html.escape(name)}</b> · {words}"


def _film(found: Shown, step: int) -> None:
    dark = state.is_dark()
    hit = filmstrip(
        interpolate_charts.frames(found.walk, dark),
        len(found.walk.candidates),
        key="walk:film",
        step=step,
        left=interpolate_charts.LEFT,
        right=interpolate_charts.RIGHT,
        dark=dark,
    )
    if hit is not None:
        st.session_state[PLAYING] = False
        go_to(hit)
        st.rerun(scope="fragment")


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
