"""The volume viewer on a page of its own: cubes, flat voxels, two phases."""

import streamlit as st

from genbat.domains.microstructures.generator import Recipe, make
from genbat.ui.components.volume_viewer import pack, volume_viewer

st.set_page_config(layout="wide")
CASES = {
    "cube": (64, (1.0, 1.0, 1.0), "voxel"),
    "flat voxels": (64, (0.2, 0.4, 0.4), "μm"),
    "large": (128, (1.0, 1.0, 1.0), "voxel"),
}


@st.cache_data
def packed(name: str) -> bytes:
    size, edges, unit = CASES[name]
    volume = make(Recipe(size=size), 1)
    return pack(volume.labels, volume.phases, name, edges=edges, unit=unit)


shown = st.radio("Volume", [*CASES, "none"], horizontal=True)
if shown in CASES:
    volume_viewer(packed(shown), key="view")
st.write(f"chosen {shown}")
