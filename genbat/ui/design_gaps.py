"""Gaps of Design's sentence: widgets that start with the draft's values, words between them."""

from __future__ import annotations

from typing import Any

import streamlit as st

ROUND = "design:round"  # a new draft starts a new round of widgets


def gap(name: str, value: Any) -> str:
    """Key of a gap's widget, which starts with the draft's value; a new draft gets new widgets."""
    found = key(name)
    st.session_state.setdefault(found, value)
    return found


def key(name: str) -> str:
    """Key of a widget that lives as long as the draft."""
    return f"design:{st.session_state.get(ROUND, 0)}:{name}"


def number(label: str, name: str, value: float, **options: Any) -> Any:
    """A number that starts with the draft's value.

    The value is also the widget's own default: a component that answers as soon as it is drawn
    makes the page run again before a browser has heard of values that only the session knows.
    """
    ident = key(name)
    first = st.session_state.setdefault(f"{ident}:start", value)
    return st.number_input(label, value=first, key=ident, label_visibility="collapsed", **options)


def line() -> Any:
    """One line of the sentence."""
    return st.container(horizontal=True, vertical_alignment="center", gap="small")


def words(text: str) -> None:
    """Words of the sentence."""
    st.markdown(text, width="content")
