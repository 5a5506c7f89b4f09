"""Which step of a walk somebody stands on: buttons, slider, playing."""

from __future__ import annotations

import html
import time
from typing import TYPE_CHECKING

import streamlit as st

from genbat.ui import interpolate_charts, state
from genbat.ui.words import short

if TYPE_CHECKING:
    from genbat.ui.interpolate_parts import Shown

STEP, PLAYING = "walk:step", "walk:playing"
LEFT, ECHO_S = "walk:left", 2.0  # the step that was left last, and how long it may come back
PLAY_EVERY_S = 0.9
MOST = 41  # steps of a walk


def read_number(name: str, low: int, high: int, usual: int) -> int:
    """A whole number of the link, or the usual one."""
    text = st.query_params.get(name, "")
    return min(high, max(low, int(text))) if text.isdecimal() and len(text) < 4 else usual


def current(steps: int) -> int:
    """The step in force, from this tab or the link."""
    st.session_state.setdefault(STEP, read_number("step", 0, MOST, 0))
    return min(st.session_state[STEP], steps - 1)


def go_to(step: int) -> None:
    """Stand on a step."""
    st.session_state[LEFT] = st.session_state.get(STEP), time.monotonic()
    st.session_state[STEP] = step
    state.link(step=step)


def stop_at(step: int, steps: int) -> None:
    """Stand on a step and stop playing."""
    st.session_state[PLAYING] = False
    go_to(max(0, min(step, steps - 1)))


def advance(steps: int) -> None:
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


def player(found: Shown, step: int) -> None:
    """Play, back, next, where one stands in words, and the step's slider."""
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
