"""The crystals' part of Design's sentence: elements, formula or system, atoms, symmetry."""

from __future__ import annotations

from typing import Any

import streamlit as st

from genbat.core.condition import Condition
from genbat.studio.explore import Atlas
from genbat.studio.rooms import rooms
from genbat.ui import state
from genbat.ui.components.periodic_table import periodic_table
from genbat.ui.design_gaps import gap, key, line, number, words

# A cathode that may be made, and how long it may take.
FIRST = (("voltage_v", "between", 3.5, 4.5), ("hull_ev", "below", 0.1))
USUAL = {"minutes": 10.0, "count": 96}
LEAST_WISHES = 0
MOST_ATOMS = 20
SYSTEMS = (
    "triclinic",
    "monoclinic",
    "orthorhombic",
    "tetragonal",
    "trigonal",
    "hexagonal",
    "cubic",
)
SYMMETRIES = {
    "any": "any symmetry",
    "not_p1": "any symmetry but P1",
    "system": "the crystal system",
    "group": "the space group",
}
COMPOSITIONS = {
    "table": "elements of the table below",
    "system": "exactly the elements",
    "formula": "the formula",
}
_EXAMPLE = {"system": "Li-Mn-O", "formula": "LiCoO2"}


def fresh(asked: bool) -> dict[str, Any]:
    """What the link says; without one, any crystal of at most 14 atoms."""
    ask = st.query_params
    start = ask.get("start", st.session_state.get(state.START, "") or "")[:60]
    formula = ask.get("formula", start)[:60]
    return {
        "states": _states(ask.get("el", "")),
        "formula": formula,
        "system": ask.get("of", "")[:60],
        "kind": "formula" if formula else "system" if ask.get("of") else "table",
        "atoms": _ends(ask.get("atoms", "")),
        **_read_symmetry(ask.get("sym", "" if asked else "not_p1")),
        "start": start,
    }


def _states(text: str) -> dict[str, str]:
    """`Li:require,Co:forbid` -> element -> state; what is not understood is left out."""
    legal = set(rooms("crystals").element_order)
    pairs = [part.partition(":") for part in text[:2000].split(",")]
    return {e: s for e, _, s in pairs if e in legal and s in ("require", "forbid")}


