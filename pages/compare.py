"""Compare: the systems of a domain side by side, by the same judges, with their baselines."""

import streamlit as st

from genbat.ui import compare_parts, state

st.html(
    f"<div class='gb-title'><h1>Compare {state.words().many}</h1><p>All systems asked for the same "
    "number of samples, judged alike, beside trivial baselines and real ones.</p></div>"
)
compare_parts.page()
