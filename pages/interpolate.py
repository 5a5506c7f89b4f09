"""Interpolate: walk from one object to another and look at what lies between."""

import streamlit as st

from genbat.ui import interpolate_actions as actions
from genbat.ui import interpolate_ends as ends
from genbat.ui import interpolate_parts as parts
from genbat.ui import state
from genbat.ui.interpolate_style import STYLE
from genbat.ui.words import plain

st.html(STYLE)
one = state.words().one
st.html(
    f"<div class='gb-title'><h1>Interpolate</h1><p>Walk from one {one} to another through the "
    f"space the model has learnt, and read the {one} at every step.</p></div>"
)
a, b = ends.read_link()
first, middle, last = st.columns([1.2, 1, 1.2], gap="medium")
with first:
    ends.end(0, a)
with last:
    ends.end(1, b)
with middle:
    kind = parts.way()

if not (a and b):
    ends.suggestions()
    st.stop()
with st.container(horizontal=True, vertical_alignment="bottom", key="walk-tools"):
    steps = parts.steps()
    parts.choose_property()
    parts.map_click()
try:
    found = parts.shown(state.domain(), a, b, steps, kind)
except ValueError as wrong:
    st.error(plain(str(wrong)))
    st.stop()

actions.summary(found)
parts.walking(found)
with st.container(horizontal=True, key="walk-actions"):
    actions.actions(found)
actions.job_part()
