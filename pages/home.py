"""Home: what GenBat is, one picture, and a first walk of three clicks."""

import streamlit as st

from genbat.ui import home_parts as parts
from genbat.ui import state
from genbat.ui.frame import PAGES, page_file

words, (a, b) = state.words(), parts.walk_names()
st.html(f"<div class='gb-hero'><h1>{words.home_title}</h1><p>{words.home}</p></div>")
parts.picture()

st.subheader("Your first walk, in three clicks", anchor=False)
for column, number in zip(st.columns(3), (1, 2, 3), strict=True):
    title, told = parts.STEPS_TOLD[number - 1]
    told = told.format(a=a, b=b)
    column.html(
        f"<div class='gb-step'><b>{number}</b><span><strong>{title}</strong> {told}</span></div>"
    )
if st.button("Start the walk", type="primary", icon=":material/timeline:"):
    parts.start_walk()
    st.switch_page(page_file("interpolate"), query_params=parts.walk_link())

st.subheader("Or begin where you like", anchor=False)
for column, (name, (title, told)) in zip(st.columns(4), parts.VERBS.items(), strict=True):
    with column.container(border=True, height="stretch"):
        st.page_link(page_file(name), label=f"**{title}**", icon=PAGES[name][1])
        st.caption(told.format(one=words.one, many=words.many))
with st.container(border=True):
    st.caption(f"**What the numbers mean.** {words.numbers}")
