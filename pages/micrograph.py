"""Your own micrograph: train a SliceGAN on one image and keep it as your own system."""

import streamlit as st

from genbat.ui import micrograph_parts as parts

st.html(
    "<div class='gb-title'><h1>Your own micrograph</h1><p>Give one image; a SliceGAN (Kench and "
    "Cooper 2021) learns to fill volumes whose slices look like it.</p></div>"
)
job = parts.watched()
if job is not None:
    parts.training(job)
else:
    given = parts.image()
    if given is not None:
        volume = parts.phases(*given)
        if volume is not None:
            parts.start(volume, given[1])
parts.own_systems()
