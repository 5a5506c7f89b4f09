"""Explore: one map of everything known and generated; a click opens the card."""

import streamlit as st

from genbat.ui import card, explore_lists, shared, state
from genbat.ui import explore_parts as parts


@st.fragment
def explore() -> None:
    """Map and card rerun together, without the rest of the page."""
    place = shared.atlas(state.domain())
    parts.hear(place)
    left, right = st.columns([3, 2], gap="medium")
    chosen = parts.chosen(place)
    candidate = chosen.candidate and card.learned(chosen.candidate)
    with right:  # first of all, so that the 3D view is there at once
        if candidate is None:
            parts.suggestion(chosen.problem)
        else:
            card.top(candidate, "explore:card", note=chosen.note)
    with left:
        parts.heading()
        with st.container(horizontal=True):
            colour = parts.colour_control(place)
            show = parts.show_control(place)
            hits = parts.search_control(place)
        parts.hits_row(place, hits)
        map_slot = st.container()
        parts.meaning(place)
        filters, own_slot = parts.filters_expander(place)
        own = explore_lists.own(place, own_slot)
    with map_slot:
        marks = [*([chosen.mark] if chosen.mark else []), *explore_lists.own_marks(own)]
        parts.draw_map(place, colour, show, filters, marks)
    if candidate is not None and candidate.verdict.ok:
        with right:
            card.rest(candidate, "explore:card", choose=parts.choose)
    with left:
        if candidate is not None:
            explore_lists.around(candidate)
        explore_lists.selection(place, colour, show, filters)
        explore_lists.own_table(own)


explore()
