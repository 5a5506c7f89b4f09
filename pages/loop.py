"""The feedback loop: write polymers, judge them, learn from the best, write again."""

import streamlit as st

from genbat.ui import loop_parts

st.html(
    "<div class='gb-title'><h1>Feedback loop</h1><p>A GPT that learns from its own best polymers "
    "(Khajeh et al. 2025).</p></div>"
)
loop_parts.page()
