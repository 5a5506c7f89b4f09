"""The question being written on Design: plain values beyond the life of their widgets."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from genbat.core.condition import Condition, Window
from genbat.studio import question as asking
from genbat.studio.question import Question
from genbat.ui import (
    design_crystals,
    design_molecules,
    design_windows,
    shared,
    state,
)
from genbat.ui.design_gaps import ROUND

DRAFT = "design:draft"
SENSES = ("below", "above", "between")
MOST_WISHES = 6
_PARTS: dict[str, Any] = {
    "molecules": design_molecules,
    "crystals": design_crystals,
    "microstructures": design_windows.MICROSTRUCTURES,
    "interphases": design_windows.INTERPHASES,
    "polymers": design_windows.POLYMERS,
}


def part() -> Any:
    """The domain's own part of the sentence: a module, or a `Windows`."""
    return _PARTS[state.domain()]


def fresh_draft() -> dict[str, Any]:
    """The first question: what the link asks, else the domain's usual one."""
    mine = part()
    asked = _from_link(st.query_params.get("want", ""))
    linked = any(name in st.query_params for name in ("el", "formula", "of", "sym"))
    usual = [] if linked and not mine.LEAST_WISHES else [new_wish(*one) for one in mine.FIRST]
    systems = asking.systems_for(state.domain())
    return {
        "wishes": asked or usual,
        **mine.fresh(bool(asked) or linked),
        **mine.USUAL,
        "method": asking.methods_of(systems[0])[-1] if systems else "both",
        "seed": 0,
        "systems": systems[:1],
    }


def new_wish(key: str, sense: str, first: float, second: float = 0.0, weight: float = 1.0) -> dict:
    """A wish as the page keeps it."""
    return {"key": key, "sense": sense, "first": first, "second": second, "weight": weight}


def suggested(key: str) -> dict[str, Any]:
    """A wish on a property that about half of the known objects honour."""
    place = shared.atlas(state.domain())
    low, high, count = asking.usual_range(place, key)
    better = next(p.better for p in place.properties if p.key == key)
    middle = float(f"{(low + high) / 2:.2g}") if count else 0.0
    return new_wish(key, "below" if better < 0 else "above", middle, high if count else 1.0)


def _from_link(text: str) -> list[dict]:
    """`lumo_ev:below:-7;vip_ev:between:14:16` -> wishes; what is not understood is left out."""
    wishes = []
    legal = asking.wishable(state.domain())
    for part in text.split(";")[:MOST_WISHES]:
        key, sense, *ends = ([*part.split(":"), "", ""])[:4]
        try:
            numbers = [float(e) for e in ends if e]
        except ValueError:
            continue
        if key in legal and sense in SENSES and numbers and all(map(math.isfinite, numbers)):
            wishes.append(new_wish(key, sense, numbers[0], numbers[-1]))
    return wishes


def draft() -> dict[str, Any]:
    """The question being written, as plain values."""
    if DRAFT not in st.session_state:
        put(fresh_draft())
    asked = st.query_params.get("start", "")[:300]
    if asked and asked != st.session_state[DRAFT]["start"]:
        put({**st.session_state[DRAFT], "start": asked})  # another page sent an object here
    return st.session_state[DRAFT]


def take(question: Question) -> None:
    """Write a question that was asked into the builder."""
    asked = fresh_draft()
    asked["wishes"] = []
    for key, window in question.condition.windows.items():
        if key in question.asked:
            sense = "between" if math.isfinite(window.low) and math.isfinite(window.high) else ""
            sense = sense or ("below" if math.isinf(window.low) else "above")
            first = window.high if sense == "below" else window.low
            second = window.high if sense == "between" else 0.0
            asked["wishes"].append(new_wish(key, sense, first, second, window.weight))
    asked |= part().taken(question.condition)
    for name in ("minutes", "count", "method", "seed"):
        asked[name] = getattr(question, name)
    asked["systems"] = [question.system]
    put(asked)


def put(asked: dict[str, Any]) -> None:
    """Another draft, shown by fresh widgets."""
    st.session_state[DRAFT] = asked
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1


def write_link(asked: dict[str, Any]) -> None:
    """Write the whole sentence into the address."""
    want = ";".join(
        f"{w['key']}:{w['sense']}:{w['first']:g}"
        + (f":{w['second']:g}" if w["sense"] == "between" else "")
        for w in asked["wishes"]
    )
    state.link(want=want, **part().link(asked))


def questions() -> list[Question]:
    """The draft as one question a system.

    Raises
    ------
    ValueError : the first thing that is wrong, in words.
    """
    asked = draft()
    wishes = part().wishes(asked, shared.atlas(state.domain()))
    condition = Condition(_windows(asked), wishes)
    rest: dict[str, Any] = {"domain": state.domain(), "count": int(asked["count"])}
    rest |= {"minutes": float(asked["minutes"]), "seed": int(asked["seed"])}
    return [Question(condition, s, method=_method(asked, s), **rest) for s in asked["systems"]]


def _method(asked: dict[str, Any], system: str) -> str:
    legal = asking.methods_of(system)
    return asked["method"] if asked["method"] in legal else legal[-1]


def contradiction(asked: dict[str, Any]) -> str:
    """Why no value can honour all wishes on a property, "" where one can."""
    try:
        _windows(asked)
    except ValueError as wrong:
        return str(wrong)
    return ""


def _windows(asked: dict[str, Any]) -> dict[str, Window]:
    labels = {p.key: p.label for p in shared.atlas(state.domain()).properties}
    windows: dict[str, Window] = {}
    for wish in asked["wishes"]:
        low, high = _ends(wish)
        old = windows.get(wish["key"], Window())
        low, high = max(low, old.low), min(high, old.high)
        if low > high:
            raise ValueError(
                f"{labels[wish['key']]}: no value is above {low:g} and below {high:g} at once; "
                "change one of the two numbers."
            )
        windows[wish["key"]] = Window(low, high, max(old.weight, wish["weight"]))
    return {**windows, **{key: Window(high=0.0) for key in part().forbidden(asked)}}


def _ends(wish: dict[str, Any]) -> tuple[float, float]:
    if wish["sense"] == "below":
        return -math.inf, wish["first"]
    return wish["first"], wish["second"] if wish["sense"] == "between" else math.inf
