"""Widget keys, links and what one browser tab remembers."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import streamlit as st

from genbat.core.candidate import Candidate
from genbat.studio import registry
from genbat.studio.rooms import Words, rooms

# Keys of st.session_state; pages use no others for what outlives them.
DOMAIN = "domain"
DOMAIN_CHOICE = "domain:choice"
CHOSEN = "chosen"  # the candidate on the card, as JSON
BASKET = "basket"  # id of the current shortlist
OWNER = "owner"
ENDS = "ends"  # texts of A and B on Interpolate
START = "start"  # text of Design's starting molecule

# Beginnings of keys whose values speak of one domain.
_OF_DOMAIN = ("explore:", "filters:", "design:", "walk:", "end:", "shortlist:", "across", "up",
              "better:", "columns", "compute:")  # fmt: skip
_OWNER = re.compile(r"^[0-9a-f]{32}$")


def domain() -> str:
    """The domain in force, from the link or the sidebar."""
    asked = st.query_params.get("domain", st.session_state.get(DOMAIN, registry.FIRST))
    return asked if asked in registry.offered() else registry.FIRST


def words() -> Words:
    """How the domain in force is spoken of."""
    return rooms(domain()).words


def change_domain(wanted: str) -> None:
    """Turn to another domain: what the address says of the old one goes, and so does its card."""
    for name in list(st.query_params):
        if name not in ("me", "domain"):
            st.query_params.pop(name)
    for name in (CHOSEN, BASKET, ENDS, START):
        st.session_state.pop(name, None)
    for key in [k for k in st.session_state if str(k).startswith(_OF_DOMAIN)]:
        st.session_state.pop(key)
    st.session_state[DOMAIN] = wanted
    link(domain=None if wanted == registry.FIRST else wanted)


def owner() -> str:
    """An opaque id of this person: kept in the link as `me`, so that a reload finds her lists."""
    given = st.query_params.get("me", st.session_state.get(OWNER, ""))
    ident = given if _OWNER.match(given) else uuid.uuid4().hex
    st.session_state[OWNER] = ident
    return ident


def link(**values: Any) -> None:
    """Write values into the address; None or "" removes one."""
    for key, value in values.items():
        if value in (None, "", [], ()):
            st.query_params.pop(key, None)
        elif st.query_params.get(key) != str(value):
            st.query_params[key] = str(value)


def told(key: str, name: str) -> Any:
    """What a component said last, None where it said nothing or is not there yet. To be asked
    before anything is drawn: a run that ends in the middle of its drawing may leave the browser
    with places that do not exist, and the page white."""
    found = st.session_state.get(key)
    return found.get(name) if found else None


def choose(candidate: Candidate | None) -> None:
    """Put a candidate on the card."""
    st.session_state[CHOSEN] = None if candidate is None else json.dumps(candidate.to_json())


def chosen() -> Candidate | None:
    """The candidate on the card."""
    text = st.session_state.get(CHOSEN)
    return Candidate.from_json(json.loads(text)) if text else None


def ends() -> tuple[str, str]:
    """Texts of Interpolate's two ends."""
    a, b = st.session_state.get(ENDS, ("", ""))
    return st.query_params.get("a", a), st.query_params.get("b", b)


def set_end(which: int, text: str) -> None:
    """Remember an end (0 is A, 1 is B)."""
    pair = list(ends())
    pair[which] = text
    st.session_state[ENDS] = tuple(pair)


def is_dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"
