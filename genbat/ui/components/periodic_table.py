"""A periodic table to allow, require or forbid elements, or to pick some.

Example
-------
>>> states = periodic_table({"Li": "require", "Co": "forbid"}, key="design:elements")
>>> required = [element for element, state in states.items() if state == "require"]
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from genbat.studio import crystal_facts

STATES = ("allow", "require", "forbid")
PRESETS = (
    ("all", "All", "Allow every element"),
    ("battery", "Battery elements", "Forbid what batteries are not made of"),
    ("cobalt", "No cobalt", "Forbid cobalt"),
    ("only", "Only required", "Forbid all that is not required"),
)
CLEAR = ("none", "Clear", "Pick none")
_HERE = Path(__file__).parent
_table = st.components.v2.component(
    "genbat_periodic_table",
    html='<div class="ptable"></div>',
    css=(_HERE / "periodic_table.css").read_text("utf-8"),
    js=(_HERE / "periodic_table.js").read_text("utf-8"),
)


def periodic_table(states: Mapping[str, str], *, key: str) -> dict[str, str]:
    """Show the table and return element -> "allow", "require" or "forbid" for all its elements.

    Parameters
    ----------
    states : where it starts; elements left out are allowed. Other states than before replace what
        the user chose, the same ones, or what this returned last, leave it.
    key : its place on the page.

    Raises
    ------
    ValueError : an element or a state it does not know, with what is legal.
    """
    given = {row.symbol: states.get(row.symbol, "allow") for row in crystal_facts.elements()}
    _check(states, given)
    return _shown(given, key, presets=PRESETS)


def element_picker(
    picked: Sequence[str], legal: Collection[str], *, most: int, key: str
) -> list[str]:
    """Show the table to pick at most so many elements from, and return the picked ones.

    Parameters
    ----------
    picked : where it starts; others than before replace what the user picked.
    legal : those that can be picked.
    key : its place on the page.

    Raises
    ------
    ValueError : picked elements that are not legal, or too many of them.
    """
    if strange := [e for e in picked if e not in legal]:
        raise ValueError(f"picked: {strange[0][:10]!r} is not among {', '.join(sorted(legal))}")
    if len(picked) > most:
        raise ValueError(f"picked: got {len(picked)}; legal are at most {most}")
    given = {row.symbol: "allow" if row.symbol in legal else "forbid"
             for row in crystal_facts.elements()}  # fmt: skip
    states = _shown(given | dict.fromkeys(picked, "require"), key, presets=(CLEAR,), picks=most)
    return [e for e, state in states.items() if state == "require" and e in legal][:most]


def _shown(given: dict[str, str], key: str, **more: Any) -> dict[str, str]:
    """Element -> state, as the user left it."""
    rows = crystal_facts.elements()
    shown = [
        {"symbol": row.symbol, "name": row.name, "row": row.row, "column": row.column}
        for row in rows
    ]
    memory = _remembered(given, f"{key}:memory")
    reply = _table(
        data={
            "elements": shown,
            "battery": [row.symbol for row in rows if row.battery],
            "states": memory["returned"],
            "version": memory["version"],
            **more,
        },
        key=key,
        on_states_change=_nothing,
    ).states
    if reply and reply["version"] == memory["version"]:
        memory["returned"] = {e: reply["states"].get(e, "allow") for e in given}
    return dict(memory["returned"])


def _remembered(given: dict[str, str], name: str) -> dict[str, Any]:
    """What was last asked and returned; a new version where the page itself asks for a change."""
    memory: dict[str, Any] = st.session_state.setdefault(name, {"version": 0})
    if given not in (memory.get("given"), memory.get("returned")):
        memory |= {"version": memory["version"] + 1, "returned": given}
    memory["given"] = given
    return memory


def _check(states: Mapping[str, str], given: Mapping[str, str]) -> None:
    if strange := [e for e in states if e not in given]:
        raise ValueError(f"states: unknown element {strange[0][:10]!r}; legal are H to Bi")
    if wrong := [s for s in given.values() if s not in STATES]:
        raise ValueError(f"states: got {wrong[0]!r}; legal are {', '.join(STATES)}")


def _nothing() -> None:
    """Only events with a callback reach Python."""
