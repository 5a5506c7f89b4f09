"""Make crystals with toys for weights, without the rest of the app; tests drive it."""

import sys
from types import SimpleNamespace

import streamlit as st

from genbat.core.paths import ROOT

sys.path.insert(0, str(ROOT / "tests" / "unit"))

import tiny_crystal_atlas
from tiny_cubicgan import cubicgan
from tiny_unimat import unimat

from genbat.studio import registry
from genbat.ui import cubic_parts, frame, noise_parts, shared, state

TOYS = {"unimat": unimat, "cubicgan": cubicgan}
opened = SimpleNamespace(atlas=tiny_crystal_atlas.atlas, ready=True, error=None, words="",
                         wait=lambda seconds: True)  # fmt: skip
registry.load = lambda name: TOYS[name]()
shared.warmup = lambda domain: opened
state.domain = lambda: "crystals"

st.set_page_config("Makers", layout="wide")
st.html(f"<style>{frame._CSS}</style>")
if st.query_params.get("do") == "cubic":
    cubic_parts.page()
else:
    noise_parts.page()
