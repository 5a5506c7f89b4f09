"""Make crystals: what some systems can do that Design does not show."""

import streamlit as st

from genbat.studio import registry
from genbat.ui import cubic_parts, joining_parts, noise_parts, state

TASKS = {
    "noise": ("unimat", "Out of noise", noise_parts.page, "The elements of a crystal and where "
              "its atoms are, decided together on the periodic table (UniMat, Yang et al. 2024)."),
    "cubic": ("cubicgan", "Cubic, by three elements", cubic_parts.page, "A space group and three "
              "elements become a cubic crystal (CubicGAN, Zhao et al. 2021)."),
    "join": ("crystalgan", "Two binaries into one", joining_parts.page, "Two hydrides or oxides "
             "become a ternary (CrystalGAN, Nouira et al. 2019)."),
}  # fmt: skip
here = {name: told for name, told in TASKS.items() if registry.trained(told[0])}
title = st.empty()
if not here:
    st.info("None of the systems of this page has weights here; genbat train makes them.")
    st.stop()
asked = st.query_params.get("do", "")
task = st.segmented_control(
    "What to do", list(here), format_func=lambda name: here[name][1], key="maker:do",
    required=True, default=asked if asked in here else next(iter(here)),
    label_visibility="collapsed",
)  # fmt: skip
state.link(do=task)
title.html(f"<div class='gb-title'><h1>Make crystals</h1><p>{here[task][3]}</p></div>")
here[task][2]()
