"""Home: what GenBat is, one picture, and a first walk of three clicks."""

import streamlit as st

from genbat.ui import home_parts as parts
from genbat.ui import state
from genbat.ui.frame import PAGES, page_file

st.html(
    "<div class='gb-hero'><h1>Find new battery molecules by walking between known ones</h1>"
    "<p>GenBat has read some 22,000 molecules and learned a space in which relatives lie close "
    "together. Point anywhere in that space and it writes down a molecule, known or new. "
    "Quantum chemistry judges what you like, and every number says where it comes from.</p></div>"
)
parts.picture()

st.subheader("Your first walk, in three clicks", anchor=False)
for column, number in zip(st.columns(3), (1, 2, 3), strict=True):
    title, words = parts.STEPS_TOLD[number - 1]
    column.html(
        f"<div class='gb-step'><b>{number}</b><span><strong>{title}</strong> {words}</span></div>"
    )
if st.button("Start the walk", type="primary", icon=":material/timeline:"):
    state.set_end(0, parts.A)
    state.set_end(1, parts.B)
    st.switch_page(page_file("interpolate"), query_params={"a": parts.A, "b": parts.B})

st.subheader("Or begin where you like", anchor=False)
for column, (name, (title, words)) in zip(st.columns(4), parts.VERBS.items(), strict=True):
    with column.container(border=True, height="stretch"):
        st.page_link(page_file(name), label=f"**{title}**", icon=PAGES[name][1])
        st.caption(words)
with st.container(border=True):
    st.caption(parts.NUMBERS)
