"""Your own images: a SliceGAN trained on one, or a coarse scan made finer by SuperRes."""

import streamlit as st

from genbat.ui import finer_parts, state
from genbat.ui import micrograph_parts as parts

st.html(
    "<div class='gb-title'><h1>Your own micrograph</h1><p>One image becomes volumes that look like "
    "it (SliceGAN, Kench and Cooper 2021); a coarse scan becomes a fine one (SuperRes, Dahari et "
    "al. 2023).</p></div>"
)
TASKS = {"volumes": "Volumes from one image", "finer": "Finer voxels for a scan"}
asked = st.query_params.get("do", "volumes")
if parts.linked_kind() == "finer":
    asked = "finer"
task = st.segmented_control(
    "What to do", list(TASKS), format_func=TASKS.__getitem__, key="micrograph:do", required=True,
    default=asked if asked in TASKS else "volumes", label_visibility="collapsed",
)  # fmt: skip
state.link(do=None if task == "volumes" else task)
if task == "finer":
    finer_parts.page()
else:
    parts.page()
