"""Interpolate: walk from one molecule to another and look at what lies between."""

import streamlit as st

from genbat.ui import interpolate_actions as actions
from genbat.ui import interpolate_ends as ends
from genbat.ui import interpolate_parts as parts
from genbat.ui import state
from genbat.ui.interpolate_style import STYLE
from genbat.ui.words import plain

st.html(STYLE)
st.title("Interpolate", anchor=False)
st.caption(
    "What lies between two molecules? The model turns each into a point; here you walk from "
    "one point to the other and read the molecule at every step."
)
a, b = ends.read_link()
first, middle, last = st.columns([1.15, 1, 1.15], gap="medium")
with first:
    ends.end(0, a)
with last:
    ends.end(1, b)
with middle:
    kind, steps = parts.way()

if not (a and b):
    ends.suggestions()
    st.stop()
try:
    found = parts.shown(state.domain(), a, b, steps, kind)
except ValueError as wrong:
    st.error(plain(str(wrong)))
    st.stop()

actions.summary(found)
with st.container(horizontal=True, vertical_alignment="bottom", key="walk-tools"):
    parts.choose_property(found)
    parts.map_click()
    actions.actions(found)
actions.job_part()
parts.walking(found)
