"""The question being written on Design: plain values beyond the life of their widgets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from genbat.core.condition import Condition, Window
from genbat.studio import question as asking
from genbat.studio import registry
from genbat.studio.question import Question
from genbat.ui import shared, state
from genbat.ui.finding import find

DRAFT, ROUND = "design:draft", "design:round"  # a new draft starts a new round of widgets
SENSES = ("below", "above", "between")
MOST_WISHES = 6
_FIRST = (("lumo_ev", "below", -7.0), ("vip_ev", "above", 15.0))


def fresh_draft() -> dict[str, Any]:
    """The first question: what the link asks, else a solvent for both electrodes."""
    asked = _from_link(st.query_params.get("want", ""))
    return {
        "wishes": asked or [new_wish(*one) for one in _FIRST],
        "elements": _listed("of", asking.ELEMENT_ORDER) or list(asking.ELEMENT_ORDER),
        "without": _listed("no", tuple(asking.WITHOUT)) if asked else ["hazards"],
        "keep": st.query_params.get("keep", "")[:200],
        "start": st.query_params.get("start", st.session_state.get(state.START, "") or "")[:300],
        "minutes": 2.0,
        "count": 24,
        "method": "both",
        "seed": 0,
        "systems": asking.systems_for(state.domain()),
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


def _listed(name: str, legal: Sequence[str]) -> list[str]:
    asked = st.query_params.get(name, "").split(",")
    return [one for one in legal if one in asked]


def _from_link(text: str) -> list[dict]:
    """`lumo_ev:below:-7;vip_ev:between:14:16` -> wishes; what is not understood is left out."""
    wishes = []
    legal = asking.wishable(registry.REFERENCE[state.domain()])
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
        put({**st.session_state[DRAFT], "start": asked})  # another page sent a molecule here
    return st.session_state[DRAFT]


def take(question: Question) -> None:
    """Write a question that was asked into the builder."""
    asked = fresh_draft()
    asked["wishes"] = []
    for key, window in question.condition.windows.items():
        if key not in asking.WITHOUT:
            sense = "between" if math.isfinite(window.low) and math.isfinite(window.high) else ""
            sense = sense or ("below" if math.isinf(window.low) else "above")
            first = window.high if sense == "below" else window.low
            second = window.high if sense == "between" else 0.0
            asked["wishes"].append(new_wish(key, sense, first, second, window.weight))
    asked["without"] = [k for k in asking.WITHOUT if k in question.condition.windows]
    wishes = question.condition.wishes
    asked["elements"] = list(wishes.get("elements", asking.ELEMENT_ORDER))
    asked["keep"], asked["start"] = ", ".join(wishes.get("keep", ())), wishes.get("start", "")
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
    every = set(asked["elements"]) == set(asking.ELEMENT_ORDER)
    state.link(
        want=want,
        of=None if every else ",".join(asked["elements"]),
        no=",".join(asked["without"]),
        keep=asked["keep"],
        start=asked["start"],
    )


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


def questions() -> list[Question]:
    """The draft as one question a system.

    Raises
    ------
    ValueError : the first thing that is wrong, in words.
    """
    asked = draft()
    wishes: dict[str, Any] = {}
    if set(asked["elements"]) != set(asking.ELEMENT_ORDER):
        wishes["elements"] = list(asked["elements"])
    if patterns(asked["keep"]):
        wishes["keep"] = patterns(asked["keep"])
    if asked["start"].strip():
        wishes["start"] = find(shared.atlas(state.domain()), asked["start"])[0].text
    condition = Condition(_windows(asked), wishes)
    rest = {"domain": state.domain(), "count": int(asked["count"]), "method": asked["method"]}
    return [
        Question(condition, s, minutes=float(asked["minutes"]), seed=int(asked["seed"]), **rest)
        for s in asked["systems"]
    ]


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
    return {**windows, **{key: Window(high=0.0) for key in asked["without"]}}


def _ends(wish: dict[str, Any]) -> tuple[float, float]:
    if wish["sense"] == "below":
        return -math.inf, wish["first"]
    return wish["first"], wish["second"] if wish["sense"] == "between" else math.inf
