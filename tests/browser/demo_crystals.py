"""A page with the crystal viewer and the periodic table; tests drive it."""

from urllib.parse import quote

import streamlit as st
from pymatgen.core import Lattice, Structure

from genbat.domains.crystals import draw
from genbat.domains.crystals.structure import cell_of, to_text
from genbat.studio import crystal_facts
from genbat.ui.components.crystal_viewer import crystal_viewer
from genbat.ui.components.periodic_table import periodic_table


def _grown(group, lattice, species, places):
    return cell_of(
        Structure.from_spacegroup(group, lattice, species, places).get_primitive_structure()
    )


CRYSTALS = {
    "LiCoO2": _grown("R-3m", Lattice.hexagonal(2.816, 14.05), ["Li", "Co", "O"],
                     [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.26]]),
    "BaTiO3": _grown("Pm-3m", Lattice.cubic(4.0), ["Ba", "Ti", "O"],
                     [[0.5] * 3, [0] * 3, [0.5, 0, 0]]),
    "NaCl": _grown("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0] * 3, [0.5] * 3]),
    "LiMn2O4": _grown("Fd-3m", Lattice.cubic(8.24), ["Li", "Mn", "O"],
                      [[0] * 3, [0.625] * 3, [0.388] * 3]),
}  # fmt: skip

st.set_page_config("Crystals", layout="wide")
left, right = st.columns([2, 3])
with left:
    name = st.radio("Crystal", list(CRYSTALS), horizontal=True)
    picked = crystal_viewer(crystal_facts.scene(to_text(CRYSTALS[name])), key="xtal", height=430)
    names = [atom["name"] for atom in picked["atoms"]] if picked else []
    st.markdown(f"picked: {names} {picked and picked['distance']} {picked and picked['angle']}")
with right:
    start = st.session_state.setdefault("start", {"Li": "require", "O": "require", "Co": "forbid"})
    if st.button("Ask for sulfides"):
        start = {"S": "require", "O": "forbid"}
    states = periodic_table(start, key="table")
    st.session_state.start = states
    groups = {s: sorted(e for e, v in states.items() if v == s) for s in ("require", "forbid")}
    st.markdown(f"require: {','.join(groups['require'])} forbid: {','.join(groups['forbid'])}.")
    for name, cell in CRYSTALS.items():
        drawn = quote(draw.svg(cell, 150, 100))
        st.html(f"<img alt='{name}' src='data:image/svg+xml;utf8,{drawn}'>")
