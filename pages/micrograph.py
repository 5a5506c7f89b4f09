"""Volumes: from one image of your own, finer from a coarse scan, or of any size."""

import streamlit as st

from genbat.ui import finer_parts, free_parts, state
from genbat.ui import micrograph_parts as parts

st.html(
    "<div class='gb-title'><h1>Make volumes</h1><p>One image becomes volumes that look like "
    "it (SliceGAN, Kench and Cooper 2021); a coarse scan becomes a fine one (SuperRes, Dahari et "
    "al. 2023).</p></div>"
)
TASKS = {
    "volumes": ("Your own micrograph", parts.page),
    "finer": ("Finer voxels for a scan", finer_parts.page),
    "size": ("Any size, by shipped models", free_parts.page),
}
asked = st.query_params.get("do", "volumes")
if parts.linked_kind() == "finer":
    asked = "finer"
task = st.segmented_control(
    "What to do", list(TASKS), format_func=lambda name: TASKS[name][0], key="micrograph:do",
    required=True, default=asked if asked in TASKS else "volumes", label_visibility="collapsed",
)  # fmt: skip
state.link(do=None if task == "volumes" else task)
TASKS[task][1]()
