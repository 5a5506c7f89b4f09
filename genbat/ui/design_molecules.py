"""The molecules' part of Design's sentence: elements, substructures, a start."""

from __future__ import annotations

from typing import Any

import streamlit as st

from genbat.core.condition import Condition
from genbat.studio.explore import Atlas
from genbat.studio.rooms import rooms
from genbat.ui import shared, state
from genbat.ui.design_gaps import gap, line, words
from genbat.ui.finding import find, name_of
from genbat.ui.words import plain

# A solvent for both electrodes, and how long it may take.
FIRST = (("lumo_ev", "below", -7.0), ("vip_ev", "above", 15.0))
USUAL = {"minutes": 2.0, "count": 24}
LEAST_WISHES = 1
_ORDER = ("C", "N", "O", "F", "P", "S", "Cl", "B", "Si")


def _without() -> dict[str, str]:
    return dict(rooms("molecules").without)


def fresh(asked: bool) -> dict[str, Any]:
    """What the link says of elements, groups, substructures and the start; `asked` whether it
    asks for anything."""
    listed = [e for e in _ORDER if e in st.query_params.get("of", "").split(",")]
    gone = [w for w in _without() if w in st.query_params.get("no", "").split(",")]
    return {
        "elements": listed or list(_ORDER),
        "without": gone if asked else ["hazards"],
        "keep": st.query_params.get("keep", "")[:200],
        "start": st.query_params.get("start", st.session_state.get(state.START, "") or "")[:300],
    }


def taken(condition: Condition) -> dict[str, Any]:
    """The same of a condition."""
    wishes = condition.wishes
    return {
        "elements": list(wishes.get("elements", _ORDER)),
        "without": [k for k in _without() if k in condition.windows],
        "keep": ", ".join(wishes.get("keep", ())),
        "start": wishes.get("start", ""),
    }


def link(asked: dict[str, Any]) -> dict[str, Any]:
    """What goes into the address."""
    every = set(asked["elements"]) == set(_ORDER)
    return {
        "of": None if every else ",".join(asked["elements"]),
        "no": ",".join(asked["without"]),
        "keep": asked["keep"],
        "start": asked["start"],
    }


def wishes(asked: dict[str, Any], place: Atlas) -> dict[str, Any]:
    """Discrete wishes of a draft; ValueError where the start is nothing known."""
    found: dict[str, Any] = {}
    if set(asked["elements"]) != set(_ORDER):
        found["elements"] = list(asked["elements"])
    if patterns(asked["keep"]):
        found["keep"] = patterns(asked["keep"])
    if asked["start"].strip():
        found["start"] = find(place, asked["start"])[0].text
    return found


def forbidden(asked: dict[str, Any]) -> list[str]:
    """Keys of the wishes that only forbid."""
    return list(asked["without"])


def patterns(text: str) -> list[str]:
    """Substructures of a text; a comma inside brackets belongs to the SMARTS."""
    parts, depth, word = [], 0, ""
    for letter in text:
        depth += (letter in "[({") - (letter in "])}")
        if letter in ",;" and depth == 0:
            parts.append(word)
            word = ""
        else:
            word += letter
    return [p.strip() for p in [*parts, word] if p.strip()]


# ---------------------------------------------------------------------- gaps
def made_of(asked: dict[str, Any]) -> str:
    """Elements, and groups to leave out; what is wrong with them."""
    with line():
        words("made of H and")
        asked["elements"] = st.pills(
            "Elements",
            _ORDER,
            selection_mode="multi",
            key=gap("elements", [e for e in asked["elements"] if e in _ORDER]),
            label_visibility="collapsed",
        )
        asked["without"] = [
            one
            for one, word in _without().items()
            if st.checkbox(f"without {word}", key=gap(one, one in asked["without"]))
        ]
    return "" if asked["elements"] else "Choose at least one element besides hydrogen."


def keeping(asked: dict[str, Any]) -> str:
    """Substructure and start; what is wrong with them."""
    with line():
        words("keeping")
        asked["keep"] = st.text_input(
            "Substructure",
            key=gap("keep", asked["keep"]),
            label_visibility="collapsed",
            placeholder="any substructure (SMARTS or SMILES)",
            width=280,
            max_chars=200,
        )
        words("starting from")
        asked["start"] = st.text_input(
            "Start",
            key=gap("start", asked["start"]),
            label_visibility="collapsed",
            placeholder="the known ones nearest to the wish",
            width=280,
            max_chars=300,
        )
    return _wrong_keep(asked["keep"]) or _wrong_start(asked["start"])


def _wrong_keep(text: str) -> str:
    for part in patterns(text):
        try:
            rooms("molecules").read_wishes(Condition(wishes={"keep": [part]}))
        except ValueError as wrong:
            return str(wrong)
    return ""


def _wrong_start(asked: str) -> str:
    """Tell which molecule a text means, or return why it means none."""
    if not asked.strip():
        return ""
    place = shared.atlas(state.domain())
    try:
        found = find(place, asked)[0]
    except ValueError as wrong:
        return str(wrong)
    st.caption(f"Starting from {plain(name_of(place, found.text))}, `{found.text}`")
    return ""


PARTS = (made_of, keeping)
