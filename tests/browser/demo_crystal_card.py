"""A page with the crystal's part of a card for some shipped crystals; tests drive it."""

from pathlib import Path

import numpy as np
import streamlit as st

import genbat.ui
from genbat.core.candidate import Candidate, Verdict
from genbat.core.provenance import Provenance
from genbat.domains.crystals import data
from genbat.domains.crystals.structure import to_text
from genbat.studio import crystal_facts
from genbat.ui import crystal_card
from genbat.ui.components.crystal_viewer import crystal_viewer


def candidate(row):
    known = data.load()
    return Candidate(to_text(known.cell(row)), "crystals", Verdict(True),
                     Provenance("data", "known"), known.measurements(row))  # fmt: skip


@st.cache_resource
def rows():
    """What is shown -> row: a layered oxide, a known electrolyte, a host with several plateaus."""
    table = data.load().table
    found = {f: int(np.flatnonzero(table["formula"] == f)[-1]) for f in ("LiCoO2", "Li3ClO")}
    hosts = (int(k) for k in np.flatnonzero(table["voltage_v"].notna()))
    found["plateaus"] = next(k for k in hosts if crystal_facts.profile(candidate(k)).steps)
    return found


st.set_page_config("Crystal card", layout="wide")
style = Path(genbat.ui.__file__).with_name("style.css").read_text("utf-8")
st.html(f"<style>{style}</style>")
name = st.radio("Crystal", list(rows()), key="crystal", bind="query-params", horizontal=True)
_, middle, _ = st.columns([1, 2, 1])
with middle:
    one = candidate(rows()[name])
    crystal_viewer(crystal_facts.scene(one.text), key="card:3d")
    crystal_card.sections(one, "card")
