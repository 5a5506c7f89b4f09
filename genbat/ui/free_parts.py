"""The parts of "Any size": a shipped model, how large, periodic or not, and the volume."""

from __future__ import annotations

import streamlit as st

from genbat.core.candidate import Candidate
from genbat.studio import free_volumes
from genbat.studio.free_volumes import Maker
from genbat.ui import micrograph_parts, state
from genbat.ui.words import plain


def page() -> None:
    """All of it."""
    makers = free_volumes.makers()
    if not makers:
        st.info("No model for volumes of any size is installed here.")
        return
    st.caption(
        "These models follow the images they have learnt from and nothing else; to ask for a "
        "porosity or a tortuosity factor, go to Design."
    )
    linked = st.query_params.get("maker", "")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Model", list(makers), format_func=lambda n: plain(makers[n].title), width=300,
            index=list(makers).index(linked) if linked in makers else 0, key="free:maker",
        )  # fmt: skip
        size = st.segmented_control("Voxels along an edge", list(free_volumes.SIZES), default=64,
                                    key="free:size", required=True)  # fmt: skip
        seed = st.number_input("Seed", 0, micrograph_parts.SEEDS, 0, key="free:seed", width=120,
                               help="The same seed gives the same volume.")  # fmt: skip
        periodic = makers[name].periodic and st.toggle(
            "Periodic", key="free:periodic",
            help="Opposite faces fit together, as many simulations want it.",
        )  # fmt: skip
    state.link(maker=name)
    if periodic:
        _shift(makers[name])
    try:
        made = _made(name, int(size or 64), int(seed), bool(periodic))
    except ValueError as wrong:
        st.error(plain(str(wrong)))
        return
    micrograph_parts.volume(made, "free")


def _shift(maker: Maker) -> None:
    """What periodic borders do to transport, as it was measured."""
    if maker.shift is None:
        return
    periodic, free = maker.shift.periodic, maker.shift.free
    st.caption(
        f"Making the borders fit changes the pores a little: effective diffusivity "
        f"{periodic:.3f} of bulk in periodic volumes, {free:.3f} in others, "
        f"{100 * (periodic / free - 1):+.0f} % (means, TauFactor)."
    )


@st.cache_data(max_entries=8, show_spinner="Making the volume")
def _made(name: str, size: int, seed: int, periodic: bool) -> Candidate:
    return free_volumes.made(name, size, seed, periodic=periodic)
