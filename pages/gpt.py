"""Token by token: how a GPT writes a molecule, and what happens when a token is changed."""

import streamlit as st

from genbat.ui import gpt_parts

st.html(
    "<div class='gb-title'><h1>Token by token</h1><p>A GPT writes a molecule one token after the "
    "other (MolGPT, Bagal et al. 2022). Change one, and it goes on from there.</p></div>"
)
gpt_parts.page()
