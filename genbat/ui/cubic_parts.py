"""The parts of "Cubic, by three elements": space group, elements, and the crystals.

The address holds the space group, the elements, how many, and the seed.
"""

from __future__ import annotations

import streamlit as st

from genbat.core.candidate import Candidate
from genbat.studio import cubic
from genbat.ui import card, compute, maker_parts, state
from genbat.ui.components.periodic_table import element_picker
from genbat.ui.words import plain

GROUP = "cubic:group"
MOST_PICKED = 3


def page() -> None:
    """All of it."""
    left, right = st.columns([1.5, 1], gap="large")
    with left:
        picked = _elements()
    with right:
        group = _group()
        with st.container(horizontal=True):
            many = maker_parts.number("How many", "n", cubic.MOST, 8, least=1)
            seed = maker_parts.seed()
        st.caption(_words(group, picked))
    try:
        found = _made(group, tuple(picked), many, seed)
    except ValueError as wrong:
        st.error(plain(str(wrong)))
        return
    maker_parts.results(maker_parts.described(found), "cubic", _below, _note)


@st.cache_data(max_entries=64, show_spinner="Making cubic crystals")
def _made(group: int, picked: tuple[str, ...], many: int, seed: int) -> list[Candidate]:
    return cubic.made(group, picked, many, seed)


def _elements() -> list[str]:
    """Up to three elements of those that were learnt."""
    legal = cubic.elements()
    told = [e for e in st.query_params.get("el", "")[:20].split("-") if e in legal]
    picked = element_picker(list(dict.fromkeys(told))[:MOST_PICKED], legal, most=MOST_PICKED,
                            key="cubic:elements")  # fmt: skip
    state.link(el="-".join(picked))
    return picked


def _group() -> int:
    names = {0: "any of them", **cubic.groups()}
    start = maker_parts.told("group", names, 0)
    group = int(st.selectbox("Space group", list(names), index=list(names).index(start),
                             format_func=names.__getitem__, key=GROUP))  # fmt: skip
    state.link(group=group or None)
    return group


def _words(group: int, picked: list[str]) -> str:
    """What is asked, in a sentence."""
    where = f"in {plain(cubic.groups()[group])}" if group else "in any learnt space group"
    if len(picked) == MOST_PICKED:
        return f"Crystals of {'-'.join(picked)} {where}."
    kept = f" {' and '.join(picked)} and" if picked else ""
    return f"Crystals of{kept} elements that the model chooses, {where}; pick three to fix them."


def _note(candidate: Candidate) -> str:
    return f"{maker_parts.novelty(candidate)} · {cubic.group_of(candidate)}"


def _below(candidate: Candidate) -> None:
    """Numbers, the way to CHGNet, and what it is."""
    if candidate.verdict.ok:
        learned = card.learned(candidate)
        card.numbers(learned)
        compute.offer(learned, "cubic:compute")
        card.details(learned, "cubic:facts")
