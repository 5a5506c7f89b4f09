"""The current shortlist: always in the sidebar, filled from every card."""

from __future__ import annotations

import streamlit as st

from genbat.core.candidate import Candidate
from genbat.studio.shortlist import Shortlist
from genbat.ui import shared, state
from genbat.ui.words import plain

FIRST_NAME = "My shortlist"
CHOICE = "basket:choice"


def current() -> Shortlist:
    """This person's list in force; the first one is made when it is needed."""
    lists = shared.shortlists()
    mine = lists.lists(state.owner(), state.domain())
    wanted = st.query_params.get("list", st.session_state.get(state.BASKET, ""))
    for one in mine:
        if one.id == wanted:
            return one
    if wanted:
        try:
            shared_one = lists.open(wanted)  # somebody shared the link of a list
        except ValueError:
            pass
        else:
            if shared_one.domain == state.domain():
                return shared_one
    return mine[0] if mine else lists.create(state.owner(), FIRST_NAME, state.domain())


def add(candidate: Candidate) -> None:
    """Add to the list in force, at once in the database."""
    basket = current()
    try:
        shared.shortlists().add(basket.id, candidate)
        st.toast(f"Added to {plain(basket.name)}")
    except ValueError as full:
        st.toast(plain(str(full)))


def sidebar() -> str:
    """Name and choice of the list in force; returns its count in words."""
    basket = current()
    mine = shared.shortlists().lists(state.owner(), state.domain())
    others = {one.id: f"{one.name} · {one.count}" for one in [*mine, basket]}
    st.session_state[CHOICE] = basket.id  # the link decides; a pick is in the link by now
    st.selectbox(
        "Basket",
        list(others),
        format_func=others.__getitem__,
        key=CHOICE,
        on_change=_picked,
        help="The shortlist that “Add to shortlist” fills. It is saved as you go.",
    )
    word = "candidate" if basket.count == 1 else "candidates"
    return f"{basket.count} {word} in the basket"


def _picked() -> None:
    take(st.session_state[CHOICE])


def take(list_id: str) -> None:
    """Make a list the basket; "" goes back to the first one."""
    st.session_state[state.BASKET] = list_id
    state.link(list=list_id, entry=None)