def _ends(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    if low.isdecimal() and high.isdecimal() and 1 <= int(low) <= int(high) <= MOST_ATOMS:
        return int(low), int(high)
    return 1, 14


def _read_symmetry(text: str) -> dict[str, Any]:
    """`not_p1`, `cubic` or `166`."""
    found = {"symmetry": "any", "crystal_system": "cubic", "group": 166}
    if text == "not_p1":
        return {**found, "symmetry": "not_p1"}
    if text in SYSTEMS:
        return {**found, "symmetry": "system", "crystal_system": text}
    if text.isdecimal() and 1 <= int(text[:4]) <= 230:
        return {**found, "symmetry": "group", "group": int(text)}
    return found


def taken(condition: Condition) -> dict[str, Any]:
    """The same of a condition."""
    asked = condition.wishes
    states = dict.fromkeys(asked.get("forbid", ()), "forbid")
    states |= dict.fromkeys(asked.get("require", ()), "require")
    formula, system = str(asked.get("formula", "")), str(asked.get("system", ""))
    symmetry = "not_p1" if asked.get("not_p1") else str(asked.get("space_group", ""))
    low, high = asked.get("atoms", (1, MOST_ATOMS))
    return {
        "states": states,
        "formula": formula,
        "system": system,
        "kind": "formula" if formula else "system" if system else "table",
        "atoms": (int(low), int(high)),
        **_read_symmetry(str(asked.get("crystal_system", symmetry))),
        "start": "",
    }


def link(asked: dict[str, Any]) -> dict[str, Any]:
    """What goes into the address."""
    states = {e: s for e, s in asked["states"].items() if s != "allow"}
    low, high = asked["atoms"]
    kind = asked["kind"]
    return {
        "el": ",".join(f"{e}:{s}" for e, s in states.items()) if kind == "table" else None,
        "formula": asked["formula"] if kind == "formula" else None,
        "of": asked["system"] if kind == "system" else None,
        "atoms": f"{low}-{high}",
        "sym": _symmetry_text(asked),
        "start": None,
    }


def _symmetry_text(asked: dict[str, Any]) -> str:
    texts = {"not_p1": "not_p1", "system": asked["crystal_system"], "group": str(asked["group"])}
    return str(texts.get(asked["symmetry"], "any"))


def wishes(asked: dict[str, Any], place: Atlas | None = None) -> dict[str, Any]:
    """Discrete wishes of a draft."""
    found: dict[str, Any] = {"atoms": list(asked["atoms"])}
    if asked["kind"] == "table":
        for name in ("require", "forbid"):
            if picked := [e for e, s in asked["states"].items() if s == name]:
                found[name] = picked
    elif asked[asked["kind"]].strip():
        found[asked["kind"]] = asked[asked["kind"]].strip()
    symmetry = {
        "not_p1": ("not_p1", True),
        "system": ("crystal_system", asked["crystal_system"]),
        "group": ("space_group", int(asked["group"])),
    }.get(asked["symmetry"])
    return {**found, **dict([symmetry])} if symmetry else found


def forbidden(asked: dict[str, Any]) -> list[str]:
    """No wish on a property only forbids."""
    return []


# ---------------------------------------------------------------------- gaps
def made_of(asked: dict[str, Any]) -> str:
    """Elements by the table, a chemical system, or a formula; what is wrong with them."""
    with line():
        words("made of")
        asked["kind"] = st.selectbox(
            "Composition",
            list(COMPOSITIONS),
            format_func=COMPOSITIONS.__getitem__,
            key=gap("kind", asked["kind"]),
            label_visibility="collapsed",
            width=250,
        )
        if (kind := asked["kind"]) != "table":
            asked[kind] = st.text_input(
                COMPOSITIONS[kind].capitalize(),
                key=gap(kind, asked[kind]),
                label_visibility="collapsed",
                placeholder=_EXAMPLE[kind],
                width=180,
                max_chars=60,
            )
    if asked["kind"] == "table":
        asked["states"] = periodic_table(asked["states"], key=key("elements"))
        _say(asked["states"])
    return _wrong(asked)


def _say(states: dict[str, str]) -> None:
    required = [e for e, s in states.items() if s == "require"]
    gone = [e for e, s in states.items() if s == "forbid"]
    shown = " ".join(gone[:14]) + (f" and {len(gone) - 14} more" if len(gone) > 14 else "")
    parts = [f"with {' '.join(required)}"] if required else []
    parts += [f"without {shown}"] if gone else []
    st.caption(", ".join(parts) or "any elements; click one to require it, again to forbid it")


def _wrong(asked: dict[str, Any]) -> str:
    kind = asked["kind"]
    if kind != "table" and not asked[kind].strip():
        return f"Write {COMPOSITIONS[kind]}, for example {_EXAMPLE[kind]}."
    try:
        rooms("crystals").read_wishes(Condition(wishes=wishes(asked)))
    except ValueError as wrong:
        return str(wrong)
    return ""


def cell(asked: dict[str, Any]) -> str:
    """Number of atoms and symmetry."""
    with line():
        words("with")
        low, high = asked["atoms"]
        ends = {"min_value": 1, "max_value": MOST_ATOMS, "width": 105}
        low = number("Fewest atoms", "atoms:low", low, **ends)
        words("to")
        high = number("Most atoms", "atoms:high", high, **ends)
        asked["atoms"] = (int(low), int(high))
        words("atoms in the cell, and")
        asked["symmetry"] = st.selectbox(
            "Symmetry", list(SYMMETRIES), format_func=SYMMETRIES.__getitem__,
            key=gap("symmetry", asked["symmetry"]), label_visibility="collapsed", width=210,
        )  # fmt: skip
        _which(asked)
    return "" if low <= high else f"Fewest atoms: {low} is more than {high}; swap the two."


def _which(asked: dict[str, Any]) -> None:
    if asked["symmetry"] == "system":
        asked["crystal_system"] = st.selectbox(
            "Crystal system", SYSTEMS, key=gap("crystal_system", asked["crystal_system"]),
            label_visibility="collapsed", width=160,
        )  # fmt: skip
    elif asked["symmetry"] == "group":
        names = _groups()
        asked["group"] = st.selectbox(
            "Space group", list(names), format_func=names.__getitem__,
            key=gap("group", asked["group"]), label_visibility="collapsed", width=160,
        )  # fmt: skip


@st.cache_data(show_spinner=False)
def _groups() -> dict[int, str]:
    from genbat.studio.rooms_crystals_text import group_symbol

    return {number: f"{group_symbol(number)} ({number})" for number in range(1, 231)}


PARTS = (made_of, cell)
